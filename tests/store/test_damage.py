"""A damaged store is reported with its place, and never written over."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any, Callable

from secure_mcp_gateway.errors import Conflict, StoreDamaged, StoreMissing, Unavailable
from secure_mcp_gateway.store.check import FIELDS
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import StoreCase, add, entry, fill, full_content, time_of, user_id


def uses(store: Store) -> tuple[Callable[[], Any], ...]:
    return store.snapshot, store.verify_audit, store.audit_lines, lambda: add(store, 1), lambda: add(store, 1, backup=True)


class DamageCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.made(content=fill)
        self.whole = self.read()
        self.plain: dict[str, Any] = json.loads(self.whole)

    def assert_damaged(self, data: bytes, place: str = "") -> None:
        """Seen by a new reader, by one that has the document already, and by a writer; nothing is changed by any of them."""
        self.write(self.path, self.whole)
        open_already = Store(self.path)
        open_already.snapshot()
        self.put_in_place(data)
        log = self.read(self.at("audit.jsonl"))
        for store in (Store(self.path), open_already):
            store._checked = 0.0
            for use in uses(store):
                with self.assertRaises(StoreDamaged) as caught:
                    use()
                self.assert_says(caught.exception, place)
        self.assertEqual((self.read(), self.read(self.at("audit.jsonl"))), (data, log))
        self.assertEqual(self.files(), {"store.json", "store.json.lock", "audit.jsonl"})

    def assert_says(self, error: StoreDamaged, place: str) -> None:
        self.assertTrue(error.private.startswith(self.path), error.private)
        self.assertIn(place, error.private)
        self.assertEqual((error.status, error.exit_code, error.code), (503, 6, "unavailable"))
        for text in (error.message, error.hint, error.detail, str(error)):
            self.assertNotIn(self.folder, text)

    def with_line(self, table: str, key: str, record: Any) -> bytes:
        """The file in our own layout, with this text in the record's line."""
        first = next(iter(FIELDS[table]))
        (line,) = [each for each in self.whole.decode().split("\n") if each.startswith(f'"{key}": {{"{first}"')]
        comma = "," if line.endswith(",") else ""
        return self.whole.replace(line.encode(), f'"{key}": {json.dumps(record)}{comma}'.encode())


