"""The judge of what cuts and kills leave finds each kind of loss, and nothing in a store that is whole."""

from __future__ import annotations

import os
import shutil
from typing import Any

from secure_mcp_gateway.store.document import digest_of
from tests.crash.deeds import COMMAND_LINE, Deed, Ledger
from tests.crash.expected import State
from tests.crash.judge import Verdict, judge, temporary_files
from tests.crash.writers import DONE, REFUSED, Writer, words_of
from tests.support import StoreCase


class JudgeTest(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.ledger = Ledger()
        self.writer = Writer("w", COMMAND_LINE, self.do, self.ledger, self.path("s"), "seed")

    def do(self, deed: Deed) -> tuple[str, Any]:
        ran = self.run_json(*words_of(deed, self.store))
        return (DONE, ran.data) if ran.code == 0 else (REFUSED, ran.err)

    def go_on(self, count: int) -> None:
        for _ in range(count):
            self.assertEqual(self.writer.step(), DONE, self.ledger.refused)

    def judged(self) -> Verdict:
        return judge(self.store, *self.ledger.so_far(), State.first(self.keys))

    def edit(self, old: str, new: str) -> None:
        with open(self.store, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(self.store, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def test_a_store_that_holds_what_was_acknowledged_is_whole(self) -> None:
        self.go_on(80)
        operations = {deed.operation for deed in self.ledger.so_far()[0]}
        self.assertGreater(len(operations), 10)
        self.assertTrue(self.judged(), self.judged())

    def test_a_write_that_nobody_was_told_of_may_be_there_or_not(self) -> None:
        self.go_on(10)
        for done in (True, False):
            deed = Deed(f"u{done}", COMMAND_LINE, "user create", {"email": f"{done}@example.com"})
            self.ledger.ask(deed)
            if done:
                self.do(deed)
        self.assertTrue(self.judged(), self.judged())

    def test_the_document_of_before_the_last_write_has_lost_it(self) -> None:
        self.go_on(10)
        shutil.copy(self.store, self.path("before"))
        deed = Deed("last", COMMAND_LINE, "user create", {"email": "last@example.com"})
        self.ledger.ask(deed)
        self.ledger.acknowledge(deed, self.do(deed)[1])
        self.assertTrue(self.judged(), self.judged())
        os.replace(self.path("before"), self.store)
        self.assertEqual((len(self.judged().lost), self.judged().missing), (1, []))

    def test_what_was_acknowledged_and_never_done_has_no_line(self) -> None:
        self.go_on(10)
        deed = Deed("never", COMMAND_LINE, "user create", {"email": "never@example.com"})
        self.ledger.ask(deed)
        self.ledger.acknowledge(deed, {})
        self.assertEqual(self.judged().missing, [str(deed)])

    def test_a_record_that_is_not_as_it_was_asked_for_is_lost(self) -> None:
        self.go_on(10)
        self.edit("default@example.com", "changed@example.com")
        self.assertEqual(self.judged().lost, ["users: changed@example.com", "users: default@example.com"])

    def test_a_secret_that_was_told_and_opens_nothing_is_lost(self) -> None:
        self.edit(digest_of(self.keys["api_key"]), "0" * 64)
        self.assertEqual(self.judged().lost, ["users: default@example.com"])

    def test_a_write_that_nobody_asked_for_is_wrong(self) -> None:
        self.done("user", "create", "--email=nobody@example.com")
        self.assertIn("nobody asked for", str(self.judged()))

    def test_an_acknowledged_backup_must_be_there_and_hold_what_the_store_held(self) -> None:
        self.go_on(5)
        path = self.path("s", "files", "b.json")
        deed = Deed("b", COMMAND_LINE, "system backup", {"output_file": path})
        self.ledger.ask(deed)
        self.ledger.acknowledge(deed, self.do(deed)[1])
        self.go_on(5)
        self.assertTrue(self.judged(), self.judged())
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("default@example.com", "changed@example.com"))
        self.assertIn("backup b.json: users: changed@example.com", self.judged().wrong)
        os.truncate(path, 100)
        self.assertEqual(len(self.judged().lost), 1)

    def test_a_document_that_cannot_be_read_is_torn(self) -> None:
        os.truncate(self.store, 0)
        self.assertEqual(len(self.judged().torn), 1)

    def test_a_torn_safety_backup_is_torn_too_and_a_temporary_one_is_found(self) -> None:
        self.done("system", "reset", "--confirm")
        (name,) = os.listdir(self.path("s", "backups"))
        os.truncate(self.path("s", "backups", name), 100)
        self.assertEqual(len(self.judged().torn), 1)
        self.assertEqual(temporary_files(self.store), [])
        os.rename(self.path("s", "backups", name), self.path("s", "backups", ".store.json.tmp"))
        self.assertEqual(temporary_files(self.store), [self.path("s", "backups", ".store.json.tmp")])
