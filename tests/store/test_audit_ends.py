"""What the ends of the audit log tell without a walk along all of it: the health check warns of that."""

from __future__ import annotations

import json
import os
from unittest import mock

from secure_mcp_gateway.errors import Forbidden
from secure_mcp_gateway.store import audit_check
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import add, entry
from tests.store.test_audit import AuditCase


class EndsCase(AuditCase):
    def setUp(self) -> None:
        super().setUp()
        self.lengthened(6)
        self.store.refuse(entry(), Forbidden("no"))
        self.store.refuse(entry(), Forbidden("no"))
        self.whole = self.read(self.log)

    def doubt(self) -> str:
        return Store(self.path).audit_doubt()

    def assert_doubt(self, data: bytes, part: str) -> None:
        """The walk finds what the look at the ends finds, and the health check warns of it."""
        self.write(self.log, data)
        self.assertIn(part, self.doubt())
        self.assertFalse(Store(self.path).verify_audit()["valid"])
        ((warning,), issues) = Store(self.path).facts()[::-1]
        self.assertEqual(issues, [])
        self.assertIn(part, warning)

    def set_generation(self, number: int) -> None:
        self.put_in_place(json.dumps({**json.loads(self.read()), "generation": number}).encode())


class DoubtTest(EndsCase):
    def test_a_sound_log_leaves_none(self) -> None:
        self.assertEqual((self.doubt(), Store(self.path).facts()), ("", ([], [])))

    def test_nor_does_one_that_was_rotated(self) -> None:
        with mock.patch("secure_mcp_gateway.store.store.AuditLog", lambda path: AuditLog(path, rotate_at=1500)):
            store = Store(self.path)
            for number in range(10, 40):
                add(store, number)
                self.assertEqual(self.doubt(), "")
                store.refuse(entry(), Forbidden("no"))
                self.assertEqual(self.doubt(), "")

    def test_a_log_that_was_cut_replaced_or_emptied_is_seen(self) -> None:
        lines = self.whole.splitlines(keepends=True)
        self.assert_doubt(b"".join(lines[:5]), "line 6 is not where it was written")
        self.assert_doubt(b"".join(lines[:3] + lines[4:]), "line 6 is not where it was written")
        self.assert_doubt(b"", "its first line")
        self.assert_doubt(lines[0].replace(b"generate", b"Generate") + b"".join(lines[1:]), "its first line")
        self.assert_doubt(b"".join(lines[:7]) + lines[7].replace(b"forbidden", b"forbiddeN"), "line 8 is not as")
        self.assert_doubt(b"".join(lines[:6] + lines[7:]), "line 7 is not as")

    def test_one_that_is_gone_or_may_not_be_read_is_said(self) -> None:
        os.unlink(self.log)
        self.assertEqual(self.doubt(), "it is gone, the store knows 6 lines")
        os.mkdir(self.log)
        self.assertIn("cannot be read", self.doubt())
        self.assertIn("cannot be read", Store(self.path).facts()[1][0])

    def test_a_torn_last_line_is_none(self) -> None:
        self.write(self.log, self.whole[:-20])
        self.assertEqual(self.doubt(), "")

    def test_an_older_copy_of_the_store_is_said(self) -> None:
        older = self.read()
        add(self.store, 9)
        add(self.store, 10)
        self.put_in_place(older)
        self.assertIn("lines 9 to 10 tell of writes that the store does not hold", self.doubt())

    def test_a_write_that_comes_in_between_is_no_fault(self) -> None:
        first_doubt, numbers = audit_check.first_doubt, iter(range(100, 200))

        def late(log: AuditLog, head: object, generation: int) -> str:
            add(self.store, next(numbers))
            add(self.store, next(numbers))
            return first_doubt(log, head, generation)  # type: ignore[arg-type]

        with mock.patch.object(audit_check, "first_doubt", late):
            self.assertEqual(self.doubt(), "")

    def test_of_many_refusals_some_are_looked_at(self) -> None:
        with mock.patch.object(audit_check, "_MOST_LOOKED_AT", 1):
            lines = self.whole.splitlines(keepends=True)
            self.write(self.log, b"".join(lines[:7]) + lines[7].replace(b"forbidden", b"forbiddeN"))
            self.assertEqual(self.doubt(), "")


class SetBackTest(EndsCase):
    def test_a_generation_that_was_set_back_is_said(self) -> None:
        self.set_generation(2)
        for said in (self.doubt(), Store(self.path).verify_audit()["problem"], Store(self.path).facts()[1][0]):
            self.assertIn("it is at generation 2, and was at 6 before: the number was set back by hand", said)

    def test_and_mended_by_the_next_write_so_that_none_is_given_twice(self) -> None:
        self.set_generation(2)
        self.assertEqual((add(Store(self.path), 9), Store(self.path).snapshot().generation), (3, 7))
        self.assertEqual((self.doubt(), Store(self.path).verify_audit()["problem"]), ("", None))

    def test_also_by_a_server_that_runs_all_along(self) -> None:
        add(self.store, 9)
        self.set_generation(2)
        add(self.store, 10)
        self.assertEqual(self.store.snapshot().generation, 8)

    def test_also_where_the_last_deed_was_none_that_counts_or_its_line_is_in_a_rotated_file(self) -> None:
        self.store.commit(lambda draft: None, entry("system backup"), counts=False)
        self.set_generation(2)
        self.assertIn("was at 6 before", self.doubt())
        with mock.patch("secure_mcp_gateway.store.store.AuditLog", lambda path: AuditLog(path, rotate_at=100)):
            Store(self.path).refuse(entry(), Forbidden("no"))
            self.assertIn("was at 6 before", self.doubt())
            add(Store(self.path), 9)
        self.assertEqual(Store(self.path).snapshot().generation, 7)

    def test_one_that_was_set_ahead_is_gone_on_from(self) -> None:
        add(self.store, 9)
        self.set_generation(20)
        self.assertEqual((self.doubt(), add(Store(self.path), 10)), ("", 21))

    def test_a_write_that_never_committed_reached_nothing(self) -> None:
        with mock.patch("os.replace", side_effect=OSError(5, "no")), self.assertRaises(Exception):  # noqa: B017
            add(self.store, 9)
        self.assertEqual(add(self.store, 10), 7)
        self.set_generation(7)
        self.assertEqual(self.doubt(), "")
