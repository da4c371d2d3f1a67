"""The writers' lock: ``flock`` on a file of its own that is never deleted."""

from __future__ import annotations

import os
import sys

from secure_mcp_gateway.errors import StoreBusy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, wait: bool) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
else:
    from fcntl import LOCK_EX, LOCK_NB, flock

    def _lock(descriptor: int, wait: bool) -> None:
        flock(descriptor, LOCK_EX if wait else LOCK_EX | LOCK_NB)


class FileLock:
    """Not for threads among themselves: they stand in a queue in front of it."""

    __slots__ = ("_adopt", "path")

    def __init__(self, path: str, adopt: Callable[[int], None]) -> None:
        """``adopt`` gives a lock file made just now to the store's owner."""
        self.path = path
        self._adopt = adopt

    def acquire(self, seconds: float) -> int:
        """The locked descriptor, to be given to ``release``; ``StoreBusy`` after ``seconds``."""
        descriptor = self._open()
        while True:
            try:
                _lock(descriptor, wait=False)
            except OSError:
                _wait_for(descriptor, seconds)
            if self._is_current(descriptor):
                return descriptor
            # Somebody deleted or replaced the lock file meanwhile: what we hold locks nobody out.
            os.close(descriptor)
            descriptor = self._open()

    def release(self, descriptor: int) -> None:
        os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.path, flags, 0o600)
        self._adopt(descriptor)
        return descriptor

    def _is_current(self, descriptor: int) -> bool:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        mine = os.fstat(descriptor)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _wait_for(descriptor: int, seconds: float) -> None:
    """A blocking ``flock`` with a deadline: polling would be starved by a busy writer, so a thread blocks for us."""
    import threading

    mutex, locked = threading.Lock(), threading.Event()
    given_up = False

    def block() -> None:
        try:
            _lock(descriptor, wait=True)
        except OSError:
            return
        with mutex:
            locked.set()
            if given_up:
                os.close(descriptor)

    threading.Thread(target=block, name="store-lock", daemon=True).start()
    try:
        in_time = locked.wait(seconds)
    finally:
        with mutex:
            given_up = not locked.is_set()
    if given_up or not in_time:
        if not given_up:
            os.close(descriptor)
        hint = "try again; if it stays so, find the process that holds the lock"
        raise StoreBusy("the store is busy: another writer has held it for too long", hint)
