"""Making a store: never over another one unless told to, and then with a backup of whatever stood there."""

from __future__ import annotations

import json
import os
from typing import Any

from secure_mcp_gateway.errors import Conflict, InvalidRequest, StoreBusy, Unavailable
from secure_mcp_gateway.store.document import Draft
from secure_mcp_gateway.store.store import Store
from tests.store.processes import Channel, Child
from tests.store.sample_store import StoreCase, add, content_of, entry, fill, full_content, in_threads, putting, users_of


class CreationTest(StoreCase):
    def over(self, content: Any = None) -> Any:
        return Store(self.path).create(content or putting(70), entry("generate-config"), overwrite=True)

    def backups(self) -> list[str]:
        return sorted(os.listdir(self.at("backups"))) if os.path.exists(self.at("backups")) else []

    def test_a_new_store_holds_what_it_was_filled_with_at_generation_one(self) -> None:
        store = Store(self.at("deep", "down", "store.json"))
        self.assertEqual(store.create(lambda draft: fill(draft) or "keys", entry("generate-config")), "keys")
        for each in (store, Store(store.path)):
            expected = {**full_content(), "settings": {"telemetry": {"enabled": False}}, "generation": 1}
            self.assertEqual(content_of(each.snapshot()), expected)
        self.assertEqual(self.log_lines(self.at("deep", "down", "audit.jsonl"))[0]["named"], {"store": "store.json"})

    def test_a_store_that_is_there_is_a_conflict_and_stays_as_it_is(self) -> None:
        self.made(content=fill)
        data, log = self.read(), self.read(self.at("audit.jsonl"))
        for damaged in (data, data[:100], b""):
            self.write(self.path, damaged)
            with self.assertRaises(Conflict) as caught:
                self.made()
            self.assertEqual(caught.exception.exit_code, 4)
            self.assertNotIn(self.folder, caught.exception.detail)
            self.assertEqual((self.read(), self.read(self.at("audit.jsonl")), self.backups()), (damaged, log, []))

    def test_a_folder_that_cannot_be_made_is_said_and_not_that_a_store_is_missing(self) -> None:
        self.write(self.at("file"), b"")
        for path in (self.at("file", "store.json"), self.at("file", "deep", "store.json")):
            with self.assertRaises(Unavailable) as caught:
                self.made(path)
            self.assertEqual(caught.exception.message, "the store's folder cannot be made: a file is in the way")
            self.assertEqual(caught.exception.private, os.path.dirname(path))
        self.assertEqual(self.read(self.at("file")), b"")

    def test_a_name_that_is_an_audit_logs_is_refused(self) -> None:
        for name in ("audit.jsonl", "other.audit.jsonl"):
            self.assertRaises(InvalidRequest, self.made, self.at(name))
        self.assertEqual(self.files(), set())

    def test_of_many_that_make_one_at_once_exactly_one_succeeds(self) -> None:
        def make(channel: Channel) -> str:
            channel.say("ready")
            channel.hear()
            try:
                self.made(content=putting(os.getpid()))
                return "made"
            except Conflict:
                return "conflict"

        children = [Child(make) for _ in range(4)]
        for child in children:
            child.hear()
        for child in children:
            child.say("go")
        self.assertEqual(sorted(child.result() for child in children), ["conflict"] * 3 + ["made"])
        self.assertEqual(Store(self.path).snapshot().generation, 1)
        self.assert_sound(Store(self.path))

    def test_overwriting_keeps_a_backup_and_goes_on_with_generation_and_audit(self) -> None:
        store = self.made(content=fill)
        add(store, 100)
        data = self.read()
        paths: list[str | None] = []
        self.over(content=lambda draft: paths.append(draft.safety_backup) or putting(70)(draft))
        (name,) = self.backups()
        self.assertEqual((paths, self.read(self.at("backups", name))), ([self.at("backups", name)], data))
        document = Store(self.path).snapshot()
        self.assertEqual((document.generation, users_of(document), len(document.table("projects"))), (3, [70], 0))
        self.assertEqual([line["generation"] for line in self.log_lines()], [1, 2, 3])
        self.assert_sound(Store(self.path))

    def test_a_damaged_store_is_backed_up_as_it_is_and_its_generation_is_taken_from_the_log(self) -> None:
        for at, damaged in enumerate((b"", b"{", b"\xff" * 100, b"[" * 10_000, b'{"format": 2}')):
            with self.subTest(damaged=damaged[:5]):
                self.folder, self.path = os.path.join(os.path.dirname(self.path), str(at)), ""
                self.path = self.at("store.json")
                store = self.made(content=fill)
                add(store, 100)
                self.write(self.path, damaged)
                self.over()
                self.assertEqual(self.read(self.at("backups", *self.backups())), damaged)
                self.assertEqual((Store(self.path).snapshot().generation, Store(self.path).verify_audit()["valid"]), (3, True))
                self.assert_sound(Store(self.path))

    def test_where_there_is_nothing_to_overwrite_no_backup_is_made(self) -> None:
        self.over()
        self.assertEqual((self.backups(), Store(self.path).snapshot().generation), ([], 1))

    def test_content_that_cannot_be_made_leaves_everything_as_it_was(self) -> None:
        def bad(draft: Draft) -> None:
            raise Conflict("no")

        self.assertRaises(Conflict, self.over, content=bad)
        self.assertFalse(os.path.exists(self.path))
        self.made()
        data, log = self.read(), self.read(self.at("audit.jsonl"))
        self.assertRaises(Conflict, self.over, content=bad)
        self.assertEqual((self.read(), self.read(self.at("audit.jsonl")), self.backups()), (data, log, []))

    def test_a_log_that_cannot_be_read_is_said(self) -> None:
        os.mkdir(self.at("audit.jsonl"))
        with self.assertRaises(Unavailable) as caught:
            self.made()
        self.assertNotIn(self.folder, caught.exception.detail)
        self.assertFalse(os.path.exists(self.path))

    def test_it_waits_for_the_lock_no_longer_than_told(self) -> None:
        store = self.made()
        lock = store._lock.acquire(1.0)
        self.assertRaises(StoreBusy, Store(self.path, lock_seconds=0.05).create, putting(1), entry(), overwrite=True)
        store._lock.release(lock)
        self.assert_sound(store)

    def test_writers_that_have_the_old_store_open_go_on_with_the_new_one(self) -> None:
        store = self.made(content=fill)
        store.snapshot()

        def work(number: int) -> int:
            return add(store, 500 + number) if number else self.over() or 0

        in_threads(6, work)
        self.assertEqual(Store(self.path).snapshot().generation, 7)
        self.assertEqual(len(Store(self.path).snapshot().table("projects")), 0)
        self.assertEqual(json.loads(self.read())["generation"], 7)
        self.assert_sound(store)
