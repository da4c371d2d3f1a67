"""What the health check is told about the store's file and folder."""

from __future__ import annotations

import os
from unittest import mock

from tests.store.sample_store import StoreCase


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

    def test_a_disk_that_is_almost_full_is_a_warning(self) -> None:
        full = os.statvfs(self.folder)
        with mock.patch("os.statvfs", return_value=mock.Mock(f_bavail=10, f_frsize=full.f_frsize)):
            self.assert_facts(warning="almost full")
