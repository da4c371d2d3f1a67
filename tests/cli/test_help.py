"""Help is read off the commands: nothing is missing in it, and its examples are right."""

from __future__ import annotations

import shlex
import unittest

from secure_mcp_gateway.cli.arguments import flags_of, parse_flags
from secure_mcp_gateway.cli.commands import Command, find_command, nouns, verbs
from secure_mcp_gateway.cli.help import example, help_text
from secure_mcp_gateway.cli.topics import NOUNS, TOPICS
from secure_mcp_gateway.cli.values import read_values
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.params import DOCUMENT
from tests.support import FolderCase, run


def all_commands() -> list[Command]:
    names = [f"{noun} {verb}" for noun in ("config", "project", "user", "admin-key", "system") for verb, _ in verbs(noun)]
    found = [find_command(name.split()) for name in [*names, "generate-config", "whoami", "apply"]]
    return [command for command in found if command is not None]


class Help(FolderCase):
    def help(self, *argv: str) -> str:
        ran = run(*argv)
        self.assertEqual((ran.code, ran.err), (0, ""))
        return ran.out

    def test_every_row_is_a_command(self) -> None:
        self.assertLessEqual({row.name for row in all_operations()}, {command.name for command in all_commands()})

    def test_at_the_top_stand_all_nouns_and_topics(self) -> None:
        text = self.help("--help")
        for word in (*nouns(), *TOPICS, "--store", "--format"):
            self.assertIn(word, text)
        self.assertEqual(text, self.help("help"))
        self.assertEqual(set(NOUNS), set(nouns()))

    def test_a_noun_lists_its_verbs(self) -> None:
        for noun in ("config", "project", "user", "admin-key", "system"):
            text = self.help(noun, "--help")
            self.assertEqual([verb for verb, summary in verbs(noun) if f"  {verb} " not in text.replace("\n", " ") or not summary], [])
            self.assertEqual(text, self.help("help", noun))

    def test_a_command_lists_its_flags_and_exit_codes(self) -> None:
        for command in all_commands():
            text = self.help(*command.name.split(), "--help")
            with self.subTest(command=command.name):
                self.assertEqual([flag for param in command.params for flag in flags_of(param) if f"--{flag} " not in text], [])
                self.assertEqual("\n  4  " in text, "conflict" in command.errors)
                self.assertEqual("\n  3  " in text, "not_found" in command.errors)
                self.assertEqual(text, self.help("help", *command.name.split()))

    def test_more_words_than_a_command_has_are_all_said(self) -> None:
        ran = run("help", "config", "list", "all")
        self.assertEqual((ran.code, ran.refusal["error"]), (2, "invalid_request"))
        self.assertIn("config has no command 'list all'; did you mean config list?", ran.refusal["detail"])

    def everything(self) -> list[list[str]]:
        return [[], *([noun] for noun in NOUNS if noun != "help"), *(command.name.split() for command in all_commands())]

    def test_no_line_is_wider_than_80_columns(self) -> None:
        for argv in [*self.everything(), *(["help", topic] for topic in TOPICS)]:
            lines = self.help(*argv, "--help").splitlines()
            self.assertEqual([line for line in lines if len(line) > 80], [], argv)

    def test_a_narrow_terminal_is_not_run_over_and_a_wide_one_is_used(self) -> None:
        for width in (50, 60, 120):
            longest = 0
            for words in self.everything():
                told = help_text(words, width).split("\nexample:\n")[0].splitlines()
                # What is to be typed stays as it can be pasted.
                lines = [line for line in told if not line.startswith("  echo ")]
                self.assertEqual([line for line in lines if len(line) > max(width, len(lines[0]))], [], words)
                longest = max(longest, *map(len, lines))
            self.assertEqual(longest > 80, width > 80)

    def test_all_help_ends_with_an_example_that_can_be_pasted(self) -> None:
        for words in self.everything():
            shown = help_text(words).partition("\nexample:\n")[2]
            typed = shlex.split(shown.replace("\\\n", " "))
            name = [word for word in typed[1:3] if not word.startswith("-")]
            with self.subTest(words=words):
                command = find_command(name)
                assert command is not None
                self.assertEqual((typed[0], typed), ("secure-mcp-gateway", shlex.split(" ".join(example(command)))))
                self.assertEqual(name[: len(words)], words)

    def test_a_command_names_the_flags_of_all_in_one_line(self) -> None:
        for command in all_commands():
            self.assertIn("global flags: --store FILE, --format table|json, --quiet", self.help(*command.name.split(), "--help"))

    def test_a_list_names_its_three_forms(self) -> None:
        text = " ".join(self.help("config", "add-server", "--help").split())
        self.assertIn("Texts with commas between, a JSON list, or given once for each text.", text.partition("--args A,B")[2][:200])

    def test_every_example_can_be_typed(self) -> None:
        for command in all_commands():
            program, *words = shlex.split(" ".join(example(command)))
            flags = words[len(command.name.split()) :]
            given = parse_flags(command.name, command.params, flags)
            inline = [param for param in command.params if param.kind != DOCUMENT]
            with self.subTest(command=command.name):
                self.assertEqual((program, " ".join(words[: -len(flags) or None])), ("secure-mcp-gateway", command.name))
                read_values(inline, given)

    def test_a_topic_is_text(self) -> None:
        for topic in TOPICS:
            self.assertGreater(len(self.help("help", topic).splitlines()), 5)
        self.assertIn("130", self.help("help", "exit-codes"))
        self.assertEqual(self.help("help", "exit", "codes"), self.help("help", "exit-codes"))

    def test_commands_in_topics_exist(self) -> None:
        for topic, text in TOPICS.items():
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line) if line.startswith("  secure-mcp-gateway") else ["", "whoami"]
                name = [word for word in words[1:3] if not word.startswith("-")]
                command = find_command(name)
                with self.subTest(topic=topic, line=line):
                    assert command is not None
                    parse_flags(command.name, command.params, words[1 + len(name) :])

    def test_json_asked_for_by_name_is_json(self) -> None:
        self.assertIn("usage", run("--help", "--format", "json").data["help"])


if __name__ == "__main__":
    unittest.main()
