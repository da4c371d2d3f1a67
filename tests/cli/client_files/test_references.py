"""Variables that clients' values name, as the gateway writes them."""

from __future__ import annotations

import unittest
from typing import Any

from tests.cli.client_files.reading_case import one, read, warnings


class References(unittest.TestCase):
    def env(self, value: str, path: str, key: str = "mcpServers") -> Any:
        return one({"command": "x", "env": {"A": value}}, path, key)["config"]["env"]["A"]

    def test_each_clients_way_to_name_a_variable_becomes_ours(self) -> None:
        for path, key, value, ours in (
            (".mcp.json", "mcpServers", "Bearer ${TOK}", "Bearer ${env:TOK}"),
            (".mcp.json", "mcpServers", "${TOK:-none}", "${env:TOK}"),
            (".mcp.json", "mcpServers", "$TOK", "$TOK"),
            ("/h/.cursor/mcp.json", "mcpServers", "${env:TOK}", "${env:TOK}"),
            ("/h/.cursor/mcp.json", "mcpServers", "${TOK}", "${TOK}"),
            ("mcp.json", "servers", "${input:my-key}", "${env:MY_KEY}"),
            ("/h/.gemini/settings.json", "mcpServers", "Bearer $TOK ${KEY}", "Bearer ${env:TOK} ${env:KEY}"),
            ("claude_desktop_config.json", "mcpServers", "${TOK}", "${TOK}"),
            ("mcp_config.json", "mcpServers", "${file:/run/key}", "${file:/run/key}"),
        ):
            with self.subTest(path=path, value=value):
                self.assertEqual(self.env(value, path, key), ours)

    def test_they_are_found_in_commands_arguments_and_urls_too(self) -> None:
        command = one({"command": "${BIN}/x", "args": ["--key=${KEY}"]}, ".mcp.json")
        url = one({"url": "https://${HOST}/mcp", "headers": {"A": "${KEY}"}}, ".mcp.json")
        self.assertEqual((command["config"]["command"], command["config"]["args"]), ("${env:BIN}/x", ["--key=${env:KEY}"]))
        self.assertEqual((url["config"]["url"], url["config"]["headers"]), ("https://${env:HOST}/mcp", {"A": "${env:KEY}"}))

    def test_what_is_taken_from_the_gateways_machine_is_said(self) -> None:
        said = warnings({"command": "x", "env": {"A": "${env:TOK}", "B": "${file:/run/key}"}}, "/h/.cursor/mcp.json")
        self.assertIn("mcpServers.one reads from the gateway's environment: TOK", said)
        self.assertIn('mcpServers.one reads files of the gateway\'s machine: "/run/key"', said)

    def test_what_cannot_be_resolved_is_said(self) -> None:
        self.assertIn("stays as it is", warnings({"command": "x", "env": {"A": "${workspaceFolder}/x"}}, "/h/.cursor/mcp.json")[0])
        self.assertIn("has a default", warnings({"command": "x", "env": {"A": "${B:-c}"}}, ".mcp.json")[0])
        self.assertIn("plain text to Claude Desktop", warnings({"command": "x", "env": {"A": "${env:B}"}}, "claude_desktop_config.json")[0])

    def test_what_may_be_a_variable_in_a_file_of_nobody_known_is_said(self) -> None:
        self.assertIn("$B is a variable to Gemini CLI", warnings({"command": "x", "env": {"A": "$B"}})[0])
        self.assertEqual(warnings({"command": "x", "env": {"A": "$B"}}, ".mcp.json"), [])

    def test_two_inputs_that_would_be_one_variable_are_refused(self) -> None:
        servers = {"one": {"command": "x", "env": {"A": "${input:my-key}", "B": "${input:my_key}"}}}
        self.assertIn("MY_KEY", read("mcp.json", {"servers": servers}).problems[0])


if __name__ == "__main__":
    unittest.main()
