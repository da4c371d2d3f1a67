"""Where the store lies."""

from __future__ import annotations

import errno
import os
import unittest
from unittest import mock

from secure_mcp_gateway.cli.doctor import disk
from tests.cli.doctor.case import DoctorCase


class TheDisk(DoctorCase):
    def test_a_disk_that_is_full(self) -> None:
        with mock.patch.object(disk, "free_space", return_value=1024):
            self.fault("disk", "problem", "1 KiB free")
        with mock.patch.object(disk, "free_space", return_value=disk.LEAST_FREE + 9 * os.stat(self.store).st_size):
            self.fault("disk", "warning", "less than ten rewrites")
        found = os.statvfs(self.folder)
        with mock.patch("os.statvfs", return_value=mock.Mock(f_flag=0, f_files=9, f_favail=0, f_bavail=1, f_frsize=1)):
            self.fault("disk", "problem", "inodes")
        with mock.patch("os.statvfs", return_value=mock.Mock(f_flag=os.ST_RDONLY, f_bavail=found.f_bavail, f_frsize=found.f_frsize)):
            self.fault("disk", "warning", "mounted read-only")
        with mock.patch("secure_mcp_gateway.store.lock.FileLock.acquire", side_effect=OSError(errno.EROFS, "no")):
            self.assertEqual(self.faults("lock"), [], "the disk's own check says so")

    def test_a_network_file_system(self) -> None:
        with mock.patch.object(disk, "network_kind", return_value="nfs4"):
            self.fault("disk", "problem", "nfs4")
            found = self.run_json("system", "doctor", "--allow-network-fs")
        self.assertEqual([each["level"] for each in found.data["findings"] if "nfs4" in each["text"]], ["warning"])


if __name__ == "__main__":
    unittest.main()
