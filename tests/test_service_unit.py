"""The README's units: they name what there is, systemd takes them, and they are as tight as the README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest

from secure_mcp_gateway.cli.server_flags import PARAMS
from tests.support import DEADLINE, ROOT, FolderCase

_ANALYZE = shutil.which("systemd-analyze")
_TRUE = shutil.which("true") or ""
_PROGRAM = "/opt/secure-mcp-gateway/bin/secure-mcp-gateway"
_FLAGS = {param.flags[0] for param in PARAMS}


def section() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text[text.index("## Running it as a service") : text.index("## Reference: every operation")]


def units() -> dict[str, str]:
    return dict(re.findall(r"^`/etc/systemd/system/([a-z.-]+)`[^\n]*:\n\n```ini\n(.*?)```", section(), re.DOTALL | re.MULTILINE))


def values(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


class Units(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.units = units()
        self.service = self.units["secure-mcp-gateway.service"]

    def test_the_command_gives_flags_that_there_are_and_leaves_the_address_to_the_socket(self) -> None:
        (command,) = values(self.service, "ExecStart")
        program, *words = command.split()
        self.assertEqual((program, words[:2]), (_PROGRAM, ["system", "start-api"]))
        given = {word[2:].partition("=")[0] for word in words[2:]}
        self.assertLessEqual(given, _FLAGS - {"host", "port"})
        self.assertEqual(len(values(self.units["secure-mcp-gateway.socket"], "ListenStream")), 1)
        self.assertEqual(values(self.service, "Type"), ["notify"])

    def test_each_credential_that_is_loaded_is_used(self) -> None:
        loaded = [value.partition(":")[0] for value in values(self.service, "LoadCredential")]
        used = re.findall(r"\$\{CREDENTIALS_DIRECTORY\}/(\S+)", self.service)
        self.assertTrue(used)
        self.assertEqual(sorted(loaded), sorted(used))

    def test_the_store_lies_in_the_folder_that_the_unit_may_write_to(self) -> None:
        (store,) = values(self.service, "Environment")
        (folder,) = values(self.service, "StateDirectory")
        self.assertEqual(store, f"SECURE_MCP_GATEWAY_STORE=/var/lib/{folder}/store.json")

    def installed(self) -> list[str]:
        """The units as files, with a program in them that is there."""
        paths = [self.write(name, text.replace(_PROGRAM, _TRUE)) for name, text in self.units.items()]
        for path in paths:
            os.chmod(path, 0o644)  # whatever the umask is: what others may write is complained of
        return paths

    def analyze(self, *words: str) -> str:
        done = subprocess.run([_ANALYZE or "", *words], capture_output=True, encoding="utf-8", timeout=DEADLINE, check=False)
        said = done.stdout + done.stderr
        if "unrecognized option" in said:
            self.skipTest("this systemd-analyze cannot judge a unit that is not loaded")
        self.assertEqual(done.returncode, 0, said)
        return said

    @unittest.skipUnless(_ANALYZE and _TRUE, "there is no systemd-analyze command")
    def test_systemd_takes_them(self) -> None:
        self.assertEqual(self.analyze("verify", *self.installed()), "")

    @unittest.skipUnless(_ANALYZE and _TRUE, "there is no systemd-analyze command")
    def test_they_are_as_tight_as_is_said(self) -> None:
        (said,) = re.findall(r"rates the unit (\d\.\d)", section())
        path = next(path for path in self.installed() if path.endswith(".service"))
        threshold = str(round(float(said) * 10))
        rated = self.analyze("security", "--offline=true", f"--threshold={threshold}", "--no-pager", path)
        self.assertIn("Overall exposure level", rated)


class Flags(unittest.TestCase):
    def test_the_readme_lists_each_flag_of_the_server(self) -> None:
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        (row,) = re.findall(r"^\| `system start-api` \|.*$", text, re.MULTILINE)
        self.assertEqual(sorted(re.findall(r"`--([a-z-]+)`", row)), sorted(_FLAGS))


if __name__ == "__main__":
    unittest.main()