class DamageTest(DamageCase):
    def test_an_empty_file(self) -> None:
        self.assert_damaged(b"", "it is empty")

    def test_a_file_cut_off_anywhere(self) -> None:
        last = len(self.whole) - 2
        for end in (*random.Random(1).sample(range(1, last), 60), last):
            with self.subTest(end=end):
                self.assert_damaged(self.whole[:end], "line ")

    def test_a_table_that_no_store_has_is_refused_before_the_next_write_drops_it(self) -> None:
        self.assert_damaged(json.dumps({**self.plain, "user": self.plain["users"]}).encode(), "'user'")
        self.assert_damaged(self.whole.replace(b'"settings"', b'"x\\u001b": {}, "settings"'), "'x\\x1b'")

    def test_further_fields_of_records_and_settings_are_kept(self) -> None:
        users = {key: {**record, "note": "mine"} for key, record in self.plain["users"].items()}
        self.put_in_place(json.dumps({**self.plain, "users": users, "settings": {"note": "mine"}}).encode())
        store = Store(self.path)
        add(store, 100)
        self.assertEqual(store.snapshot().settings, {"note": "mine"})
        self.assertEqual(json.loads(self.read())["users"][user_id(1)]["note"], "mine")

    def test_garbage_anywhere(self) -> None:
        for at in random.Random(2).sample(range(len(self.whole)), 25):
            with self.subTest(at=at):
                self.assert_damaged(self.whole[:at] + b"\x00\x00\x00" + self.whole[at + 3 :], "line ")
                self.assert_damaged(self.whole[:at] + b"\xff" + self.whole[at + 1 :], "byte ")

    def test_a_page_of_zeros_as_a_crash_without_a_sync_leaves_it(self) -> None:
        self.assert_damaged(bytes(len(self.whole)))

    def test_something_behind_the_end(self) -> None:
        self.assert_damaged(self.whole + b"}", "Extra data")
        self.assert_damaged(self.whole + self.whole)

    def test_a_name_that_is_there_twice(self) -> None:
        text = self.whole.decode()
        first, last = (next(line for line in text.split("\n") if f'"u{number}@example.com"' in line) for number in (1, 40))
        for old, new in (
            ('"email": "u1@example.com"', '"email": "u1@example.com", "email": "u2@example.com"'),
            (first, f"{first}\n{first}"),
            (first, f"{first} {first}"),
            (last, f"{last},\n{first[:-1].replace(time_of(1), time_of(99))}"),
            ('"generation": 1', '"generation": 1, "generation": 2'),
            ('"settings": {', '"settings": {}, "settings": {'),
            ('"projects": {', '"projects": {},\n\n"projects": {'),
        ):
            with self.subTest(new=new):
                self.assertEqual(text.count(old), 1)
                self.assert_damaged(text.replace(old, new).encode(), "twice")

    def test_numbers_and_strings_that_json_does_not_have(self) -> None:
        numbers = (("NaN", "NaN"), ("Infinity", "Infinity"), ("1e999", "too large"), ("9" * 1001, "digits"))
        for text, place in (*numbers, ('"\\ud800"', "surrogate")):
            for old in ('"threshold": 0.5', '"enabled": false'):
                with self.subTest(text=text[:10], old=old):
                    name = old.split(":")[0]
                    self.assert_damaged(self.whole.replace(old.encode(), f"{name}: {text}".encode()), place)

    def test_nesting_without_end(self) -> None:
        for text in ("[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000):
            self.assert_damaged(text.encode(), "nested")
            self.assert_damaged(self.whole.replace(b'"threshold": 0.5', b'"threshold": ' + text.encode()), "nested")

    def test_json_that_is_no_store(self) -> None:
        formats = ('"1"', "true", "0", "1", "1.0", "null", "[]")
        for text in ("null", "[]", "7", '"text"', "{}", '{"kind": "x"}', *(f'{{"format": {each}}}' for each in formats)):
            with self.subTest(text=text):
                self.assert_damaged(text.encode())

    def test_a_part_that_is_missing_or_of_another_type(self) -> None:
        # Who edits the file need not know how sums are made.
        for name in self.plain.keys() - {"sums"}:
            for wrong in (None, [], "x", -1, True, 2**70):
                with self.subTest(name=name, wrong=wrong):
                    self.assert_damaged(json.dumps({**self.plain, name: wrong}).encode())
            with self.subTest(name=name):
                self.assert_damaged(json.dumps({key: value for key, value in self.plain.items() if key != name}).encode())

    def test_an_audit_head_that_cannot_be_one(self) -> None:
        audit = self.plain["audit"]
        for wrong in (
            {"lines": -1}, {"lines": "1"}, {"head": "ab"}, {"head": 5}, {"size": None}, {"size": 2**70}, {"file": "../audit.jsonl"},
            {"file": "/etc/audit.jsonl"}, {"file": "store.json"}, {"file": "\0audit.jsonl"}, {"file": 5},
        ):  # fmt: skip
            with self.subTest(wrong=wrong):
                self.assert_damaged(json.dumps({**self.plain, "audit": {**audit, **wrong}}).encode())
                written = self.whole.replace(json.dumps(audit).encode(), json.dumps({**audit, **wrong}).encode())
                self.assert_damaged(written)


class RecordDamageTest(DamageCase):
    def broken_records(self) -> Iterator[tuple[str, str, str, Any]]:
        for table, records in full_content().items():
            key, record = next(iter(records.items()))
            for field in FIELDS[table]:
                for wrong in (5, ["x"], {}):
                    if not isinstance(record[field], type(wrong)):
                        yield table, key, f".{field} must be", {**record, field: wrong}
                if field not in ("expires_at", "disabled", "rotated_at", "updated_at"):
                    yield table, key, f".{field} is missing", {name: value for name, value in record.items() if name != field}
            for wrong in (None, 5, "x", []):
                yield table, key, "must be an object", wrong

    def test_a_record_that_lacks_a_field_or_has_it_of_another_type(self) -> None:
        for table, key, place, record in self.broken_records():
            with self.subTest(table=table, record=record):
                changed = {**self.plain, table: {**self.plain[table], key: record}}
                self.assert_damaged(json.dumps(changed, indent=1).encode(), place)
                self.assert_damaged(self.with_line(table, key, record), place)

    def test_a_server_that_lacks_a_field_or_has_it_of_another_type(self) -> None:
        ((key, config),) = self.plain["mcp_configs"].items()
        server = config["mcp_config"][0]
        for wrong in ("x", None, {**server, "tools": []}, {**server, "server_name": 1}, {"config": {}}, {"server_name": "x"}):
            with self.subTest(wrong=wrong):
                self.assert_damaged(self.with_line("mcp_configs", key, {**config, "mcp_config": [server, wrong]}), ".mcp_config[1]")

    def test_the_digest_of_a_key_is_not_told(self) -> None:
        ((digest, record),) = self.plain["apikeys"].items()
        self.put_in_place(self.with_line("apikeys", digest, {**record, "hint": 7}))
        with self.assertRaises(StoreDamaged) as caught:
            Store(self.path).snapshot()
        self.assertNotIn(digest[:8], caught.exception.private)
        self.assertIn("apikeys[0].hint", caught.exception.private)


class OtherStateTest(DamageCase):
    def test_a_newer_format_is_refused_and_says_what_to_do(self) -> None:
        reformatted = json.dumps({**self.plain, "format": 2}).encode()
        for data in (reformatted, self.whole.replace(b": 1,", b": 2,", 1), b'{"format": 999, "everything": "else"}'):
            self.assert_damaged(data)
            with self.assertRaises(StoreDamaged) as caught:
                Store(self.path).snapshot()
            self.assertIn("newer version", caught.exception.message)

    def test_a_damage_that_was_mended_is_forgotten(self) -> None:
        store = Store(self.path)
        self.put_in_place(b"{")
        self.assertRaises(StoreDamaged, store.snapshot)
        self.assertRaises(StoreDamaged, add, store, 100)
        self.put_in_place(self.whole)
        self.assertEqual(add(store, 100), 2)
        self.assert_sound(store)

    def test_what_is_no_file_is_refused_and_left(self) -> None:
        for make in (os.mkdir, os.mkfifo):
            with self.subTest(make=make.__name__):
                path = self.at(make.__name__)
                make(path)
                store = Store(path)
                for use in uses(store):
                    with self.assertRaises(Unavailable) as caught:
                        use()
                    self.assertNotIn(self.folder, caught.exception.detail)
                    self.assertIn(path, caught.exception.private)

    def test_a_missing_store_is_said_to_be_missing_and_not_made(self) -> None:
        for path in (self.at("nothing.json"), self.at("no", "folder", "store.json"), self.at("store.json", "below-a-file.json")):
            store = Store(path)
            for use in uses(store):
                with self.assertRaises(StoreMissing) as caught:
                    use()
                self.assertIn("generate-config", caught.exception.hint)
                self.assertNotIn(self.folder, caught.exception.detail)
            store.refuse(entry(), Conflict("x"))
            self.assertFalse(store.exists())
        self.assertEqual(self.files(), {"store.json", "store.json.lock", "audit.jsonl"})


