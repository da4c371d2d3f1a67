"""``strace``: which system calls a commit makes on the store's files, and one of them made to fail, or to be the last."""

from __future__ import annotations

import glob
import os
import re
import select
import shutil
import signal
import subprocess
import time
from typing import NamedTuple

from tests.support import DEADLINE

KILL = "KILL"
FAULTS = ("EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "ENOMEM", KILL)
_LINE = re.compile(r"(\w+)\((.*)\) += (\S+)(.*)")
_PLACE = re.compile(r'["<]([^"<>]+)[">]')
_DESCRIPTOR = re.compile(r"(\d+)<")


class Call(NamedTuple):
    """``place`` is what the call is about: the store, its lock, ...; ``descriptor`` is -1 where it takes a path."""

    name: str
    place: str
    descriptor: int
    injected: bool

    def __str__(self) -> str:
        return f"{self.name} {self.place}"


class Fault(NamedTuple):
    """``name`` fails with ``error`` (a signal where that is KILL) at its ``ordinal``-th time from 1 on; each time where that is 0."""

    name: str
    error: str
    ordinal: int

    def words(self) -> tuple[str, ...]:
        what = f"signal={KILL}" if self.error == KILL else f"error={self.error}"
        return ("-e", f"inject={self.name}:{what}:when={self.ordinal or '1+'}")


class Tracer:
    """Watches the calls on these ``places`` (what to call it, by path); its output lies in ``folder``, a file for each thread."""

    def __init__(self, folder: str, places: dict[str, str], fault: Fault | None = None) -> None:
        self._output = os.path.join(folder, "trace")
        self._places = places
        paths = [word for path in places for word in ("-P", path)]
        inject = fault.words() if fault else ()
        self.words = ("strace", "-ff", "-y", "-s", "1", "-o", self._output, "-e", "trace=%file,%desc", *inject, *paths)

    def calls(self, thread: int = 0) -> list[Call]:
        """Of this thread, or of the only one that there is."""
        names = [f"{self._output}.{thread}"] if thread else glob.glob(glob.escape(self._output) + ".*")
        found = [self._calls(name) for name in names if os.path.exists(name)]
        return max(found, key=len) if found else []

    def threads(self) -> set[int]:
        """All that made a call."""
        return {int(name.rpartition(".")[2]) for name in glob.glob(glob.escape(self._output) + ".*")}

    def busiest(self, threads: set[int]) -> int:
        return max(threads, key=lambda thread: len(self.calls(thread)), default=0)

    def others(self, thread: int) -> list[Call]:
        """Of all threads but this one."""
        names = set(glob.glob(glob.escape(self._output) + ".*")) - {f"{self._output}.{thread}"}
        return [call for name in names for call in self._calls(name)]

    def _calls(self, name: str) -> list[Call]:
        with open(name, encoding="utf-8", errors="replace") as file:
            matches = [_LINE.match(line) for line in file]
        return [self._call(*match.groups()) for match in matches if match]

    def _call(self, name: str, arguments: str, _: str, remark: str) -> Call:
        named = (self._places[path] for path in _PLACE.findall(arguments.replace("(deleted)", "")) if path in self._places)
        descriptor = _DESCRIPTOR.match(arguments)
        return Call(name, next(named, ""), int(descriptor.group(1)) if descriptor else -1, "(INJECTED)" in remark)


class Attached:
    """A tracer on all threads of a process that runs already; ``with``."""

    def __init__(self, pid: int, tracer: Tracer) -> None:
        self._process = subprocess.Popen([*tracer.words, "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._await_attachment()

    def __enter__(self) -> Attached:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def _await_attachment(self) -> None:
        assert self._process.stderr is not None
        said, deadline = b"", time.monotonic() + DEADLINE
        while b" attached" not in said:
            ready, _, _ = select.select([self._process.stderr], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self._process.stderr.fileno(), 4096) if ready else b""
            said += part
            if not part:
                self.detach()
                raise OSError(said.decode() or "strace did not attach in time")

    def await_death(self) -> None:
        """Of the process. A tracer that is asked to detach from one that is dying may wait for it for ever."""
        self._process.wait(DEADLINE)

    def detach(self) -> None:
        """The process goes on as if it had never been traced."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise


def missing() -> str:
    """Why nothing can be traced here, or nothing."""
    if shutil.which("strace") is None:
        return "there is no strace here"
    child = subprocess.Popen(["sleep", str(DEADLINE)])
    try:
        words = ["strace", "-o", os.devnull, "-e", "inject=fsync:error=EIO:when=1"]
        own = subprocess.run([*words, "true"], capture_output=True, timeout=DEADLINE, check=False)
        if own.returncode:
            return own.stderr.decode().strip()
        other = subprocess.Popen(["strace", "-o", os.devnull, "-p", str(child.pid)], stderr=subprocess.PIPE)
        assert other.stderr is not None
        said = other.stderr.readline().decode().strip()
        other.terminate()
        other.communicate(timeout=DEADLINE)
        return "" if "attached" in said else said
    finally:
        child.kill()
        child.wait()


def second_syncs(calls: list[Call]) -> int:
    """Syncs on a descriptor whose sync failed, before it was closed: the kernel has forgotten the error by then."""
    failed: set[int] = set()
    count = 0
    for call in calls:
        if call.name == "close":
            failed.discard(call.descriptor)
        elif call.name in ("fsync", "fdatasync"):
            count += call.descriptor in failed
            if call.injected:
                failed.add(call.descriptor)
    return count
