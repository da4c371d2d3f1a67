"""What this user may not look at: whose it is decides what is to be typed."""

from __future__ import annotations

import os
import pwd
import unittest
from unittest import mock

from secure_mcp_gateway.cli.doctor import disk, lock, ports
from secure_mcp_gateway.errors import StoreForbidden, Unavailable
from tests.cli.doctor.case import DoctorCase

OWNER = pwd.getpwuid(os.geteuid()).pw_name


class Refused(DoctorCase):
    """Everything here belongs to who runs the tests; ``somebody`` else is who looks at it then."""

    def somebody(self) -> mock._patch[mock.MagicMock]:
        return mock.patch("os.geteuid", return_value=os.geteuid() + 1)

    def test_a_check_that_was_refused_is_made_as_the_owner_of_what_refused_it(self) -> None:
        with mock.patch.object(disk, "network_kind", side_effect=PermissionError(13, "no", self.store)):
            self.assertIn("open it to its owner", self.fault("disk", "problem", "permission denied")["advice"])
            with self.somebody():
                (found,) = self.faults("disk")
        self.assertTrue(found["fix"].startswith(f"sudo -u {OWNER} secure-mcp-gateway system doctor --store "), found["fix"])

    def test_a_rule_that_refuses_says_its_own_way_out(self) -> None:
        with mock.patch.object(disk, "network_kind", side_effect=Unavailable("no", "try again")):
            self.assertEqual(self.fault("disk", "problem", "no")["advice"], "try again")

    def test_a_lock_that_may_not_be_opened(self) -> None:
        path = self.store + ".lock"
        with mock.patch("secure_mcp_gateway.store.lock.FileLock.acquire", side_effect=PermissionError(13, "no", path)):
            self.assertEqual(self.fault("lock", "problem", "may not be opened by this user")["fix"], f"chmod 600 {path}")
            with self.somebody():
                self.assertIn(f"sudo -u {OWNER} ", self.fault("lock", "problem", "may not be opened")["fix"])
                with mock.patch.object(lock, "owner_of", side_effect=lambda each: os.geteuid() if each == self.store else 0):
                    fix = self.fault("lock", "problem", "may not be opened")["fix"]
                self.assertEqual(fix, f"sudo chown {os.geteuid()} {path}")

    def test_servers_of_somebody_else(self) -> None:
        refused = StoreForbidden("the servers on this store belong to somebody else", private=self.store)
        with mock.patch.object(ports, "running", side_effect=refused):
            self.assertIn(f"sudo -u {OWNER} ", self.fault("ports", "warning", "belong to somebody else")["fix"])

    def test_an_owner_without_a_name(self) -> None:
        with self.somebody(), mock.patch("pwd.getpwuid", side_effect=KeyError):
            self.assertIn(f"sudo -u '#{os.stat(self.store).st_uid}' ", self.fault("store", "problem", "belongs to somebody else")["fix"])

    def test_a_store_that_its_mode_or_its_disk_keeps_shut(self) -> None:
        with mock.patch("secure_mcp_gateway.store.store.Store.snapshot", side_effect=Unavailable("the store cannot be read: no")):
            self.assertIn("the disk may be failing", self.fault("store", "problem", "cannot be read")["advice"])
            os.chmod(self.store, 0o200)
            self.assertEqual(self.fault("store", "problem", "cannot be read")["fix"], f"chmod 600 {self.store}")


if __name__ == "__main__":
    unittest.main()
