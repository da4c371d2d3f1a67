"""What the hidden command offers at each place of a line, and that it never does more than that."""

from __future__ import annotations

import os
import shlex
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

from secure_mcp_gateway.cli import stored_names
from secure_mcp_gateway.cli.arguments import SWITCHES, WITH_VALUE
from secure_mcp_gateway.cli.candidates import completion_at
from secure_mcp_gateway.cli.commands import nouns, verbs
from secure_mcp_gateway.cli.shell_words import quoted, raw_words, unquoted
from secure_mcp_gateway.cli.topics import MANUAL, TOPICS
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.params import PATH
from secure_mcp_gateway.store.document import Document
from tests.support import FolderCase, StoreCase, process, run

NAMES_A_THING = {"config_identifier", "project_identifier", "user_identifier", "source_config", "admin_key"}


class Offered(StoreCase):
    def offered(self, *words: str) -> list[str]:
        """For the last word, which may be empty, on this store."""
        return [line.partition("\t")[0] for line in self.answer("--store", self.store, *words)[1:]]

    def answer(self, *words: str) -> list[str]:
        ran = run("__complete", "words", *words)
        self.assertEqual((ran.code, ran.err), (0, ""))
        return ran.out.splitlines()

    def test_nouns_then_verbs_then_flags(self) -> None:
        self.assertEqual(self.offered(""), nouns())
        self.assertEqual(self.offered("config", "list-"), ["list-projects", "list-servers"])
        self.assertEqual(self.offered("config", ""), [verb for verb, _ in verbs("config")])
        self.assertEqual(self.offered("completion", ""), ["bash", "fish", "zsh"])
        self.assertEqual(self.offered("config", "rename", "")[:3], ["--config-name", "--config-id", "--new-name"])
        self.assertEqual(self.offered("whoami", "--q"), ["--quiet"])
        self.assertEqual(self.offered("bogus", ""), [])
        self.assertEqual(self.offered("config", "bogus", ""), [])

    def test_words_and_flags_say_what_they_are(self) -> None:
        self.assertIn("config\tNamed sets of MCP servers, and settings", self.answer("con"))
        self.assertIn("get\tShow a config with all its servers", self.answer("config", "ge"))
        self.assertIn("--new-name\tThe name to give it: 1 to 100 characters, not taken yet.", self.answer("config", "rename", "--n"))
        self.assertIn("--quiet\tOnly data and errors.", self.answer("whoami", "--q"))
        self.assertEqual([line for line in self.answer("help", "") if line.endswith("\t")], [])

    def test_help_takes_topics_and_commands(self) -> None:
        self.assertEqual(self.offered("help", "")[: len(TOPICS) + 1], [*TOPICS, MANUAL])
        self.assertEqual(self.offered("help", "admin-key", "cr"), ["create"])
        self.assertEqual(self.offered("help", "keys", ""), [])

    def test_a_flag_is_offered_once_and_one_way_but_a_list(self) -> None:
        self.assertNotIn("--config-name", self.offered("config", "get", "--config-id=x", "--c"))
        self.assertIn("--config-name", self.offered("config", "get", "--c"))
        self.assertIn("--args", self.offered("config", "add-server", "--args", "x", "--a"))
        self.assertNotIn("--store", self.offered("config", "list", "--"))

    def test_fixed_values(self) -> None:
        self.assertEqual(self.offered("--format", ""), ["table", "json"])
        self.assertEqual(self.offered("config", "list", "--format=j"), ["--format=json"])
        self.assertEqual(self.offered("config", "configure-telemetry", "--enabled", "")[:2], ["true", "false"])
        self.assertEqual(self.offered("config", "configure-telemetry", "--enabled", "t"), ["true"])
        self.assertEqual(self.offered("config", "configure-telemetry", "--enabled=f"), ["--enabled=false"])
        self.assertEqual(self.offered("config", "configure-telemetry", "--url", ""), [])

    def test_where_a_file_is_meant_the_shell_offers_its_own(self) -> None:
        for words in (["config", "import", "--input-file"], ["system", "backup", "--output-file"], ["--store"], ["config", "list", ">"]):
            self.assertEqual(self.answer(*words, ""), ["files\t"])
        self.assertEqual(self.answer("config", "import", "--input-file=x"), ["files\t--input-file="])
        self.assertEqual(self.answer("system", "start-api", "--tls-cert", ""), ["files\t"])
        for flag in ("--api-key-file", "--ca-file", "--client-cert", "--client-key"):
            self.assertEqual(self.answer("config", "list", flag, ""), ["files\t"])

    def test_names_and_ids_come_from_the_store_that_the_line_names(self) -> None:
        made = self.keys
        for flag, found in (
            ("--config-name", made["config_name"]),
            ("--config-id", made["config_id"]),
        ):
            self.assertEqual(self.offered("config", "get", flag, found[:3]), [found])
        self.assertEqual(self.offered("project", "get", "--project-name=d"), ["--project-name=default_project"])
        self.assertEqual(self.offered("project", "assign-config", "--project-id", ""), [made["project_id"]])
        self.assertEqual(self.offered("user", "get", "--email", ""), ["default@example.com"])
        self.assertEqual(self.offered("project", "add-user", "--user-id", ""), [made["user_id"]])
        self.assertEqual(self.offered("user", "create", "--email", ""), [])
        with mock.patch.dict(os.environ, {"FOLDER": self.path("s")}):
            named = self.answer("--store", "$FOLDER/store.json", "config", "copy", "--source-config", "")
        self.assertEqual(named[1:], ["default_config\t"])

    def test_keys_are_offered_by_their_public_ids(self) -> None:
        (key,) = (each["api_key"] for each in self.done("user", "list-all-api-keys"))
        (admin,) = (each["admin_key"] for each in self.done("admin-key", "list"))
        for verb in ("get", "rotate", "delete"):
            self.assertEqual(self.offered("user", f"{verb}-api-key", "--api-key", ""), [key])
        self.assertEqual(self.offered("admin-key", "delete", "--admin-key", ""), [admin, "admin"])
        self.assertEqual(self.offered("config", "set-enkrypt-api-key", "--api-key", ""), [])

    def test_servers_are_those_of_the_config_on_the_line(self) -> None:
        for config in (["--config-name", "default_config"], [f"--config-id={self.keys['config_id']}"]):
            self.assertEqual(self.offered("config", "get-server", *config, "--server-name", ""), ["echo_server"])
        for config in ([], ["--config-name", "other"]):
            self.assertEqual(self.offered("config", "get-server", *config, "--server-name", ""), [])

    def test_a_name_that_begins_with_a_dash_is_offered_where_it_can_be_taken(self) -> None:
        self.done("config", "add", "--config-name=-dash")
        self.assertEqual(self.offered("config", "get", "--config-name", ""), ["default_config"])
        self.assertEqual(self.offered("config", "get", "--config-name=-"), ["--config-name=-dash"])

    def test_a_name_that_is_no_text_for_a_line_is_left_out(self) -> None:
        text = Path(self.store).read_text(encoding="utf-8")
        for name in ("two\\nlines", "tab\\tbed", "bell\\u0007", "turned\\u202e", "x" * 400):
            Path(self.store).write_text(text.replace('"default_config"', f'"{name}"'), encoding="utf-8")
            self.assertEqual(self.offered("config", "get", "--config-name", ""), [])

    def test_of_many_a_bounded_number_is_offered_with_no_less_in_common_than_all(self) -> None:
        with mock.patch.object(stored_names, "MOST", 3):
            for name in ("ab1", "ab2", "ab3", "ab4", "ac"):
                self.done("config", "add", f"--config-name={name}")
            self.assertEqual(self.offered("config", "get", "--config-name", "a"), ["ab1", "ab2", "ac"])

    def test_with_another_server_nothing_of_this_store_is_offered(self) -> None:
        words = ["config", "get", "--server", "https://gateway.example.com", "--config-name", ""]
        self.assertEqual(self.offered(*words), [])
        with mock.patch.dict(os.environ, {"SECURE_MCP_GATEWAY_SERVER": "https://gateway.example.com"}):
            self.assertEqual(self.offered("config", "get", "--config-name", ""), [])
            self.assertEqual(self.offered("config", "ge")[0], "get")

    def test_every_param_that_names_a_thing_says_which(self) -> None:
        wrong = [
            f"{row.name}: {param.name}"
            for row in all_operations()
            for param in row.params
            if (param.name in NAMES_A_THING or param.place == PATH) and not param.completes
        ]
        self.assertEqual(wrong, [], "give the Param `completes`, one of the names of params.py")


