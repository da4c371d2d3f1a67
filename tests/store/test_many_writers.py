"""Many processes with many threads each write at once: no write is lost, none waits for ever, each sees its own at once."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from typing import Any
from unittest import mock

from secure_mcp_gateway.errors import Forbidden, StoreBusy, Unavailable
from secure_mcp_gateway.store.store import Store
from tests.store.processes import Channel, Child
from tests.store.sample_store import SECONDS, StoreCase, add, content_of, entry, in_threads, until, user, user_id, users_of

PROCESSES, THREADS, WRITES = 8, 16, 6


class ManyWritersTest(StoreCase):
    def write_some(self, channel: Channel, process: int) -> list[int]:
        """The generations of what this process wrote."""
        store = Store(self.path)
        channel.say("ready")
        channel.hear()

        def write(thread: int) -> list[int]:
            first = (process * THREADS + thread) * WRITES
            return [add(store, number) for number in range(first, first + WRITES)]

        return [generation for part in in_threads(THREADS, write) for generation in part]

    def test_no_write_is_lost_and_no_generation_given_twice(self) -> None:
        store = self.made()
        children = [Child(lambda channel, process=process: self.write_some(channel, process)) for process in range(PROCESSES)]
        for child in children:
            self.assertEqual(child.hear(), "ready")
        for child in children:
            child.say("go")
        generations = sorted(generation for child in children for generation in child.result())
        count = PROCESSES * THREADS * WRITES
        self.assertEqual(generations, list(range(2, count + 2)))
        self.assertEqual(users_of(Store(self.path).snapshot()), list(range(count)))
        self.assertEqual(Store(self.path).snapshot().generation, count + 1)
        lines = self.log_lines()
        self.assertEqual([line["generation"] for line in lines], list(range(1, count + 2)))
        self.assertEqual(sorted(line["named"]["user"] for line in lines[1:]), [user_id(number) for number in range(count)])
        self.assert_sound(store)


class FairTurnTest(StoreCase):
    def assert_turns(self, threads: int) -> None:
        """Of another process, beside so many threads that write without a pause: each of some commits comes within a second. On a
        machine that is too slow for that, before many of the others' rewrites."""

        def work(channel: Channel) -> list[tuple[float, float]]:
            other, found = Store(self.path), list[tuple[float, float]]()
            channel.say("ready")
            channel.hear()
            # In memory so many may come before the others have written once more.
            while len(found) < 15 or not any(passed >= 2 / threads for _, passed in found):
                other._checked = 0.0
                before, start = other.snapshot().generation, time.monotonic()
                passed = (add(other, 900_000 + len(found)) - before) / threads
                found.append((time.monotonic() - start, passed))
            return found

        store, over = self.made(), threading.Event()
        child = Child(work)
        self.assertEqual(child.hear(), "ready")
        written = [0] * threads

        def write(thread: int) -> None:
            while not over.is_set():
                add(store, thread)
                written[thread] += 1

        def measure() -> list[tuple[float, float]]:
            until(lambda: sum(written) > threads)
            try:
                child.say("go")
                found: list[tuple[float, float]] = child.result()
            finally:
                over.set()
            return found

        turns = in_threads(threads + 1, lambda number: measure() if number == threads else write(number))[-1]
        self.assertEqual([number for number in users_of(store.snapshot()) if number >= 900_000], [900_000 + n for n in range(len(turns))])
        self.assert_sound(store)
        self.assertGreaterEqual(len(turns), 15)
        self.assertEqual([turn for turn in turns if turn[0] >= 1.0 and turn[1] >= 200], [])

    def test_another_process_gets_its_turn_beside_sixteen_busy_threads(self) -> None:
        self.assert_turns(16)

    def test_and_beside_one_or_two_that_never_pause(self) -> None:
        for threads in (1, 2):
            with self.subTest(threads=threads):
                self.folder, self.path = self.at(str(threads)), self.at(str(threads), "store.json")
                self.assert_turns(threads)


class OwnWritesTest(StoreCase):
    def test_what_was_committed_is_in_the_next_snapshot_while_others_read_and_write(self) -> None:
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(0.0001)
        store, over = self.made(), threading.Event()
        reads = [0] * 3

        def read(thread: int) -> None:
            newest = 0
            while not over.is_set():
                generation = store.snapshot().generation
                self.assertGreaterEqual(generation, newest)
                newest = generation
                reads[thread] += 1

        def write(thread: int) -> None:
            for number in range(thread * 100, thread * 100 + 20):
                generation = add(store, number)
                document = store.snapshot()
                self.assertEqual(document.get("users", user_id(number)), user(number))
                self.assertGreaterEqual(document.generation, generation)

        def write_all(thread: int) -> None:
            try:
                in_threads(4, write)
            finally:
                over.set()

        in_threads(4, lambda thread: read(thread) if thread < 3 else write_all(thread))
        self.assertGreater(min(reads), 20)
        self.assertEqual(content_of(store.snapshot()), content_of(Store(self.path).snapshot()))

    def test_a_store_made_anew_is_seen_at_once_by_who_made_it(self) -> None:
        store = self.made()
        for number in range(20):
            store.snapshot()
            store.create(lambda draft, number=number: draft.put("users", user_id(number), user(number)), entry(), overwrite=True)
            self.assertEqual(users_of(store.snapshot()), [number])


