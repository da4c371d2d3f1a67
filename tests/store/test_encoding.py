"""Documents written and read back, also after somebody edited the file by hand."""

from __future__ import annotations

import json
import random
from typing import Any
from unittest import mock

from secure_mcp_gateway.errors import StoreDamaged
from secure_mcp_gateway.store import encoding
from secure_mcp_gateway.store.document import FORMAT, INDEXES, TABLES, AuditHead, Document, Draft
from secure_mcp_gateway.store.table import Bucket, Table
from tests.store.sample_store import content_of, full_content, time_of, user, user_id
from tests.store.test_document import DocumentCase


def encoded(document: Document) -> bytes:
    return b"".join(encoding.encode(document))


def sample(users: int = 300) -> Document:
    content = {**full_content(), "users": {user_id(n): user(n) for n in range(users)}}
    return Document.of(content, {"a": [1, None, True, 1e300]}, 7, AuditHead(7, "ab" * 32, 1234, "audit.jsonl"))


def fields_of(head: AuditHead) -> list[Any]:
    return [getattr(head, field) for field in AuditHead.__slots__]


class RoundTripTest(DocumentCase):
    def test_what_was_written_is_read_back(self) -> None:
        for document in (Document(), sample(0), sample(1), sample(16), sample(17), sample(1000)):
            read = encoding.decode(encoded(document), None)
            self.assertEqual(content_of(read), content_of(document))
            self.assertEqual(fields_of(read.audit), fields_of(document.audit))
            self.assertEqual(encoded(read), encoded(document))

    def test_it_is_json_of_one_record_a_line(self) -> None:
        data = encoded(sample())
        plain = json.loads(data)
        self.assertEqual(list(plain), ["format", "generation", "audit", "sums", *TABLES, "settings"])
        self.assertEqual((plain["format"], plain["generation"], plain["audit"]["lines"], plain["audit"]["head"]), (FORMAT, 7, 7, "ab" * 32))
        self.assertEqual(plain["users"], {user_id(n): user(n) for n in range(300)})
        lines = data.decode().split("\n")
        self.assertEqual(sum(line.startswith(f'"{user_id(17)}": {{') for line in lines), 1)

    def test_buckets_with_the_same_bytes_are_kept_not_parsed_again(self) -> None:
        document = encoding.decode(encoded(sample()), None)
        document.read_all()
        draft = Draft(document)
        draft.put("users", user_id(150), {**user(150), "note": "changed"})
        read = encoding.decode(encoded(draft.sealed(8)), document)
        known = {id(bucket) for bucket in document.table("users").buckets}
        fresh = [bucket for bucket in read.table("users").buckets if id(bucket) not in known]
        self.assertEqual((len(fresh), len(read.table("users").buckets)), (1, len(document.table("users").buckets)))
        self.assertEqual(read.table("projects").buckets, document.table("projects").buckets)
        self.assertEqual((read.generation, read.get("users", user_id(150))), (8, {**user(150), "note": "changed"}))

    def test_indexes_follow_what_another_writer_did(self) -> None:
        for seed in range(5):
            chance, mine = random.Random(seed), sample(120)
            for step in range(12):
                for index in INDEXES:
                    mine.found(index, "anything")
                theirs = Draft(encoding.decode(encoded(mine), None))
                for _ in range(chance.choice((0, 1, 5, 300))):
                    number = chance.randrange(400)
                    if chance.random() < 0.4:
                        theirs.delete("users", user_id(number))
                    else:
                        theirs.put("users", user_id(number), user(chance.randrange(500), f"U{chance.randrange(40)}@example.com"))
                mine = encoding.decode(encoded(theirs.sealed(step)), mine)
                with self.subTest(seed=seed, step=step):
                    self.assertEqual(content_of(mine), content_of(theirs.sealed(step)))
                    self.assert_indexes_follow(mine)


