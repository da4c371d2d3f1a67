"""What the doctor says to type, in a folder and with names that a shell would take for something else."""

from __future__ import annotations

import json
import os
import socket
import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from tests.cli.doctor.case import DoctorCase
from tests.support import run

ODD = "-n $(touch marked) `touch marked` 'it' \"is\"; touch marked & *"


class Fixes(DoctorCase):
    """``examined`` judges each of them; here is that they are many, and that they do what they say."""

    def setUp(self) -> None:
        super().setUp()
        os.rename(self.path("s"), self.path(ODD))
        self.store = self.path(ODD, "store.json")
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)

    def sick(self) -> None:
        """As much at once as can be."""
        self.done("config", "add", f"--config-name={ODD}")
        self.done("config", "add-server", f"--config-name={ODD}", "--server-name=gone", f"--server-command={self.path(ODD, 'none')}")
        self.done("project", "create", f"--project-name={ODD}")
        self.done("admin-key", "create", f"--name={ODD}", "--expires-in-days=3")
        self.done("user", "generate-api-key", "--email=default@example.com", "--project-name=default_project", "--expires-in-days=3")
        self.done("system", "backup", "--output-file", self.path("backup"))
        for name in ("store.json", "audit.jsonl"):
            os.chmod(self.path(ODD, name), 0o644)
        os.link(self.path(ODD, "audit.jsonl"), self.path("other"))
        os.chmod(self.path(ODD), 0o755)
        os.unlink(self.store + ".lock")
        os.mkdir(self.store + ".lock")
        os.utime(self.write(f"{ODD}/.store.json.tmp", ""), (0, 0))

    def test_each_of_them_can_be_pasted(self) -> None:
        self.sick()
        with socket.create_server(("127.0.0.1", self.port)):
            findings = [each for each in self.examined() if each["level"] != "ok"]
        areas = {each["area"] for each in findings} - {"python", "disk"}
        self.assertEqual(areas, {"admin keys", "configs", "keys", "leftovers", "lock", "permissions", "ports", "projects", "servers"})
        self.assertGreater(len([each for each in findings if each["fix"]]), 9)

    def test_typed_one_after_the_other_they_lead_out_of_it(self) -> None:
        self.sick()
        for _ in range(30):
            found = next((each for each in self.examined() if each["fix"] and self.is_to_be_typed(each)), None)
            if found is None:
                break
            self.type_in_a_shell(found["fix"])
        self.assertEqual([each for each in self.examined() if self.is_to_be_typed(each)], [])
        self.assertFalse(os.path.exists(self.path("marked")), "a name was run")

    def is_to_be_typed(self, found: dict[str, Any]) -> bool:
        """Not the keys that end soon, whose new ones do not take the old ones away."""
        return found["level"] != "ok" and bool(found["fix"]) and "ends on" not in found["text"]

    def test_from_a_checkout_they_call_the_python_that_runs_it(self) -> None:
        os.unlink(self.store)
        with mock.patch.object(sys, "argv", ["/checkout/secure_mcp_gateway/__main__.py"]):
            ran = self.run_json("system", "doctor")
        (fix,) = (each["fix"] for each in ran.data["findings"] if each["area"] == "store")
        self.assertTrue(fix.startswith(f"{sys.executable} -m secure_mcp_gateway generate-config --store "), fix)

    def test_a_path_that_cannot_be_shown_is_not_shown_as_another(self) -> None:
        os.mkdir(self.path("a\nb"), 0o700)
        store = self.path("a\nb", "store.json")
        shown = run("--store", store, "--format=table", "system", "doctor")
        self.assertIn("to do: what --format json says", shown.out)
        self.assertNotIn("fix: ", shown.out)
        said = json.loads(run("--store", store, "--format=json", "system", "doctor").out)
        (fix,) = (each["fix"] for each in said["findings"] if each["area"] == "store")
        self.type_in_a_shell(fix)
        self.assertTrue(Path(store).exists())


if __name__ == "__main__":
    unittest.main()
