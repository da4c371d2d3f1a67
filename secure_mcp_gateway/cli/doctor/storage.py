"""The store's file: is it there, whose is it, can it be read?"""

from __future__ import annotations

import errno
import os

from secure_mcp_gateway.cli.doctor.finding import (
    LARGEST,
    OK,
    PROBLEM,
    WARNING,
    Finding,
    Patient,
    as_root,
    me,
    owner_name,
    owner_of,
    size_of,
    store_size,
)
from secure_mcp_gateway.cli.doctor.lock import away, free_name
from secure_mcp_gateway.errors import BackupInPlace, StoreDamaged, StoreForbidden, StoreForeign, StoreMissing, Unavailable
from secure_mcp_gateway.operations.files import LARGEST as LARGEST_RESTORED
from secure_mcp_gateway.repository.names import counted
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.backups import kept_backups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator



def check_store(patient: Patient) -> Iterator[Finding]:
    path = patient.store.path
    if patient.is_too_large:
        yield _too_large(path)
        return
    if patient.error is not None:
        yield _unreadable(patient, patient.error)
        return
    document = patient.document
    assert document is not None
    size = os.stat(path).st_size
    if patient.store.is_older:
        text = f"{path} is of an older format: the next write migrates it, after a safety backup"
        yield Finding(WARNING, "store", text, patient.command("system backup --output-file", quote(free_name("backup.json"))))
    if size > LARGEST_RESTORED:
        text = f"{path} is {size_of(size)}: backup and restore take no more than {size_of(LARGEST_RESTORED)}"
        yield Finding(WARNING, "store", text, advice="keep copies of the file itself, or take out users and keys that nobody needs")
    users, keys = len(document.table("users")), len(document.table("apikeys"))
    yield Finding(
        OK, "store", f"{path}: generation {document.generation}, {size_of(size)}, {counted(users, 'user')}, {counted(keys, 'API key')}"
    )


def _too_large(path: str) -> Finding:
    text = f"{path} is {size_of(store_size(path))}, and more than {size_of(LARGEST)} is not read here: nothing of it was looked at"
    advice = "if that is no store, name the right file with --store FILE; if it is, take out users and keys that nobody needs"
    return Finding(PROBLEM, "store", text, advice=advice)


def _unreadable(patient: Patient, error: Unavailable) -> Finding:
    path = patient.store.path
    if isinstance(error, StoreMissing):
        return _missing(patient)
    if isinstance(error, StoreForbidden):
        return _forbidden(patient, error)
    text = f"{error.message} ({error.private or path})"
    if isinstance(error, BackupInPlace):
        put_away = free_name(f"{path}.backup")
        restored = patient.command("system restore --input-file", quote(put_away))
        return Finding(PROBLEM, "store", text, f"mv -n {quote(path)} {quote(put_away)} && {restored}")
    if isinstance(error, StoreForeign):
        return Finding(PROBLEM, "store", text, advice=error.hint)
    if os.path.isdir(path):
        return _folder(patient, text)
    if os.path.islink(path):
        advice = "take this link away, which leads to itself, or name the store's own file with --store FILE"
        return Finding(PROBLEM, "store", text, advice=advice)
    if is_no_store(path):
        return Finding(PROBLEM, "store", text, advice="name the store's own file with --store FILE: this one is none of ours")
    if isinstance(error, StoreDamaged):
        return _damaged(patient, text)
    if owner_of(path) == me() and not os.stat(path).st_mode & 0o400:
        return Finding(PROBLEM, "store", text, f"chmod 600 {quote(path)}")
    return Finding(PROBLEM, "store", text, advice=error.hint or "look for it in the system's log: the disk may be failing")


def _missing(patient: Patient) -> Finding:
    path, folder = patient.store.path, patient.store.folder
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        advice = f"name another file with --store FILE: {folder} is no folder that one could lie in"
        return Finding(PROBLEM, "store", f"there is no store at {path}", advice=advice)
    backups = _whole_backups(patient)
    fix = _restored(patient, backups[-1]) if backups else patient.command("generate-config")
    return Finding(PROBLEM, "store", f"there is no store at {path}", fix)


def _forbidden(patient: Patient, error: StoreForbidden) -> Finding:
    """Its folder may be closed to its owner too; one that lies in a folder of this user's came there by a command that was run as
    somebody else."""
    path, folder = patient.store.path, patient.store.folder
    text, mine = f"{error.message} ({path})", me()
    closed = _closed_folder(folder)
    if closed:
        return Finding(PROBLEM, "store", f"{text}: {closed} lets nobody in, not even its owner", f"chmod 700 {quote(closed)}")
    if owner_of(folder) == mine and owner_of(path) not in (mine, None):
        text = f"the store belongs to {owner_name(path)}, its folder to this user ({path})"
        return Finding(PROBLEM, "store", text, as_root(f"chown {mine} {quote(path)}"))
    return Finding(PROBLEM, "store", text, patient.as_owner(path, "system doctor"))


def _closed_folder(folder: str) -> str:
    """The one above the store that is this user's and keeps this user out; empty where none does."""
    above = [folder]
    while os.path.dirname(above[-1]) != above[-1]:
        above.append(os.path.dirname(above[-1]))
    return next((each for each in reversed(above) if owner_of(each) == me() and not os.access(each, os.R_OK | os.X_OK)), "")


def _folder(patient: Patient, text: str) -> Finding:
    inside = os.path.join(patient.store.path, "store.json")
    if os.path.isfile(inside):
        return Finding(PROBLEM, "store", text, patient.on(inside, "system doctor"))
    if patient.named:
        return Finding(PROBLEM, "store", text, advice=f"name a file in it: --store {quote(inside)}")
    return Finding(PROBLEM, "store", text, away(patient.store.path))


def _damaged(patient: Patient, text: str) -> Finding:
    path, backups = patient.store.path, _whole_backups(patient)
    if not backups:
        restore = patient.command("system restore --input-file FILE")
        advice = f"mend it there with an editor while nothing else writes; or move it away, and restore a backup of yours: {restore}"
        return Finding(PROBLEM, "store", text, advice=advice)
    put_away = f"mv -n {quote(path)} {quote(free_name(f'{path}.damaged'))}"
    text = f"{text}; the newest safety backup is {os.path.basename(backups[-1])}, what came after it stands in the damaged file alone"
    return Finding(PROBLEM, "store", text, f"{put_away} && {_restored(patient, backups[-1])}")


def _whole_backups(patient: Patient) -> list[str]:
    """Those that were not cut off."""
    return [path for path in kept_backups(patient.store.file) if _ends_whole(path)]


def _ends_whole(path: str) -> bool:
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2))
            return file.read() == b"}\n"
    except OSError:
        return False


def is_no_store(path: str) -> bool:
    """A device, or a file that does not even begin like one of ours: it is somebody else's, and must not be moved or changed."""
    try:
        if not os.path.isfile(path):
            return True
        with open(path, "rb") as file:
            return file.read(64).lstrip()[:1] not in (b"{", b"")
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EPERM, errno.EIO)


def _restored(patient: Patient, backup: str) -> str:
    return patient.command("system restore --input-file", quote(backup))
