"""Making the store where there is none, or a new one in the place of the old."""

from __future__ import annotations

import json
import os

from secure_mcp_gateway.errors import Conflict, Unavailable
from secure_mcp_gateway.store import encoding
from secure_mcp_gateway.store.audit import AuditLog
from secure_mcp_gateway.store.backups import backup_path, write_backup
from secure_mcp_gateway.store.document import AuditHead, Document, Draft
from secure_mcp_gateway.store.file import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from secure_mcp_gateway.store.audit import AuditEntry
    from secure_mcp_gateway.store.store import Store

    T = TypeVar("T")


def create(store: Store, content: Callable[[Draft], T], entry: AuditEntry, overwrite: bool) -> T:
    try:
        make_folder(store.folder)
        descriptor = store._lock.acquire(store._lock_seconds)
    except OSError as error:
        raise store.file.failure(error, "written") from None
    try:
        return _create_locked(store, content, entry, overwrite)
    finally:
        store._lock.release(descriptor)


def _create_locked(store: Store, content: Callable[[Draft], T], entry: AuditEntry, overwrite: bool) -> T:
    base = Document()
    backup = None
    if os.path.lexists(store.path):
        if not overwrite:
            hint = "keep it, or give --overwrite to make a new one in its place (a safety backup is made first)"
            raise Conflict("there is a store already", hint, private=store.path)
        backup = backup_path(store.file, entry.operation)
        base = _base_of_present(store, backup)
    else:
        base.audit, base.generation = AuditLog(os.path.join(store.folder, _log_name(store))).adopted()
    draft = Draft(base)
    draft.safety_backup = backup
    result = content(draft)
    document = draft.sealed(draft.generation + 1)
    line = entry.line("ok", document.generation, {**draft.names, "store": os.path.basename(store.path)})
    log = store.log(document)
    owner = store.file.owner()
    document.audit = log.append(base.audit, base.generation, [line], owner, durable=True)
    os.close(store.file.replace(encoding.encode(document), owner)[0])
    return result


def _base_of_present(store: Store, backup: str) -> Document:
    """An empty document that goes on with the generation and the audit of the store in place, readable or not."""
    opened = store.file.open()
    try:
        data = store.file.read(opened)[0]
    finally:
        os.close(opened)
    write_backup(store.file, backup, [data])
    try:
        present = encoding.decode(data, None)
        return Document(generation=present.generation, audit=present.audit)
    except (Unavailable, encoding.Older):
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
    return AuditHead(file=f"{os.path.splitext(mine)[0]}.{usual}").file
