"""Random histories on all surfaces at once are one order of their operations, and the checker that says so finds what is not."""

from __future__ import annotations

import random
import tempfile
import unittest
from typing import Any

from tests.crash.clients import ROWS
from tests.crash.histories import VARIANTS, Plan, caught, play
from tests.crash.history_check import READ, RECORD, WRITE, Checker, Event, History, shown
from tests.crash.model import Model
from tests.crash.model_state import Record, Tables
from tests.crash.moves import EVERY_KIND
from tests.support import MEMORY

MS = 1_000_000
TIME = "2026-01-02T03:04:05.000006+00:00"
IN_MEMORY = Plan(2, 4, 1_000, 4, 350, 40, 4, 140, whole=0.005)
ON_A_DISK = Plan(2, 4, 100, 4, 35, 10, 4, 140, whole=0.03)


class RandomHistories(unittest.TestCase):
    def setUp(self) -> None:
        self.seed = str(random.randrange(1 << 30))

    def test_ten_thousand_operations_on_all_surfaces_are_one_order_and_nothing_is_lost(self) -> None:
        plan = IN_MEMORY if MEMORY else ON_A_DISK
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            played = play(folder, plan, self.seed)
            checker = Checker(played.history)
            self.assertEqual(checker.run(), [], f"seed {self.seed}")
        self.assertEqual(len(played.history.events), plan.operations)
        counts = checker.counts
        self.assertGreater(min(counts.writes, counts.refusals, counts.reads, counts.if_match_wins, counts.if_match_losses), 0, vars(counts))

    def test_each_variant_that_is_broken_on_purpose_is_caught(self) -> None:
        for variant in VARIANTS:
            with self.subTest(variant=variant):
                self.assertTrue(caught(variant, 60, self.seed)[1], f"seed {self.seed}")

    def test_the_model_knows_every_move(self) -> None:
        for name in EVERY_KIND:
            self.assertIn(name, ROWS)
            self.assertTrue(callable(getattr(Model, "_" + name.replace(" ", "_").replace("-", "_"))), name)


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class Tiny:
    """A history made by hand, of a store that begins empty at generation 1. Moments are milliseconds."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lines: list[Record] = []
        self.last: Tables = {"users": {}}
        self.until = 1
        self.audit: Record = {"valid": True, "problem": None}

    def event(self, begin: float, end: float, kind: str, operation: str, values: Record, process: str = "p", **more: Any) -> str:
        name = f"e{len(self.events)}"
        self.events.append(Event(name, process, int(begin * MS), int(end * MS), kind, operation, values, **more))
        return name

    def line(self, name: str, generation: int | None, result: str = "ok") -> None:
        self.lines.append({"request_id": name, "result": result, "generation": generation, "time": TIME})

    def create(self, begin: float, end: float, number: int, generation: int = 0, **more: Any) -> str:
        """A user, with its record in the last document."""
        email = f"u{number}@example.com"
        result = {"user_id": id_of(number), "email": email}
        self.last["users"][id_of(number)] = {"email": email, "created_at": TIME}
        return self.wrote(begin, end, "user create", {"email": email}, result, generation, **more)

    def wrote(self, begin: float, end: float, operation: str, values: Record, result: Any, generation: int = 0, **more: Any) -> str:
        """With its line; at the next generation where none is given."""
        name = self.event(begin, end, WRITE, operation, values, result=result, **more)
        self.until = generation or self.until + 1
        self.line(name, self.until)
        return name

    def read(self, begin: float, end: float, generation: int, *users: int, **more: Any) -> str:
        """A list of all users, by their numbers."""
        rows: list[Record] = [{"user_id": id_of(number), "email": f"u{number}@example.com", "created_at": TIME} for number in users]
        result = shown([{**row, "projects": [], "api_keys": 0} for row in rows])
        return self.event(begin, end, READ, "user list", {}, generation=generation, result=result, **more)

    def refused(self, begin: float, end: float, number: int, code: str, **more: Any) -> str:
        return self.event(begin, end, WRITE, "user create", {"email": f"u{number}@example.com"}, code=code, **more)

    def problems(self) -> list[str]:
        return Checker(History({}, self.last, 1, self.until, self.events, self.lines, self.audit)).run()


class TheChecker(unittest.TestCase):
    def setUp(self) -> None:
        self.tiny = Tiny()

    def assert_right(self) -> None:
        self.assertEqual(self.tiny.problems(), [])

    def assert_wrong(self, part: str) -> None:
        problems = self.tiny.problems()
        self.assertTrue(any(part in each for each in problems), problems)


class Writes(TheChecker):
    def test_writes_under_way_together_may_stand_in_either_order(self) -> None:
        self.tiny.create(5, 20, 1)
        self.tiny.create(0, 10, 2)
        self.assert_right()

    def test_what_was_acknowledged_before_another_began_comes_first(self) -> None:
        self.tiny.create(5, 20, 1)
        self.tiny.create(0, 4, 2)
        self.assert_wrong("generation 2, when 4 was known before it began")

    def test_a_write_without_a_line_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.lines.clear()
        self.tiny.until = 1
        self.assert_wrong("it was acknowledged and has no line")

    def test_a_write_with_two_lines_is_found(self) -> None:
        self.tiny.line(self.tiny.create(0, 1, 1), 3)
        self.tiny.until = 3
        self.assert_wrong("it has two lines")

    def test_a_generation_given_twice_or_left_out_is_found(self) -> None:
        for second in (2, 4):
            with self.subTest(second=second):
                self.setUp()
                self.tiny.create(0, 1, 1)
                self.tiny.create(0, 1, 2, generation=second)
                self.assert_wrong(f"its generation is {second}, 3 comes next")

    def test_a_document_that_is_behind_its_lines_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.until = 1
        self.assert_wrong("the last line with a generation has 2, the document has 1")

    def test_a_line_that_nobody_asked_for_is_found(self) -> None:
        self.tiny.line("e9", 2)
        self.tiny.until = 2
        self.assert_wrong("nobody asked for what this line tells")

    def test_a_write_that_the_last_document_does_not_hold_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.last["users"] = {}
        self.assert_wrong("users at the end")

    def test_a_wrong_answer_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.last["users"] = {}
        values, result = {"user_identifier": "U1@example.com", "force": True}, {"api_keys_deleted": 1, "projects_left": 0}
        self.tiny.wrote(2, 3, "user delete", values, result)
        self.assert_wrong("{'api_keys_deleted': 0, 'projects_left': 0} is right")

    def test_a_success_that_must_have_been_refused_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        email = {"email": "U1@example.com"}
        self.tiny.wrote(2, 3, "user create", email, {"user_id": id_of(2), **email})
        self.assert_wrong("the model says conflict")

    def test_an_id_that_is_given_twice_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        email = {"email": "u2@example.com"}
        self.tiny.wrote(2, 3, "user create", email, {"user_id": id_of(1), **email})
        self.assert_wrong("was given before")

    def test_an_audit_that_does_not_verify_is_found(self) -> None:
        self.tiny.audit = {"valid": False, "problem": "it is gone"}
        self.assert_wrong("the audit does not verify")

    def test_a_fault_of_the_product_is_found(self) -> None:
        self.tiny.refused(0, 1, 1, "unavailable")
        self.assert_wrong("nothing should be refused like that")


class Reads(TheChecker):
    def test_a_read_of_another_process_may_be_ten_milliseconds_late_and_no_more(self) -> None:
        for begin, right in ((10.9, True), (11.1, False)):
            with self.subTest(begin=begin):
                self.setUp()
                self.tiny.create(0, 1, 1)
                self.tiny.read(begin, 12, 1, process="q")
                self.assertEqual(self.tiny.problems() == [], right, self.tiny.problems())

    def test_a_read_of_the_same_process_is_not_late_at_all(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.read(1.1, 2, 1)
        self.assert_wrong("generation 1, when 2 was known before it began")

    def test_reads_of_a_process_do_not_go_back(self) -> None:
        self.tiny.create(0, 20, 1)
        self.tiny.read(1, 2, 2, 1, process="q")
        self.tiny.read(3, 4, 1, process="q")
        self.assert_wrong("generation 1, when 2 was known before it began")

    def test_what_one_process_has_read_another_sees_in_time_too(self) -> None:
        self.tiny.create(0, 40, 1)
        self.tiny.read(1, 2, 2, 1, process="q")
        self.tiny.read(20, 21, 1, process="r")
        self.assert_wrong("generation 1, when 2 was known before it began")

    def test_a_read_does_not_see_what_begins_later(self) -> None:
        self.tiny.create(5, 6, 1)
        self.tiny.read(0, 4, 2, 1, process="q")
        self.assert_wrong("1 had begun when it ended")

    def test_a_read_shows_exactly_its_generation(self) -> None:
        for users, right in (((1,), True), ((1, 2), False), ((), False)):
            with self.subTest(users=users):
                self.setUp()
                self.tiny.create(0, 30, 1)
                self.tiny.create(0, 30, 2)
                self.tiny.read(1, 2, 2, *users, process="q")
                self.assertEqual(self.tiny.problems() == [], right, self.tiny.problems())

    def test_a_read_that_says_no_generation_shows_one_of_those_that_it_may_have_seen(self) -> None:
        for users, right in (((1,), True), ((1, 2), True), ((2,), False), ((), False)):
            with self.subTest(users=users):
                self.setUp()
                self.tiny.create(0, 1, 1)
                self.tiny.create(20, 30, 2)
                self.tiny.read(21, 25, -1, *users, process="q")
                self.assertEqual(self.tiny.problems() == [], right, self.tiny.problems())

    def test_what_is_not_found_was_not_there(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.event(2, 3, READ, "user get", {"user_identifier": "u1@example.com"}, code="not_found", generation=2)
        self.assert_wrong("not_found was answered; of 2 to 2 the last one gives")


class Refusals(TheChecker):
    def test_a_refusal_is_right_where_one_moment_of_it_gives_it(self) -> None:
        self.tiny.create(0, 10, 1)
        self.tiny.refused(5, 6, 1, "conflict")
        self.assert_right()

    def test_a_refusal_that_no_moment_of_it_gives_is_found(self) -> None:
        for begin, code in ((12, "not_found"), (12, "precondition_failed"), (-5, "conflict")):
            with self.subTest(code=code):
                self.setUp()
                self.tiny.create(0, 10, 1)
                self.tiny.refused(begin, begin + 1, 1, code)
                self.assert_wrong(f"{code} was answered")

    def test_a_refusal_with_a_line_is_judged_where_its_line_stands(self) -> None:
        self.tiny.line(self.tiny.refused(5, 6, 1, "conflict"), None, "conflict")
        self.tiny.create(0, 10, 1)
        self.assert_wrong("conflict was answered; of 1 to 1")

    def test_a_refusal_that_changed_something_is_found(self) -> None:
        self.tiny.line(self.tiny.refused(5, 6, 1, "conflict"), 2)
        self.tiny.until = 2
        self.assert_wrong("and yet it has this line")

    def test_a_line_that_tells_of_another_refusal_is_found(self) -> None:
        self.tiny.line(self.tiny.refused(5, 6, 1, "conflict"), None, "not_found")
        self.assert_wrong("its line says not_found")

    def test_of_two_writes_with_one_if_match_the_second_is_found(self) -> None:
        self.tiny.create(0, 10, 1, if_match='"1"')
        self.tiny.create(0, 10, 2, if_match='"1"')
        self.assert_wrong("it made generation 3")

    def test_a_list_of_generations_may_match_any_of_them(self) -> None:
        self.tiny.create(0, 10, 1, if_match='"1"')
        self.tiny.create(0, 10, 2, if_match='"1", "2"')
        self.tiny.create(0, 10, 3, if_match="*")
        self.assert_right()

    def test_a_failed_precondition_that_held_all_the_time_is_found(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.refused(5, 6, 2, "precondition_failed", if_match='"2"')
        self.assert_wrong("precondition_failed was answered; of 2 to 2 the last one gives a success")

    def test_what_the_rule_refuses_comes_before_the_precondition(self) -> None:
        self.tiny.create(0, 1, 1)
        self.tiny.refused(5, 6, 1, "precondition_failed", if_match='"1"')
        self.assert_wrong("the last one gives conflict")


class Backups(TheChecker):
    def backed_up(self, generation: int, *users: int) -> None:
        """Three writes, the second of which is undone by a restore of what is backed up in between."""
        self.tiny.create(0, 1, 1)
        records = {id_of(number): {"email": f"u{number}@example.com", "created_at": TIME} for number in users}
        head = {"kind": "secure-mcp-gateway/backup", "version": 1, "format": 1, "created_at": TIME, "generation": generation}
        tables: Record = {name: {} for name in ("admin_keys", "mcp_configs", "projects", "members", "apikeys", "settings")}
        result = shown({**head, **tables, "users": records})
        backup = self.tiny.event(2, 3, RECORD, "system backup", {}, generation=generation, result=result)
        self.tiny.line(backup, None)
        self.tiny.create(4, 5, 2)
        counts: Record = {"projects": 0, "users": 1, "configs": 0, "api_keys": 0, "warnings": []}
        safe = "/s/backups/store-20260102T030405.000000000Z-system-restore.json"
        self.tiny.wrote(6, 7, "system restore", {"backup": backup}, {**counts, "safety_backup": safe})
        self.tiny.last["users"].pop(id_of(2))
        self.tiny.read(8, 9, 4, 1)

    def test_a_restore_brings_back_what_was_backed_up(self) -> None:
        self.backed_up(2, 1)
        self.assert_right()

    def test_a_backup_that_holds_less_is_found(self) -> None:
        self.backed_up(2)
        self.assert_wrong("system backup {} -> ok at generation 2")

    def test_a_backup_that_stands_elsewhere_in_the_log_is_found(self) -> None:
        self.backed_up(1)
        self.assert_wrong("its line says generation 1 at 2")