class Harmless(StoreCase):
    def test_nothing_is_written_not_even_a_lock(self) -> None:
        os.unlink(f"{self.store}.lock")
        before = sorted((path.name, path.stat().st_mtime_ns) for path in Path(self.path("s")).iterdir())
        ran = process("__complete", "words", "--store", self.store, "config", "get", "--config-name", "")
        self.assertEqual((ran.code, ran.out, ran.err), (0, "words\ndefault_config\t\n", ""))
        self.assertEqual(sorted((path.name, path.stat().st_mtime_ns) for path in Path(self.path("s")).iterdir()), before)

    def test_a_missing_or_damaged_store_gives_nothing(self) -> None:
        damaged = self.write("damaged.json", '{"format": 1, "generation": 7')
        for store in (self.path("none.json"), damaged, self.folder, "", "/dev/null", "~nobody/x"):
            ran = run("__complete", "words", "--store", store, "config", "get", "--config-name", "")
            self.assertEqual((ran.code, ran.out, ran.err), (0, "", ""), store)

    def test_a_line_that_makes_no_sense_gives_nothing(self) -> None:
        for arguments in ([], ["bash"], ["words"], ["bash", "x", "y"], ["bogus", "x"], ["words", "--=", "--", "-"], ["bash", "'", "'"]):
            ran = run("__complete", *arguments)
            self.assertEqual((ran.code, ran.err), (0, ""), arguments)

    def test_no_secret_is_ever_offered(self) -> None:
        digests = [line for line in Path(self.store).read_text(encoding="utf-8").split('"') if len(line) == 64]
        self.assertGreater(len(digests), 1)
        commands = {row.name: row.params for row in all_operations()}
        said = "".join(
            run("__complete", "words", "--store", self.store, *name.split(), f"--{flag}=").out
            for name, params in commands.items()
            for param in params
            for flag in param.flags
        )
        for secret in (self.keys["api_key"], self.keys["admin_api_key"], self.keys["api_key"][-4:], *digests):
            self.assertNotIn(secret, said)

    def test_it_is_hidden(self) -> None:
        self.assertNotIn("__complete", run("--help").out)
        self.assertIn("there is no command", run("config", "list", "__complete").err + run("--quiet", "__complete").err)

    def test_only_the_table_that_is_needed_is_read(self) -> None:
        read: list[str] = []
        stored = Document.stored

        def noted(document: Document, name: str) -> object:
            read.append(name)
            return stored(document, name)

        refused = mock.patch.object(Document, "table", side_effect=AssertionError("no table is taken apart"))
        with mock.patch.object(Document, "stored", noted), refused:
            self.assertIn("default@example.com", run("__complete", "words", "--store", self.store, "user", "get", "--email", "").out)
            self.assertEqual(read, ["users"])
            run("__complete", "words", "--store", self.store, "user", "ge")
        self.assertEqual(read, ["users"])


