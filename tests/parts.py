"""What the rooms of heavy proofs share: their command line, which runs parts one after the other.

Each part is a module of the room with ``run(report, scale)``. It prints its figures; the last line is ``N passed, N failed,
N skipped``. ``--quick`` does a bounded share of each part. The seed of a run is printed, and makes it again.
"""

from __future__ import annotations

import importlib
import random
import signal
import sys
import time
import traceback

from tests.crash.report import Report, Scale


def main(room: str, parts: tuple[str, ...], words: list[str], report: Report | None = None) -> int:
    """``room`` is a package's dotted name; ``words`` are those of ``[--quick] [--seed N] [PART ...]``."""
    names, quick, seed = _asked(parts, words)
    # Whatever ends it, what it mounted and started is cleared away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    print(f"seed {seed}, {'a bounded share' if quick else 'everything'}: {' '.join(names)}", flush=True)
    report = report or Report()
    for name in names:
        start = time.monotonic()
        report.part = name
        try:
            importlib.import_module(f"{room}.{name}").run(report, Scale(quick, seed))
        except Exception:
            report.check("the part ran to its end", False, traceback.format_exc())
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    report.conclude()
    return 1 if report.failed or not report.passed else 0


def _asked(parts: tuple[str, ...], words: list[str]) -> tuple[tuple[str, ...], bool, int]:
    quick, seed, asked = False, random.randrange(1 << 30), []
    rest = iter(words)
    for word in rest:
        if word == "--quick":
            quick = True
        elif word == "--seed":
            seed = int(next(rest))
        elif word in parts:
            asked.append(word)
        else:
            raise SystemExit(f"{word} is no part; the parts are {', '.join(parts)}")
    return tuple(asked) or parts, quick, seed
