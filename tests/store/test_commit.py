"""What a commit promises to one caller: all or nothing, If-Match, its place in the order of writes."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Callable
from unittest import mock

from secure_mcp_gateway.errors import Conflict, GatewayError, NotFound, PreconditionFailed, StoreMissing, Unavailable
from secure_mcp_gateway.store import commit
from secure_mcp_gateway.store.commit import matches
from secure_mcp_gateway.store.document import Draft
from secure_mcp_gateway.store.store import Store
from tests.store.processes import Channel, Child
from tests.store.sample_store import (
    SECONDS,
    StoreCase,
    add,
    await_event,
    content_of,
    entry,
    fill,
    in_threads,
    putting,
    until,
    user,
    user_id,
    users_of,
)


class OneWriterTest(StoreCase):
    def test_the_result_is_what_the_change_returns_and_the_generation_goes_up_by_one(self) -> None:
        store = self.made()
        self.assertEqual(store.commit(lambda draft: draft.put("users", "a", user(1)) or ["anything"], entry()), ["anything"])
        self.assertEqual((store.snapshot().generation, Store(self.path).snapshot().get("users", "a")), (2, user(1)))

    def test_what_a_change_resolved_stands_in_its_line(self) -> None:
        def change(draft: Draft) -> None:
            draft.names["user_id"] = "u-1"

        store = self.made()
        store.commit(change, entry("user rename", user="ann@example.com"))
        line = self.log_lines()[-1]
        self.assertEqual(line["named"], {"user": "ann@example.com", "user_id": "u-1"})
        self.assertEqual((line["n"], line["operation"], line["result"], line["generation"]), (2, "user rename", "ok", 2))
        self.assertEqual(line["request_id"], "r1")
        self.assertEqual((line["actor"], line["time"]), ({"kind": "admin", "id": "adm_1", "name": "tests"}, entry().time))

    def test_a_change_that_raises_leaves_nothing_but_a_line(self) -> None:
        store = self.made(content=fill)
        before, data = content_of(store.snapshot()), self.read()

        for error in (Conflict("no"), RuntimeError("a fault")):

            def change(draft: Draft, error: Exception = error) -> None:
                draft.put("users", "new", user(500))
                draft.delete("projects", "p-1")
                draft.settings = {}
                self.assertEqual(draft.found("user_emails", "u500@example.com"), "new")
                raise error

            self.assertRaises(type(error), store.commit, change, entry("user create"))
        self.assertEqual((content_of(store.snapshot()), self.read()), (before, data))
        self.assertIsNone(store.snapshot().found("user_emails", "u500@example.com"))
        self.assertEqual([line["result"] for line in self.log_lines()], ["ok", "conflict", "internal_error"])
        self.assert_sound(store)

    def test_what_is_delivered_is_the_result_and_only_where_nothing_refuses(self) -> None:
        store, delivered = self.made(), list[object]()

        def deliver(found: object) -> str:
            delivered.append(found)
            if found == 3:
                raise Conflict("the file is there")
            return f"delivered {found}"

        self.assertEqual(add(store, 1, deliver=deliver), "delivered 2")
        self.assertRaises(PreconditionFailed, add, store, 2, deliver=deliver, if_match='"1"')
        self.assertRaises(Conflict, add, store, 3, deliver=deliver)
        self.assertEqual((delivered, users_of(store.snapshot())), ([2, 3], [1]))
        self.assertEqual([line["result"] for line in self.log_lines()], ["ok", "ok", "precondition_failed", "conflict"])
        self.assert_sound(store)

    def test_a_deed_that_changes_nothing_has_a_line_and_no_generation(self) -> None:
        store = self.made()
        self.assertEqual(store.commit(lambda draft: draft.generation, entry("system backup"), counts=False), 1)
        self.assertEqual(store.snapshot().generation, 1)
        (line, _) = store.audit_lines()
        self.assertEqual((line["operation"], line["result"], line["generation"], line["committed"]), ("system backup", "ok", None, True))
        self.assert_sound(store)

    def test_a_change_that_found_nothing_to_do_writes_nothing_but_is_judged_by_if_match(self) -> None:
        def idle(draft: Draft) -> str:
            draft.is_idle = True
            return "nothing"

        store = self.made()
        before, log = self.read(), self.log_lines()
        self.assertEqual(store.commit(idle, entry(), if_match='"1"', backup=True, deliver=str.upper), "NOTHING")
        self.assertEqual((self.read(), self.log_lines(), store.snapshot().generation), (before, log, 1))
        self.assertFalse(os.path.exists(self.at("backups")))
        self.assertRaises(PreconditionFailed, store.commit, idle, entry(), if_match='"2"')
        self.assertEqual((self.read(), self.log_lines()[-1]["result"]), (before, "precondition_failed"))
        self.assert_sound(store)

    def test_what_cannot_be_written_as_json_changes_nothing(self) -> None:
        store = self.made()
        data = self.read()
        for value in ("\ud800", object()):
            with self.assertRaises((ValueError, TypeError)):
                store.commit(lambda draft, bad=value: draft.put("users", "a", {**user(1), "note": bad}), entry())
        self.assertEqual(self.read(), data)
        self.assert_sound(store)

    def test_a_store_deleted_while_it_is_open_is_missing_and_not_made_anew(self) -> None:
        store = self.made()
        add(store, 1)
        os.unlink(self.path)
        self.assertRaises(StoreMissing, add, store, 2)
        store._checked = 0.0
        self.assertRaises(StoreMissing, store.snapshot)
        self.assertNotIn("store.json", self.files())

    def meddled(self, deed: Callable[[], None]) -> Unavailable:
        """The error of a write, where somebody does this deed to the store's file just before the new one takes its place."""
        store, fsync = self.made(), os.fsync

        def meddle(descriptor: int) -> None:
            fsync(descriptor)
            if os.path.exists(self.at(".store.json.tmp")):
                deed()

        with mock.patch.object(os, "fsync", meddle), self.assertRaises(Unavailable) as caught:
            add(store, 1)
        return caught.exception

    def test_a_store_deleted_while_it_is_written_stays_deleted(self) -> None:
        self.assertIsInstance(self.meddled(lambda: os.unlink(self.path)), StoreMissing)
        self.assertEqual(self.files(), {"store.json.lock", "audit.jsonl"})

    def test_a_store_replaced_while_it_is_written_is_not_written_over(self) -> None:
        error = self.meddled(lambda: self.put_in_place(self.read()))
        self.assertIn("changed by hand", error.message)
        self.assertEqual(Store(self.path).snapshot().generation, 1)
        self.assert_sound(Store(self.path))


