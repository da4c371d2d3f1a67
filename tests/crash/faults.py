"""Failing system calls: each call of a commit on the store's files, made to fail in each way, or to be the last of the writer.

``strace`` lets one call of a write fail, on the command line and in a running server. What was said is compared with what is left; the
server answers reads all along, and takes writes again once the fault is gone.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from tests.crash.broken_faults import VARIANTS
from tests.crash.fault_cases import (
    FIRST_RESET,
    RESET,
    USER,
    Case,
    Found,
    Ground,
    Write,
    after_next_write,
    command_said,
    content,
    everything,
    failing,
    judge,
    places,
    refusal_of_next,
    rotating,
)
from tests.crash.lasting_faults import Lasted, while_it_lasts
from tests.crash.report import Report, Scale
from tests.crash.served_faults import in_a_server
from tests.crash.server import argv_of
from tests.crash.tracing import KILL, Call, Fault, Tracer, missing
from tests.support import DEADLINE, MEMORY, ROOT, environment

AT_ONCE = 2


def run(report: Report, scale: Scale) -> None:
    why = missing()
    if why:
        report.skip("failing system calls", why)
        return
    for write in (USER, FIRST_RESET) if scale.quick else (USER, FIRST_RESET, RESET):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            _tell(report, f"command line, {write.name}", on_command_line(Ground(folder, write), chosen(scale)))
    for write in (USER, RESET) if scale.quick else (USER, FIRST_RESET, RESET):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            _tell(report, f"server, {write.name}", in_a_server(Ground(folder, write), chosen(scale)))
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        ground = Ground(folder, USER)
        _tell_of_lasting(report, while_it_lasts(ground, scale.quick))
        for variant in VARIANTS:
            _broken(report, ground, variant, "command line", on_command_line)
            if not scale.quick:
                _broken(report, ground, variant, "server", in_a_server)


def chosen(scale: Scale) -> Callable[[list[Call]], Iterator[Case]]:
    return rotating if scale.quick else everything


def _tell(report: Report, name: str, found: list[Found]) -> None:
    said = Counter("killed" if each.said is None else "unknown" if each.said.unknown else each.state for each in found)
    report.figure(
        name,
        calls=len({each.case.split(",")[0] for each in found}),
        cases=len(found),
        old=said["old"],
        new=said["new"],
        unknown_and_said_so=said["unknown"],
        killed=said["killed"],
        torn=sum(each.state == "torn" for each in found),
        wrong=sum(bool(each.wrong) for each in found),
        second_syncs=sum(each.second_syncs for each in found),
        reads_beside=sum(each.reads for each in found),
    )
    wrong = [f"{each.case}: {'; '.join(each.wrong)}" for each in found if each.wrong]
    report.check(f"{name}: whichever call fails, what is said is what is left", bool(found) and not wrong, "\n".join(wrong[:40]))


def _tell_of_lasting(report: Report, lasted: list[Lasted]) -> None:
    refused, reads = sum(each.refused for each in lasted), sum(each.reads for each in lasted)
    wrong = [sentence for each in lasted for sentence in each.wrong]
    report.figure("a server under faults that last", faults=len(lasted), writes_refused=refused, reads_beside=reads, wrong=len(wrong))
    report.check("as long as a call fails, writes are refused and reads are not", bool(lasted) and not wrong, "\n".join(wrong[:40]))


def _broken(report: Report, ground: Ground, variant: str, surface: str, sweep: Callable[..., list[Found]]) -> None:
    names, words = VARIANTS[variant]
    found = sweep(ground, failing(names), f"broken_faults:{variant}")
    caught = [each for each in found if any(words in sentence for sentence in each.wrong)]
    report.check(f"{surface}: {variant} is caught", bool(caught), "\n".join(f"{each.case}: {each.wrong}" for each in found))


def on_command_line(ground: Ground, choose: Callable[[list[Call]], Iterator[Case]], variant: str = "") -> list[Found]:
    store = ground.lay()
    done, calls = _traced(store, ground.write, None, variant)
    assert done.returncode == 0, done.stderr
    ground.clear(store)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda case: _commanded(ground, case, variant), list(choose(calls))))


def _traced(store: str, write: Write, fault: Fault | None, variant: str) -> tuple[subprocess.CompletedProcess[bytes], list[Call]]:
    tracer = Tracer(os.path.dirname(os.path.dirname(store)), places(store), fault)
    argv = [*tracer.words[:1], "-qq", *tracer.words[1:], *argv_of(store, list(write.words), variant)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), cwd=ROOT, timeout=DEADLINE, check=False)
    return done, tracer.calls()


def _commanded(ground: Ground, case: Case, variant: str) -> Found:
    store = ground.lay()
    before = content(store)
    done, made = _traced(store, ground.write, case.fault, variant)
    said = None if case.fault.error == KILL else command_said(done.returncode, done.stderr)
    found = judge(str(case), store, before, ground.write, case.fault, said, made)
    if not case.was_hit(made):
        found.wrong.append(f"the fault did not hit the call that was meant: {[str(call) for call in made[-3:]]}, {done.stderr!r}")
    found.wrong.extend(after_next_write(store, refusal_of_next(store, ground.write, variant)))
    ground.clear(store)
    return found
