"""Our servers as clients' files: what comes back when they are read again, and what is said to be missing."""

from __future__ import annotations

import random
import unittest
from typing import Any

from secure_mcp_gateway.cli.client_files import NAMES
from secure_mcp_gateway.cli.client_files.clients import BY_NAME
from secure_mcp_gateway.cli.client_files.reading import read_client_file
from secure_mcp_gateway.cli.client_files.toml_reader import read_toml
from secure_mcp_gateway.cli.client_files.toml_writer import toml_of
from secure_mcp_gateway.cli.client_files.writing import FORMATS, client_file, text_of
from secure_mcp_gateway.repository import tool_lists
from secure_mcp_gateway.store.check import POLICIES

FILE_NAMES = {
    "mcpServers": "servers.json",
    "claude-desktop": "claude_desktop_config.json",
    "claude-code": ".mcp.json",
    "cursor": "/h/.cursor/mcp.json",
    "vscode": "mcp.json",
    "windsurf": "mcp_config.json",
    "zed": "settings.json",
    "gemini": "/h/.gemini/settings.json",
    "codex": "config.toml",
}
OFF = {policy: {"enabled": False} for policy in POLICIES}


def server(name: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"server_name": name, "description": "", "config": config, "tools": {}, "denied_tools": [], **OFF, **more}


PLAIN = [
    server("files", {"command": "npx", "args": ["-y", 'a "b" \\ \n\u00e9\x7f', "c,d"], "env": {"LEVEL": "info", "odd name": "x"}}),
    server("bare", {"command": "x", "args": [], "env": {}}),
    server("a.b", {"url": "https://h.example/mcp", "headers": {"X-Team": "a", "Accept": "*/*"}}),
    server("open", {"url": "https://h.example/", "headers": {}}),
]
REFUSED_THERE = {
    "claude-desktop": [
        f"{name} has a URL, and Claude Desktop takes only commands from its file: connect it in its settings" for name in ('"a.b"', "open")
    ],
    "codex": ['"a.b": Codex CLI takes no dots in names'],
}
REFERRING = [
    server("one", {"command": "x", "args": ["--k=${env:K}"], "env": {"TOKEN": "${env:TOKEN}", "OTHER": "${env:TOKEN}"}}),
    server("two", {"url": "https://h.example/", "headers": {"Authorization": "Bearer ${env:T}", "X-Key": "${env:K}", "X": "a ${env:K}"}}),
]


def callable_tools(one: dict[str, Any]) -> list[str]:
    """Of four tools those that the server lets be called."""
    tools, allowed = one["tools"], tool_lists.allowed(one["tools"])
    return [name for name in "abcd" if (name in allowed or not tools) and name not in one["denied_tools"]]


def without_policies(servers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{field: value for field, value in each.items() if field not in POLICIES} for each in servers]


