"""Safety backups: whole or not there, a few for each store."""

from __future__ import annotations

import os

from secure_mcp_gateway.errors import Conflict, Unavailable
from secure_mcp_gateway.store import encoding
from secure_mcp_gateway.store.document import Draft
from secure_mcp_gateway.store.store import Store
from tests.store.sample_store import StoreCase, add, content_of, entry, fill, putting


class BackupTest(StoreCase):
    def names(self) -> list[str]:
        return sorted(os.listdir(self.at("backups")))

    def test_it_is_the_document_as_it_was_before_the_change_and_can_take_its_place(self) -> None:
        store = self.made(content=fill)
        before = content_of(store.snapshot())
        add(store, 100, backup=True)
        (name,) = self.names()
        data = self.read(self.at("backups", name))
        self.assertEqual(content_of(encoding.decode(data, None)), before)
        self.assertRegex(name, r"^store-\d{8}T\d{6}\.\d{9}Z-user-create\.json$")
        self.put_in_place(data)
        self.assertEqual(content_of(Store(self.path).snapshot()), before)
        self.assertEqual((self.mode("backups"), self.mode("backups", name)), (0o700, 0o600))

    def test_the_change_is_told_where_it_will_be(self) -> None:
        store, told = self.made(), list[object]()
        store.commit(lambda draft: told.append(draft.safety_backup), entry("system reset"), backup=True)
        store.commit(lambda draft: told.append(draft.safety_backup), entry())
        self.assertEqual(told, [self.at("backups", *self.names()), None])

    def test_a_change_that_finds_it_needless_makes_none(self) -> None:
        def change(draft: Draft) -> None:
            draft.safety_backup = None
            putting(1)(draft)

        store = self.made()
        store.commit(change, entry("apply"), backup=True)
        self.assertFalse(os.path.exists(self.at("backups")))
        self.assertEqual(store.snapshot().generation, 2)

    def test_a_change_that_raises_makes_none(self) -> None:
        def bad(draft: Draft) -> None:
            raise Conflict("no")

        store = self.made()
        self.assertRaises(Conflict, store.commit, bad, entry(), backup=True)
        self.assertFalse(os.path.exists(self.at("backups")))

    def test_the_last_ten_of_each_store_are_kept(self) -> None:
        stores = [self.made(self.at(name)) for name in ("store.json", "store-2.json", "other.json")]
        foreign = ["store-notes.json", "store-20260101T000000-mine.json", "README"]
        add(stores[0], 0, backup=True)
        for name in foreign:
            self.write(self.at("backups", name), b"not ours")
        for number in range(1, 14):
            for store in stores:
                add(store, number, backup=True)
        for stem, store in zip(("store", "store-2", "other"), stores):
            mine = [name for name in self.names() if name.startswith(stem + "-20") and name not in foreign]
            self.assertEqual(len(mine), 10, stem)
            newest = encoding.decode(self.read(self.at("backups", mine[-1])), None)
            oldest = encoding.decode(self.read(self.at("backups", mine[0])), None)
            self.assertEqual((newest.generation, newest.generation - oldest.generation), (store.snapshot().generation - 1, 9))
        self.assertLessEqual(set(foreign), set(self.names()))

    def test_the_one_made_just_now_stays_where_the_clock_was_ahead_for_those_before(self) -> None:
        store = self.made()
        add(store, 0, backup=True)
        (first,) = self.names()
        for day in range(10, 22):
            self.write(self.at("backups", f"store-209901{day}T000000.000000000Z-system-reset.json"), b"{}")
        for number in range(1, 4):
            told: list[str] = []
            store.commit(lambda draft, told=told: told.append(draft.safety_backup), entry(), backup=True)  # type: ignore[misc]
            self.assertTrue(os.path.exists(told[0]), number)
        names = self.names()
        self.assertEqual(len(names), 10)
        self.assertIn(first, names)
        self.assertNotIn("store-20990110T000000.000000000Z-system-reset.json", names)

    def test_one_that_cannot_be_taken_away_is_no_reason_to_refuse_the_change(self) -> None:
        store = self.made()
        add(store, 0, backup=True)
        stuck = "store-20000101T000000.000000000Z-system-reset.json"
        os.mkdir(self.at("backups", stuck))
        for number in range(1, 14):
            self.assertEqual(add(store, number, backup=True), number + 2)
        self.assertEqual((len(self.names()), stuck in self.names()), (11, True))

    def test_one_that_cannot_be_written_refuses_the_change(self) -> None:
        store = self.made()
        self.write(self.at("backups"), b"a file where the folder should be")
        data = self.read()
        with self.assertRaises(Unavailable) as caught:
            store.commit(putting(1), entry(), backup=True)
        self.assertIn("nothing is changed", caught.exception.message)
        self.assertNotIn(self.folder, caught.exception.detail)
        self.assertEqual(self.read(), data)
        add(store, 2)
