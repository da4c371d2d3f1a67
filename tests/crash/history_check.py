"""Is a history of many clients at once one order of its operations, the order of the generations, and is nothing lost of it?

The writes are replayed on a model in the order of their generations; on the way each read is compared with the state of the generation
that it was answered at, and each refusal with the states of the moments in which it can have been refused.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from tests.crash.model import Model
from tests.crash.model_state import Impossible, Record, Refused, Tables

FRESH = 10_000_000  # nanoseconds until a change by another process must be seen
ENOUGH = 20
WRITE, RECORD, READ = "write", "record", "read"
_KINDS = (WRITE, RECORD, READ)
_WRITE, _, _READ = range(3)
_REFUSALS = ("", "not_found", "conflict", "precondition_failed")
_NEVER = 1 << 62
_SHORT = 400
_SOME_TIME = "2026-01-02T03:04:05.000006+00:00"


class Event(NamedTuple):
    """One acknowledged operation. ``begin`` and ``end`` are nanoseconds of the monotonic clock. ``process`` is the one that did it.
    ``kind`` is write, read, or record for what leaves the document as it is but stands in the audit. ``code`` is the error's, empty
    for a success. ``generation`` is the one that a read or a record says it was answered at, else -1. ``result`` is what was
    answered, of a read or a record as ``shown``. ``made`` are ids made anew that are not in the result."""

    id: str
    process: str
    begin: int
    end: int
    kind: str
    operation: str
    values: Record
    if_match: str | None = None
    code: str = ""
    generation: int = -1
    result: Any = None
    made: tuple[str, ...] = ()

    def __str__(self) -> str:
        tag = f" If-Match {self.if_match}" if self.if_match else ""
        at = f" at generation {self.generation}" if self.generation >= 0 else ""
        return f"{self.id} of {self.process}: {self.operation} {self.values}{tag} -> {self.code or 'ok'}{at}"


class History(NamedTuple):
    """``first`` and ``last`` are the tables of the document before and after, at the generations ``since`` and ``until``; ``lines``
    are the audit's in between, the oldest first, and ``audit`` is what its verification said."""

    first: Tables
    last: Tables
    since: int
    until: int
    events: Sequence[Event]
    lines: Iterable[Record]
    audit: Record


def shown(value: Any) -> str:
    """The value as text, the same for the same value; of a long one the digest."""
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= _SHORT else "#" + blake2b(text.encode(), digest_size=12).hexdigest()


class Counts:
    """The figures of a history."""

    def __init__(self) -> None:
        self.operations = self.writes = self.refusals = self.reads = self.backups = self.restores = self.resets = 0
        self.if_match_wins = self.if_match_losses = self.refusals_with_a_line = 0
        self.most_at_once = 0


