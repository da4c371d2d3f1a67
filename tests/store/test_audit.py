"""The audit log shows every tampering by somebody who cannot write the store too, and says where."""

from __future__ import annotations

import io
import json
import os
import random
import tracemalloc
from functools import lru_cache
from unittest import mock

from secure_mcp_gateway.errors import Conflict, Forbidden, Unavailable
from secure_mcp_gateway.store.audit import GENESIS, AuditLog, opened, seal
from secure_mcp_gateway.store.audit_check import verified
from secure_mcp_gateway.store.commit import Ticket
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import StoreCase, add, entry, time_of


class AuditCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.at("audit.jsonl")
        self.store = self.made()

    def lengthened(self, lines: int) -> list[bytes]:
        """The log's lines, that many of them."""
        for number in range(2, lines + 1):
            add(self.store, number)
        return self.read(self.log).splitlines(keepends=True)

    def watched_behind_refusals(self) -> tuple[Store, int]:
        """Behind 3,000 of them a store that has read its document, its memory watched from now on, and the log's size in bytes."""
        refused = entry(config_identifier="x" * 200, server_name="y" * 200)
        self.store._write_group([Ticket(None, refused, 1.0, refusal="forbidden") for _ in range(3000)])
        fresh = Store(self.path)
        fresh.snapshot()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        return fresh, os.path.getsize(self.log)

    def assert_broken(self, data: bytes, line: int, problem: str = "") -> None:
        self.write(self.log, data)
        found = Store(self.path).verify_audit()
        self.assertEqual((found["valid"], found["broken_line"], found["lines"]), (False, line, line - 1), found)
        self.assertIn(problem, found["problem"])
        self.assertEqual(self.read(self.log), data)


class TamperingTest(AuditCase):
    def test_an_untouched_log_is_valid(self) -> None:
        self.lengthened(60)
        self.store.refuse(entry(), Forbidden("no"))
        self.assertEqual(self.store.verify_audit(), {"valid": True, "lines": 61, "broken_line": None, "problem": None})

    def test_every_changed_byte_is_found_at_its_line(self) -> None:
        lines = self.lengthened(60)
        data, chance = b"".join(lines), random.Random(4)
        head, log, place = self.store.snapshot().audit, AuditLog(self.log), 0
        generation = self.store.snapshot().generation
        # The same 59 lines are looked at again and again: what is changed is the one that is not remembered.
        patch = mock.patch("secure_mcp_gateway.store.audit_check.opened", lru_cache(opened))
        patch.start()
        self.addCleanup(patch.stop)
        for number, line in enumerate(lines, 1):
            for at in range(place, place + len(line)):
                other = data[at] ^ chance.randrange(1, 256)
                changed = data[:at] + bytes([other]) + data[at + 1 :]
                with mock.patch.object(AuditLog, "lines", lambda log, changed=changed: io.BytesIO(changed)):
                    found = verified(log, head, generation)
                self.assertEqual((found["valid"], found["broken_line"]), (False, number), (at - place, other, found))
            place += len(line)

    def test_a_removed_a_swapped_a_repeated_and_a_foreign_line_are_found_where_they_begin(self) -> None:
        lines = self.lengthened(20)
        for at in (0, 1, 9, 18, 19):
            with self.subTest(at=at):
                self.assert_broken(b"".join(lines[:at] + lines[at + 1 :]), at + 1)
                self.assert_broken(b"".join([*lines[: at + 1], *lines[at:]]), at + 2)
                self.assert_broken(b"".join([*lines[:at], b"{}\n", *lines[at:]]), at + 1)
                self.assert_broken(b"".join([*lines[:at], b"\n", *lines[at:]]), at + 1)
        for at in (0, 9, 18):
            self.assert_broken(b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]), at + 1, f"line {at + 2}")

    def test_a_cut_off_tail_is_found(self) -> None:
        lines = self.lengthened(20)
        for kept in (0, 1, 19):
            self.assert_broken(b"".join(lines[:kept]), kept + 1, "the store knows 20 lines")
        self.assert_broken(b"".join(lines)[:-1], 20)
        self.assert_broken(b"".join(lines)[:-200], 20)

    def test_a_line_with_a_hash_of_its_own_is_found_by_the_next_one(self) -> None:
        lines = self.lengthened(10)
        forged = {**json.loads(lines[4]), "operation": "nothing to see"}
        del forged["hash"]
        lines[4] = seal(json.dumps(forged).encode())[0]
        self.assert_broken(b"".join(lines), 6, "does not follow")

    def test_a_chain_forged_to_the_end_is_found_by_the_store(self) -> None:
        lines, last = self.lengthened(10), GENESIS
        for at, line in enumerate(lines):
            content = {**json.loads(line), "request_id": "other", "prev": last}
            del content["hash"]
            lines[at], last = seal(json.dumps(content).encode())
        self.assert_broken(b"".join(lines), 10, "the store knows")

    def test_a_forged_chain_is_named_at_the_same_line_when_the_store_wrote_on_behind_it(self) -> None:
        lines, last = self.lengthened(10), GENESIS
        for at, line in enumerate(lines):
            content = {**json.loads(line), "request_id": "other", "prev": last}
            del content["hash"]
            lines[at], last = seal(json.dumps(content).encode())
        self.write(self.log, b"".join(lines))
        for number in range(20, 23):
            add(Store(self.path), number)
            found = Store(self.path).verify_audit()
            self.assertEqual((found["valid"], found["broken_line"]), (False, 10), found)

    def test_lines_of_the_first_releases_without_a_base_still_count(self) -> None:
        lines, last = self.lengthened(3), GENESIS
        for at, line in enumerate(lines):
            content = {**json.loads(line), "prev": last}
            del content["hash"], content["base"]
            lines[at], last = seal(json.dumps(content, ensure_ascii=False).encode())
        self.write(self.log, b"".join(lines))
        plain = json.loads(self.read())
        plain["audit"].update(head=last, size=sum(map(len, lines)))
        self.put_in_place(json.dumps(plain).encode())
        self.assertEqual(Store(self.path).verify_audit(), {"valid": True, "lines": 3, "broken_line": None, "problem": None})
        self.assert_sound(Store(self.path))

    def test_well_sealed_lines_of_another_shape_are_no_lines(self) -> None:
        self.lengthened(3)
        for body in (b"[1]", b"{}", b'{"n": 1}', b"[" * 5000 + b"]" * 5000):
            self.assertIsNone(opened(seal(body)[0]))
            self.assert_broken(seal(body)[0], 1)


