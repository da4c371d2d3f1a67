"""A write that meets an error at any of its system calls leaves the old or the new document, and a store that works."""

from __future__ import annotations

import errno
import os
import shutil
from typing import Any, Callable
from unittest import mock

from secure_mcp_gateway.errors import Conflict, GatewayError, OutcomeUnknown, StoreMissing, Unavailable
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.file import write_all
from secure_mcp_gateway.store.store import Store
from tests.store.boundaries import ERRORS, WRITES, Boundaries, failing, torn
from tests.store.sample_store import StoreCase, add, content_of, entry, putting, user, user_id
from tests.support import MEMORY

Deed = Callable[[Store], Any]


def create_over(store: Store) -> int:
    return store.create(putting(70), entry("generate-config"), overwrite=True)


class InterruptionCase(StoreCase):
    """Each case starts from one and the same folder, laid anew; in memory where that can be, for these are hundreds of syncs."""

    place = MEMORY

    def setUp(self) -> None:
        super().setUp()
        store = self.made()
        for number in range(6):
            add(store, number)
        store.refuse(entry(), Conflict("x"))
        self.template = self.folder + ".template"
        shutil.copytree(self.folder, self.template)
        self.addCleanup(shutil.rmtree, self.template, ignore_errors=True)

    def laid_anew(self, warm: bool = False) -> Store:
        for name in os.listdir(self.folder):
            path = self.at(name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)
        store = Store(self.path, lock_seconds=1.0)
        if warm:
            add(store, 50)
        return store

    def calls_of(self, deed: Deed, warm: bool) -> list[str]:
        store = self.laid_anew(warm)
        with Boundaries() as watched:
            deed(store)
        return watched.trace

    def assert_old_or_new(self, store: Store, before: dict[str, Any], error: BaseException | None) -> None:
        """What a new reader finds agrees with what the writer was told."""
        now = content_of(Store(self.path).snapshot())
        store._checked = 0.0
        self.assertEqual(content_of(store.snapshot()), now)
        if error is None:
            self.assertEqual(now["generation"], before["generation"] + 1)
        elif isinstance(error, OutcomeUnknown):
            self.assertEqual(now["generation"], before["generation"] + 1)
            self.assertIn("read", error.hint)
        else:
            self.assertEqual(now, before)


class InterruptedWriteTest(InterruptionCase):
    def interrupt_everywhere(self, deed: Deed, warm: bool = False) -> set[str]:
        """The kinds of error seen. Each call of the deed fails once, and each write of it is torn once."""
        seen: set[str] = set()
        for number, name in enumerate(self.calls_of(deed, warm)):
            code = ERRORS[number % len(ERRORS)]
            for make in (failing, torn) if name in WRITES else (failing,):
                with self.subTest(number=number, name=name, make=make.__name__, code=os.strerror(code)):
                    seen.add(self.interrupt(deed, self.laid_anew(warm), make(number, code)))
        return seen

    def interrupt(self, deed: Deed, store: Store, boundaries: Boundaries) -> str:
        before, error = content_of(Store(self.path).snapshot()), None
        try:
            with boundaries:
                deed(store)
        except GatewayError as caught:
            error = caught
            self.assertIsInstance(error, Unavailable)
            self.assertNotIn(self.folder, error.detail)
            self.assertNotIsInstance(error, StoreMissing)
        self.assert_old_or_new(store, before, error)
        self.assert_sound(store)
        return type(error).__name__

    def test_by_a_writer_that_opens_everything_first(self) -> None:
        seen = self.interrupt_everywhere(lambda store: add(store, 60))
        self.assertLessEqual({"Unavailable", "OutcomeUnknown"}, seen)

    def test_by_a_writer_that_has_written_before(self) -> None:
        self.assertLessEqual({"Unavailable", "OutcomeUnknown"}, self.interrupt_everywhere(lambda store: add(store, 60), warm=True))

    def test_with_a_safety_backup_before_it(self) -> None:
        self.interrupt_everywhere(lambda store: add(store, 60, backup=True))

    def test_with_a_rotation_of_the_log_before_it(self) -> None:
        with mock.patch("secure_mcp_gateway.store.store.AuditLog", lambda path: AuditLog(path, rotate_at=1)):
            seen = self.interrupt_everywhere(lambda store: add(store, 60), warm=True)
        self.assertLessEqual({"Unavailable", "OutcomeUnknown"}, seen)

    def test_where_a_new_store_takes_the_place_of_the_old(self) -> None:
        self.assertLessEqual({"Unavailable", "OutcomeUnknown"}, self.interrupt_everywhere(create_over))

    def test_where_the_log_must_be_repaired_first(self) -> None:
        def torn_log(store: Store) -> int:
            with open(self.at("audit.jsonl"), "ab") as file:
                file.write(b'{"n": 9, "ti')
            return add(store, 60)

        self.interrupt_everywhere(torn_log)


