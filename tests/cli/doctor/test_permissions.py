"""Faults of what lies beside the store."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from unittest import mock

from secure_mcp_gateway.errors import StoreForbidden
from secure_mcp_gateway.store.store import Store
from tests.cli.doctor.case import DoctorCase


class BesideTheStore(DoctorCase):
    def test_modes(self) -> None:
        self.done("system", "reset", "--confirm")
        os.chmod(self.write("s/admin-key.txt", "smga_"), 0o600)
        for name, mode, level in (
            ("store.json", 0o644, "problem"),
            ("store.json.lock", 0o666, "problem"),
            ("audit.jsonl", 0o640, "problem"),
            ("backups", 0o777, "problem"),
            ("admin-key.txt", 0o644, "problem"),
            ("", 0o755, "warning"),
        ):
            os.chmod(self.path("s", name), mode)
            self.mended("permissions", level, f"mode {mode:04o}")

    def test_a_folder_that_others_use_too_is_not_to_be_closed(self) -> None:
        folder = os.path.dirname(self.store)
        os.chmod(folder, 0o755)
        Path(folder, "somebody.else").touch()
        (found,) = (each for each in self.examined() if "others can see into it" in each["text"])
        self.assertIn("make one for the store alone", found["advice"])

    def test_a_file_that_is_no_store_is_neither_to_be_moved_nor_changed(self) -> None:
        for content in ("root:x:0:0::/root:/bin/sh\n", None):
            with self.subTest(content=content):
                os.unlink(self.store)
                if content is None:
                    os.mkfifo(self.store)
                else:
                    with open(self.store, "w", encoding="utf-8") as file:
                        file.write(content)
                    os.chmod(self.store, 0o644)
                fixes = " ".join(each["fix"] or each["advice"] or "" for each in self.examined())
                self.assertNotRegex(fixes, r"\b(mv|chmod) ")
                self.assertIn("name the store's own file", fixes)

    def test_modes_of_backups(self) -> None:
        self.done("system", "reset", "--confirm")
        (name,) = os.listdir(self.path("s", "backups"))
        os.chmod(self.path("s", "backups", name), 0o644)
        self.mended("permissions", "problem", "a file in backups/ has mode 0644")

    def test_a_second_name(self) -> None:
        os.link(self.path("s", "audit.jsonl"), self.path("other"))
        self.mended("permissions", "problem", "2 hard links")

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_owners(self) -> None:
        os.chown(self.path("s", "audit.jsonl"), 65534, 65534)
        self.mended("permissions", "problem", "belongs to user 65534")

    def test_what_a_killed_writer_left(self) -> None:
        for names in (("s", ".store.json.tmp"), ("s", "backups", ".store.json.tmp")):
            os.makedirs(os.path.dirname(self.path(*names)), 0o700, exist_ok=True)
            path = self.write(os.path.join(*names), "half")
            os.chmod(path, 0o600)
            self.assertEqual(self.faults("leftovers"), [], "it may be a writer at work")
            os.utime(path, (0, 0))
            self.mended("leftovers", "warning", "left over")

    def test_a_link_to_what_may_be_somebody_elses_is_not_to_be_closed(self) -> None:
        os.mkdir(self.path("shared"), 0o755)
        os.chmod(self.path("shared"), 0o755)
        os.symlink(self.path("shared"), self.path("s", "files"))
        self.assertIn("of the store's own", self.fault("permissions", "warning", "through a symbolic link")["advice"])

    def test_what_is_no_folder_in_the_place_of_one(self) -> None:
        self.done("system", "reset", "--confirm")
        os.rename(self.path("s", "backups"), self.path("backups"))
        for name, kind, make in (("backups", "a file", lambda path: Path(path).touch()), ("servers", "a FIFO", os.mkfifo)):
            make(self.path("s", name))
            self.assertEqual(self.faults("ports"), [])
            self.mended("permissions", "problem", f"{name} is {kind} where a folder must be")
        self.done("system", "reset", "--confirm")

    def give_away(self, user: int) -> None:
        """All of it, where we are root; else it is ours anyway, and not root's."""
        if os.geteuid() == 0:
            for path in (self.path("s"), *(self.path("s", name) for name in os.listdir(self.path("s")))):
                os.chown(path, user, user)

    def test_what_its_owner_cannot_use(self) -> None:
        self.done("system", "reset", "--confirm")
        self.give_away(65534)
        for name, mode in (("audit.jsonl", 0o400), ("store.json.lock", 0o000), ("backups", 0o500)):
            os.chmod(self.path("s", name), mode)
            self.mended("permissions", "problem", f"has mode {mode:04o}: its owner cannot use it")
        os.chmod(self.path("s"), 0o500)
        self.mended("permissions", "problem", "has mode 0500: its owner cannot use it")
        os.chmod(self.write("s/admin-key.txt", "smga_"), 0o400)
        self.assertEqual([each for each in self.faults("permissions") if "cannot use" in each["text"]], [], "a key is read alone")

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_a_store_in_ones_own_folder_that_somebody_else_made(self) -> None:
        self.give_away(1234)
        os.chown(self.store, 65534, 65534)
        with mock.patch("os.geteuid", return_value=1234):
            found = self.fault("store", "problem", "its folder to this user")
            self.assertEqual(found["fix"], f"sudo chown 1234 {self.store}")
            self.assertEqual(self.faults("permissions"), [], "not the other way round too")

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_a_folder_of_somebody_else_around_ones_own_store(self) -> None:
        self.give_away(1234)
        os.chown(self.path("s"), 65534, 65534)
        with mock.patch("os.geteuid", return_value=1234), mock.patch("os.access", side_effect=lambda path, mode: mode != os.W_OK):
            found = self.fault("permissions", "problem", "the store's folder belongs to user 65534")
        self.assertEqual(found["fix"], f"sudo chown 1234 {self.path('s')}")

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_a_folder_that_is_closed_to_its_owner(self) -> None:
        self.give_away(1234)
        refused = StoreForbidden("the store may not be read by this user", private=self.store)
        unread = mock.patch.object(Store, "snapshot", side_effect=refused)
        with mock.patch("os.geteuid", return_value=1234), mock.patch("os.access", return_value=False), unread:
            found = self.fault("store", "problem", "lets nobody in, not even its owner")
            self.assertEqual({each["area"] for each in self.examined() if each["level"] != "ok"} - {"python"}, {"store"})
        self.assertEqual(found["fix"], f"chmod 700 {self.path('s')}")


if __name__ == "__main__":
    unittest.main()
