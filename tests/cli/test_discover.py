"""``config discover``: what is found on a machine, and the command to go on with."""

from __future__ import annotations

import json
import os
import shlex
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from tests.support import StoreCase, run

TOKEN = "ghp_" + "a1B2c3D4e5" * 3


class Discover(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        for variable in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR"):
            os.environ.pop(variable, None)
        self.home, self.here = self.path("home"), self.path("a project")
        os.mkdir(self.home)
        os.mkdir(self.here)
        patch = mock.patch.dict(os.environ, {"HOME": self.home})
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.here)

    def put(self, folder: str, name: str, content: Any) -> str:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def found(self) -> Any:
        return self.done("config", "discover")

    def test_nothing_is_an_empty_list(self) -> None:
        self.assertEqual(self.found(), [])
        self.assertEqual(self.run_table("config", "discover").err, "none\n")

    def test_each_file_with_servers_is_told_with_them(self) -> None:
        cursor = self.put(self.home, ".cursor/mcp.json", {"mcpServers": {"a b": {"command": "x"}, "c": {"command": "x", "disabled": True}}})
        codex = self.put(self.home, ".codex/config.toml", "[mcp_servers.docs]\nurl = 'https://h.example/'")
        mine = self.put(self.here, ".mcp.json", {"mcpServers": {"d": {"command": "x", "env": {"A_TOKEN": TOKEN}}}})
        self.put(self.home, ".config/Code/User/settings.json", '{"editor.fontSize": 12} // nothing of ours')
        found = self.found()
        told = [(row["client"], row["path"], row["servers"], row["left_out"]) for row in found]
        expected = [("Cursor", cursor, ["a-b"], ["c"]), ("Codex CLI", codex, ["docs"], []), ("Claude Code", mine, ["d"], [])]
        self.assertEqual(told, expected)
        self.assertIn("A_TOKEN looks like a secret", found[2]["warnings"][0])
        self.assertNotIn(TOKEN, json.dumps(found))

    def test_the_command_to_go_on_with_can_be_pasted(self) -> None:
        self.put(self.home, ".cursor/mcp.json", {"mcpServers": {"a": {"command": "x"}}})
        self.put(self.here, ".cursor/mcp.json", {"mcpServers": {"b": {"command": "x"}}})
        self.put(self.home, ".config/Code/User/mcp.json", {"servers": {"c": {"command": "x"}}})
        self.put(self.home, ".config/Code/User/settings.json", {"mcp": {"servers": {"d": {"command": "x"}}}})
        table = self.run_table("config", "discover").err
        names = []
        for row in self.found():
            self.assertIn(row["command"], table)
            program, *argv = shlex.split(row["command"])
            ran = run("--format=json", *argv)
            self.assertEqual((program, ran.code, ran.data["servers"]), ("secure-mcp-gateway", 0, 1), ran.err)
            names.append(ran.data["config_name"])
            self.done(*argv[2:-1])
        self.assertEqual(names, ["cursor", "vscode", "vscode-2", "cursor-a-project"])

    def test_what_cannot_be_read_is_one_line_and_no_failure(self) -> None:
        self.put(self.here, ".mcp.json", '{"mcpServers": ')
        self.put(self.here, ".gemini/settings.json", {"mcpServers": {"a": {}}})
        for folder in (".cursor", ".codex"):
            os.mkdir(os.path.join(self.home, folder))
        os.mkfifo(os.path.join(self.home, ".cursor", "mcp.json"))
        os.symlink("/dev/zero", os.path.join(self.home, ".codex", "config.toml"))
        os.symlink("nowhere", os.path.join(self.home, ".claude.json"))
        told = {row["path"].rpartition("/")[2] + ":" + row["client"]: (row["problems"], row["command"]) for row in self.found()}
        for name, said in (
            (".mcp.json:Claude Code", "the file is not JSON"),
            ("settings.json:Gemini CLI", "mcpServers.a has neither a command nor a URL"),
            ("mcp.json:Cursor", "the file is not a regular file"),
            ("config.toml:Codex CLI", "the file is not a regular file"),
            (".claude.json:Claude Code", "the file cannot be read: no such file"),
        ):
            ((problem,), way_on) = told.pop(name)
            self.assertIn(said, problem)
            self.assertIsNone(way_on)
        self.assertEqual(told, {})
        self.assertIn("the file is not JSON", self.run_table("config", "discover").out)

    def test_names_that_a_terminal_would_obey_are_shown_escaped(self) -> None:
        os.chdir(self.folder)
        os.mkdir("x\x1b[31m")
        os.chdir("x\x1b[31m")
        self.put(os.getcwd(), ".mcp.json", {"mcpServers": {"a": {"command": "x"}, "\x1b[2J": {"command": 1}}})
        self.put(os.getcwd(), ".cursor/mcp.json", {"mcpServers": {"a": {"command": "x"}, "\x1b[2J": {"command": "x", "disabled": True}}})
        ran = self.run_table("config", "discover")
        self.assertIn(".cursor/mcp.json", ran.err)
        self.assertNotIn("\x1b", ran.out + ran.err)

    def test_it_needs_no_store(self) -> None:
        self.put(self.here, ".mcp.json", {"mcpServers": {"a": {"command": "x"}}})
        self.assertEqual(len(run("--format=json", "config", "discover").data), 1)


if __name__ == "__main__":
    unittest.main()