class UnreadTest(DocumentCase):
    """A table whose sum vouches for it is read when it is first asked for."""

    def decoded(self, data: bytes, previous: Document | None = None) -> tuple[Document, list[Any]]:
        """With the records of each bucket that is read from now on."""
        read: list[Any] = []

        def reading(table: Table, piece: bytes) -> Bucket:
            bucket = read_bucket(table, piece)
            read.append(bucket.records)
            return bucket

        read_bucket = Table.read_bucket
        patched = mock.patch.object(Table, "read_bucket", reading)
        patched.start()
        self.addCleanup(patched.stop)
        return encoding.decode(data, previous), read

    def test_only_what_is_asked_for_is_read_and_that_once(self) -> None:
        document, read = self.decoded(encoded(sample()))
        self.assertEqual(read, [])
        for _ in range(2):
            self.assertEqual(document.get("projects", "p-1"), full_content()["projects"]["p-1"])
            self.assertEqual(read, [full_content()["projects"]])
        draft = Draft(document)
        draft.put("mcp_configs", "c-1", full_content()["mcp_configs"]["c-1"])
        self.assertEqual(encoded(draft.sealed(7)), encoded(sample()))
        self.assertEqual(read, [full_content()["projects"], full_content()["mcp_configs"]])

    def test_what_a_dropped_draft_read_need_not_be_read_again(self) -> None:
        document, read = self.decoded(encoded(sample()))
        for _ in range(2):
            self.assertEqual(Draft(document).found("project_names", "one"), "p-1")
        self.assertEqual(len(read), 1)
        self.assertIn("project_names", document._indexes)

    def test_what_is_unread_stays_so_when_another_process_writes(self) -> None:
        before = encoding.decode(encoded(sample()), None)
        self.assertEqual(before.found("project_names", "one"), "p-1")
        theirs = Draft(sample())
        theirs.put("users", user_id(999), user(999))
        theirs.put("projects", "p-1", {**full_content()["projects"]["p-1"], "project_name": "two"})
        after, read = self.decoded(encoded(theirs.sealed(8)), before)
        self.assertEqual((after.found("project_names", "two"), after.found("project_names", "one"), len(read)), ("p-1", None, 1))
        self.assertEqual(content_of(after), content_of(theirs.sealed(8)))
        self.assert_indexes_follow(after)

    def test_without_a_sum_that_agrees_everything_is_read_at_once(self) -> None:
        data, plain = encoded(sample()), json.loads(encoded(sample()))
        sums = f', "sums": {json.dumps(plain["sums"])}'.encode()
        whole = len(data.split(b"\n\n")) - 2 - 2 * len(TABLES)
        for other in (b"", b', "sums": {}', sums.replace(plain["sums"]["users"].encode(), b"00000000")):
            changed = data.replace(sums, other)
            self.assertNotEqual(changed, data)
            document, read = self.decoded(changed)
            self.assertEqual(len(read), whole if len(other) < 20 else len(document.table("users").buckets))
            self.assertEqual(encoded(document), data)
        self.assert_read_at_once(data.replace(b"u150@", b"new@"))

    def assert_read_at_once(self, data: bytes) -> None:
        document, read = self.decoded(data)
        self.assertEqual(len(read), len(document.table("users").buckets))

    def test_damage_that_a_sum_vouches_for_is_told_by_who_reads_it(self) -> None:
        broken = Document.of({**full_content(), "users": {"u": {"created_at": time_of(1)}}}, {})
        document = encoding.decode(encoded(broken), None)
        self.assertEqual(document.get("projects", "p-1"), full_content()["projects"]["p-1"])
        with self.assertRaises(StoreDamaged) as caught:
            document.get("users", "u")
        self.assertIn("users", caught.exception.private)

    def test_another_order_that_a_sum_vouches_for_is_read(self) -> None:
        table = sample(20).table("users")
        pieces = [bucket.encoded() for bucket in table.buckets][::-1]
        self.assertGreater(len(pieces), 1)
        read = encoding._read_later("users", pieces)
        self.assertEqual(list(read.items()), list(table.items()))


class EditedByHandTest(DocumentCase):
    def assert_read(self, data: bytes, expected: Document) -> None:
        for previous in (None, sample(), sample(3)):
            read = encoding.decode(data, previous)
            self.assertEqual(content_of(read), content_of(expected))
            self.assertEqual([list(read.table(name).items()) for name in TABLES], [list(expected.table(name).items()) for name in TABLES])
            self.assert_indexes_follow(read)

    def test_however_the_file_is_laid_out(self) -> None:
        plain = json.loads(encoded(sample()))
        for options in ({"indent": 2}, {"indent": 0}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"sort_keys": True}):
            self.assert_read(json.dumps(plain, **options).encode(), sample())
        self.assert_read(encoded(sample()).replace(b"\n", b"\r\n"), sample())
        self.assert_read(encoded(sample()) + b"\n\n \n", sample())

    def test_records_in_another_order_are_put_in_theirs(self) -> None:
        plain, chance = json.loads(encoded(sample())), random.Random(2)
        for _ in range(5):
            keys = list(plain["users"])
            chance.shuffle(keys)
            plain["users"] = {key: plain["users"][key] for key in keys}
            self.assert_read(json.dumps(plain).encode(), sample())

    def test_two_lines_swapped_in_our_own_layout_are_put_in_order(self) -> None:
        data = encoded(sample())
        line = next(each for each in data.split(b"\n") if each.startswith(f'"{user_id(150)}"'.encode()))
        following = data.split(line + b"\n", 1)[1].split(b"\n", 1)[0]
        swapped = data.replace(line + b"\n" + following, following + b"\n" + line)
        self.assertNotEqual(swapped, data)
        self.assert_read(swapped, sample())

    def test_two_lines_swapped_from_bucket_to_bucket_are_put_in_order(self) -> None:
        one, other = (f'"{user_id(n)}": {json.dumps(user(n))}'.encode() for n in (10, 250))
        swapped = encoded(sample()).replace(one, b"?").replace(other, one).replace(b"?", other)
        self.assertNotEqual(swapped, encoded(sample()))
        self.assert_read(swapped, sample())

    def test_two_buckets_swapped_are_put_in_order(self) -> None:
        one, other = (bucket.encoded() for bucket in sample().table("users").buckets[2:4])
        swapped = encoded(sample()).replace(one, b"?").replace(other, one).replace(b"?", other)
        self.assertNotEqual(swapped, encoded(sample()))
        self.assert_read(swapped, sample())

    def test_a_changed_value_in_our_own_layout_is_read(self) -> None:
        data = encoded(sample()).replace(b"u150@example.com", b"new@example.com")
        expected = Draft(sample())
        expected.put("users", user_id(150), user(150, "new@example.com"))
        self.assert_read(data, expected.sealed(7))

    def test_a_record_moved_in_time_stands_at_its_new_place(self) -> None:
        data = encoded(sample())
        old, new = json.dumps(user(150)).encode(), json.dumps({**user(150), "created_at": time_of(0)}).encode()
        expected = Draft(sample())
        expected.put("users", user_id(150), {**user(150), "created_at": time_of(0)})
        self.assertIn(old, data)
        self.assert_read(data.replace(old, new), expected.sealed(7))

    def test_an_audit_without_size_and_file_takes_the_usual_ones(self) -> None:
        plain = json.loads(encoded(sample()))
        plain["audit"] = {"lines": 7, "head": "ab" * 32}
        read = encoding.decode(json.dumps(plain).encode(), None)
        self.assertEqual((read.audit.lines, read.audit.size, read.audit.file), (7, 0, "audit.jsonl"))


