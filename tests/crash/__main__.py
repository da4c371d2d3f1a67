"""``python3 -m tests.crash [--quick] [--seed N] [PART ...]``: proves what the store promises, the hard way.

Each part breaks something from outside (power, processes, system calls, files, bytes) and looks at what is left, then does the same
to a variant of the product that is broken on purpose, which it must catch. It prints its figures; the last line is
``N passed, N failed, N skipped``. ``--quick`` does a bounded share of each part. The seed of a run is printed, and makes it again.
"""

from __future__ import annotations

import importlib
import random
import signal
import sys
import time
import traceback

from tests.crash.report import Report, Scale

PARTS = ("power", "caches", "kills", "faults", "places", "histories", "tampering", "restores")


def main(words: list[str]) -> int:
    names, quick, seed = _asked(words)
    # Whatever ends it, what it mounted and started is cleared away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    print(f"seed {seed}, {'a bounded share' if quick else 'everything'}: {' '.join(names)}", flush=True)
    report = Report()
    for name in names:
        start = time.monotonic()
        report.part = name
        try:
            importlib.import_module(f"tests.crash.{name}").run(report, Scale(quick, seed))
        except Exception:
            report.check("the part ran to its end", False, traceback.format_exc())
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed or not report.passed else 0


def _asked(words: list[str]) -> tuple[tuple[str, ...], bool, int]:
    quick, seed, parts = False, random.randrange(1 << 30), []
    rest = iter(words)
    for word in rest:
        if word == "--quick":
            quick = True
        elif word == "--seed":
            seed = int(next(rest))
        elif word in PARTS:
            parts.append(word)
        else:
            raise SystemExit(f"{word} is no part; the parts are {', '.join(PARTS)}")
    return tuple(parts) or PARTS, quick, seed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
