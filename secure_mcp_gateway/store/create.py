"""Making the store where there is none, or a new one in the place of the old."""

from __future__ import annotations

import json
import os

from secure_mcp_gateway.errors import Conflict, InvalidRequest, Unavailable
from secure_mcp_gateway.store import encoding
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.backups import backup_path, write_backup
from secure_mcp_gateway.store.document import Document, Draft
from secure_mcp_gateway.store.file import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from secure_mcp_gateway.store.audit import AuditEntry
    from secure_mcp_gateway.store.store import Store

    T = TypeVar("T")


def create(store: Store, content: Callable[[Draft], T], entry: AuditEntry, overwrite: bool) -> T:
    if store.path.endswith(".jsonl"):
        raise InvalidRequest("a store's name must not end in .jsonl: the names of audit logs do", "end it in .json", private=store.path)
    _make_folder(store)
    try:
        if store.exists():
            store.file.require_ours()
        lock = store._lock.acquire(store._lock_seconds)
        try:
            return _create_locked(store, content, entry, overwrite)
        finally:
            store._lock.release(lock)
    except OSError as error:
        raise store.file.failure(error, "written") from None


def _make_folder(store: Store) -> None:
    try:
        make_folder(store.folder)
    except (FileNotFoundError, NotADirectoryError, FileExistsError) as error:
        reason = os.strerror(error.errno or 0).lower() if isinstance(error, FileNotFoundError) else "a file is in the way"
        raise Unavailable(f"the store's folder cannot be made: {reason}", "name another place", private=store.folder) from None
    except OSError as error:
        raise store.file.failure(error, "written") from None


def _create_locked(store: Store, content: Callable[[Draft], T], entry: AuditEntry, overwrite: bool) -> T:
    present = _present(store) if os.path.lexists(store.path) else None
    if present is not None and not overwrite:
        hint = "keep it, or give --overwrite to make a new one in its place (a safety backup is made first)"
        raise Conflict("there is a store already", hint, private=store.path)
    backup = None if present is None else backup_path(store.file, entry.operation)
    draft = Draft(_base(store, present))
    draft.safety_backup = backup
    result = content(draft)
    if backup is not None and present is not None:
        write_backup(store.file, backup, [present])
    document = draft.sealed(draft.generation + 1)
    line = entry.line("ok", document.generation, {**draft.names, "store": os.path.basename(store.path)}, draft.holds_secret)
    store._put_in_place(draft, document, [line])
    return result


def _present(store: Store) -> bytes:
    opened = store.file.open()
    try:
        return store.file.read(opened)[0]
    finally:
        os.close(opened)


def _base(store: Store, present: bytes | None) -> Document:
    """An empty document that goes on with the generation and the audit of the store in place, readable or not."""
    if present is not None:
        try:
            document = encoding.decode(present, None)
            return Document(generation=document.generation, audit=document.audit)
        except (Unavailable, encoding.Older):
            pass
    head, generation = AuditLog(os.path.join(store.folder, _log_name(store))).adopted()
    return Document(generation=generation, audit=head)


def _log_name(store: Store) -> str:
    """``audit.jsonl``, unless that belongs to another store in the same folder."""
    usual = "audit.jsonl"
    first = next(AuditLog(os.path.join(store.folder, usual)).lines(), None)
    if first is None:
        return usual
    try:
        owner = json.loads(first)["named"].get("store")
    except (ValueError, KeyError, TypeError, AttributeError):
        owner = None
    mine = os.path.basename(store.path)
    if owner in (None, mine) or not os.path.exists(os.path.join(store.folder, str(owner))):
        return usual
    return f"{os.path.splitext(mine)[0]}.{usual}"
