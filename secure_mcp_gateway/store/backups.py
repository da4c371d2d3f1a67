"""Safety backups: copies of the store in ``backups/`` beside it, made before a deed that replaces much."""

from __future__ import annotations

import os
import re
import time

from secure_mcp_gateway.errors import Unavailable
from secure_mcp_gateway.store.file import BACKUPS, StoreFile, own, sync, write_all
from secure_mcp_gateway.store.folder import NEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from secure_mcp_gateway.store.folder import HeldFolder

KEPT = 10


def backup_path(file: StoreFile, why: str) -> str:
    nanoseconds = time.time_ns()
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(nanoseconds // 1_000_000_000))
    name = f"{_stem(file)}-{moment}.{nanoseconds % 1_000_000_000:09d}Z-{why.replace(' ', '-')}.json"
    return os.path.join(file.folder, BACKUPS, name)


def write_backup(file: StoreFile, path: str, pieces: Sequence[bytes]) -> None:
    """On the disk when this returns; the oldest beyond the last ten go, where they can be taken away."""
    try:
        # Held open, so that whoever owns it cannot lead root elsewhere meanwhile.
        folder = file.own_folder(BACKUPS)
        try:
            _write(folder, file, os.path.basename(path), pieces)
            _prune(folder, file, os.path.basename(path))
        finally:
            folder.close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Unavailable(f"the safety backup cannot be written, so nothing is changed: {reason}", private=path) from None


def kept_backups(file: StoreFile) -> list[str]:
    """The paths of the safety backups that there are, the newest last; none where they may not be looked at."""
    try:
        names = sorted(filter(_ours(file), os.listdir(os.path.join(file.folder, BACKUPS))))
    except OSError:
        return []
    return [os.path.join(file.folder, BACKUPS, name) for name in names]


def _write(folder: HeldFolder, file: StoreFile, name: str, pieces: Sequence[bytes]) -> None:
    # Under a name of its own until it is whole: a crash must not leave a torn file that looks like a backup.
    temporary = os.path.basename(file.temporary_backup)
    folder.remove(temporary)
    descriptor = folder.open(temporary, NEW)
    try:
        own(descriptor, file.owner())
        write_all(descriptor, pieces)
        sync(descriptor)
        folder.replace(temporary, name)
    except OSError:
        folder.remove(temporary)
        raise
    finally:
        os.close(descriptor)
    if folder.descriptor is not None:
        sync(folder.descriptor)


def _prune(folder: HeldFolder, file: StoreFile, newest: str) -> None:
    """``newest`` stays in any case: where the clock was set back, it is not the last by name. One too many is no reason to refuse."""
    try:
        found = os.listdir(folder.path if folder.descriptor is None else folder.descriptor)
    except OSError:
        return
    # What is dated later than the newest was made while the clock was ahead: it counts as older.
    mine = sorted(filter(_ours(file), found), key=lambda name: (_moment(file, name) <= _moment(file, newest), name))
    for name in mine[:-KEPT]:
        try:
            folder.remove(name)
        except OSError:
            pass


def _ours(file: StoreFile) -> Callable[[str], object]:
    """Whether a name is that of a backup of this store."""
    return re.compile(re.escape(_stem(file)) + r"-\d{8}T\d{6}\.\d{9}Z-.*\.json").fullmatch


def _moment(file: StoreFile, name: str) -> str:
    return name[len(_stem(file)) + 1 :][:26]


def _stem(file: StoreFile) -> str:
    return os.path.splitext(os.path.basename(file.path))[0]
