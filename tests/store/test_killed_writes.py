"""A writer that is killed at any of its system calls leaves the old or the new document; the next one puts the rest right."""

from __future__ import annotations

import os
import signal
from typing import Any
from unittest import mock

from secure_mcp_gateway.errors import Forbidden
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.store import Store
from tests.store.boundaries import WRITES, Boundaries, dying
from tests.store.processes import Channel, Child
from tests.store.sample_store import StoreCase, add, content_of, entry, putting
from tests.store.test_interrupted_writes import Deed, InterruptionCase, create_over


class KilledWriteTest(InterruptionCase):
    def kill_everywhere(self, deed: Deed, warm: bool = False) -> set[str]:
        """Which document the killed left: ``old`` or ``new``."""
        seen: set[str] = set()
        for number, name in enumerate(self.calls_of(deed, warm)):
            for when in ("before", "amid") if name in WRITES else ("before",):
                with self.subTest(number=number, name=name, when=when):
                    seen.add(self.kill(deed, self.laid_anew(warm), number, when))
        return seen

    def kill(self, deed: Deed, store: Store, number: int, when: str) -> str:
        before = content_of(Store(self.path).snapshot())

        def work(channel: Channel) -> None:
            with dying(number, when):
                deed(store)

        self.assertEqual(Child(work).ended(), signal.SIGKILL)
        now = content_of(Store(self.path).snapshot())
        if now["generation"] == before["generation"]:
            self.assertEqual(now, before)
        else:
            self.assertEqual(now["generation"], before["generation"] + 1)
        self.assert_told_apart(now["generation"])
        # The store that was open all along, in the process that lives, repairs what the killed one left.
        store._checked = 0.0
        self.assertEqual(content_of(store.snapshot()), now)
        self.assert_sound(store)
        self.assert_told_apart(now["generation"] + 1)
        return "old" if now == before else "new"

    def assert_told_apart(self, generation: int) -> None:
        """Exactly one line a write that took place is called committed; a killed one's line, if it is there, is not."""
        store = Store(self.path)
        lines = [line for line in store.audit_lines() if line["result"] == "ok" and line["generation"] is not None]
        committed = [line["generation"] for line in lines if line["committed"]]
        self.assertEqual(committed, list(range(generation, 0, -1)))
        self.assertLessEqual(len(lines) - len(committed), 1)
        self.assertEqual(store.verify_audit()["broken_line"], None)

    def test_a_writer_that_opens_everything_first(self) -> None:
        self.assertEqual(self.kill_everywhere(lambda store: add(store, 60)), {"old", "new"})

    def test_a_writer_that_has_written_before(self) -> None:
        self.assertEqual(self.kill_everywhere(lambda store: add(store, 60), warm=True), {"old", "new"})

    def test_a_safety_backup_before_the_write(self) -> None:
        def deed(store: Store) -> int:
            return add(store, 60, backup=True)

        self.assertEqual(self.kill_everywhere(deed), {"old", "new"})

    def test_a_rotation_of_the_log_before_the_write(self) -> None:
        with mock.patch("secure_mcp_gateway.store.store.AuditLog", lambda path: AuditLog(path, rotate_at=1)):
            self.assertEqual(self.kill_everywhere(lambda store: add(store, 60), warm=True), {"old", "new"})
            self.assertGreater(len([name for name in self.files() if name.startswith("audit-")]), 1)

    def test_a_new_store_in_the_place_of_the_old(self) -> None:
        self.assertEqual(self.kill_everywhere(create_over), {"old", "new"})

    def test_a_line_whose_write_never_committed_is_named_in_the_repair(self) -> None:
        trace = self.calls_of(lambda store: add(store, 60), False)
        self.kill(lambda store: add(store, 60), self.laid_anew(), trace.index("replace"), "before")
        last, repair, torn_write = Store(self.path).audit_lines()[:3]
        self.assertEqual((repair["operation"], repair["named"]), ("audit repair", {"uncommitted_lines": "9"}))
        self.assertEqual((torn_write["generation"], torn_write["committed"]), (8, False))
        self.assertEqual((last["generation"], last["committed"]), (8, True))

    def test_a_torn_last_line_is_cut_off_and_said(self) -> None:
        trace = self.calls_of(lambda store: add(store, 60), False)
        self.kill(lambda store: add(store, 60), self.laid_anew(), trace.index("writev"), "amid")
        repair = Store(self.path).audit_lines()[1]
        self.assertEqual((repair["operation"], list(repair["named"])), ("audit repair", ["torn_bytes"]))
        self.assertEqual(len(self.log_lines()), 10)


class KilledCreationTest(StoreCase):
    def create(self) -> Any:
        return Store(self.path).create(putting(1), entry("generate-config"))

    def test_a_creation_that_was_killed_leaves_a_whole_store_or_none(self) -> None:
        home = self.folder
        self.path = self.at("watched", "store.json")
        with Boundaries() as watched:
            self.create()
        for number in range(len(watched.trace)):
            self.folder = os.path.join(home, str(number))
            self.path = self.at("store.json")
            with self.subTest(number=number, name=watched.trace[number]):
                self.assertEqual(Child(lambda channel, number=number: dying(number, "before").__enter__() and self.create()).ended(), 9)
                if not os.path.exists(self.path):
                    self.create()
                self.assert_sound(Store(self.path))


class WrittenInOrderTest(StoreCase):
    """What a power cut may leave depends on the order of the syncs."""

    def order_of(self, deed: Deed) -> list[str]:
        """The calls that matter, each with the name of the file that it was done to."""
        store, found = self.made(), list[str]()
        add(store, 1)

        def at(number: int, name: str, go_on: Any, arguments: tuple[Any, ...]) -> Any:
            if name in ("write", "writev", "fsync", "ftruncate"):
                found.append(f"{name} {os.path.basename(os.readlink(f'/proc/self/fd/{arguments[0]}'))}")
            if name in ("replace", "rename"):
                found.append(f"{name} {os.path.basename(arguments[1])}")
            return go_on()

        with Boundaries(at):
            deed(store)
        return found

    def test_the_log_is_on_the_disk_before_the_document_and_the_folder_after_it(self) -> None:
        if not os.path.exists("/proc/self/fd"):
            self.skipTest("this system does not say which file a descriptor stands for")
        folder = os.path.basename(self.folder)
        log, document = ["writev audit.jsonl", "fsync audit.jsonl"], ["writev .store.json.tmp", "fsync .store.json.tmp"]
        self.assertEqual(self.order_of(lambda store: add(store, 2)), [*log, *document, "replace store.json", f"fsync {folder}"])

    def test_a_safety_backup_is_on_the_disk_before_anything_else(self) -> None:
        if not os.path.exists("/proc/self/fd"):
            self.skipTest("this system does not say which file a descriptor stands for")
        calls = self.order_of(lambda store: add(store, 2, backup=True))
        folder, (name,) = os.path.basename(self.folder), os.listdir(self.at("backups"))
        backup = ["writev .store.json.tmp", "fsync .store.json.tmp", f"replace {name}", "fsync backups"]
        self.assertEqual(calls[: calls.index("writev audit.jsonl")], [f"fsync {folder}", *backup])

    def test_a_refusal_costs_no_sync_and_writes_the_log_alone(self) -> None:
        if not os.path.exists("/proc/self/fd"):
            self.skipTest("this system does not say which file a descriptor stands for")
        self.assertEqual(self.order_of(lambda store: store.refuse(entry(), Forbidden("no"))), ["writev audit.jsonl"])
