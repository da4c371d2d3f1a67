"""A file under a hidden name until it is whole, in the folder where it is to stand."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys

from secure_mcp_gateway.store.file import own, sync, write_all
from secure_mcp_gateway.store.folder import NEW

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.operations.files import Folder

_OURS = re.compile(r"\.secure-mcp-gateway-[0-9a-f]{16}\.tmp")
_LOOK = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_TRIES = 8


class Temporary:
    """Holds ``data``, on the disk; gone when left, unless it was renamed. Raises ``OSError``.

    Its writer holds a lock on it, which ends with the process: one that nobody holds was left by a killed writer, and goes when
    the next file is written to the folder.
    """

    __slots__ = ("_descriptor", "_folder", "name")

    def __init__(self, folder: Folder, data: bytes) -> None:
        _sweep(folder)
        self._folder = folder
        self.name, descriptor = _created(folder)
        self._descriptor: int | None = descriptor
        try:
            write_all(descriptor, [data])
            sync(descriptor)
            if sys.platform == "win32":
                self._close()  # an open file cannot be renamed there
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Temporary:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._folder.remove(self.name)
        finally:
            self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _created(folder: Folder) -> tuple[str, int]:
    for _ in range(_TRIES):
        name = f".secure-mcp-gateway-{os.urandom(8).hex()}.tmp"
        descriptor = folder.open(name, NEW)
        own(descriptor, None)
        if _is_kept(descriptor):
            return name, descriptor
        os.close(descriptor)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _is_kept(descriptor: int) -> bool:
    """Locked, and not swept away by another writer who met it before it was."""
    if sys.platform == "win32":
        return True
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody can lock it to sweep it either.
        return True
    return os.fstat(descriptor).st_nlink > 0


def _sweep(folder: Folder) -> None:
    """What cannot be looked at, locked or taken away is left: it is no reason to refuse a write."""
    if sys.platform == "win32":
        return
    for name in os.listdir(folder.descriptor):
        if _OURS.fullmatch(name):
            try:
                _remove_left(folder, name)
            except OSError:
                continue


def _remove_left(folder: Folder, name: str) -> None:
    descriptor = folder.open(name, _LOOK)
    try:
        found = os.fstat(descriptor)
        if sys.platform != "win32" and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            flock(descriptor, LOCK_EX | LOCK_NB)
            folder.remove(name)
    finally:
        os.close(descriptor)
