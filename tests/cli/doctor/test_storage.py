"""Faults of the store's file, and of what lies beside it."""

from __future__ import annotations

import json
import os
import time
import unittest
from pathlib import Path
from shlex import quote
from unittest import mock

from secure_mcp_gateway.cli.doctor import storage
from tests.cli.doctor.case import DoctorCase
from tests.support import DEADLINE, run


class TheStore(DoctorCase):
    def test_a_new_one_has_nothing_wrong(self) -> None:
        found = self.examined()
        # Of the Python that the tests run on, security fixes may have ended.
        self.assertEqual([each for each in found if each["level"] != "ok" and each["area"] != "python"], [])
        self.assertEqual(len({each["area"] for each in found}), 16)

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
        os.mkdir(self.path("s", "backups"), 0o700)
        self.write("s/backups/store-20260101T000000.000000000Z-reset.json", "{")
        self.assertIn("restore a backup of yours", self.fault("store", "problem", "damaged")["advice"], "the one there was cut off")

    def test_one_of_a_newer_version_is_left_alone(self) -> None:
        self.edit(format=2)
        self.assertEqual(self.fault("store", "problem", "newer version")["advice"], "install that version again")

    def test_a_folder_in_its_place_and_one_that_cannot_be_there(self) -> None:
        for path, part in ((self.path("s"), f"--store {quote(self.store)}"), ("/dev/null/x", "/dev/null is no folder")):
            ran = run("--store", path, "--format=json", "system", "doctor")
            problems = [each for each in ran.data["findings"] if each["level"] == "problem"]
            self.assertEqual([each["area"] for each in problems], ["store"])
            self.assertIn(part, problems[0]["fix"] or problems[0]["advice"])

    def test_one_with_something_that_no_store_holds(self) -> None:
        self.edit(user={})
        self.assertIn("take it out", self.fault("store", "problem", "'user'")["advice"])

    def test_one_of_an_older_format(self) -> None:
        os.chdir(self.folder)
        self.addCleanup(os.chdir, os.path.dirname(__file__))
        Path(self.store).write_text(json.dumps({"mcp_configs": {}, "apikeys": {}}))
        self.mended("store", "warning", "older format")

    def test_a_backup_in_its_place(self) -> None:
        self.done("config", "add", "--config-name", "kept")
        self.done("system", "backup", "--output-file", self.path("backup.json"))
        os.replace(self.path("backup.json"), self.store)
        self.mended("store", "problem", "a backup stands in the store's place")
        self.assertIn("kept", [each["mcp_config_name"] for each in self.done("config", "list")])

    def test_an_empty_folder_in_its_place(self) -> None:
        os.unlink(self.store)
        os.mkdir(self.store)
        self.assertIn(f"--store {self.store}/store.json", self.fault("store", "problem", "not a regular file")["advice"])
        os.mkdir(self.path(".secure-mcp-gateway"))
        os.mkdir(self.path(".secure-mcp-gateway", "store.json"))
        with mock.patch.dict(os.environ, HOME=self.folder):
            del os.environ["SECURE_MCP_GATEWAY_STORE"]
            ran = run("system", "doctor", "--format=json")
        (fix,) = (each["fix"] for each in ran.data["findings"] if each["area"] == "store")
        self.assertTrue(fix.startswith("mv -n "), fix)

    def test_a_link_to_itself(self) -> None:
        os.unlink(self.store)
        os.symlink(self.store, self.store)
        self.assertIn("take this link away", self.fault("store", "problem", "levels of symbolic links")["advice"])
        self.assertEqual(self.faults("ports"), [])

    def test_one_that_is_too_large_to_be_read_is_not_read(self) -> None:
        os.truncate(self.store, 5 << 30)
        started = time.monotonic()
        found = self.fault("store", "problem", "is 5.0 GiB, and more than 256 MiB is not read here")
        self.assertLess(time.monotonic() - started, DEADLINE)
        self.assertIn("--store FILE", found["advice"])
        self.assertEqual({each["area"] for each in self.examined()} & {"audit", "records", "keys"}, set())

    def test_one_that_no_restore_takes_is_warned_of(self) -> None:
        with mock.patch.object(storage, "LARGEST_RESTORED", 100):
            self.fault("store", "warning", "backup and restore take no more than 100 bytes")

    def test_one_of_somebody_else(self) -> None:
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            self.assertIn("sudo -u", self.fault("store", "problem", "belongs to somebody else")["fix"])

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_one_that_may_not_be_read(self) -> None:
        os.chmod(self.store, 0)
        self.mended("store", "problem", "cannot be read")

    def test_records_that_do_not_fit_together(self) -> None:
        self.edit(mcp_configs={})
        self.mended("records", "problem", "names a config that does not exist")
        content = json.loads(Path(self.store).read_bytes())
        ((key, member),) = content["members"].items()
        self.edit(members={})
        self.done("project", "remove-all-users", "--project-name=default_project")
        self.edit(members={key: {**member, "user_id": "gone"}})
        self.assertIn("mend it in", self.faults("records")[0]["advice"])

    def test_keys_of_nobody(self) -> None:
        self.edit(users={}, members={})
        self.mended("records", "problem", "is of a user or for a project that does not exist")

    def test_what_the_health_check_finds_is_found_too(self) -> None:
        self.edit(mcp_configs={}, members={}, admin_keys={})
        os.chmod(self.store, 0o644)
        os.chmod(self.path("s"), 0o755)
        health = self.run_json("system", "health-check").data
        texts = "\n".join(each["text"] for each in self.examined())
        for said in (each.partition("; chmod")[0] for each in health["issues"]):
            self.assertIn(said, texts)
        self.assertEqual((len(health["issues"]), len(health["warnings"])), (2, 1))


if __name__ == "__main__":
    unittest.main()