class DamagedLogTest(AuditCase):
    def test_a_torn_last_line_is_said_then_repaired_and_said_again(self) -> None:
        self.lengthened(5)
        with open(self.log, "ab") as file:
            file.write(b'{"n": 6, "time": "2026')
        found = Store(self.path).verify_audit()
        self.assertEqual((found["valid"], found["lines"]), (True, 5))
        self.assertIn("torn", found["problem"])
        for store in (self.store, Store(self.path)):
            add(store, 7)
            self.assertTrue(store.verify_audit()["valid"])
        self.assertEqual([line["operation"] for line in self.log_lines()[5:]], ["audit repair", "user create", "user create"])
        self.assertEqual(self.log_lines()[5]["named"], {"torn_bytes": "22"})

    def test_a_deleted_log_leaves_a_gap_that_is_said_and_the_first_line_behind_it_is_named(self) -> None:
        self.lengthened(5)
        os.unlink(self.log)
        self.assertEqual(Store(self.path).verify_audit()["broken_line"], 1)
        self.assertEqual(add(self.store, 6), 6)
        first, second = self.log_lines()
        self.assertEqual((first["operation"], first["n"]), ("audit repair", 6))
        self.assertEqual(first["named"], {"gap": "line 5 is not where it was written"})
        self.assertEqual((second["n"], second["generation"], second["prev"]), (7, 6, first["hash"]))
        self.assertEqual(Store(self.path).verify_audit()["broken_line"], 1)
        self.assertEqual(self.mode("audit.jsonl"), 0o600)

    def test_a_log_that_was_changed_goes_on_behind_a_line_that_says_so(self) -> None:
        lines = self.lengthened(5)
        for number, data in enumerate((b"".join(lines[:3]), b"".join(lines[1:]), b"".join(lines) + b"rubbish\n", b"rubbish")):
            with self.subTest(number=number):
                self.write(self.log, data)
                add(Store(self.path), 100 + number)
                said = [line for line in self.store.audit_lines() if line["operation"] == "audit repair"]
                self.assertTrue(said)
                self.assertTrue(self.store.audit_lines()[0]["committed"])
                add(self.store, 200 + number)
                self.assertFalse(self.store.verify_audit()["valid"])

    def test_a_document_that_knows_more_lines_than_the_log_has_is_said(self) -> None:
        self.lengthened(5)
        plain = json.loads(self.read())
        plain["audit"].update(lines=50, head="ab" * 32)
        self.put_in_place(json.dumps(plain).encode())
        self.store._checked = 0.0
        add(self.store, 6)
        repair, last = self.log_lines()[5:]
        self.assertEqual((repair["named"], last["n"]), ({"gap": "line 50 is not where it was written"}, 52))
        self.assertEqual(self.store.verify_audit()["broken_line"], 6)

    def test_a_log_that_cannot_be_written_refuses_the_write_and_changes_nothing(self) -> None:
        self.lengthened(3)
        data, log = self.read(), self.read(self.log)
        os.rename(self.log, self.log + ".aside")
        for make in (os.mkdir, lambda path: os.symlink(self.at("elsewhere"), path)):
            make(self.log)
            for store in (self.store, Store(self.path)):
                with self.assertRaises(Unavailable) as caught:
                    add(store, 9)
                self.assertIn("nothing is changed", caught.exception.message)
                self.assertNotIn(self.folder, caught.exception.detail)
                store.refuse(entry(), Conflict("x"))
            self.assertEqual(self.read(), data)
            os.rmdir(self.log) if os.path.isdir(self.log) else os.unlink(self.log)
        self.assertNotIn("elsewhere", self.files())
        os.rename(self.log + ".aside", self.log)
        self.assertEqual(self.read(self.log), log)
        self.assert_sound(self.store)

    def test_a_log_that_cannot_be_read_is_said_not_raised_as_a_fault(self) -> None:
        os.unlink(self.log)
        os.mkdir(self.log)
        for use in (self.store.verify_audit, self.store.audit_lines):
            with self.assertRaises(Unavailable) as caught:
                use()
            self.assertIn("cannot be read", caught.exception.message)
            self.assertNotIn(self.folder, caught.exception.detail)


