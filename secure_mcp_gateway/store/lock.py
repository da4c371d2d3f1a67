"""The writers' lock: ``flock`` on a file of its own that is never deleted."""

from __future__ import annotations

import os
import stat
import sys
import time

from secure_mcp_gateway.errors import StoreBusy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform == "win32":
    import msvcrt

    _BUSY: type[OSError] = OSError  # its error for that is the one for everything

    def _lock(descriptor: int, wait: bool) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock

    _BUSY: type[OSError] = BlockingIOError

    def _lock(descriptor: int, wait: bool) -> None:
        flock(descriptor, LOCK_EX if wait else LOCK_EX | LOCK_NB)

    def _unlock(descriptor: int) -> None:
        flock(descriptor, LOCK_UN)


class FileLock:
    """Any thread may acquire it: each gets a descriptor of its own, and these exclude each other."""

    __slots__ = ("_adopt", "_given_up", "path")

    def __init__(self, path: str, adopt: Callable[[int], None]) -> None:
        """``adopt`` gives a lock file made just now to the store's owner."""
        self.path = path
        self._adopt = adopt
        self._given_up: list[_Waiter] = []

    def acquire(self, seconds: float) -> int:
        """The locked descriptor, to be given to ``release``. ``StoreBusy`` after ``seconds``; ``OSError`` where no lock can be had."""
        deadline = time.monotonic() + seconds
        while True:
            descriptor, file = self._open()
            try:
                _lock(descriptor, wait=False)
            except _BUSY:
                descriptor = self._waited_for(descriptor, file, deadline)
            except BaseException:
                self.release(descriptor)
                raise
            if self._is_current(descriptor, file):
                return descriptor
            # Somebody deleted or replaced the lock file meanwhile: what we hold locks nobody out.
            self.release(descriptor)

    def release(self, descriptor: int) -> None:
        """Never fails: what was written under the lock stands."""
        # Unlocked first: whether a descriptor whose close failed is still open, POSIX leaves open.
        for let_go in (_unlock, os.close):
            try:
                let_go(descriptor)
            except OSError:
                pass

    def _waited_for(self, descriptor: int, file: os.stat_result, deadline: float) -> int:
        """A blocking ``flock`` with a deadline: polling would be starved by a busy writer, so a thread blocks for us.

        One that was given up on cannot be stopped: the next who must wait takes it over, so that they do not pile up.
        """
        waiter = _taken_over(self._given_up, file)
        if waiter is None:
            waiter = _Waiter(descriptor, file)
        else:
            self.release(descriptor)
        if not waiter.wait(deadline - time.monotonic()):
            self._given_up.append(waiter)
            hint = "try again; if it stays so, find the process that holds the lock"
            raise StoreBusy("the store is busy: another writer has held it for too long", hint)
        return waiter.descriptor

    def _open(self) -> tuple[int, os.stat_result]:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError("the lock is not a regular file")
            self._adopt(descriptor)
            return descriptor, os.fstat(descriptor)
        except BaseException:
            self.release(descriptor)
            raise

    def _is_current(self, descriptor: int, file: os.stat_result) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), file)
        except FileNotFoundError:
            return False
        except BaseException:
            self.release(descriptor)
            raise


class _Waiter:
    """A thread that blocks until ``descriptor`` is locked, and unlocks it at once where nobody waits any more. ``OSError`` in it
    goes to who waits."""

    def __init__(self, descriptor: int, file: os.stat_result) -> None:
        import threading

        self.descriptor = descriptor
        self._file = file
        self._changed = threading.Condition()
        self._wanted, self._locked, self._over = True, False, False
        self._error: OSError | None = None
        threading.Thread(target=self._block, name="store-lock", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Is the descriptor locked, and the caller's? If not, it is given up on."""
        with self._changed:
            locked = False
            try:
                locked = self._changed.wait_for(lambda: self._locked or self._error is not None, max(0.0, seconds)) and self._locked
            finally:
                self._wanted = locked
                if self._locked and not locked:
                    os.close(self.descriptor)
            if self._error is not None:
                raise self._error
            return locked

    def take_over(self, file: os.stat_result) -> bool:
        """Unless its thread has ended by now, or waits for a lock file that another one has replaced."""
        with self._changed:
            if not self._over and os.path.samestat(self._file, file):
                self._wanted = True
            return self._wanted

    def _block(self) -> None:
        try:
            _lock(self.descriptor, wait=True)
        except OSError as error:
            with self._changed:
                self._over, self._error = True, error
                os.close(self.descriptor)
                self._changed.notify_all()
            return
        with self._changed:
            self._over = True
            if self._wanted:
                self._locked = True
                self._changed.notify_all()
            else:
                os.close(self.descriptor)


def _taken_over(given_up: list[_Waiter], file: os.stat_result) -> _Waiter | None:
    while True:
        try:
            waiter = given_up.pop()
        except IndexError:
            return None
        if waiter.take_over(file):
            return waiter
