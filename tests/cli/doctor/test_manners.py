"""How ``system doctor`` says what it finds, and that it changes nothing and shows no secret."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from secure_mcp_gateway.cli.doctor import disk
from secure_mcp_gateway.cli.output import Output
from tests.cli.doctor.case import DoctorCase
from tests.support import run


class Manners(DoctorCase):
    def sick(self) -> None:
        self.edit(members={}, admin_keys={}, mcp_configs={})
        os.chmod(self.path("s"), 0o755)
        os.makedirs(self.path("s", "servers"), 0o700)
        self.write("s/servers/8001-99999999.json", '{"pid": 99999999, "port": 8001, "machine": "gone"}')
        os.utime(self.write("s/.store.json.tmp", ""), (0, 0))
        os.unlink(self.store + ".lock")

    def tree(self) -> dict[str, Any]:
        found = {}
        for place, folders, names in os.walk(self.folder):
            for name in (*folders, *names):
                path = os.path.join(place, name)
                state = os.lstat(path)
                found[path] = (
                    state.st_mode,
                    state.st_mtime_ns,
                    state.st_ctime_ns,
                    state.st_ino,
                    None if name in folders else Path(path).read_bytes(),
                )
        return found

    def test_it_changes_nothing(self) -> None:
        self.sick()
        for change in (lambda: None, lambda: Path(self.store).write_text("{"), lambda: os.unlink(self.store)):
            change()
            before = self.tree()
            self.assertEqual(self.run_json("system", "doctor").code, 1)
            self.assertEqual(self.tree(), before)

    def test_it_tells_that_it_is_still_looking(self) -> None:
        with mock.patch.object(Output, "working", autospec=True, side_effect=Output.working) as working:
            self.run_json("system", "doctor")
        working.assert_called_once_with(mock.ANY, "examining")

    def test_it_shows_no_secret(self) -> None:
        marked = "marked-secret"
        self.done("config", "add-server", "--config-name=default_config", "--server-name=s", "--server-command=no-such", f"--args={marked}")
        self.done(
            "config", "update-server", "--config-name=default_config", "--server-name=s", '--env={"A": "' + marked + '", "B": "${env:C}"}'
        )
        self.done("config", "set-enkrypt-api-key", f"--api-key={marked}")
        with mock.patch.dict(os.environ, D=marked):
            said = "".join(str(self.run_table("system", "doctor")) + str(self.run_json("system", "doctor")))
        for secret in (marked, self.keys["api_key"], self.keys["admin_api_key"]):
            self.assertNotIn(secret, said)

    def test_a_check_that_fails_leaves_the_others(self) -> None:
        for error, part in ((OSError(5, "x", "/a"), "input/output error (/a)"), (ValueError("marked-secret"), "ValueError in")):
            with mock.patch.object(disk, "network_kind", side_effect=error):
                found = self.examined()
            (failed,) = (each for each in found if each["area"] == "disk")
            self.assertIn(part, failed["text"])
            self.assertNotIn("marked-secret", failed["text"])
            self.assertEqual(len({each["area"] for each in found}), 16)

    def test_people_read_the_worst_first_and_what_is_fine_in_a_line_each(self) -> None:
        self.sick()
        ran = self.run_table("system", "doctor")
        levels = [line.split()[0] for line in ran.out.splitlines() if line[0] != " "]
        self.assertEqual(levels, sorted(levels, key=["problem", "warning", "ok"].index))
        self.assertEqual(ran.code, 1)
        self.assertRegex(ran.err, r"^\d+ problems?, \d+ warnings?, \d+ in order\n$")

    def test_a_narrow_terminal_is_not_run_over_but_by_what_is_to_be_typed(self) -> None:
        self.sick()
        with mock.patch.dict(os.environ, COLUMNS="70"):
            lines = self.run_table("system", "doctor").out.splitlines()
        self.assertEqual([line for line in lines if len(line) > 70 and " fix: " not in line and self.folder not in line], [])

    def test_names_that_could_steer_a_terminal_are_shown_escaped(self) -> None:
        content = json.loads(Path(self.store).read_bytes())
        for config in content["mcp_configs"].values():
            config["mcp_config_name"] = "a\x1b[2Jb"
        self.edit(mcp_configs={**content["mcp_configs"]}, projects={})
        ran = self.run_table("system", "doctor")
        self.assertNotIn("\x1b", ran.out + ran.err)
        self.assertIn("--config-id", ran.out)

    def test_the_store_is_named_as_it_was_named_and_not_at_all_where_it_was_not(self) -> None:
        with mock.patch.dict(os.environ, HOME=self.folder):
            del os.environ["SECURE_MCP_GATEWAY_STORE"]
            ran = run("system", "doctor", "--format=json")
        self.assertEqual([each["fix"] for each in ran.data["findings"] if each["area"] == "store"], ["secure-mcp-gateway generate-config"])


if __name__ == "__main__":
    unittest.main()