class RotationTest(AuditCase):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch("secure_mcp_gateway.store.store.AuditLog", lambda path: AuditLog(path, rotate_at=1500))
        patch.start()
        self.addCleanup(patch.stop)
        self.store = Store(self.path)
        for number in range(30):
            add(self.store, number)

    def archives(self) -> list[str]:
        return sorted(name for name in self.files() if name.startswith("audit-"))

    def test_the_chain_goes_on_from_file_to_file(self) -> None:
        names = self.archives()
        self.assertGreater(len(names), 4)
        self.assertEqual(names, [f"audit-{number:06d}.jsonl" for number in range(1, len(names) + 1)])
        self.assertEqual(self.store.verify_audit(), {"valid": True, "lines": 31, "broken_line": None, "problem": None})
        self.assertEqual([line["n"] for line in self.store.audit_lines()], list(range(31, 0, -1)))
        self.assert_sound(Store(self.path))
        for name in names:
            self.assertEqual(self.mode(name), 0o600)
            self.assertLess(len(self.read(self.at(name))), 2000)

    def test_a_changed_or_missing_file_is_found_at_its_first_line(self) -> None:
        names = self.archives()
        numbers = [json.loads(self.read(self.at(name)).splitlines()[0])["n"] for name in names]
        for name, number in zip(names, numbers):
            data = self.read(self.at(name))
            self.write(self.at(name), data.replace(b"user create", b"user delete", 1).replace(b"generate-config", b"generate-konfig", 1))
            self.assertEqual(Store(self.path).verify_audit()["broken_line"], number)
            os.unlink(self.at(name))
            self.assertEqual(Store(self.path).verify_audit()["broken_line"], number)
            self.write(self.at(name), data)

    def test_a_file_that_stands_twice_or_elsewhere_is_found_where_the_order_breaks(self) -> None:
        first, second, *_ = self.archives()
        data, whole = self.read(self.at(first)), len(self.log_lines()) + sum(len(self.log_lines(self.at(name))) for name in self.archives())
        current, begins = self.log_lines()[0]["n"], self.log_lines(self.at(second))[0]["n"]
        self.write(self.at("audit-000099.jsonl"), data)
        self.assertEqual(Store(self.path).verify_audit()["broken_line"], current)
        os.unlink(self.at(first))
        self.assertEqual(Store(self.path).verify_audit()["broken_line"], 1)
        os.rename(self.at("audit-000099.jsonl"), self.at("audit-000000.jsonl"))
        self.assertEqual(Store(self.path).verify_audit()["lines"], whole)
        os.rename(self.at(second), self.at("audit-000099.jsonl"))
        self.assertEqual(Store(self.path).verify_audit()["broken_line"], begins)

    def test_an_archive_that_was_moved_away_is_not_replaced_by_another(self) -> None:
        names = self.archives()
        last = self.read(self.at(names[-1]))
        os.unlink(self.at(names[0]))
        for number in range(40, 50):
            add(self.store, number)
        self.assertEqual(self.read(self.at(names[-1])), last)
        self.assertGreater(self.archives()[-1], names[-1])

    def test_more_than_a_million_archives_stay_in_order(self) -> None:
        log = AuditLog(self.log)
        for number in (999_999, 1_000_000):
            self.write(self.at(f"audit-{number}.jsonl"), b"")
        self.write(self.at("audit-notes.jsonl"), b"")
        names = [os.path.basename(path) for path in log.files()]
        self.assertEqual(names[-3:], ["audit-999999.jsonl", "audit-1000000.jsonl", "audit.jsonl"])
        self.assertNotIn("audit-notes.jsonl", names)


