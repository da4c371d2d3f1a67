"""The store's file and what lies beside it."""

from __future__ import annotations

import errno
import os
import stat
import time
from shlex import quote

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient
from secure_mcp_gateway.errors import StoreBusy, StoreDamaged, StoreForbidden, StoreForeign, StoreMissing, Unavailable
from secure_mcp_gateway.repository.names import counted
from secure_mcp_gateway.store.backups import kept_backups
from secure_mcp_gateway.store.document import Document
from secure_mcp_gateway.store.facts import LEAST_FREE, file_facts, folder_facts, free_space
from secure_mcp_gateway.store.network import network_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.store.facts import Fact

_LOCK_SECONDS = 1.0
_REWRITES = 10
_ABANDONED_SECONDS = 60
_BESIDE = ("backups", "files", "servers")
_ALONE = "others use this folder too: make one for the store alone (mkdir -m 700) and move it there with all that stands beside it"


def check_store(patient: Patient) -> Iterator[Finding]:
    path = patient.store.path
    if patient.error is not None:
        yield _unreadable(patient, patient.error)
        return
    document = patient.document
    assert document is not None
    size = os.stat(path).st_size
    if patient.store.is_older:
        text = f"{path} is of an older format: the next write migrates it, after a safety backup"
        yield Finding(WARNING, "store", text, patient.command("system backup --output-file backup.json"))
    users, keys = len(document.table("users")), len(document.table("apikeys"))
    yield Finding(
        OK, "store", f"{path}: generation {document.generation}, {_bytes(size)}, {counted(users, 'user')}, {counted(keys, 'API key')}"
    )


def _unreadable(patient: Patient, error: Unavailable) -> Finding:
    path = patient.store.path
    if isinstance(error, StoreMissing):
        return Finding(PROBLEM, "store", f"there is no store at {path}", _anew(patient))
    if isinstance(error, StoreForbidden):
        return Finding(PROBLEM, "store", f"{error.message} ({path})", f"{_as_owner(path)}{patient.command('system doctor')}")
    text = f"{error.message} ({error.private or path})"
    if isinstance(error, StoreForeign):
        return Finding(PROBLEM, "store", text, error.hint)
    if os.path.isdir(path):
        return Finding(PROBLEM, "store", text, f"name the file in it: --store {quote(os.path.join(path, 'store.json'))}")
    if _is_no_store(path):
        return Finding(PROBLEM, "store", text, "name the store's own file with --store FILE: this one is none of ours")
    if isinstance(error, StoreDamaged):
        away = f"mv -n {quote(path)} {quote(_free(f'{path}.damaged'))}"
        return Finding(PROBLEM, "store", text, f"{away} && {_restored(patient, kept_backups(patient.store.file))}")
    return Finding(PROBLEM, "store", text, f"chmod 600 {quote(path)}")


def _is_no_store(path: str) -> bool:
    """A device, or a file that does not even begin like one of ours: it is somebody else's, and must not be moved or changed."""
    try:
        if not os.path.isfile(path):
            return True
        with open(path, "rb") as file:
            return file.read(64).lstrip()[:1] not in (b"{", b"")
    except OSError:
        return False


def _free(path: str) -> str:
    return next(name for name in (path, *(f"{path}.{number}" for number in range(2, 10_000))) if not os.path.lexists(name))


def _anew(patient: Patient) -> str:
    """A store where there is none: of the newest safety backup, if there is one."""
    backups = kept_backups(patient.store.file)
    return _restored(patient, backups) if backups else patient.command("generate-config")


def _restored(patient: Patient, backups: list[str]) -> str:
    """Of the newest, or where we have made none, of one that somebody else has made."""
    return patient.command(f"system restore --input-file {quote(backups[-1]) if backups else 'BACKUP'}")


def _as_owner(path: str) -> str:
    """The beginning of a command that runs as who the file belongs to."""
    import pwd

    try:
        owner = pwd.getpwuid(os.stat(path).st_uid).pw_name
    except (OSError, KeyError):
        return "sudo "
    return f"sudo -u {quote(owner)} "


def _bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def check_lock(patient: Patient) -> Iterator[Finding]:
    from secure_mcp_gateway.store.lock import FileLock, holders

    path = patient.store.lock_path
    if not os.path.lexists(path):
        if patient.store.exists():
            yield Finding(OK, "lock", "free: nobody has written yet")
        return
    lock = FileLock(path, adopt=lambda _: None)
    started = time.monotonic()
    try:
        lock.release(lock.acquire(_LOCK_SECONDS))
    except StoreBusy:
        yield _held(holders(path), path)
    except OSError as error:
        if error.errno == errno.EROFS:
            return  # what the disk's own check says
        if not isinstance(error, PermissionError):
            raise
        yield Finding(PROBLEM, "lock", f"{path} may not be opened by this user", f"{_as_owner(path)}{patient.command('system doctor')}")
    else:
        yield Finding(OK, "lock", f"taken and let go within {(time.monotonic() - started) * 1000:.0f} ms")


def _held(pids: list[int], path: str) -> Finding:
    text = f"another process has held it for {_LOCK_SECONDS:.0f} s: nothing can be written"
    if not pids:
        return Finding(PROBLEM, "lock", text, f"find out which, then end it: fuser -v {quote(path)}")
    names = ", ".join(f"{_name_of(pid)} (process {pid})" for pid in pids)
    return Finding(PROBLEM, "lock", f"{text}; it is {names}", "kill " + " ".join(map(str, pids)))


def _name_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "one that cannot be named"