class WaitingTest(StoreCase):
    def holder(self) -> Child:
        """A process that takes the lock when it is told to, and holds it until it is told to let go."""

        def work(channel: Channel) -> None:
            other = Store(self.path)
            channel.hear()
            lock = other._lock.acquire(SECONDS)
            channel.say("holding")
            channel.hear()
            other._lock.release(lock)

        return Child(work)

    def takes_it(self, child: Child) -> None:
        child.say("take it")
        self.assertEqual(child.hear(), "holding")

    def lets_go(self, child: Child) -> None:
        child.say("let go")
        child.result()

    def held(self) -> Child:
        child = self.holder()
        self.takes_it(child)
        return child

    def test_a_lock_that_is_held_for_ever_is_given_up_in_time(self) -> None:
        store = self.made(lock_seconds=0.15)
        child, data = self.held(), self.read()

        def write(number: int) -> float:
            start = time.monotonic()
            with self.assertRaises(StoreBusy) as caught:
                add(store, number)
            self.assertNotIn(self.folder, caught.exception.detail)
            return time.monotonic() - start

        for taken in in_threads(8, write):
            self.assertLess(taken, SECONDS / 3)
            self.assertGreater(taken, 0.14)
        self.assertEqual(self.read(), data)
        self.assertTrue(store.verify_audit()["valid"])
        self.lets_go(child)
        self.assert_sound(Store(self.path))
        self.assert_sound(store)

    def test_a_lock_that_cannot_be_taken_at_all_is_no_busy_one_and_said_at_once(self) -> None:
        store = self.made()
        for errors in ([errno.ENOLCK], [errno.EAGAIN, errno.ENOMEM]):
            start = time.monotonic()
            flock = mock.patch("secure_mcp_gateway.store.lock.flock", side_effect=[OSError(error, "") for error in [*errors, errno.EBADF]])
            with self.subTest(errors=errors), flock, self.assertRaises(Unavailable) as caught:
                add(store, 1)
            self.assertNotIsInstance(caught.exception, StoreBusy)
            self.assertIn(os.strerror(errors[-1]), caught.exception.message)
            self.assertLess(time.monotonic() - start, 5.0)
        self.assert_sound(store)

    def test_a_lock_file_that_cannot_be_looked_at_is_said_and_not_waited_for(self) -> None:
        store, stat = self.made(), os.stat

        def failing(path: Any, *more: Any, **options: Any) -> os.stat_result:
            if path == self.path + ".lock":
                raise OSError(errno.EIO, "")
            return stat(path, *more, **options)

        with mock.patch("os.stat", failing), self.assertRaisesRegex(Unavailable, os.strerror(errno.EIO)):
            add(store, 1)
        self.assert_sound(store)

    def test_the_lock_is_free_also_where_its_descriptor_cannot_be_closed(self) -> None:
        store = self.made()
        lock = store._lock.acquire(1.0)
        with mock.patch("os.close", side_effect=OSError(errno.EIO, "")):
            store._lock.release(lock)
        self.assertEqual(add(Store(self.path, lock_seconds=0.1), 1), 2)
        os.close(lock)

    def test_giving_up_again_and_again_gathers_no_threads_and_no_descriptors(self) -> None:
        store = self.made(lock_seconds=0.01)
        child = self.held()
        self.assertRaises(StoreBusy, add, store, 0)
        threads, descriptors = threading.active_count(), len(os.listdir("/dev/fd"))
        for number in range(20):
            self.assertRaises(StoreBusy, add, store, number)
        self.assertLessEqual(threading.active_count(), threads)
        self.assertLessEqual(len(os.listdir("/dev/fd")), descriptors)
        self.lets_go(child)
        until(lambda: threading.active_count() == 1)
        self.assert_sound(Store(self.path))

    def test_a_refusal_does_not_wait_long_for_its_line(self) -> None:
        store = self.made()
        child, start = self.held(), time.monotonic()
        store.refuse(entry(), Forbidden("no"))
        # A write waits for ten seconds.
        self.assertLess(time.monotonic() - start, 8.0)
        child.kill()
        self.assertEqual(len(self.log_lines()), 1)

    def test_who_waits_goes_on_as_soon_as_the_holder_dies(self) -> None:
        store = self.made()
        child = self.held()

        def step(number: int) -> int:
            if number == 0:
                return add(store, 1)
            until(lambda: any(thread.name == "store-lock" for thread in threading.enumerate()))
            child.kill()
            return 0

        start = time.monotonic()
        self.assertEqual(in_threads(2, step), [2, 0])
        self.assertLess(time.monotonic() - start, 5.0)
        self.assert_sound(store)

    def test_a_lock_file_deleted_while_it_is_held_locks_the_next_ones_out_anew(self) -> None:
        store = self.made()
        child = self.held()
        os.unlink(self.path + ".lock")
        self.assertEqual(add(store, 1), 2)
        self.lets_go(child)
        self.assertEqual(in_threads(4, lambda number: add(Store(self.path), number)) and store.snapshot().generation, 6)
        self.assert_sound(store)

    def test_a_lock_file_replaced_under_who_waits_is_noticed(self) -> None:
        store = self.made()
        child, second = self.held(), self.holder()

        def step(number: int) -> int:
            if number == 0:
                return add(store, 1)
            until(lambda: any(thread.name == "store-lock" for thread in threading.enumerate()))
            os.unlink(self.path + ".lock")
            self.takes_it(second)
            self.lets_go(child)
            # The writer got the old file's lock, saw that it is worth nothing, and asks for the new one.
            until(lambda: [call.args[0] for call in opened.call_args_list].count(self.path + ".lock") == 2)
            generation = store.snapshot().generation
            self.lets_go(second)
            return generation

        with mock.patch("os.open", wraps=os.open) as opened:
            self.assertEqual(in_threads(2, step), [2, 1])
        self.assert_sound(store)
