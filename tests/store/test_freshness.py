"""A change by somebody else is seen within 10 ms, by whatever way it comes; the name of the store may be a link."""

from __future__ import annotations

import os
import threading
import time
from unittest import mock

from secure_mcp_gateway.errors import OutcomeUnknown, StoreMissing, Unavailable
from secure_mcp_gateway.store.file import sync_folder
from secure_mcp_gateway.store.siblings import Siblings
from secure_mcp_gateway.store.store import FRESH_SECONDS, Store
from tests.store.processes import Channel, Child
from tests.store.sample_store import SECONDS, StoreCase, add, await_event, content_of, entry, user, user_id, users_of


class FreshnessTest(StoreCase):
    def test_another_process_s_write_is_seen_in_time(self) -> None:
        def work(channel: Channel) -> None:
            other = Store(self.path)
            while (number := channel.hear()) is not None:
                add(other, number)
                channel.say(time.monotonic())

        store = self.made()
        child = Child(work)
        for number in range(20):
            store.snapshot()
            child.say(number)
            written, begun = child.hear(), 0.0
            # However busy the machine is: what begins to look ten milliseconds after the write sees it.
            while begun <= written + FRESH_SECONDS:
                begun = time.monotonic()
                seen = store.snapshot().get("users", user_id(number))
            self.assertEqual(seen, user(number))
        child.say(None)
        child.result()

    def test_it_looks_at_the_file_again_after_ten_milliseconds_not_before(self) -> None:
        store, now = self.made(), [1000.0]
        store.snapshot()
        with mock.patch("secure_mcp_gateway.store.store.time.monotonic", lambda: now[0]):
            store._checked = now[0]
            add(Store(self.path), 1)
            now[0] += 0.0099
            self.assertEqual(users_of(store.snapshot()), [])
            now[0] += 0.0002
            self.assertEqual(users_of(store.snapshot()), [1])

    def test_what_a_sibling_wrote_shows_at_once(self) -> None:
        store, other = self.made(), Store(self.path)
        counters = memoryview(bytearray(8)).cast("I")
        store.siblings, other.siblings = Siblings(counters, 0), Siblings(counters, 1)
        store.snapshot()
        with mock.patch("secure_mcp_gateway.store.store.time.monotonic", lambda: store._checked):
            add(other, 1)
            self.assertEqual(users_of(store.snapshot()), [1])
            with mock.patch.object(store.file, "stat", side_effect=AssertionError("nobody wrote since")):
                self.assertEqual(users_of(store.snapshot()), [1])

    def test_what_a_sibling_wrote_shows_also_where_the_disk_did_not_confirm_it(self) -> None:
        store, other = self.made(), Store(self.path)
        counters = memoryview(bytearray(8)).cast("I")
        counters[1] = 0xFFFFFFFF
        store.siblings, other.siblings = Siblings(counters, 0), Siblings(counters, 1)
        store.snapshot()
        with mock.patch("secure_mcp_gateway.store.store.time.monotonic", lambda: store._checked):
            with mock.patch("secure_mcp_gateway.store.file.sync_folder", side_effect=OSError(5, "broken")):
                self.assertRaises(OutcomeUnknown, add, other, 1)
            self.assertEqual(users_of(store.snapshot()), [1])

    def test_a_look_at_the_file_by_another_thread_does_not_make_fresh_what_this_one_holds(self) -> None:
        store, now = self.made(), [1000.0]
        store.snapshot()
        store._checked = now[0]
        add(Store(self.path), 1)
        now[0] += 5.0
        switched: list[int] = []

        def monotonic() -> float:
            # Here the other thread runs, once.
            if not switched:
                switched.append(1)
                self.assertEqual(users_of(store.snapshot()), [1])
            return now[0]

        with mock.patch("secure_mcp_gateway.store.store.time.monotonic", monotonic):
            self.assertEqual(users_of(store.snapshot()), [1])
        self.assertTrue(switched)

    def test_an_edit_in_place_and_a_replacement_are_seen_also_where_size_and_times_are_kept(self) -> None:
        store = self.made()
        add(store, 1)
        old, kept = self.read(), os.stat(self.path)
        for number, put in enumerate((self.put_in_place, lambda data: self.write(self.path, data)) * 20):
            name = f"u{number % 10}@example.org".encode()
            put(old.replace(b"u1@example.com", name))
            os.utime(self.path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
            store._checked = 0.0
            self.assertEqual(store.snapshot().get("users", user_id(1))["email"], name.decode())
            self.assertEqual(store.snapshot().found("user_emails", name.decode()), user_id(1))

    def test_an_inode_number_that_comes_back_is_not_taken_for_the_file_that_had_it(self) -> None:
        store, other = self.made(), Store(self.path)
        for number in range(60):
            add(other, number)
            store._checked = 0.0
            self.assertEqual(store.snapshot().generation, number + 2)

    def test_a_store_that_comes_back_is_read_again(self) -> None:
        store = self.made()
        add(store, 1)
        data = self.read()
        os.unlink(self.path)
        store._checked = 0.0
        self.assertRaises(StoreMissing, store.snapshot)
        self.put_in_place(data)
        self.assertEqual(users_of(store.snapshot()), [1])
        self.assert_sound(store)

    def test_a_slow_reader_does_not_put_an_older_document_in_the_place_of_one_s_own(self) -> None:
        store, read, go_on, readers = self.made(), threading.Event(), threading.Event(), list[threading.Thread]()
        really_read = store.file.read

        def slow_read(descriptor: int) -> object:
            found = really_read(descriptor)
            read.set()
            await_event(go_on)
            return found

        def read_meanwhile(folder: str) -> None:
            # The new file has its name, and its writer has not taken note of it yet.
            if not readers:
                store._checked = 0.0
                readers.append(threading.Thread(target=store.snapshot, daemon=True))
                readers[0].start()
                await_event(read)
            sync_folder(folder)

        syncing = mock.patch("secure_mcp_gateway.store.file.sync_folder", read_meanwhile)
        with mock.patch.object(store.file, "read", slow_read), syncing:
            add(store, 1)
            add(store, 2)
            go_on.set()
            readers[0].join(SECONDS)
            store._checked = time.monotonic() + SECONDS
            self.assertEqual(users_of(store.snapshot()), [1, 2])

    def test_the_file_is_looked_at_once_in_ten_milliseconds(self) -> None:
        store = self.made()
        with mock.patch("time.monotonic", return_value=time.monotonic() + 1.0), mock.patch("os.stat", wraps=os.stat) as looked:
            for _ in range(50):
                store.snapshot()
        self.assertEqual(looked.call_count, 1)

    def test_nothing_is_read_where_nothing_moved(self) -> None:
        store = self.made()
        first = store.snapshot()
        store._checked = 0.0
        self.assertIs(store.snapshot(), first)

    def test_old_documents_and_their_files_are_let_go(self) -> None:
        store, other = self.made(), Store(self.path)
        before = len(os.listdir("/dev/fd"))
        for number in range(30):
            add(store, number)
            add(other, number)
            store._checked = 0.0
            store.snapshot()
        self.assertLessEqual(len(os.listdir("/dev/fd")), before + 5)


class LinkTest(StoreCase):
    def test_a_link_to_the_store_stays_a_link_and_everything_goes_beside_the_file(self) -> None:
        os.mkdir(self.at("real"))
        os.mkdir(self.at("named"))
        os.symlink("../real/store.json", self.at("named", "link.json"))
        store = Store(self.at("named", "link.json"))
        store.create(lambda draft: None, entry("generate-config"))
        for number in range(3):
            add(store, number, backup=True)
            add(Store(self.at("real", "store.json")), 10 + number)
        self.assertTrue(os.path.islink(self.at("named", "link.json")))
        self.assertEqual(os.listdir(self.at("named")), ["link.json"])
        self.assertEqual(sorted(os.listdir(self.at("real"))), ["audit.jsonl", "backups", "store.json", "store.json.lock"])
        self.path, self.folder = self.at("real", "store.json"), self.at("real")
        self.assertEqual(content_of(store.snapshot()), content_of(Store(self.path).snapshot()))
        self.assert_sound(store)

    def test_a_link_where_the_temporary_file_or_the_lock_goes_is_not_followed(self) -> None:
        store = self.made()
        self.write(self.at("victim"), b"keep me")
        os.symlink(self.at("victim"), self.at(".store.json.tmp"))
        self.assertEqual(add(store, 1), 2)
        os.unlink(self.path + ".lock")
        os.symlink(self.at("victim"), self.path + ".lock")
        self.assertRaises(Unavailable, add, store, 2)
        self.assertEqual(self.read(self.at("victim")), b"keep me")

    def test_a_relative_path_stays_the_same_store_when_the_process_moves(self) -> None:
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        store = Store("store.json")
        store.create(lambda draft: None, entry("generate-config"))
        os.chdir("/")
        add(store, 1)
        self.assertEqual(users_of(Store(self.path).snapshot()), [1])
