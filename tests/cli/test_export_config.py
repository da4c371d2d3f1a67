"""``config export --as``: a config as the file of an MCP client, and back."""

from __future__ import annotations

import os
import stat
import unittest
from pathlib import Path

from secure_mcp_gateway.cli.client_files.writing import FORMATS
from secure_mcp_gateway.cli.export_config import command
from tests.support import StoreCase


class ExportAs(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("config", "add", "--config-name=team")
        add = ("config", "add-server", "--config-name=team")
        self.done(*add, "--server-name=files", "--server-command=npx", "--args=-y,x", '--env={"TOKEN": "${env:TOKEN}"}')
        self.done(*add, "--server-name=far", "--server-url=https://h.example/mcp", '--headers={"X-Team": "a"}')
        self.argv = ("config", "export", "--config-name=team")

    def test_every_format_is_named_in_help_and_comes_back_the_same(self) -> None:
        servers = self.done("config", "get", "--config-name=team")["mcp_config"]
        wanted = command().params[-1]
        self.assertEqual(wanted.schema["enum"], list(FORMATS))
        for name in FORMATS:
            with self.subTest(format=name):
                self.assertIn(name, wanted.help)
                file = self.path(f"{name}.out")
                self.assertEqual(self.done(*self.argv, f"--as={name}", f"--output-file={file}"), {"output_file": file, "config": None})
                self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
                self.done("config", "import", f"--config-name={name}", f"--from={file}")
                self.assertEqual(self.done("config", "get", f"--config-name={name}")["mcp_config"], servers)

    def test_on_standard_output_it_is_the_file_itself(self) -> None:
        for ran in (self.run_json(*self.argv, "--as=cursor"), self.run_table(*self.argv, "--as=cursor", "--output-file=-")):
            self.assertEqual((ran.code, sorted(ran.data["mcpServers"])), (0, ["far", "files"]), ran.err)
        toml = self.run_table(*self.argv, "--as=codex").out
        self.assertIn('[mcp_servers.files]\ncommand = "npx"\nargs = ["-y", "x"]\nenv_vars = ["TOKEN"]\n', toml)
        self.assertEqual(self.done(*self.argv, "--as=codex"), {"toml": toml.rstrip("\n")})

    def test_what_it_does_not_say_is_a_warning_on_standard_error(self) -> None:
        self.done("config", "update-server", "--config-name=team", "--server-name=files", "--denied-tools=rm")
        policy = '{"enabled": true, "block": ["pii"]}'
        self.done("config", "update-server-input-guardrails", "--config-name=team", "--server-name=files", f"--policy={policy}")
        for flags in ((), (f"--output-file={self.path('out.json')}",)):
            ran = self.run_table(*self.argv, "--as=cursor", *flags)
            self.assertIn("warning: files: not said in this format: denied_tools, input_guardrails_policy", ran.err)

    def test_a_file_that_is_there_is_kept_unless_asked(self) -> None:
        mine, ours = self.write("mine.json", "{}"), self.path("ours.json")
        self.done(*self.argv, f"--output-file={ours}")
        for file in (mine, ours):
            before = Path(file).read_bytes()
            self.assertIn("exists", self.refused(4, *self.argv, "--as=cursor", f"--output-file={file}"))
            self.assertEqual(Path(file).read_bytes(), before)
            self.done(*self.argv, "--as=cursor", f"--output-file={file}", "--overwrite")
            self.assertNotEqual(Path(file).read_bytes(), before)
        self.assertEqual(self.audited("config export"), ["ok", "conflict", "ok", "conflict", "ok"])

    def test_the_rules_for_files_hold(self) -> None:
        link = self.path("link.json")
        os.symlink(self.path("elsewhere.json"), link)
        flags = (*self.argv, "--as=cursor")
        self.assertIn("symbolic link", self.refused(2, *flags, f"--output-file={link}", "--overwrite"))
        self.assertIn("store's own folder", self.refused(5, *flags, f"--output-file={self.path('s', 'x.json')}"))
        self.assertEqual(
            self.done(*flags, f"--output-file={self.path('s', 'files', 'x.json')}")["output_file"], self.path("s", "files", "x.json")
        )
        self.assertFalse(os.path.exists(self.path("elsewhere.json")))

    def test_the_audit_names_the_file(self) -> None:
        self.done(*self.argv, "--as=zed", f"--output-file={self.path('out.json')}")
        self.assertEqual(self.done("system", "audit", "--limit=1")[0]["named"]["output_file"], self.path("out.json"))

    def test_a_format_that_is_not_known_is_refused_with_those_that_are(self) -> None:
        said = self.refused(2, *self.argv, "--as=emacs")
        self.assertEqual([name for name in FORMATS if name not in said], [])

    def test_a_config_that_is_not_there_writes_no_file(self) -> None:
        self.refused(3, "config", "export", "--config-name=none", "--as=zed", f"--output-file={self.path('out.json')}")
        self.assertFalse(os.path.exists(self.path("out.json")))


if __name__ == "__main__":
    unittest.main()
