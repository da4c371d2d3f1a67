"""What stands behind the document's head in the audit log: refusals, torn lines, uncommitted writes, and what somebody put there."""

from __future__ import annotations

import json
import os
import tracemalloc
from typing import Any

from secure_mcp_gateway.errors import Forbidden, PreconditionFailed
from secure_mcp_gateway.store.audit import LONGEST, opened, seal
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import add, entry
from tests.store.test_audit import AuditCase


class TailCase(AuditCase):
    def setUp(self) -> None:
        super().setUp()
        self.lengthened(4)

    def refused(self, count: int) -> list[bytes]:
        """The log's lines, with that many refusals behind the head."""
        for _ in range(count):
            self.store.refuse(entry(), Forbidden("no"))
        return self.read(self.log).splitlines(keepends=True)

    def verify(self) -> dict[str, Any]:
        return Store(self.path).verify_audit()

    def forge(self, **fields: Any) -> None:
        """A line that goes on from the last one, with a hash of its own."""
        last = json.loads(self.read(self.log).splitlines()[-1])
        content = {**last, "n": last["n"] + 1, **fields, "prev": last["hash"]}
        del content["hash"]
        self.write(self.log, self.read(self.log) + seal(json.dumps(content).encode())[0])


class TornTest(TailCase):
    def test_a_line_whose_end_was_changed_is_not_taken_for_a_torn_one(self) -> None:
        *lines, last = self.refused(2)
        for byte in (*b" \r\0}X\x0b\xff", ord("\n") ^ 1):
            self.assert_broken(b"".join(lines) + last[:-1] + bytes([byte]), 6)
        self.assert_broken(b"".join(lines) + last[:-1] + last[:50], 6)

    def test_nor_is_it_cut_off_by_the_next_write(self) -> None:
        *lines, last = self.refused(2)
        changed = b"".join(lines) + last[:-1] + b"X"
        self.write(self.log, changed)
        add(Store(self.path), 9)
        self.assertTrue(self.read(self.log).startswith(changed + b"\n"))
        self.assertEqual(self.log_lines_behind(changed)[0]["named"], {"gap": "line 6 is not as it was written"})
        self.assertEqual(self.verify()["broken_line"], 6)

    def log_lines_behind(self, data: bytes) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(self.log)[len(data) + 1 :].splitlines()]

    def test_a_line_cut_anywhere_is_torn_also_with_zeros_for_what_did_not_reach_the_disk(self) -> None:
        *lines, last = self.refused(1)
        for cut in (*range(1, len(last) - 80, 7), *range(len(last) - 80, len(last))):
            for zeros in (b"", b"\0", b"\0" * 600):
                if cut == len(last) - 1 and zeros:
                    continue  # a whole line with another end
                self.write(self.log, b"".join(lines) + last[:cut] + zeros)
                found = self.verify()
                self.assertEqual((found["valid"], found["lines"]), (True, 4), cut)
                self.assertIn("torn", found["problem"])
        self.write(self.log, b"".join(lines) + b"\0" * 300)
        self.assertEqual((self.verify()["valid"], add(self.store, 9)), (True, 5))
        self.assertEqual(self.log_lines()[4]["named"], {"torn_bytes": "300"})
        self.assert_sound(self.store)

    def test_zeros_without_end_take_no_memory_without_end(self) -> None:
        size, zeros = len(b"".join(self.refused(1))), 160 * 1024 * 1024
        os.truncate(self.log, size + zeros)
        tracemalloc.start()
        try:
            found, listed, number = self.verify(), len(Store(self.path).audit_lines()), add(Store(self.path), 9)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, zeros / 2)
        self.assertEqual((found["valid"], found["lines"], listed, number), (True, 5, 5, 5))
        self.assertIn("torn", found["problem"])
        self.assertEqual(self.log_lines()[5]["named"], {"torn_bytes": str(zeros)})
        self.assert_sound(self.store)

    def test_a_line_of_ours_does_not_pass_with_very_much_behind_it(self) -> None:
        *lines, last = self.refused(2)
        for end in (b"", b"\n", last[-20:]):
            self.write(self.log, b"".join(lines) + last[:-1] + b"x" * (2 * LONGEST) + end)
            found = self.verify()
            self.assertEqual((found["valid"], found["broken_line"]), (False, 6), end)

    def test_what_is_the_beginning_of_no_line_is_not_torn(self) -> None:
        lines = b"".join(self.refused(0))
        for rest in (b"x", b'{"n": 6, "time": "', b'{"n": 5, "tame": "', lines[:60], b'{"n": 5, "time": "2026", "hash": "' + b"0" * 10):
            self.assert_broken(lines + rest, 5)


