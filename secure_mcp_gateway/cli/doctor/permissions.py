"""What lies beside the store: for its owner alone, and nothing left over."""

from __future__ import annotations

import os
import stat
import time

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, as_root, is_open, me, owner_of, size_of
from secure_mcp_gateway.cli.doctor.lock import free_name
from secure_mcp_gateway.cli.doctor.storage import is_no_store
from secure_mcp_gateway.errors import StoreForbidden
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.document import Document
from secure_mcp_gateway.store.facts import file_facts, folder_facts, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.store.facts import Fact

_ABANDONED_SECONDS = 60
_BESIDE = ("backups", "files", "servers")
_ALONE = "others use this folder too: make one for the store alone (mkdir -m 700) and move it there with all that stands beside it"


def check_permissions(patient: Patient) -> Iterator[Finding]:
    """Of the store and of all that we put beside it: for its owner alone."""
    path = patient.store.path
    if os.name == "nt" or not is_open(patient.store.folder) or (os.path.lexists(path) and is_no_store(path)):
        return
    found = [*_no_folders(patient.store.folder), *(_open_to_others(patient, fact) for fact in _mode_facts(patient))]
    if not isinstance(patient.error, StoreForbidden):
        # Else it is the store's own owner who is in doubt.
        found += [*_closed_to_owner(patient), *_of_others(patient)]
    yield from found or [Finding(OK, "permissions", "the store and what lies beside it are for their owner alone")]


def _no_folders(folder: str) -> Iterator[Finding]:
    for path in (os.path.join(folder, name) for name in _BESIDE):
        if os.path.lexists(path) and not os.path.isdir(path):
            text = f"{path} is {kind_of(path) or 'a file'} where a folder must be"
            yield Finding(PROBLEM, "permissions", text, f"mv -n {quote(path)} {quote(free_name(f'{path}.away'))}")


def _of_others(patient: Patient) -> Iterator[Finding]:
    owner, folder = owner_of(patient.store.path), patient.store.folder
    for path in _ours(patient) if owner is not None else ():
        if owner_of(path) not in (None, owner):
            text = f"{path} belongs to user {owner_of(path)}, the store to user {owner}"
            yield Finding(PROBLEM, "permissions", text, as_root(f"chown -hR {owner} {quote(path)}"))
    if owner == me() != owner_of(folder) and not os.access(folder, os.W_OK):
        text = f"the store's folder belongs to user {owner_of(folder)}: its owner cannot write beside it ({folder})"
        if _is_own(patient):
            yield Finding(PROBLEM, "permissions", text, as_root(f"chown {owner} {quote(folder)}"))
        else:
            yield Finding(PROBLEM, "permissions", text, advice=_ALONE)


def _closed_to_owner(patient: Patient) -> Iterator[Finding]:
    """What its owner took from itself: root alone does not need it. Of the store its own check tells."""
    store = patient.store
    written = (store.lock_path, store.log(patient.document or Document()).path)
    for path in (store.folder, *(each for each in _ours(patient) if each != store.path)):
        whole = 0o700 if os.path.isdir(path) else 0o600
        needed = whole if whole == 0o700 or path in written else 0o400
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & needed != needed and owner_of(path) not in (0, None) and not os.path.islink(path):
            text = f"{path} has mode {mode:04o}: its owner cannot use it"
            yield Finding(PROBLEM, "permissions", text, _of_its_owner(f"chmod {whole:o} {quote(path)}", path))


def _ours(patient: Patient) -> list[str]:
    """The files and folders that belong to the store, where they are there; the lock and the log only as files: else their own checks
    say what they are."""
    store = patient.store
    logs = [path for path in (store.lock_path, *store.log(patient.document or Document()).files()) if not kind_of(path)]
    folders = [path for path in (os.path.join(store.folder, name) for name in _BESIDE) if os.path.isdir(path)]
    keys = [os.path.join(store.folder, name) for name in _key_files(store.folder)]
    return [path for path in (store.path, *logs, *folders, *keys) if os.path.lexists(path)]


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


def _open_to_others(patient: Patient, fact: Fact) -> Finding:
    level, text = PROBLEM if fact.is_issue else WARNING, f"{fact.text} ({fact.path})"
    if os.path.islink(fact.path):
        advice = "what this link leads to may be somebody else's: put a file or folder of the store's own in its place"
        return Finding(level, "permissions", f"{text}, through a symbolic link", advice=advice)
    if fact.path == patient.store.folder and not _is_own(patient):
        return Finding(level, "permissions", text, advice=_ALONE)
    return Finding(level, "permissions", text, _way_out(fact))


def _is_own(patient: Patient) -> bool:
    """Is the store's folder there for it alone? Who else uses it must not be locked out."""
    store, names = patient.store, {os.path.basename(path) for path in _ours(patient)}
    names |= {os.path.basename(store.log(patient.document or Document()).path), *_BESIDE}
    mine = (os.path.basename(store.path), f".{os.path.basename(store.path)}")
    foreign = [name for name in os.listdir(store.folder) if name not in names and not name.startswith(mine)]
    return not foreign and not os.stat(store.folder).st_mode & stat.S_ISVTX and os.path.dirname(store.folder) != store.folder


def _way_out(fact: Fact) -> str:
    if fact.mode:
        return _of_its_owner(f"chmod {fact.mode:o} {quote(fact.path)}", fact.path)
    alone = quote(f"{fact.path}.alone")
    return f"cp -p {quote(fact.path)} {alone} && mv {alone} {quote(fact.path)}"


def _of_its_owner(command: str, path: str) -> str:
    return command if owner_of(path) == me() else as_root(command)


def check_leftovers(patient: Patient) -> Iterator[Finding]:
    """Of a writer that was killed; the next write takes it away."""
    for path in patient.store.file.temporaries():
        try:
            found = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode) or time.time() - found.st_mtime > _ABANDONED_SECONDS:
            text = f"{path} is left over from a write that was interrupted ({size_of(found.st_size)})"
            yield Finding(WARNING, "leftovers", text, f"rm -r {quote(path)}" if stat.S_ISDIR(found.st_mode) else f"rm {quote(path)}")
