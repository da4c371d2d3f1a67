"""Clients' files and a server: they are read and written here, and the server does the ordinary operation."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path

from tests.cli.test_remote import RemoteCase

SERVERS = {"git hub": {"command": "npx", "env": {"A_TOKEN": "ghp_" + "a1B2c3D4e5" * 3}}, "off": {"command": "x", "disabled": True}}


class ThroughAServer(RemoteCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = self.path("mine.json")
        Path(self.file).write_text(json.dumps({"mcpServers": SERVERS}), encoding="utf-8")
        self.argv = ("config", "import", "--config-name=moved", f"--from={self.file}")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def test_an_import_sends_the_servers_and_tells_what_was_noticed(self) -> None:
        ran = self.remote(*self.argv, "--secrets-as-env")
        self.assertEqual((ran.code, ran.data["servers"]), (0, 1), ran.err)
        self.assertTrue(any("mcpServers.off is left out" in each for each in ran.data["warnings"]))
        (server,) = self.remote("config", "get", "--config-name=moved").data["mcp_config"]
        self.assertEqual((server["server_name"], server["config"]["env"]), ("git-hub", {"A_TOKEN": "${env:A_TOKEN}"}))
        self.assertEqual(self.requests[0], "POST /api/v1/configs/import")

    def test_a_file_that_cannot_be_taken_sends_nothing(self) -> None:
        Path(self.file).write_text('{"mcpServers": {"a": {}}}', encoding="utf-8")
        self.assertIn("mcpServers.a has neither", self.refused(2, *self.argv))
        self.assertEqual(self.requests, [])

    def test_an_export_is_converted_and_written_here(self) -> None:
        self.remote(*self.argv)
        export = ("config", "export", "--config-name=moved", "--as=cursor")
        self.assertEqual(list(self.remote(*export).data["mcpServers"]), ["git-hub"])
        file = self.path("out.json")
        ran = self.remote(*export, f"--output-file={file}")
        self.assertEqual((ran.code, ran.data), (0, {"output_file": file, "config": None}), ran.err)
        self.assertEqual(list(json.loads(Path(file).read_bytes())["mcpServers"]), ["git-hub"])
        self.assertIn("--output-file exists", self.refused(4, *export, f"--output-file={file}"))
        self.assertIn("moved2", self.refused(3, "config", "export", "--config-name=moved2", "--as=cursor"))


if __name__ == "__main__":
    unittest.main()
