"""``python3 -m tests [WORD ...]``: runs the test modules whose name holds one of the words, or all of them.

Each module runs in an interpreter of its own, one more at a time than there are processors, for many wait for processes of their
own: no module sees what another one left behind, and one that hangs or dies fails alone. None sees packages that are installed
beside Python. Their files are in memory, where syncs cost nothing, unless ``TMPDIR`` says where else. The last line is ``N passed,
N failed, N skipped``; the exit code is 1 after a failure and where no test ran.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS_PER_MODULE = 120
SECONDS_TO_END = 5.0
# All tests together never have a tenth of this many bytes in files.
MEMORY, BYTES = "/dev/shm", 1 << 26
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Outcomes(unittest.TestResult):
    """``found`` maps a test's id to (outcome, text). ``testsRun`` would not do: Python's versions differ on whether skipped tests count."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, str]] = {}

    def record(self, test: unittest.TestCase, outcome: str, text: str = "") -> None:
        before, said = self.found.get(test.id(), (outcome, ""))
        self.found[test.id()] = (FAILED if FAILED in (before, outcome) else outcome, said + text)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.record(test, PASSED)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.record(test, FAILED, self.trace(test, err))

    addError = addFailure

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self.record(test, SKIPPED, reason)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            self.record(test, FAILED, f"{subtest}\n{self.trace(subtest, err)}")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.record(test, PASSED)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self.record(test, FAILED, "this test was expected to fail, and passed: remove expectedFailure\n")

    def trace(self, test: unittest.TestCase, err: Any) -> str:
        """Without the frames of unittest itself."""
        return str(self._exc_info_to_string(err, test))  # type: ignore[attr-defined]


def run_module(name: str, report: str) -> None:
    """In the module's own interpreter: writes what was found to the file ``report``. Threads that are left behind are a failure: up to
    Python 3.10 one that ends while the interpreter does can crash it."""
    # Whoever runs the tests in the background may have had interrupts ignored, and so would all that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.enable()
    faulthandler.dump_traceback_later(SECONDS_PER_MODULE, exit=True)
    outcomes = Outcomes()
    unittest.defaultTestLoader.loadTestsFromName(name).run(outcomes)
    if threads_left():
        names = [thread.name for thread in threading.enumerate()]
        outcomes.found[name] = (FAILED, f"{threads_left()} threads are left behind; those with a name are {names}\n")
    Path(report).write_text(json.dumps(outcomes.found), encoding="utf-8")


def threads_left() -> int:
    """Beside this one, after some time to end in."""
    give_up = time.monotonic() + SECONDS_TO_END
    while len(sys._current_frames()) > 1 and time.monotonic() < give_up:
        time.sleep(0.01)
    return len(sys._current_frames()) - 1


def compiled_once(folder: str) -> dict[str, str]:
    """The environment in which the many processes of a run share what they compile, and leave none of it in the checkout."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled"))}


class ModuleRun:
    """``output`` is whatever the module wrote to standard output and standard error."""

    __slots__ = ("found", "name", "output", "seconds")

    def __init__(self, name: str, folder: str) -> None:
        start = time.monotonic()
        report, log = Path(folder, name + ".json"), Path(folder, name + ".log")
        with log.open("wb") as sink:
            command = [sys.executable, "-S", "-m", "tests", "--module", name, str(report)]
            settings = compiled_once(folder)
            done = subprocess.run(command, cwd=ROOT, env=settings, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False)
        self.name = name
        self.output = log.read_text(encoding="utf-8", errors="replace")
        self.found = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        if done.returncode:
            self.found[name] = (FAILED, f"the module's interpreter ended with {done.returncode}\n")
        self.seconds = time.monotonic() - start

    def count(self, outcome: str) -> int:
        return sum(1 for found, _ in self.found.values() if found == outcome)

    def show(self) -> None:
        for test, (outcome, text) in sorted(self.found.items()):
            if outcome == SKIPPED:
                print(f"skipped {test}: {text}")
            if outcome == FAILED:
                print(f"\nFAILED {test}\n{text}", end="")
        if self.count(FAILED) and self.output:
            print(f"\noutput of {self.name}:\n{self.output}", end="")


def module_names(words: list[str]) -> list[str]:
    paths = sorted(Path(__file__).parent.rglob("test_*.py"), key=lambda path: path.stat().st_size, reverse=True)
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [name for name in names if not words or any(word in name for word in words)]


def keep_files_in_memory() -> None:
    """Unless the environment says where they go, or there is no room."""
    if not os.environ.get("TMPDIR") and os.access(MEMORY, os.W_OK):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= BYTES:
            os.environ["TMPDIR"] = MEMORY


def run_all(names: list[str]) -> list[ModuleRun]:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        return list(pool.map(lambda name: ModuleRun(name, folder), names))


def main(words: list[str]) -> int:
    start = time.monotonic()
    keep_files_in_memory()
    runs = run_all(module_names(words))
    for run in sorted(runs, key=lambda run: run.name):
        run.show()
    passed, failed, skipped = (sum(run.count(outcome) for run in runs) for outcome in (PASSED, FAILED, SKIPPED))
    slowest = max(runs, key=lambda run: run.seconds, default=None)
    if slowest:
        print(f"{len(runs)} modules in {time.monotonic() - start:.1f} s, the slowest {slowest.name} ({slowest.seconds:.1f} s)")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--module"]:
        run_module(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main(sys.argv[1:]))