class RoundTrips(unittest.TestCase):
    def back(self, name: str, servers: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
        """(the servers that are read from what was written, the warnings of writing)"""
        content, warnings = client_file(servers, FORMATS[name])
        found = read_client_file(text_of(content, FORMATS[name]).encode(), FILE_NAMES[name], "--from")
        assert found is not None
        self.assertEqual((found.problems, found.left_out, found.client.name), ([], [], name))
        return found.servers, warnings

    def test_every_format_is_tried(self) -> None:
        self.assertEqual((sorted(FORMATS), sorted(BY_NAME)), (sorted(FILE_NAMES), sorted(NAMES)))
        self.assertEqual(sorted(FORMATS), sorted(NAMES))

    def test_plain_servers_come_back_as_they_were_from_each_format(self) -> None:
        for name in FORMATS:
            with self.subTest(format=name):
                back, warnings = self.back(name, PLAIN)
                self.assertEqual(back, without_policies(PLAIN))
                self.assertEqual(warnings, REFUSED_THERE.get(name, []))

    def test_references_come_back_as_they_were_from_each_format(self) -> None:
        for name in FORMATS:
            with self.subTest(format=name):
                self.assertEqual(self.back(name, REFERRING)[0], without_policies(REFERRING))

    def test_a_format_that_has_no_references_is_warned_of(self) -> None:
        warned = {name for name in FORMATS if any("takes for plain text" in each for each in client_file(REFERRING, FORMATS[name])[1])}
        self.assertEqual(warned, {"claude-desktop", "zed", "codex"})
        files = [server("one", {"command": "x", "args": [], "env": {"A": "${file:/run/a}"}})]
        warned = {name for name in FORMATS if client_file(files, FORMATS[name])[1]}
        self.assertEqual(warned, set(FORMATS) - {"windsurf"})

    def test_plain_text_that_a_client_takes_for_a_variable_is_warned_of(self) -> None:
        servers = [server("one", {"command": "x", "args": ["$HOME"], "env": {}})]
        self.assertEqual({name for name in FORMATS if client_file(servers, FORMATS[name])[1]}, {"gemini"})
        servers = [server("one", {"command": "x", "args": ["${HOME}"], "env": {}})]
        self.assertEqual({name for name in FORMATS if client_file(servers, FORMATS[name])[1]}, {"gemini", "claude-code", "mcpServers"})

    def test_tools_come_back_where_the_format_has_lists_of_them(self) -> None:
        servers = [server("one", {"command": "x", "args": [], "env": {}}, tools={"a": {"enabled": True}}, denied_tools=["b"])]
        for name in ("gemini", "codex"):
            self.assertEqual(self.back(name, servers), (without_policies(servers), []))
        self.assertEqual(self.back("windsurf", servers)[0][0]["denied_tools"], ["b"])

    def test_what_may_be_called_is_the_same_again_or_was_said_to_be_missing(self) -> None:
        off = {"enabled": False}
        for tools in ({}, {"a": {"enabled": True}}, {"a": "Says it", "b": off}, {"a": off, "b": off}, {"*": off}):
            for denied in ([], ["a"], ["a", "c"]):
                one = server("one", {"command": "x", "args": [], "env": {}}, tools=tools, denied_tools=denied)
                for name in FORMATS:
                    (back,), warnings = self.back(name, [one])
                    told = " ".join(warnings).partition("not said in this format: ")[2].split(", ")
                    missing = {field: one[field] for field in told if field in one}
                    with self.subTest(format=name, tools=tools, denied=denied):
                        self.assertEqual(callable_tools({**back, **missing}), callable_tools(one))

    def test_what_a_format_cannot_say_is_named(self) -> None:
        strict = {"enabled": True, "block": ["pii"]}
        more = {"tools": {"a": "Says it"}, "denied_tools": ["b"], "input_guardrails_policy": strict, "description": "d", "extra": 1}
        servers = [server("one", {"command": "x", "args": [], "env": {}, "cwd": "/"}, **more)]
        always = "input_guardrails_policy, extra"
        for name, said in (
            ("cursor", f"tools, denied_tools, {always}, description, "),
            ("windsurf", f"tools, {always}, description, "),
            ("gemini", f'"what tools says besides their names", {always}, '),
            ("codex", f'"what tools says besides their names", {always}, description, '),
        ):
            (warning,) = client_file(servers, FORMATS[name])[1]
            self.assertEqual(warning, f'one: not said in this format: {said}"config.cwd"')

    def test_random_servers_come_back_unless_something_was_said(self) -> None:
        texts = (
            "",
            "a",
            "${env:A}",
            "Bearer ${env:B}",
            "$C",
            "${D}",
            '"',
            "\\",
            "\x1b",
            "\u00e9\U0001f600",
            "a\nb",
            "${input:x}",
            "'''",
            "#",
        )
        for seed in range(80):
            chance = random.Random(seed)
            some = [chance.choice(texts) for _ in range(4)]
            by_command = {"command": "x", "args": some[:2], "env": {"A": some[2], "B": some[3]}}
            headers = {"Authorization": some[2].replace("\n", ""), "X": some[3].replace("\n", "")}
            one = server("one", by_command if seed % 2 else {"url": "https://h.example/", "headers": headers})
            for name in FORMATS:
                back, warnings = self.back(name, [one])
                if not warnings:
                    self.assertEqual(back, without_policies([one]), (seed, name))


class Toml(unittest.TestCase):
    def test_what_is_written_is_read_again(self) -> None:
        document = {"a": "x", "b.c": {"d e": ["\x00\x7f\u0085\u202e", '"'], "f": {}}, "g": {"h": {"i": "\U000e0001"}}}
        text = toml_of(document)
        self.assertEqual(read_toml(text), document)
        self.assertTrue(text.replace("\n", "").isprintable())


if __name__ == "__main__":
    unittest.main()
