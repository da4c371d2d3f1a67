"""Faults of the store's file, and of what lies beside it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import unittest
from pathlib import Path
from unittest import mock

from secure_mcp_gateway.cli.doctor import storage
from tests.cli.doctor.case import DoctorCase
from tests.support import run


class TheStore(DoctorCase):
    def test_a_new_one_has_nothing_wrong(self) -> None:
        found = self.examined()
        # Of the Python that the tests run on, security fixes may have ended.
        self.assertEqual([each for each in found if each["level"] != "ok" and each["area"] != "python"], [])
        self.assertEqual(len({each["area"] for each in found}), 15)

    def test_one_that_is_missing(self) -> None:
        os.unlink(self.store)
        self.mended("store", "problem", "there is no store at")

    def test_one_that_is_missing_comes_back_from_the_newest_safety_backup(self) -> None:
        self.done("config", "add", "--config-name", "kept")
        self.done("system", "reset", "--confirm")
        os.unlink(self.store)
        self.mended("store", "problem", "there is no store at")
        self.assertIn("kept", [each["mcp_config_name"] for each in self.done("config", "list")])

    def test_one_that_is_damaged(self) -> None:
        self.done("system", "reset", "--confirm")
        Path(self.store).write_text("{")
        self.mended("store", "problem", "the store is damaged")
        self.assertEqual(Path(self.store + ".damaged").read_text(), "{")

    def test_one_that_is_damaged_without_a_safety_backup_is_not_thrown_away(self) -> None:
        Path(self.store).write_text("{")
        self.assertIn("--input-file BACKUP", self.fault("store", "problem", "damaged")["fix"])

    def test_one_of_a_newer_version_is_left_alone(self) -> None:
        self.edit(format=2)
        self.assertEqual(self.fault("store", "problem", "newer version")["fix"], "install that version again")

    def test_a_folder_in_its_place_and_one_that_cannot_be_there(self) -> None:
        for path, part in ((self.path("s"), "--store " + self.store), ("/dev/null/x", "generate-config")):
            ran = run("--store", path, "--format=json", "system", "doctor")
            problems = [each for each in ran.data["findings"] if each["level"] == "problem"]
            self.assertEqual([each["area"] for each in problems], ["store"])
            self.assertIn(part, problems[0]["fix"])

    def test_one_with_something_that_no_store_holds(self) -> None:
        self.edit(user={})
        self.assertIn("take it out", self.fault("store", "problem", "'user'")["fix"])

    def test_one_of_an_older_format(self) -> None:
        os.chdir(self.folder)
        self.addCleanup(os.chdir, os.path.dirname(__file__))
        Path(self.store).write_text(json.dumps({"mcp_configs": {}, "apikeys": {}}))
        self.mended("store", "warning", "older format")

    def test_one_of_somebody_else(self) -> None:
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            self.assertIn("sudo -u", self.fault("store", "problem", "belongs to somebody else")["fix"])

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_one_that_may_not_be_read(self) -> None:
        os.chmod(self.store, 0)
        self.mended("store", "problem", "cannot be read")

    def test_records_that_do_not_fit_together(self) -> None:
        self.edit(mcp_configs={})
        self.assertIn("mend it in", self.fault("records", "problem", "names a config that does not exist")["fix"])

    def test_what_the_health_check_finds_is_found_too(self) -> None:
        self.edit(mcp_configs={}, members={}, admin_keys={})
        os.chmod(self.store, 0o644)
        os.chmod(self.path("s"), 0o755)
        health = self.run_json("system", "health-check").data
        texts = "\n".join(each["text"] for each in self.examined())
        for said in (each.partition("; chmod")[0] for each in health["issues"]):
            self.assertIn(said, texts)
        self.assertEqual((len(health["issues"]), len(health["warnings"])), (2, 1))


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
        self.assertIn("make one for the store alone", found["fix"])
        self.assertNotIn("chmod", found["fix"])

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
                fixes = " ".join(each["fix"] or "" for each in self.examined())
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

    def test_a_lock_that_is_held(self) -> None:
        with open(self.store + ".lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with mock.patch.object(storage, "_LOCK_SECONDS", 0.05):
                found = self.fault("lock", "problem", "nothing can be written")
        if os.path.exists("/proc/locks") and str(os.getpid()) in Path("/proc/locks").read_text():
            self.assertEqual(found["fix"], f"kill {os.getpid()}")
            self.assertIn(f"(process {os.getpid()})", found["text"])

    def test_a_disk_that_is_full(self) -> None:
        with mock.patch.object(storage, "free_space", return_value=1024):
            self.fault("disk", "problem", "1 KiB free")
        with mock.patch.object(storage, "free_space", return_value=storage.LEAST_FREE + 9 * os.stat(self.store).st_size):
            self.fault("disk", "warning", "less than ten rewrites")
        found = os.statvfs(self.folder)
        with mock.patch("os.statvfs", return_value=mock.Mock(f_flag=0, f_files=9, f_favail=0, f_bavail=1, f_frsize=1)):
            self.fault("disk", "problem", "inodes")
        with mock.patch("os.statvfs", return_value=mock.Mock(f_flag=os.ST_RDONLY, f_bavail=found.f_bavail, f_frsize=found.f_frsize)):
            self.fault("disk", "warning", "mounted read-only")
        with mock.patch("secure_mcp_gateway.store.lock.FileLock.acquire", side_effect=OSError(errno.EROFS, "no")):
            self.assertEqual(self.faults("lock"), [], "the disk's own check says so")

    def test_a_network_file_system(self) -> None:
        with mock.patch.object(storage, "network_kind", return_value="nfs4"):
            self.fault("disk", "problem", "nfs4")
            found = self.run_json("system", "doctor", "--allow-network-fs")
        self.assertEqual([each["level"] for each in found.data["findings"] if "nfs4" in each["text"]], ["warning"])

    def test_what_a_killed_writer_left(self) -> None:
        for names in (("s", ".store.json.tmp"), ("s", "backups", ".store.json.tmp")):
            os.makedirs(os.path.dirname(self.path(*names)), 0o700, exist_ok=True)
            path = self.write(os.path.join(*names), "half")
            os.chmod(path, 0o600)
            self.assertEqual(self.faults("leftovers"), [], "it may be a writer at work")
            os.utime(path, (0, 0))
            self.mended("leftovers", "warning", "left over")

    def test_an_audit_log_that_was_changed(self) -> None:
        self.done("config", "add", "--config-name", "one")
        path = Path(self.path("s", "audit.jsonl"))
        path.write_bytes(path.read_bytes().replace(b"generate-config", b"generate-cOnfig"))
        self.assertIn("system audit --verify", self.fault("audit", "problem", "line 1 of")["fix"])

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


if __name__ == "__main__":
    unittest.main()