def check_permissions(patient: Patient) -> Iterator[Finding]:
    """Of the store and of all that we put beside it: for its owner alone."""
    path = patient.store.path
    if os.name == "nt" or not os.path.isdir(patient.store.folder) or (os.path.lexists(path) and _is_no_store(path)):
        return
    owner = _owner_of(patient.store.path)
    found = False
    for fact in _mode_facts(patient):
        found = True
        fix = _ALONE if fact.path == patient.store.folder and not _is_own(patient) else _way_out(fact)
        yield Finding(PROBLEM if fact.is_issue else WARNING, "permissions", f"{fact.text} ({fact.path})", fix)
    for path in _ours(patient):
        if owner is not None and _owner_of(path) not in (None, owner):
            found = True
            text = f"{path} belongs to user {_owner_of(path)}, the store to user {owner}"
            yield Finding(PROBLEM, "permissions", text, f"chown -R {owner} {quote(path)}")
    if not found:
        yield Finding(OK, "permissions", "the store and what lies beside it are for their owner alone")


def _ours(patient: Patient) -> list[str]:
    """The files and folders that belong to the store, where they are there."""
    store = patient.store
    logs = store.log(patient.document or Document()).files()
    beside = [os.path.join(store.folder, name) for name in (*_BESIDE, *_key_files(store.folder))]
    return [path for path in (store.path, store.lock_path, *logs, *beside) if os.path.lexists(path)]


def _key_files(folder: str) -> list[str]:
    """Where ``start-api --init`` left admin keys."""
    return sorted(name for name in os.listdir(folder) if name.startswith("admin-key") and name.endswith(".txt"))


def _mode_facts(patient: Patient) -> Iterator[Fact]:
    store = patient.store
    called = {store.path: "the store", store.log(patient.document or Document()).path: "the audit log", store.lock_path: "the lock"}
    yield from folder_facts("the store's folder", store.folder)
    for path in _ours(patient):
        name = called.get(path, os.path.basename(path))
        if not os.path.isdir(path):
            yield from file_facts(name, path)
            continue
        yield from folder_facts(f"{name}/ beside the store", path)
        for inner in sorted(os.listdir(path)):
            if os.path.isfile(os.path.join(path, inner)):
                yield from file_facts(f"a file in {name}/", os.path.join(path, inner))


def _is_own(patient: Patient) -> bool:
    """Is the store's folder there for it alone? Who else uses it must not be locked out."""
    store, names = patient.store, {os.path.basename(path) for path in _ours(patient)}
    mine = (os.path.basename(store.path), f".{os.path.basename(store.path)}")
    foreign = [name for name in os.listdir(store.folder) if name not in names and not name.startswith(mine)]
    return not foreign and not os.stat(store.folder).st_mode & stat.S_ISVTX and os.path.dirname(store.folder) != store.folder


def _way_out(fact: Fact) -> str:
    if os.path.islink(fact.path):
        return f"rm {quote(fact.path)}"
    if fact.mode:
        return f"chmod {fact.mode:o} {quote(fact.path)}"
    alone = quote(f"{fact.path}.alone")
    return f"cp -p {quote(fact.path)} {alone} && mv {alone} {quote(fact.path)}"


def _owner_of(path: str) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def check_disk(patient: Patient) -> Iterator[Finding]:
    folder = patient.nearest_folder()
    kind = network_kind(folder)
    if kind:
        text = f"the store is on a network file system ({kind}), whose locks and renames do not keep what a store promises"
        yield Finding(WARNING if patient.allows_network else PROBLEM, "disk", text, "keep the store on a local disk: --store FILE")
    if os.name == "nt":
        return
    room = os.statvfs(folder)
    if room.f_flag & os.ST_RDONLY:
        fix = f"mount -o remount,rw {quote(_mount_point(folder))}"
        yield Finding(
            WARNING, "disk", f"{folder} is mounted read-only: nothing can be written (start-api --read-only serves all the same)", fix
        )
    elif room.f_files and not room.f_favail:
        yield Finding(PROBLEM, "disk", f"{folder} has no room for another file (inodes)", f"remove files: df -i {quote(folder)}")
    else:
        yield _room(patient, folder)


def _room(patient: Patient, folder: str) -> Finding:
    size = os.stat(patient.store.path).st_size if os.path.isfile(patient.store.path) else 0
    free = free_space(folder)
    fix = f"make room: du -xh {quote(_mount_point(folder))} | sort -h | tail"
    if free < LEAST_FREE + 2 * size:
        return Finding(PROBLEM, "disk", f"{_bytes(free)} free: a write needs room for a second copy of the store ({_bytes(size)})", fix)
    if free < LEAST_FREE + (_REWRITES + 1) * size:
        return Finding(WARNING, "disk", f"{_bytes(free)} free: less than ten rewrites and a backup take ({_bytes(size)} each)", fix)
    return Finding(OK, "disk", f"{_bytes(free)} free")


def _mount_point(folder: str) -> str:
    while not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder


def check_leftovers(patient: Patient) -> Iterator[Finding]:
    """Of a writer that was killed; the next write takes it away."""
    for path in patient.store.file.temporaries():
        try:
            found = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode) or time.time() - found.st_mtime > _ABANDONED_SECONDS:
            text = f"{path} is left over from a write that was interrupted ({_bytes(found.st_size)})"
            yield Finding(WARNING, "leftovers", text, f"rm -r {quote(path)}" if stat.S_ISDIR(found.st_mode) else f"rm {quote(path)}")