class LinesTest(AuditCase):
    def test_they_come_newest_first_and_can_be_chosen(self) -> None:
        for number in range(1, 4):
            add(self.store, number)
        self.store.refuse(entry("config list"), Forbidden("no"))
        lines = self.store.audit_lines()
        self.assertEqual([line["n"] for line in lines], [5, 4, 3, 2, 1])
        self.assertEqual([line["committed"] for line in lines], [False, True, True, True, True])
        self.assertFalse({"prev", "hash"} & lines[0].keys())
        self.assertEqual([line["n"] for line in self.store.audit_lines(operation="user create")], [4, 3, 2])
        self.assertEqual([len(self.store.audit_lines(actor=each)) for each in ("tests", "adm_1", "adm_2")], [5, 5, 0])
        self.assertEqual([len(self.store.audit_lines(since=each)) for each in ("2026-01-02", time_of(0), "2027")], [5, 5, 0])

    def test_refusals_are_held_to_a_few_a_second_and_leave_the_document_alone(self) -> None:
        data = self.read()
        for _ in range(100):
            self.store.refuse(entry(), Conflict("x"))
        self.assertIn(len(self.log_lines()) - 1, range(20, 41))
        self.assertEqual(self.read(), data)
        for _ in range(100):
            with self.assertRaises(Conflict):
                self.store.commit(lambda draft: self.refused(), entry())
        self.assertLess(len(self.log_lines()), 82)
        self.assert_sound(self.store)

    def refused(self) -> None:
        raise Conflict("x")

    def test_secrets_typed_in_a_names_place_and_what_is_no_text_do_not_get_in(self) -> None:
        secret = "smg_" + "x" * 43
        for name in (secret, f" {secret}", f"smga_{secret}", f"Bearer {secret}"):
            self.store.commit(lambda draft: None, entry(name=name))
            self.assertNotIn(b"xxxx", self.read(self.log))
        self.store.commit(lambda draft: None, entry(name="\udcff", other="y" * 5000))
        named = self.log_lines()[-1]["named"]
        self.assertEqual((named["name"], len(named["other"])), ("?", 203))
        self.assert_sound(self.store)


class AdoptionTest(AuditCase):
    def test_a_second_store_in_the_folder_keeps_a_log_of_its_own(self) -> None:
        mine = self.read(self.log)
        other = self.made(self.at("other.json"))
        add(other, 1)
        self.assertEqual(self.read(self.log), mine)
        self.assertEqual([line["n"] for line in self.log_lines(self.at("other.audit.jsonl"))], [1, 2])
        for store in (self.store, other, Store(other.path)):
            self.assertEqual((add(store, 5) > 0, store.verify_audit()["valid"]), (True, True))
        self.assertEqual(len(self.log_lines()), 2)

    def test_a_new_store_goes_on_with_the_log_that_a_deleted_one_left(self) -> None:
        self.lengthened(5)
        os.unlink(self.path)
        store = self.made()
        self.assertEqual((store.snapshot().generation, store.snapshot().audit.lines), (6, 6))
        self.assert_sound(store)

    def test_also_where_that_log_ends_in_a_torn_line(self) -> None:
        self.lengthened(5)
        os.unlink(self.path)
        with open(self.log, "ab") as file:
            file.write(b'{"n": 6, "ti')
        store = self.made()
        self.assertEqual([line["operation"] for line in self.log_lines()[5:]], ["audit repair", "generate-config"])
        self.assertTrue(store.verify_audit()["valid"])
        self.assert_sound(store)