class IfMatchTest(StoreCase):
    def test_the_header_is_read_as_rfc_9110_says(self) -> None:
        for text in ('"7"', "*", ' "7" ', '"1", "7"', '"7","8"', ' * ', '"x,y", "7"'):
            self.assertTrue(matches(text, 7), text)
        for text in ('"70"', "7", 'W/"7"', '"1", "2"', "", '"7', "**", '"*"', '"07"', "'7'"):
            self.assertFalse(matches(text, 7), text)

    def test_it_is_checked_against_the_generation_just_before_the_write(self) -> None:
        store = self.made()
        self.assertEqual(add(store, 1, if_match='"1"'), 2)
        data = self.read()
        with self.assertRaises(PreconditionFailed) as caught:
            add(store, 2, if_match='"1"')
        self.assertIn("generation 2", caught.exception.message)
        self.assertEqual(self.read(), data)
        self.assertEqual(add(store, 3, if_match='"9", "2"'), 3)
        self.assertEqual(add(store, 4, if_match="*"), 4)
        self.assertEqual(users_of(store.snapshot()), [1, 3, 4])

    def test_also_where_only_something_else_changed_in_another_process(self) -> None:
        store = self.made()
        self.assertEqual(Child(lambda channel: add(Store(self.path), 1)).result(), 2)
        self.assertRaises(PreconditionFailed, add, store, 2, if_match='"1"')

    def test_what_the_rule_refuses_comes_first(self) -> None:
        def change(draft: Draft) -> None:
            raise NotFound("no such user")

        store = self.made()
        self.assertRaises(NotFound, store.commit, change, entry(), if_match='"99"')

    def test_of_many_threads_with_the_same_one_exactly_one_wins(self) -> None:
        store = self.made()

        def write(number: int) -> str:
            try:
                return f"{add(store, number, if_match=header)}"
            except PreconditionFailed as error:
                return error.code

        for generation in (1, 2, 3):
            header = f'"{generation}"'
            self.assertEqual(sorted(in_threads(16, write)), sorted([str(generation + 1), *["precondition_failed"] * 15]))
        self.assert_sound(store)

    def test_of_many_processes_with_the_same_one_exactly_one_wins(self) -> None:
        self.made()

        def write(channel: Channel) -> str:
            store = Store(self.path)
            store.snapshot()
            channel.say("ready")
            channel.hear()
            try:
                return str(add(store, os.getpid() % 1000, if_match='"0", "1"'))
            except PreconditionFailed as error:
                return error.code

        children = [Child(write) for _ in range(6)]
        for child in children:
            self.assertEqual(child.hear(), "ready")
        for child in children:
            child.say("go")
        self.assertEqual(sorted(child.result() for child in children), sorted(["2", *["precondition_failed"] * 5]))
        self.assert_sound(Store(self.path))


