"""Whatever one can type, ask for or set is written down: in the README, in the help and in the manual page."""

from __future__ import annotations

import functools
import re
import unittest
from pathlib import Path

from secure_mcp_gateway.api.openapi import openapi_document
from secure_mcp_gateway.api.pages import _PAGES
from secure_mcp_gateway.cli.arguments import SWITCHES, WITH_VALUE, flags_of
from secure_mcp_gateway.cli.commands import HELP, Command, find_command, nouns, verbs
from secure_mcp_gateway.cli.environment import SETTINGS, server_settings
from secure_mcp_gateway.cli.help import help_text
from secure_mcp_gateway.cli.manual import manual
from secure_mcp_gateway.cli.topics import MANUAL, NOUNS, TOPICS
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.params import PATH
from tests.support import ROOT

PACKAGE = ROOT / "secure_mcp_gateway"
# Between the processes of one server; whoever sets it himself breaks that server alone.
NOT_FOR_USERS = {"SECURE_MCP_GATEWAY_LISTENER"}
REGENERATE = "run `python3 -m tests.readme_reference`, which brings the README's reference up to date"


def all_commands() -> list[Command]:
    names = [name for noun in nouns() if noun != HELP for name in ([f"{noun} {verb}" for verb, _ in verbs(noun)] or [noun])]
    found = [find_command(name.split()) for name in names]
    return [command for command in found if command is not None]


@functools.lru_cache(None)
def readme() -> str:
    return Path(ROOT / "README.md").read_text(encoding="utf-8")


@functools.lru_cache(None)
def shown(*words: str) -> str:
    return help_text(list(words))


@functools.lru_cache(None)
def manual_text() -> str:
    """As a reader sees it."""
    return manual().replace("\\-", "-").replace("\\(aq", "'").replace("\\(ti", "~")


def holds(text: str, word: str) -> bool:
    """Whole, not as a part of a longer one."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def settings() -> set[str]:
    """Every name that stands in the package's source, and those that are put together there."""
    named = {name for path in PACKAGE.rglob("*.py") for name in re.findall(r"SECURE_MCP_GATEWAY_[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    return (named | set(server_settings()) | set(SETTINGS)) - NOT_FOR_USERS


class Documented(unittest.TestCase):
    def assert_none(self, missing: list[str], what_to_do: str) -> None:
        self.assertEqual(missing, [], f"not documented; {what_to_do}")

    def test_every_noun_verb_and_topic(self) -> None:
        self.assert_none([noun for noun in nouns() if noun not in NOUNS], "give the noun a line in NOUNS of cli/topics.py")
        self.assert_none([each.name for each in all_commands() if f"`{each.name}`" not in readme()], REGENERATE)
        self.assert_none([topic for topic in (*TOPICS, MANUAL) if f"`{topic}`" not in readme()], REGENERATE)
        for command in all_commands():
            noun, _, verb = command.name.partition(" ")
            self.assertTrue(holds(shown(noun) if verb else shown(), verb or noun), f"{command.name} is not in the help of its noun")
            self.assertTrue(command.summary, f"give {command.name} a summary")
            self.assertTrue(holds(manual_text(), command.name), f"{command.name} is not in the manual page: see _commands of cli/manual.py")

    def test_every_flag_of_a_command(self) -> None:
        for command in all_commands():
            rest = manual_text().partition(f".B {command.name}\n" if " " in command.name else f'.SS "{command.name}"\n')[2]
            of_it = re.split(r"\n\.(?:RE|SS)", rest)[0]
            for param in command.params:
                self.assertTrue(param.help, f"give {param.name} of {command.name} a help text")
                for flag in flags_of(param):
                    where = f"--{flag} of {command.name} is not in "
                    self.assertTrue(holds(shown(*command.name.split()), f"--{flag}"), where + "its --help: see flag_lines of cli/help.py")
                    self.assertTrue(holds(of_it, f"--{flag}"), where + "the manual page: see _given_to of cli/manual.py")

    def test_every_flag_of_a_command_in_the_readme(self) -> None:
        lines = {name: line for line in readme().splitlines() for name in re.findall(r"^\| `([a-z -]+)` \|", line)}
        introduction = readme().partition("## Reference: every operation")[2].partition("<!--")[0]
        missing = [
            f"--{flag} of {command.name}"
            for command in all_commands()
            for param in command.params
            for flag in flags_of(param)
            if not holds(introduction if param.place == PATH else lines[command.name], f"--{flag}")
            and not holds(lines[command.name], flag.replace("-", "_"))
        ]
        also = "; a flag that stands for a part of a path is named by hand, in the paragraph above the table of operations"
        self.assert_none(missing, REGENERATE + also)

    def test_every_flag_of_all_commands(self) -> None:
        for flag in (each for each in (*WITH_VALUE, *SWITCHES) if each.startswith("--")):
            what = f"{flag}: give it a line in GLOBAL_FLAGS of cli/help.py"
            self.assertTrue(holds(shown(), flag), what)
            self.assertTrue(holds(manual_text(), flag), what)
            self.assertTrue(holds(readme(), flag), f"{flag}: {REGENERATE}")

    def test_every_endpoint(self) -> None:
        of_rows = [f"{row.method} {row.path}" for row in all_operations()]
        short = [each.replace("/api/v1", "").replace("_identifier}", "}") for each in of_rows]
        self.assert_none([each for each in short if f"`{each}`" not in readme()], REGENERATE)
        described = openapi_document()["paths"]
        missing = [f"{row.method} {row.path}" for row in all_operations() if row.method.lower() not in described.get(row.path, {})]
        self.assert_none(missing, "see api/openapi.py")
        others = {path for path in described if path not in {row.path for row in all_operations()}} | set(_PAGES) | {"/assets/"}
        missing = [path for path in sorted(others) if not re.search(rf"`(GET )?{re.escape(path)}`", readme())]
        self.assert_none(missing, "name the path by hand in `Reference: the API` of the README")

    def test_every_setting(self) -> None:
        self.assertIn("SECURE_MCP_GATEWAY_STORE", settings())
        self.assertIn("SECURE_MCP_GATEWAY_READ_ONLY", settings())
        add = "give it a line in SETTINGS of cli/environment.py, or name it in NOT_FOR_USERS of this test and say why"
        self.assert_none([name for name in settings() if not holds(shown(HELP, "environment"), name)], add)
        self.assert_none([name for name in settings() if not holds(manual_text(), name)], add)
        self.assert_none([name for name in settings() if f"`{name}`" not in readme()], f"{add}; then {REGENERATE}")

    def test_what_is_missing_is_noticed(self) -> None:
        self.assertFalse(holds("--config-name-too, x--config-name", "--config-name"))
        self.assertTrue(holds("| `--config-name` |", "--config-name"))


if __name__ == "__main__":
    unittest.main()