class OlderDocumentTest(TailCase):
    def test_writes_that_an_older_copy_of_the_document_does_not_hold_are_said(self) -> None:
        older = self.read()
        add(self.store, 8)
        add(self.store, 9)
        self.put_in_place(older)
        found = self.verify()
        self.assertEqual((found["valid"], found["lines"]), (True, 6))
        self.assertIn("lines 5 to 6 tell of writes that the store does not hold", found["problem"])
        self.assertIn("an older copy", found["problem"])
        self.assertEqual([line["committed"] for line in Store(self.path).audit_lines()], [False, False, True, True, True, True])
        add(Store(self.path), 10)
        self.assertEqual(self.log_lines()[6]["named"], {"lines_of_lost_writes": "5,6"})
        self.assertEqual([line["committed"] for line in Store(self.path).audit_lines()][:4], [True, True, False, False])

    def test_and_are_said_for_ever(self) -> None:
        older = self.read()
        add(self.store, 8)
        add(self.store, 9)
        self.put_in_place(older)
        for number in range(10, 13):
            add(Store(self.path), number)
            found = self.verify()
            self.assertTrue(found["valid"])
            self.assertIn("line 7 says that lines 5 to 6 tell of writes that an older copy of the store", found["problem"])

    def test_the_generation_goes_on_behind_the_last_one_that_was_acknowledged(self) -> None:
        older = self.read()
        for number in (8, 9):
            add(self.store, number)
        for store in (self.store, Store(self.path)):
            self.put_in_place(older)
            before = max(line["generation"] or 0 for line in self.log_lines())
            with self.assertRaises(PreconditionFailed):
                add(store, 10, if_match=f'"{before}"')
            add(store, 11)
            self.assertEqual(Store(self.path).snapshot().generation, before + 1)
            add(store, 12)
            self.assertEqual(self.log_lines()[-1]["generation"], before + 2)

    def test_one_lost_write_cannot_be_told_from_one_that_a_crash_kept_from_committing(self) -> None:
        older = self.read()
        add(self.store, 8)
        self.put_in_place(older)
        self.assertIn("a crash or a full disk came between, or an older copy", self.verify()["problem"])
        self.assertEqual(add(Store(self.path), 9), 5)
        self.assertEqual(self.log_lines()[5]["named"], {"uncommitted_lines": "5"})

    def test_and_when_the_newer_one_comes_back_the_line_where_they_part_is_named(self) -> None:
        older = self.read()
        add(self.store, 8)
        add(self.store, 9)
        newer = self.read()
        self.put_in_place(older)
        add(Store(self.path), 10)
        self.put_in_place(newer)
        found = self.verify()
        self.assertEqual((found["valid"], found["broken_line"]), (False, 7), found)


class ForgedTest(TailCase):
    def test_a_write_of_a_generation_that_the_document_has_passed_is_none(self) -> None:
        self.forge(generation=3, base=4)
        self.assertEqual((self.verify()["valid"], self.verify()["broken_line"]), (False, 5))
        self.assertIn("does not know this line", self.verify()["problem"])
        self.assertFalse(Store(self.path).audit_lines()[0]["committed"])
        add(Store(self.path), 9)
        self.assertEqual(self.log_lines()[5]["named"], {"gap": "line 5 is not as it was written"})
        self.assertEqual(self.verify()["broken_line"], 5)

    def test_a_generation_that_nobody_reached_is_not_counted_on_from(self) -> None:
        for generation in (7, 2**62, 2**64):
            self.forge(generation=generation, base=generation - 1)
            self.assertEqual(add(Store(self.path), generation % 97), Store(self.path).snapshot().generation)
            self.assertLess(Store(self.path).snapshot().generation, 12)
        self.assert_sound(Store(self.path))

    def test_lines_of_other_types_are_no_lines_and_stop_no_write(self) -> None:
        self.refused(0)
        whole = self.read(self.log)
        wrong: list[dict[str, Any]] = [{"n": 5.0}, {"n": True}, {"generation": "x"}, {"named": []}, {"named": {"a": 1}}, {"time": 5}]
        wrong += [{"actor": "x"}, {"actor": {}}, {"result": None}, {"operation": []}, {"request_id": None}, {"further": 1}]
        for number, fields in enumerate(wrong):
            with self.subTest(fields=fields):
                self.write(self.log, whole)
                self.forge(**fields)
                self.assertIsNone(opened(self.read(self.log).splitlines(keepends=True)[-1]))
                self.assertEqual(self.verify()["broken_line"], 5)
                document = self.read()
                add(Store(self.path), 100 + number)
                self.assertEqual(Store(self.path).audit_lines()[0]["operation"], "user create")
                self.put_in_place(document)

    def test_a_repair_with_numbers_that_are_none_stops_no_write(self) -> None:
        self.forge(operation="audit repair", generation=None, named={"uncommitted_lines": "x,-1,5"})
        add(Store(self.path), 9)
        self.assertEqual(Store(self.path).audit_lines()[0]["generation"], 5)


class FilesTest(TailCase):
    def test_both_files_brought_back_to_an_earlier_moment_are_that_moment(self) -> None:
        """What nobody can tell from the two files alone."""
        document, log = self.read(), self.read(self.log)
        add(self.store, 9)
        self.put_in_place(document)
        self.write(self.log, log)
        self.assertEqual(self.verify(), {"valid": True, "lines": 4, "broken_line": None, "problem": None})

    def test_the_log_alone_brought_back_is_found(self) -> None:
        log = self.read(self.log)
        add(self.store, 9)
        os.unlink(self.log)
        self.assert_broken(log, 5, "the store knows 5 lines")

    def test_of_many_refusals_behind_the_last_write_few_are_in_memory_at_once(self) -> None:
        fresh, size = self.watched_behind_refusals()
        add(fresh, 9)
        self.assertLess(tracemalloc.get_traced_memory()[1], size // 2)
        self.assertEqual(self.verify()["lines"], 4 + 3000 + 1)
