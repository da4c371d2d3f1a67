"""Listing a large audit log takes no memory for what is not looked at."""

from __future__ import annotations

import json
import os
import tracemalloc

from secure_mcp_gateway.store.audit import seal
from secure_mcp_gateway.store.store import Store
from tests.store.test_audit import AuditCase


class ListingTest(AuditCase):
    def setUp(self) -> None:
        super().setUp()
        self.lengthened(4)

    def test_a_page_takes_memory_for_itself(self) -> None:
        fresh, size = self.watched_behind_refusals()
        found = fresh.audit_lines()
        self.assertEqual([line["n"] for line in found[1:3]], [3003, 3002])
        self.assertEqual((len(found), found[-1]["n"]), (3004, 1))
        self.assertLess(tracemalloc.get_traced_memory()[1], size // 4)

    def test_what_was_found_stays_to_be_looked_at_when_the_log_is_rotated(self) -> None:
        found = self.store.audit_lines()
        os.rename(self.log, self.log.replace(".jsonl", "-000001.jsonl"))
        self.assertEqual([line["n"] for line in found], [4, 3, 2, 1])
        self.assertEqual([line["n"] for line in Store(self.path).audit_lines()], [4, 3, 2, 1])

    def test_a_number_that_no_line_can_have_is_listed_like_another(self) -> None:
        whole = self.read(self.log)
        content = json.loads(whole.splitlines()[-1])
        del content["hash"]
        for number in (-1, 2**70):
            self.write(self.log, whole + seal(json.dumps({**content, "n": number}).encode())[0])
            self.assertEqual(Store(self.path).audit_lines()[0]["n"], number)
