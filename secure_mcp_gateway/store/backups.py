"""Safety backups: copies of the store in ``backups/`` beside it, made before a deed that replaces much."""

from __future__ import annotations

import os
import re
import time

from secure_mcp_gateway.errors import Unavailable
from secure_mcp_gateway.store.file import BACKUPS, MODE, StoreFile, own, sync, sync_folder, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = 10


def backup_path(file: StoreFile, why: str) -> str:
    nanoseconds = time.time_ns()
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(nanoseconds // 1_000_000_000))
    name = f"{_stem(file)}-{moment}.{nanoseconds % 1_000_000_000:09d}Z-{why.replace(' ', '-')}.json"
    return os.path.join(file.folder, BACKUPS, name)


def write_backup(file: StoreFile, path: str, pieces: Sequence[bytes]) -> None:
    """On the disk when this returns; the oldest beyond the last ten go."""
    try:
        _write(file, path, pieces)
        _prune(file, os.path.dirname(path))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Unavailable(f"the safety backup cannot be written, so nothing is changed: {reason}", private=path) from None


def _write(file: StoreFile, path: str, pieces: Sequence[bytes]) -> None:
    folder, owner = file.own_folder(BACKUPS), file.owner()
    # Under a name of its own until it is whole: a crash must not leave a torn file that looks like a backup.
    temporary = file.temporary_backup
    try:
        os.unlink(temporary)
    except FileNotFoundError:
        pass
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), MODE)
    try:
        own(descriptor, owner)
        write_all(descriptor, pieces)
        sync(descriptor)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    sync_folder(folder)


def _prune(file: StoreFile, folder: str) -> None:
    ours = re.compile(re.escape(_stem(file)) + r"-\d{8}T\d{6}\.\d{9}Z-.*\.json")
    mine = sorted(name for name in os.listdir(folder) if ours.fullmatch(name))
    for name in mine[:-KEPT]:
        os.unlink(os.path.join(folder, name))


def _stem(file: StoreFile) -> str:
    return os.path.splitext(os.path.basename(file.path))[0]
