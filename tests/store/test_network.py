"""Network file systems are told by the mount table, whatever their mount points are called."""

from __future__ import annotations

from unittest import mock

from secure_mcp_gateway.errors import Unavailable
from secure_mcp_gateway.store.network import mount_kind
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import StoreCase, add

MOUNTS = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw
30 22 0:40 / /mnt/nfs rw,relatime shared:3 master:4 - nfs4 server:/export rw,vers=4.2
31 30 0:41 / /mnt/nfs/local rw - tmpfs tmpfs rw
32 22 0:42 / /mnt/with\040blank\011tab rw - cifs //server/share rw
33 22 0:43 / /mnt/back\134040slash rw - fuse.sshfs me@host: rw
34 22 0:44 / /mnt/line\012break rw - 9p share rw
35 22 0:45 / /mnt/covered rw - nfs4 server:/one rw
36 35 0:46 / /mnt/covered rw - ext4 /dev/vdb rw
37 22 0:47 / /mnt/dash\040-\040dash rw - nfs server:/two rw
38 22 0:48 /sub/folder /mnt/bound rw,relatime - xfs /dev/vdc rw
broken line
39
"""


class MountKindTest(StoreCase):
    def test_the_longest_mount_point_above_the_folder_counts(self) -> None:
        for folder, kind in (
            ("/", "ext4"),
            ("/home/me", "ext4"),
            ("/proc", "proc"),
            ("/procession", "ext4"),
            ("/mnt/nfs", "nfs4"),
            ("/mnt/nfs/deep/down", "nfs4"),
            ("/mnt/nfs/local", "tmpfs"),
            ("/mnt/nfs/localized", "nfs4"),
            ("/mnt/nfs2", "ext4"),
            ("/mnt/bound/x", "xfs"),
        ):
            self.assertEqual(mount_kind(folder, MOUNTS), kind, folder)

    def test_the_names_of_mount_points_are_unescaped_once(self) -> None:
        for folder, kind in (
            ("/mnt/with blank\ttab/x", "cifs"),
            (r"/mnt/back\040slash", "fuse.sshfs"),
            ("/mnt/back slash", "ext4"),
            ("/mnt/line\nbreak", "9p"),
            ("/mnt/dash - dash/store", "nfs"),
        ):
            self.assertEqual(mount_kind(folder, MOUNTS), kind, folder)

    def test_of_two_mounts_at_one_point_the_later_one_is_seen(self) -> None:
        self.assertEqual(mount_kind("/mnt/covered/x", MOUNTS), "ext4")

    def test_an_empty_table_tells_nothing(self) -> None:
        self.assertEqual(mount_kind("/home", ""), "")


class RefusalTest(StoreCase):
    def on(self, kind: str) -> mock._patch[str]:
        return mock.patch("secure_mcp_gateway.store.network.mount_kind", return_value=kind)

    def test_a_store_on_a_network_is_refused_unless_that_was_allowed(self) -> None:
        for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs"):
            with self.on(kind), self.assertRaises(Unavailable) as caught:
                Store(self.path)
            self.assertIn(kind, caught.exception.message)
            self.assertIn("--allow-network-fs", caught.exception.hint)
            self.assertNotIn(self.folder, caught.exception.detail)
            self.assertEqual(caught.exception.exit_code, 6)
        with self.on("nfs4"):
            self.assertEqual(add(self.made(allow_network=True), 1), 2)

    def test_a_local_or_unknown_file_system_is_not(self) -> None:
        for kind in ("ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse.unknown", ""):
            with self.on(kind):
                self.assertFalse(Store(self.path).exists())

    def test_where_there_is_no_mount_table_nothing_is_refused(self) -> None:
        with mock.patch("builtins.open", side_effect=FileNotFoundError):
            self.assertFalse(Store(self.path).exists())