class Checker:
    """``problems`` stays empty where the history is right; it is not gone on with after some."""

    def __init__(self, history: History) -> None:
        self.problems: list[str] = []
        self.counts = Counts()
        self._history = history
        self._events = history.events
        count = len(history.events)
        self._generation = array("q", [-1]) * count  # that a write made, a read or record was answered at
        self._place = array("q", [-1]) * count  # the generation that stood when a refusal's line was written
        self._lowest = array("q", [-1]) * count
        self._highest = array("q", [-1]) * count
        self._times: dict[int, str] = {}
        self._writers: dict[int, int] = {}

    def run(self) -> list[str]:
        for step in (self._read_events, self._read_lines, self._require_lines, self._bound, self._replay):
            step()
            if len(self.problems) >= ENOUGH:
                break
        return self.problems

    def say(self, problem: str) -> None:
        if len(self.problems) < ENOUGH:
            self.problems.append(problem)

    def _read_events(self) -> None:
        self._index: dict[str, int] = {}
        self._begin, self._end, self._kind, self._code = array("q"), array("q"), array("b"), array("b")
        self._process: list[str] = []
        for number, event in enumerate(self._events):
            if event.id in self._index:
                self.say(f"{event} has the id of another one")
            self._index[event.id] = number
            self._begin.append(event.begin)
            self._end.append(event.end)
            self._process.append(sys.intern(event.process))
            self._kind.append(_KINDS.index(event.kind))
            self._code.append(_REFUSALS.index(event.code) if event.code in _REFUSALS else -1)
            if event.code not in _REFUSALS:
                self.say(f"{event}: nothing should be refused like that")
            if event.generation >= 0:
                self._generation[number] = event.generation
            self._count(event)
        starts, ends = sorted(self._begin), sorted(self._end)
        self.counts.most_at_once = max((number - bisect_left(ends, start) + 1 for number, start in enumerate(starts)), default=0)

    def _count(self, event: Event) -> None:
        counts = self.counts
        counts.operations += 1
        counts.refusals += event.code != ""
        counts.reads += event.kind == READ and not event.code
        counts.writes += event.kind == WRITE and not event.code
        counts.backups += event.kind == RECORD and not event.code
        counts.restores += event.operation == "system restore" and not event.code
        counts.resets += event.operation == "system reset" and not event.code
        counts.if_match_losses += event.code == "precondition_failed"
        counts.if_match_wins += event.if_match is not None and not event.code

    def _read_lines(self) -> None:
        """Every line with result ok is one write's, and their generations go on by one."""
        if not self._history.audit.get("valid") or self._history.audit.get("problem"):
            self.say(f"the audit does not verify: {self._history.audit}")
        at = self._history.since
        for line in self._history.lines:
            number = self._index.get(line["request_id"], -1)
            if number < 0:
                self.say(f"nobody asked for what this line tells: {line}")
            elif line["result"] == "ok":
                at = self._read_success(number, line, at)
            else:
                self._place[number] = at
                self.counts.refusals_with_a_line += 1
                self._require(number, _REFUSALS[self._code[number]] == line["result"], f"its line says {line['result']}")
        if at != self._history.until:
            self.say(f"the last line with a generation has {at}, the document has {self._history.until}")

    def _read_success(self, number: int, line: Record, at: int) -> int:
        """The generation that stands after the line, where it was ``at`` before."""
        self._require(number, self._kind[number] != _READ and self._code[number] == 0, f"and yet it has this line: {line}")
        self._require(number, self._place[number] < 0, "it has two lines")
        self._times[number] = line["time"]
        if line["generation"] is not None:
            at += 1
            self._require(number, line["generation"] == at, f"its generation is {line['generation']}, {at} comes next")
            self._generation[number] = at = line["generation"]
            self._writers[at] = number
        self._place[number] = at
        return at

    def _require(self, number: int, holds: bool, problem: str) -> None:
        if not holds:
            self.say(f"{self._events[number]}: {problem}")

    def _require_lines(self) -> None:
        for number, kind in enumerate(self._kind):
            if self._code[number] == 0 and kind != _READ:
                self._require(number, self._place[number] >= 0, "it was acknowledged and has no line")
                exact = self._generation[number]
                self._require(number, exact == self._place[number], f"its line says generation {exact} at {self._place[number]}")

    def _bound(self) -> None:
        """Between which generations each operation can have been answered, by the clock alone, or at which by what is known of it.

        Known before it began is what was acknowledged by then: for a read by another process ``FRESH`` earlier.
        """
        everywhere = Newest((self._end[number], self._generation[number]) for number in self._known())
        begun = Oldest((self._begin[number], generation) for generation, number in self._writers.items())
        own = {process: Newest(pairs) for process, pairs in self._by_process().items()}
        nothing = Newest(())
        for number, kind in enumerate(self._kind):
            begin = self._begin[number]
            lowest = max(self._history.since, everywhere.before(begin - FRESH if kind == _READ else begin))
            if kind == _READ:
                lowest = max(lowest, own.get(self._process[number], nothing).before(begin))
            lowest += self._is_done_write(number)
            highest = min(begun.since(self._end[number]) - 1, self._history.until)
            exact = max(self._generation[number], self._place[number])
            if not lowest <= (lowest if exact < 0 else exact) <= highest:
                found = f"generation {exact}" if exact >= 0 else "it was acknowledged"
                self.say(f"{self._events[number]}: {found}, when {lowest} was known before it began and {highest} had begun when it ended")
            self._lowest[number], self._highest[number] = (lowest, highest) if exact < 0 else (exact, exact)

    def _known(self) -> Iterable[int]:
        return (number for number, generation in enumerate(self._generation) if generation >= 0)

    def _by_process(self) -> dict[str, list[tuple[int, int]]]:
        pairs: dict[str, list[tuple[int, int]]] = {}
        for number in self._known():
            pairs.setdefault(self._process[number], []).append((self._end[number], self._generation[number]))
        return pairs

    def _replay(self) -> None:
        model, history = Model(self._history.first), self._history
        waiting = iter(sorted(self._observations(), key=self._lowest.__getitem__))
        upcoming = next(waiting, -1)
        under_way: list[tuple[int, Event]] = []
        for generation in range(history.since, history.until + 1):
            if generation > history.since:
                self._write(model, generation)
            while upcoming >= 0 and self._lowest[upcoming] <= generation:
                under_way.append((upcoming, self._events[upcoming]))
                upcoming = next(waiting, -1)
            if under_way:
                under_way = [each for each in under_way if not self._agrees(model, *each, generation)]
            if len(self.problems) >= ENOUGH:
                return
        for table in model.tables:
            if model.tables[table] != history.last.get(table, {}):
                self.say(f"{table} at the end: {differences(model.tables[table], history.last.get(table, {}))}")

    def _is_done_write(self, number: int) -> bool:
        return self._kind[number] == _WRITE and self._code[number] == 0

    def _observations(self) -> Iterable[int]:
        return (number for number in range(len(self._kind)) if not self._is_done_write(number) and self._code[number] >= 0)

    def _write(self, model: Model, generation: int) -> None:
        number = self._writers.get(generation)
        if number is None:
            return
        event = self._events[number]
        if event.if_match is not None and not matches(event.if_match, generation - 1):
            self.say(f"{event}: it made generation {generation}")
        answer = {**(event.result or {}), "made": event.made}
        try:
            result, edits = model.run(event.operation, event.values, self._times[number], answer)
        except (Refused, Impossible) as error:
            self.say(f"{event}, generation {generation}: the model says {error}")
            return
        if result != event.result:
            self.say(f"{event}, generation {generation}: {event.result} was answered, {result} is right")
        model.change(edits)

    def _agrees(self, model: Model, number: int, event: Event, generation: int) -> bool:
        """Is this state the one that the operation saw? After the last one that it can have seen, that is said to be wrong."""
        right = self._right(model, event, number, generation)
        if right == (event.code or event.result):
            if event.kind == RECORD:
                model.keep_backup(event.id)
            return True
        if generation < self._highest[number]:
            return False
        span = f"{self._lowest[number]} to {self._highest[number]}"
        self.say(f"{event}: {event.result if not event.code else event.code} was answered; of {span} the last one gives {right}")
        return True

    def _right(self, model: Model, event: Event, number: int, generation: int) -> str:
        """The code of the refusal, or the result as ``shown``."""
        try:
            result, _ = model.run(event.operation, event.values, self._times.get(number, _SOME_TIME), None, generation)
        except Refused as refused:
            return refused.code
        if event.if_match is not None and not matches(event.if_match, generation):
            return "precondition_failed"
        return "a success" if event.kind == WRITE else shown(result)


class Newest:
    """The highest generation among the pairs (moment, generation) before a moment."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._moments, self._highest = array("q"), array("q", [-1])
        for moment, generation in sorted(pairs):
            self._moments.append(moment)
            self._highest.append(max(generation, self._highest[-1]))

    def before(self, moment: int) -> int:
        return self._highest[bisect_left(self._moments, moment)]


class Oldest:
    """The lowest generation among the pairs (moment, generation) from a moment on."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._moments, self._lowest = array("q"), array("q", [_NEVER])
        for moment, generation in sorted(pairs, reverse=True):
            self._moments.append(moment)
            self._lowest.append(min(generation, self._lowest[-1]))
        self._moments.reverse()
        self._lowest.reverse()

    def since(self, moment: int) -> int:
        return self._lowest[bisect_left(self._moments, moment)]


def matches(if_match: str, generation: int) -> bool:
    return if_match == "*" or f'"{generation}"' in if_match.split(", ")


def differences(right: dict[str, Any], found: dict[str, Any]) -> list[str]:
    keys = [key for key in right.keys() | found.keys() if right.get(key) != found.get(key)]
    return [f"{key} is {found.get(key)}, {right.get(key)} is right" for key in sorted(keys)[:5]]
