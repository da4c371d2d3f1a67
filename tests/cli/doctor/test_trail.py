"""Faults of the audit log."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from unittest import mock

from tests.cli.doctor.case import DoctorCase


class TheAuditLog(DoctorCase):
    def test_an_audit_log_that_was_changed(self) -> None:
        self.done("config", "add", "--config-name", "one")
        path = Path(self.path("s", "audit.jsonl"))
        path.write_bytes(path.read_bytes().replace(b"generate-config", b"generate-cOnfig"))
        self.assertIn("nothing brings back what it was", self.fault("audit", "problem", "line 1 of")["advice"])

    def test_a_long_audit_log_is_left_to_its_own_command(self) -> None:
        with mock.patch("secure_mcp_gateway.cli.doctor.trail.LARGEST_WALKED", 10):
            (found,) = (each for each in self.examined() if each["area"] == "audit")
            self.assertIn("system audit --verify", found["text"])
            self.write("s/audit.jsonl", b"nothing of ours\n")
            self.fault("audit", "problem", "its first line is not")

    def test_a_generation_that_was_set_back_is_mended_by_the_next_write(self) -> None:
        self.done("config", "add", "--config-name", "one")
        self.done("project", "assign-config", "--project-name=default_project", "--config-name=one")
        self.edit(generation=1)
        self.fault("audit", "warning", "was at 3 before: the number was set back by hand")
        self.done("config", "add", "--config-name", "two")
        self.assertEqual(self.faults("audit"), [])


    def test_one_that_is_gone(self) -> None:
        os.rename(self.path("s", "audit.jsonl"), self.path("away"))
        self.assertIn("put it back", self.fault("audit", "problem", "is gone, in which the store knows 1 line")["advice"])

    def test_what_is_no_file_in_its_place_is_named_and_not_waited_for(self) -> None:
        log, away = self.path("s", "audit.jsonl"), self.path("away")
        os.rename(log, away)
        for kind, make in (("a folder", os.mkdir), ("a FIFO", os.mkfifo)):
            make(log)
            fix = self.fault("audit", "problem", f"the audit log is {kind} where a file of its own must be")["fix"]
            self.type_in_a_shell(fix)
            self.assertFalse(os.path.lexists(log))
        os.symlink(away, log)
        self.mended("audit", "problem", "the audit log is a symbolic link")
        self.assertFalse(os.path.islink(log))
        self.done("config", "add", "--config-name", "after")


if __name__ == "__main__":
    unittest.main()
