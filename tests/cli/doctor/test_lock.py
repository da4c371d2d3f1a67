"""Who has the writers' lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import unittest
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from secure_mcp_gateway.cli.doctor import lock
from tests.cli.doctor.case import DoctorCase
from tests.store.test_facts import INSTEAD


class TheLock(DoctorCase):
    def test_a_lock_that_is_held(self) -> None:
        with open(self.store + ".lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with mock.patch.object(lock, "_LOCK_SECONDS", 0.05):
                found = self.fault("lock", "problem", "nothing can be written")
        if os.path.exists("/proc/locks") and str(os.getpid()) in Path("/proc/locks").read_text():
            self.assertEqual(found["fix"], f"kill {os.getpid()}")
            self.assertIn(f"(process {os.getpid()})", found["text"])


    @unittest.skipUnless(os.path.isdir("/proc/self/fdinfo"), "this system does not tell who has a lock")
    def test_a_server_of_ours_that_holds_it_is_stopped_by_its_own_command(self) -> None:
        server = self.start("--no-access-log")
        with mock.patch.object(lock, "holders_of", return_value=[server.process.pid]), self.held():
            found = self.fault("lock", "problem", f"secure-mcp-gateway system start-api (process {server.process.pid})")
        self.assertIn(f"system stop-api --force --port {server.port} --store", found["fix"])

    @unittest.skipUnless(os.path.isdir("/proc/self/fdinfo"), "this system does not tell who has a lock")
    def test_a_process_that_has_it_from_one_that_ended_is_named_and_ended(self) -> None:
        with open(self.store + ".lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            heir = subprocess.Popen(["sleep", "60"], pass_fds=[file.fileno()])
            self.addCleanup(heir.wait)
            self.addCleanup(heir.kill)
        with mock.patch.object(lock, "_LOCK_SECONDS", 0.05):
            self.assertEqual(self.fault("lock", "problem", f"it is sleep (process {heir.pid})")["fix"], f"kill {heir.pid}")
            with mock.patch("os.geteuid", return_value=os.geteuid() + 1), mock.patch.object(lock, "owner_of"):
                (found,) = lock.check_lock(mock.Mock(store=mock.Mock(lock_path=self.store + ".lock", folder="/none")))
            self.assertEqual(found.fix, f"sudo kill {heir.pid}")
            with mock.patch.object(lock, "holders_of", return_value=[]):
                found = self.faults("lock")[0]
                with mock.patch.object(lock, "me", return_value=4711):
                    unseen = self.fault("lock", "problem", "this user may not see which")
        self.assertIn("find out which" if os.geteuid() == 0 else "sudo", found["fix"] or found["advice"])
        self.assertIn("secure-mcp-gateway system doctor --store", unseen["fix"])

    def test_what_is_no_file_in_its_place_is_named_and_taken_away(self) -> None:
        for kind, make in INSTEAD.items():
            os.unlink(self.store + ".lock")
            make(self.store + ".lock")
            self.mended("lock", "problem", f"the lock is {kind} where a file of its own must be")
            self.done("config", "add", "--config-name", f"after {kind}")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        with open(self.store + ".lock", "rb") as file, mock.patch.object(lock, "_LOCK_SECONDS", 0.05):
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


if __name__ == "__main__":
    unittest.main()
