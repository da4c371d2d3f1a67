"""Two processes on one listening socket, beside one."""

from __future__ import annotations

import os

from tests.bench.figures import ms, rate
from tests.bench.reads import driver, loaded, tell
from tests.bench.rows import Rows, at_least, at_most
from tests.bench.servers import ours
from tests.bench.stores import store_of
from tests.crash.report import Scale
from tests.support import process

_ROW = "--workers 2, beside one worker"
_SLOWEST = "p99 with --workers 2, beside one worker"


def run(report: Rows, scale: Scale) -> None:
    missing = _why_not()
    if missing:
        report.skip(_ROW, missing)
        report.skip(_SLOWEST, missing)
        return
    drive_at = driver(report, scale)
    with store_of(10) as store, ours(store) as single, ours(store, "--workers=2") as double:
        one, two = loaded(scale, (single, drive_at), (double, drive_at))
    tell(report, "one worker", one)
    tell(report, "two workers", two)
    report.row(_ROW, rate(two.rate), rate(one.rate), two.rate / one.rate, at_least(1.2))
    report.row(_SLOWEST, ms(two.p99), ms(one.p99), two.p99 / one.p99, at_most(1.0))


def _why_not() -> str:
    if "--workers" not in process("system", "start-api", "--help").out:
        return "system start-api knows no --workers"
    return "" if (os.cpu_count() or 1) >= 2 else "this machine has one processor"