class BashLines(FolderCase):
    def test_words_are_told_apart_as_bash_does(self) -> None:
        self.assertEqual(raw_words('a  b\\ c \'d e\'"f \\" g" '), ["a", "b\\ c", '\'d e\'"f \\" g"', ""])
        self.assertEqual(raw_words("a 'b c"), ["a", "'b c"])
        self.assertEqual(raw_words(""), [""])
        for raw, text, quote in (
            ("a\\ b", "a b", ""),
            ('"a\\$b\\c', "a$b\\c", '"'),
            ("'a\\b", "a\\b", "'"),
            ("x'y'\"z\"\\", "xyz", ""),
            ('"it\'s"', "it's", ""),
        ):
            self.assertEqual(unquoted(raw), (text, quote))

    def test_what_is_quoted_is_the_same_text_again(self) -> None:
        for text in ("a b", "it's", '"', "$`\\!", "!", "~x", "é漢", "", "a=b:c", "'", "\\"):
            for quote in ("", "'", '"'):
                made = quoted(text, quote)
                whole = quote + made + quote
                # Readline's part in it: it takes a quote at the edge for its own.
                if quote and made.startswith(quote):
                    whole = made + quote * (not made.endswith(quote))
                elif quote and made.endswith(quote):
                    whole = quote + made
                with self.subTest(text=text, quote=quote):
                    self.assertEqual(unquoted(whole), (text, ""))

    def test_a_long_line_takes_no_long_time(self) -> None:
        for line in ("\\" * 100_000, "'\"" * 50_000, '"\\' * 50_000, "a" * 100_000 + '"'):
            start = time.monotonic()
            raw_words(line)
            unquoted(line)
            self.assertLess(time.monotonic() - start, 5)


class Commands(FolderCase):
    def test_each_shell_has_its_script_and_its_help_says_how_to_have_it(self) -> None:
        for shell in ("bash", "fish", "zsh"):
            script = run("completion", shell, "--format", "table")
            self.assertEqual((script.code, script.err), (0, ""))
            self.assertIn("__complete", script.out)
            self.assertNotIn("@PROGRAM@", script.out)
            self.assertEqual(run("completion", shell, "--format", "json").data["script"], script.out.rstrip("\n"))
            for words in (["completion"], ["completion", shell]):
                self.assertIn(f"secure-mcp-gateway completion {shell}", run(*words, "--help").out.partition("To have it")[2])

    def test_the_script_calls_the_program_as_it_was_started(self) -> None:
        for folder in ("a b", "other"):
            os.mkdir(self.path(folder))
            os.chmod(self.write(f"{folder}/secure-mcp-gateway", ""), 0o700)
        here, other = self.path("a b", "secure-mcp-gateway"), self.path("other", "secure-mcp-gateway")
        for started, path, called in (
            (here, self.path("a b"), "secure-mcp-gateway"),
            (here, self.path("other"), f"'{here}'"),
            (other, "", shlex.quote(other)),
            ("/checkout/secure_mcp_gateway/__main__.py", self.path("other"), f"{shlex.quote(sys.executable)} -m secure_mcp_gateway"),
        ):
            with mock.patch.object(sys, "argv", [started]), mock.patch.dict(os.environ, {"PATH": path}):
                self.assertIn(f"({called} __complete bash ", run("completion", "bash", "--format", "table").out)

    def test_the_flags_of_all_commands_are_known(self) -> None:
        known = {flag for flag in (*WITH_VALUE, *SWITCHES) if flag.startswith("--")}
        self.assertEqual({flag for flag, _ in completion_at([], "--").candidates}, known)


if __name__ == "__main__":
    unittest.main()
