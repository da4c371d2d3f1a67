"""``config import --from``: the file of an MCP client as a config, through the ordinary operation."""

from __future__ import annotations

import json
import os
import unittest
from shlex import quote
from typing import Any
from unittest import mock

from tests.support import StoreCase

TOKEN = "ghp_" + "a1B2c3D4e5" * 3
SERVERS = {"git hub": {"command": "npx", "args": ["-y", "x"], "env": {"GITHUB_TOKEN": TOKEN}}, "off": {"command": "x", "disabled": True}}


class ImportFrom(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = self.write("servers.json", {"mcpServers": SERVERS})
        self.argv = ("config", "import", "--config-name=team", f"--from={self.file}")

    def servers(self) -> Any:
        return self.done("config", "get", "--config-name=team")["mcp_config"]

    def test_its_servers_are_a_config(self) -> None:
        answer = self.done(*self.argv)
        self.assertEqual((answer["config_name"], answer["servers"]), ("team", 1))
        (server,) = self.servers()
        self.assertEqual((server["server_name"], server["config"]["env"]), ("git-hub", {"GITHUB_TOKEN": TOKEN}))
        self.assertEqual((server["tools"], server["input_guardrails_policy"]), ({}, {"enabled": False}))
        self.assertEqual(self.audited("config import"), ["ok"])

    def test_what_was_noticed_stands_among_the_warnings(self) -> None:
        text = "\n".join(self.done(*self.argv)["warnings"])
        for part in ("is called git-hub", "mcpServers.off is left out", 'mcpServers."git hub".env.GITHUB_TOKEN looks like a secret'):
            self.assertIn(part, text)
        self.assertNotIn(TOKEN, text)

    def test_secrets_stay_out_of_the_store_when_asked(self) -> None:
        self.done(*self.argv, "--secrets-as-env")
        self.assertEqual(self.servers()[0]["config"]["env"], {"GITHUB_TOKEN": "${env:GITHUB_TOKEN}"})
        for folder, _, names in os.walk(os.path.dirname(self.store)):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(TOKEN.encode(), file.read(), name)

    def test_a_file_comes_from_standard_input_too(self) -> None:
        argv = ("config", "import", "--from=-", "--config-name")
        self.assertEqual(self.done(*argv, "team", given=json.dumps({"mcpServers": SERVERS}).encode())["servers"], 1)
        self.assertEqual(self.done(*argv, "codex", given=b"[mcp_servers.a]\ncommand = 'x'\n")["servers"], 1)
        variable = b'{"mcpServers": {"a": {"command": "$X"}}}'
        self.done(*argv, "mine", "--client=gemini", given=variable)
        self.assertEqual(self.done("config", "get", "--config-name=mine")["mcp_config"][0]["config"]["command"], "${env:X}")
        self.assertIn("--from holds no servers", self.refused(2, *argv, "x", given=b""))
        self.assertIn("--client is no client", self.refused(2, *argv, "x", "--client=emacs", given=variable))
        with mock.patch("secure_mcp_gateway.operations.files.LARGEST", 10):
            self.assertIn("--from: standard input is larger", self.refused(2, *argv, "x", given=variable))

    def test_a_dry_run_changes_nothing(self) -> None:
        self.assertEqual(self.done(*self.argv, "--dry-run")["mcp_config_id"], None)
        self.assertIn("dry run", self.run_table(*self.argv, "--dry-run").err)
        self.refused(3, "config", "get", "--config-name=team")

    def test_a_taken_name_is_a_conflict(self) -> None:
        self.done(*self.argv)
        self.refused(4, *self.argv)

    def test_a_problem_refuses_all_of_it_with_every_place(self) -> None:
        broken = self.write("broken.json", {"mcpServers": {"a": {"command": "x"}, "b": {}, "c": {"command": 1, "cwd": TOKEN}}})
        said = self.refused(2, "config", "import", "--config-name=team", f"--from={broken}")
        self.assertIn("nothing is changed", said)
        self.assertIn("mcpServers.b has neither", said)
        self.assertIn("mcpServers.c.command must be a string", said)
        self.assertEqual(self.audited("config import"), ["invalid_request"])
        self.refused(3, "config", "get", "--config-name=team")

    def test_flags_that_exclude_or_need_each_other(self) -> None:
        self.assertIn("exclude each other", self.refused(2, *self.argv, f"--input-file={self.file}"))
        self.assertIn("goes with --from", self.refused(2, "config", "import", "--config-name=x", "--input-file=x", "--secrets-as-env"))
        self.assertIn("goes with --from", self.refused(2, "config", "import", "--config-name=x", "--input-file=x", "--client=zed"))
        self.assertIn("--from", self.refused(2, "config", "import", "--config-name=x"))
        self.assertIn("--config-name", self.refused(2, "config", "import", f"--from={self.file}"))

    def test_a_file_that_cannot_be_taken_is_refused_by_the_flag(self) -> None:
        os.mkfifo(self.path("fifo"))
        for path, said in (
            (self.path("none"), "--from cannot be read: no such file"),
            (self.folder, "--from"),
            ("/dev/null", "--from is not a regular file"),
            (self.path("fifo"), "--from is not a regular file"),
            (self.write("a.json", {"mcp_config": []}), "--from holds no servers in any way that is known"),
            (self.write("b.json", '{"mcpServers": {} // no\n}'), "--from is not JSON: a comment at line 1, column 19"),
        ):
            self.assertIn(said, self.refused(2, "config", "import", "--config-name=x", f"--from={path}"))

    def test_a_missing_store_is_said_with_the_store_that_was_named(self) -> None:
        self.store = self.path("none", "store.json")
        ran = self.run_table(*self.argv)
        self.assertEqual(ran.code, 6)
        self.assertIn(f"--store {quote(self.store)}", ran.err)


if __name__ == "__main__":
    unittest.main()