class GroupTest(StoreCase):
    """Changes that waited together are written together, and do not share their failures."""

    def grouped(self, store: Store, work: list[Any]) -> list[Any]:
        """The results or errors of these calls, which all wait while the first of them holds the lock."""
        inside, go_on = threading.Event(), threading.Event()

        def hold(draft: Draft) -> None:
            inside.set()
            await_event(go_on)

        def run(number: int) -> Any:
            if number == len(work):
                return store.commit(hold, entry("first"))
            await_event(inside)
            try:
                return work[number]()
            except (GatewayError, ValueError) as error:
                return error

        def let_go() -> None:
            await_event(inside)
            until(lambda: store._queue is not None and len(store._queue._waiting) == len(work))
            go_on.set()

        watcher = threading.Thread(target=let_go, daemon=True)
        watcher.start()
        results = in_threads(len(work) + 1, run)[:-1]
        watcher.join(20)
        return results

    def test_one_that_raises_fails_alone(self) -> None:
        store = self.made()

        def bad(draft: Draft) -> None:
            draft.put("users", user_id(5), user(5))
            raise Conflict("taken")

        work = [lambda: add(store, 1), lambda: store.commit(bad, entry("bad")), lambda: add(store, 2), lambda: add(store, 3)]
        with mock.patch("os.replace", wraps=os.replace) as replace:
            results = self.grouped(store, work)
        self.assertIsInstance(results.pop(1), Conflict)
        self.assertEqual(sorted(results), [3, 4, 5])
        self.assertEqual(users_of(store.snapshot()), [1, 2, 3])
        self.assertEqual(replace.call_count, 2)
        self.assert_sound(store)

    def test_one_that_cannot_be_encoded_fails_alone(self) -> None:
        store = self.made()
        work = [
            lambda: store.commit(lambda draft: draft.put("users", "x", {**user(1), "note": "\ud800"}), entry("bad")),
            lambda: add(store, 2),
            lambda: store.refuse(entry("bad name", name="\udcff"), Conflict("x")),
        ]
        results = self.grouped(store, work)
        self.assertIsInstance(results[0], ValueError)
        self.assertEqual((results[1], users_of(store.snapshot())), (3, [2]))
        self.assert_sound(store)

    def test_all_of_them_fail_where_the_document_cannot_be_written(self) -> None:
        store = self.made()
        work = [lambda: add(store, 1), lambda: store.refuse(entry(), Conflict("x")), lambda: add(store, 2)]
        calls: list[int] = []
        replace = os.replace

        def full(source: str, target: str) -> None:
            calls.append(1)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
            replace(source, target)

        with mock.patch("os.replace", full):
            results = self.grouped(store, work)
        for error in (results[0], results[2]):
            self.assertIsInstance(error, Unavailable)
        self.assertEqual((users_of(store.snapshot()), store.snapshot().generation), ([], 2))
        self.assert_sound(store)

    def test_one_that_found_nothing_to_do_beside_others_fails_with_them_for_it_stood_on_what_they_did(self) -> None:
        def idle(draft: Draft) -> int:
            draft.is_idle = True
            return len(draft.table("users"))

        store = self.made()
        work = [lambda: add(store, 1), lambda: store.commit(idle, entry()), lambda: add(store, 2)]
        files, replace = iter(range(9)), os.replace

        def full(source: str, target: str) -> None:
            if next(files) == 1:
                raise OSError(28, "No space left on device")
            replace(source, target)

        with mock.patch("os.replace", full):
            results = self.grouped(store, work)
        self.assertEqual([type(each).__name__ for each in results], ["Unavailable"] * 3)
        self.assertEqual(store.commit(idle, entry()), 0)
        self.assert_sound(store)

    def test_each_sees_what_the_ones_before_it_did(self) -> None:
        store = self.made()

        def put_and_count(number: int) -> int:
            return store.commit(lambda draft: putting(number)(draft) and len(draft.table("users")), entry())

        seen = self.grouped(store, [lambda number=number: put_and_count(number) for number in range(8)])
        self.assertEqual(sorted(seen), list(range(1, 9)))
        self.assert_sound(store)

    def test_who_comes_again_at_once_is_written_with_the_others_not_after_them(self) -> None:
        store, replace, rounds = self.made(lock_seconds=1000.0), os.replace, 6
        begun, split, calls, sizes, left = threading.Event(), threading.Event(), list[int](), list[int](), [6]

        def write_group(store: Store, group: list[Any]) -> None:
            sizes.append(len(group))
            really_write(store, group)

        def slow(source: str, target: str) -> None:
            """So slow that whoever is not written now waits when it is done."""
            calls.append(1)
            (begun if len(calls) == 1 else split).set()
            until(lambda: store._queue is not None and len(store._queue._waiting) + sizes[-1] == (4 if len(calls) == 1 else left[0]))
            replace(source, target)

        def write(number: int) -> None:
            # One alone, then three; while those are written the others come.
            if number:
                await_event(begun if number < 4 else split)
            for at in range(rounds):
                add(store, 100 * number + at)
            assert store._queue is not None
            with store._queue._mutex:
                # This one does not come again, and nobody is to wait for it.
                left[0] -= 1
                store._queue._expected -= 1
                store._queue._complete.notify()

        # By its clock each write takes so long that all who come again do so within half of it, however busy the machine is.
        clock = mock.Mock(monotonic=lambda: time.monotonic() + 20.0 * len(calls), sleep=time.sleep)
        really_write, writing = Store._write_group, mock.patch.object(Store, "_write_group", write_group)
        with writing, mock.patch("os.replace", slow), mock.patch.multiple(commit, time=clock, _LONGEST_GATHERING=SECONDS):
            in_threads(6, write)
        # Where one half always waited for the other it would be twice as many.
        self.assertLessEqual(len(calls), rounds + 3)
        self.assert_sound(store)
