"""Where the files of clients are looked for, on each system."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from secure_mcp_gateway.cli.client_files.finding import usual_places
from tests.support import FolderCase

VARIABLES = ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "APPDATA")


class Places(FolderCase):
    def paths(self, platform: str = "linux", **variables: str) -> dict[str, list[str]]:
        """By client; below the home folder with ``~`` for it."""
        kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        with mock.patch.dict(os.environ, {**kept, "HOME": "/h", **variables}, clear=True), mock.patch("sys.platform", platform):
            found: dict[str, list[str]] = {}
            for place in usual_places():
                path = place.path.replace(self.folder, ".") if place.own else place.path.replace("/h/", "~/")
                found.setdefault(place.client.name, []).append(path)
        return found

    def test_on_linux(self) -> None:
        found = self.paths()
        self.assertEqual(found["claude-desktop"], ["~/.config/Claude/claude_desktop_config.json"])
        self.assertEqual(found["claude-code"], ["~/.claude.json", "./.mcp.json"])
        self.assertEqual(found["cursor"], ["~/.cursor/mcp.json", "./.cursor/mcp.json"])
        self.assertEqual(found["vscode"][:2], ["~/.config/Code/User/mcp.json", "~/.config/Code/User/settings.json"])
        self.assertEqual(found["vscode"][-2:], ["./.vscode/mcp.json", "./.vscode/settings.json"])
        self.assertEqual(found["windsurf"], ["~/.codeium/windsurf/mcp_config.json", "~/.codeium/mcp_config.json"])
        self.assertEqual(found["zed"], ["~/.config/zed/settings.json", "./.zed/settings.json"])
        self.assertEqual(found["gemini"], ["~/.gemini/settings.json", "./.gemini/settings.json"])
        self.assertEqual(found["codex"], ["~/.codex/config.toml", "./.codex/config.toml"])

    def test_on_macos(self) -> None:
        found = self.paths("darwin")
        self.assertEqual(found["claude-desktop"], ["~/Library/Application Support/Claude/claude_desktop_config.json"])
        self.assertEqual(found["vscode"][0], "~/Library/Application Support/Code/User/mcp.json")
        self.assertEqual(found["zed"][0], "~/.config/zed/settings.json")

    def test_variables_that_name_a_folder_are_followed(self) -> None:
        found = self.paths(XDG_CONFIG_HOME="/x", CODEX_HOME="/c", CLAUDE_CONFIG_DIR="/d")
        first = [found[name][0] for name in ("zed", "vscode", "codex", "claude-code")]
        self.assertEqual(first, ["/x/zed/settings.json", "/x/Code/User/mcp.json", "/c/config.toml", "/d/.claude.json"])
        self.assertEqual(self.paths(XDG_CONFIG_HOME="relative")["zed"][0], "~/.config/zed/settings.json")

    def test_in_the_home_folder_each_file_stands_once(self) -> None:
        found = self.paths(HOME=self.folder)
        self.assertEqual([name for name in ("cursor", "gemini", "codex") if len(found[name]) != 1], [])

    def test_without_a_home_the_current_folder_is_left(self) -> None:
        self.assertEqual(self.paths(HOME="")["cursor"], ["./.cursor/mcp.json"])


if __name__ == "__main__":
    unittest.main()
