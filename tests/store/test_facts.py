"""What the health check is told about the store's file and folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from unittest import mock

from secure_mcp_gateway.errors import Unavailable
from secure_mcp_gateway.store.document import Document
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import StoreCase, add

INSTEAD: dict[str, Callable[[str], None]] = {
    "a folder": os.mkdir,
    "a FIFO": os.mkfifo,
    "a symbolic link": lambda path: os.symlink(f"{path}.away", path),
}


def put_away(path: str, make: Callable[[str], None]) -> None:
    os.rename(path, f"{path}.away")
    make(path)


class FactsTest(StoreCase):
    def assert_facts(self, issue: str = "", warning: str = "") -> None:
        issues, warnings = self.store.facts()
        for found, expected in ((issues, issue), (warnings, warning)):
            self.assertEqual(len(found), bool(expected), found)
            self.assertIn(expected, "".join(found))
            self.assertNotIn(self.folder, "".join(found))

    def setUp(self) -> None:
        super().setUp()
        self.store = self.made()

    def test_a_store_as_we_make_it_is_in_order(self) -> None:
        self.assert_facts()

    def test_what_others_can_read_or_replace_is_an_issue(self) -> None:
        for name, said in (("store.json", "the store has mode 0640"), ("audit.jsonl", "the audit log has mode 0640")):
            os.chmod(self.at(name), 0o640)
            self.assert_facts(issue=said)
            os.chmod(self.at(name), 0o600)
        os.chmod(self.folder, 0o770)
        self.assert_facts(issue="others can replace the store")

    def test_of_two_stores_in_a_folder_each_has_its_own_log_looked_at(self) -> None:
        other = self.made(self.at("other.json"))
        os.chmod(self.at("other.audit.jsonl"), 0o640)
        self.assert_facts()
        self.assertIn("the audit log has mode 0640", "".join(other.facts()[0]))

    def test_a_folder_that_others_can_see_into_is_a_warning(self) -> None:
        for mode in (0o755, 0o1777):
            os.chmod(self.folder, mode)
            self.assert_facts(warning=f"mode {mode:04o}")

    def test_a_second_name_of_the_store_is_an_issue(self) -> None:
        os.link(self.path, self.at("again.json"))
        self.assert_facts(issue="2 hard links")

    def test_what_stands_in_the_place_of_the_lock_is_named_and_not_waited_for(self) -> None:
        for kind, make in INSTEAD.items():
            store = self.made(self.at(f"lock {kind}", "store.json"))
            put_away(store.lock_path, make)
            self.assertEqual(store.facts()[0], [f"the lock is {kind} where a file of its own must be: nothing can be written"])
            with self.assertRaises(Unavailable) as caught:
                add(store, 1)
            self.assertEqual(caught.exception.message, f"the lock beside the store is {kind}, not a file")
            self.assertEqual(caught.exception.private, store.lock_path)

    def test_what_stands_in_the_place_of_the_log_is_named_and_not_waited_for(self) -> None:
        for kind, make in INSTEAD.items():
            path = self.at(f"log {kind}", "store.json")
            log = self.made(path).log(Document()).path
            put_away(log, make)
            self.assertIn(f"the audit log is {kind} where a file of its own must be: nothing can be written", Store(path).facts()[0])
            with self.assertRaises(Unavailable) as caught:
                add(Store(path), 1)
            self.assertEqual(caught.exception.message, f"the audit log cannot be written, so nothing is changed: it is {kind}")
            if kind != "a symbolic link":
                self.assertEqual(Store(path).audit_doubt(), f"the audit log cannot be read: it is {kind}")

    def test_a_fifo_among_the_rotated_logs_is_not_waited_for(self) -> None:
        os.mkfifo(self.at("audit-000001.jsonl"))
        with open(self.at("audit.jsonl"), "wb") as file:
            file.write(b"\n")
        self.assertIn("audit-000001.jsonl is not a regular file", Store(self.path).audit_doubt())

    def test_zeros_behind_the_log_are_not_all_read(self) -> None:
        with open(self.at("audit.jsonl"), "r+b") as file:
            file.truncate(1 << 40)
        self.assertEqual(Store(self.path).audit_doubt(), "")

    def test_a_disk_that_is_almost_full_is_a_warning(self) -> None:
        full = os.statvfs(self.folder)
        with mock.patch("os.statvfs", return_value=mock.Mock(f_bavail=10, f_frsize=full.f_frsize)):
            self.assert_facts(warning="almost full")