class RepeatedFailureTest(InterruptionCase):
    def failed(self, store: Store, deed: Deed) -> None:
        with mock.patch("os.replace", side_effect=OSError(errno.ENOSPC, "full")):
            self.assertRaises(Unavailable, deed, store)

    def test_each_line_that_never_committed_is_declared_once(self) -> None:
        store = self.laid_anew()
        for _ in range(3):
            self.failed(store, lambda store: add(store, 60))
        add(store, 60)
        lines = store.audit_lines()[::-1][8:]
        told = [line["named"].get("uncommitted_lines", line["committed"]) for line in lines]
        self.assertEqual(told, [False, "9", False, "11", False, "13", True])
        self.assert_sound(Store(self.path))

    def test_a_backup_that_was_never_confirmed_is_not_called_committed(self) -> None:
        store = self.laid_anew()
        self.failed(store, lambda store: store.commit(lambda draft: None, entry("system backup"), counts=False))
        for _ in range(2):
            line = next(line for line in store.audit_lines() if line["operation"] == "system backup")
            self.assertEqual((line["result"], line["committed"]), ("ok", False))
            add(store, 61)

    def test_a_write_whose_outcome_is_unknown_shows_to_who_reads_again_at_once(self) -> None:
        store = self.laid_anew()
        with mock.patch("secure_mcp_gateway.store.store.FRESH_SECONDS", 60.0):
            store.snapshot()
            with mock.patch("secure_mcp_gateway.store.file.sync_folder", side_effect=OSError(errno.EIO, "")):
                self.assertRaises(OutcomeUnknown, add, store, 60)
            self.assertIsNotNone(store.snapshot().get("users", user_id(60)))

    def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(self) -> None:
        write, many = os.write, {user_id(number): user(number) for number in range(30_000)}
        store = self.laid_anew()
        few = mock.patch("os.write", lambda descriptor, data: write(descriptor, bytes(data[:50_000])))
        with few, mock.patch("os.writev", lambda descriptor, data: write(descriptor, b"".join(data)[:70_000])):
            store.commit(lambda draft: draft.replace("users", many), entry())
        self.assertEqual(len(Store(self.path).snapshot().table("users")), 30_000)
        self.assertGreater(os.path.getsize(self.path), 1_000_000)
        self.assert_sound(store)

    def test_more_pieces_than_one_call_takes_are_all_written(self) -> None:
        pieces = [f"{n}\n".encode() for n in range(5000)]
        descriptor = os.open(self.at("many"), os.O_RDWR | os.O_CREAT, 0o600)
        write_all(descriptor, pieces)
        os.close(descriptor)
        self.assertEqual(self.read(self.at("many")), b"".join(pieces))


class InterruptedCreationTest(StoreCase):
    def create(self) -> Any:
        return Store(self.at("a", "b", "store.json")).create(putting(1), entry("generate-config"))

    def test_a_store_whose_creation_failed_can_be_made_after_all(self) -> None:
        with Boundaries() as watched:
            self.create()
        self.path = self.at("a", "b", "store.json")
        for number, name in enumerate(watched.trace):
            with self.subTest(number=number, name=name):
                shutil.rmtree(self.at("a"))
                try:
                    with failing(number, ERRORS[number % len(ERRORS)]):
                        self.create()
                except GatewayError as error:
                    self.assertIsInstance(error, Unavailable)
                    self.assertNotIn(self.folder, error.detail)
                    self.assertEqual(os.path.exists(self.path), isinstance(error, OutcomeUnknown))
                if not os.path.exists(self.path):
                    self.create()
                self.assertEqual(Store(self.path).snapshot().get("users", user_id(1))["email"], "u1@example.com")
                self.assertEqual(Store(self.path).verify_audit()["valid"], True)
                self.assertEqual([each for each in os.listdir(self.at("a", "b")) if each.endswith(".tmp")], [])
