"""A write of the store, stopped at any one of its system calls: by an error, by a short write, or by death."""

from __future__ import annotations

import errno
import gc
import os
import signal
from typing import Any, Callable
from unittest import mock

CALLS = (
    "open", "write", "writev", "fsync", "replace", "rename", "unlink", "ftruncate", "fchmod", "fchown", "chown",
    "mkdir", "read", "lseek", "stat", "fstat", "close",
)  # fmt: skip
WRITES = ("write", "writev")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE, errno.EDQUOT, errno.EACCES)


class Boundaries:
    """Counts the system calls of the store; ``at(number, name, call)`` may do something else than the ``number``-th call."""

    def __init__(self, at: Callable[[int, str, Callable[[], Any], tuple[Any, ...]], Any] | None = None) -> None:
        self.trace: list[str] = []
        self._at = at
        self._patches = [mock.patch.object(os, name, self._wrapped(name, getattr(os, name))) for name in CALLS]

    def __enter__(self) -> Boundaries:
        # What the collector frees closes files: that is no call of the write.
        gc.disable()
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()
        gc.enable()

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.trace.append(name)
            if self._at is None:
                return real(*arguments, **options)
            return self._at(len(self.trace) - 1, name, lambda: real(*arguments, **options), arguments)

        return call


def failing(number: int, code: int) -> Boundaries:
    """The call fails with this ``errno`` and does nothing; ``close`` closes all the same, as Linux does."""

    def at(found: int, name: str, go_on: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if found != number:
            return go_on()
        if name == "close":
            go_on()
        raise OSError(code, os.strerror(code))

    return Boundaries(at)


def torn(number: int, code: int) -> Boundaries:
    """The write puts half of its bytes; the next one fails."""

    def at(found: int, name: str, go_on: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if found == number and name in WRITES:
            return half_written(arguments)
        if found == number + 1:
            raise OSError(code, os.strerror(code))
        return go_on()

    return Boundaries(at)


def dying(number: int, when: str) -> Boundaries:
    """SIGKILL ``before`` or, for a write, ``amid`` the call. (After one is before the next.)"""

    def at(found: int, name: str, go_on: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if found == number:
            if when == "amid" and name in WRITES:
                half_written(arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return go_on()

    return Boundaries(at)


_pwrite = os.write


def half_written(arguments: tuple[Any, ...]) -> int:
    descriptor, data = arguments
    whole = b"".join(data) if isinstance(data, list) else bytes(data)
    return _pwrite(descriptor, whole[: len(whole) // 2])
