"""Failing system calls that go on failing: every write is refused with the reason, reads go on, then all is well again."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tests.crash.fault_cases import Ground, after_next_write, answer_said, content, places
from tests.crash.served_faults import AT_ONCE, Served
from tests.crash.tracing import FAULTS, KILL, Attached, Call, Fault, Tracer

# The beginning of the call's name, which differs between machines, and what it must be about; nothing where it may be about anything.
_KINDS = (
    ("fsync", ""),
    ("fsync", "of the folder"),
    ("write", ""),
    ("rename", ""),
    ("flock", ""),
    ("open", "of the audit"),
    ("newfstatat", "of the lock"),
)
_WRITES = 3
_AT_ONCE_SECONDS = 5.0


class Lasted(NamedTuple):
    """How many writes were refused, how many reads answered, and what was wrong."""

    refused: int
    reads: int
    wrong: list[str]


def while_it_lasts(ground: Ground, quick: bool) -> list[Lasted]:
    served = Served(ground)
    calls = served.write(None).calls
    served.close()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: _lasting(ground, *each), list(_chosen(calls, quick))))


def _chosen(calls: list[Call], quick: bool) -> Iterator[tuple[Fault, str]]:
    errors = [error for error in FAULTS if error != KILL]
    for number, (start, place) in enumerate(_KINDS):
        name = next(call.name for call in calls if call.name.startswith(start) and place in call.place)
        for error in errors[number % len(errors) :][:1] if quick else errors:
            yield Fault(name, error, 0), place


def _lasting(ground: Ground, fault: Fault, place: str) -> Lasted:
    """The server has not written before: it opens everything while the fault lasts."""
    served = Served(ground)
    folder = os.path.dirname(os.path.dirname(served.store))
    watched = {path: each for path, each in places(served.store).items() if place in each}
    tracer, wrong, reads = Tracer(folder, watched, fault), list[str](), 0
    with Attached(served.server.process.pid, tracer):
        for number in range(_WRITES):
            reads += _refused(served, fault, f"lasting{number}@example.com", wrong)
    met = sum(call.injected for call in tracer.others(0))
    if met < _WRITES:
        wrong.append(f"only {met} calls failed")
    wrong += after_next_write(served.store, served.next_refusal()) + served.close()
    return Lasted(_WRITES, reads, [f"{fault.name} {place} fails with {fault.error} each time: {each}" for each in wrong])


def _refused(served: Served, fault: Fault, email: str, wrong: list[str]) -> int:
    """A write beside reads, whose count this gives."""
    before, start, reads = content(served.store), time.monotonic(), 0
    writer = served.server.client(served.ground.key)
    writer.ask("POST", "/users", {"email": email})
    while not reads or not writer.is_answered():
        reads += 1
        answer = served.read()
        if answer.status != 200:
            wrong.append(f"a read was answered {answer.status} {answer.body}")
    said = answer_said(writer.answer())
    writer.close()
    if time.monotonic() - start > _AT_ONCE_SECONDS:
        wrong.append(f"it took {time.monotonic() - start:.1f} s to refuse a write")
    if (said.code, said.error) != (503, "unavailable") or os.strerror(getattr(errno, fault.error)) not in said.detail:
        wrong.append(f"a write was answered {said.code} {said.all}")
    if said.unknown != (content(served.store) != before):
        wrong.append(f"said {said.all}, but the document shows otherwise")
    return reads
