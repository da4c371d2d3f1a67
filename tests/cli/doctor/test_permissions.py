"""Faults of what lies beside the store."""

from __future__ import annotations

import os
import unittest
from pathlib import Path

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


if __name__ == "__main__":
    unittest.main()
