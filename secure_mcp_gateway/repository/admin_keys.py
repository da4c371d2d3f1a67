"""Admin keys: named secrets that may do everything."""

from __future__ import annotations

import re

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.repository.key_secrets import fresh_key, is_active, new_public_id, rotate
from secure_mcp_gateway.repository.names import check_name, quoted
from secure_mcp_gateway.repository.paging import table_page
from secure_mcp_gateway.store.document import Draft, digest_of, normalised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record


_MEANS_A_KEY = re.compile(r"smga?_|(key|adm)_[0-9a-f]{16}$")


def find_admin_key(document: Document, identifier: str) -> tuple[str, Record]:
    """(digest, record) of the key with this public id, secret or name, looked for in this order."""
    digest = document.found("admin_key_ids", identifier)
    if digest is None and (own := digest_of(identifier)) in document.table("admin_keys"):
        digest = own
    digest = digest or document.found("admin_key_names", identifier) or document.found("admin_key_names", normalised(identifier))
    record = document.get("admin_keys", digest) if digest is not None else None
    if digest is None or record is None:
        raise NotFound("no admin key has this id, secret or name", "list the admin keys to see their names and ids")
    _note(document, record)
    return digest, record


def list_admin_keys(document: Document, call: Call, *, limit: int | None = None, offset: int | None = None) -> Listing:
    return table_page(document, "admin_keys", limit, offset, lambda _, record: admin_key_view(record))


def create_admin_key(draft: Draft, call: Call, *, name: str, expires_in_days: int | None = None) -> Record:
    """``admin_key_secret`` is shown this one time."""
    name = check_name(name, "name")
    if _MEANS_A_KEY.match(name):
        raise InvalidRequest("name must not look like a key or a key's id", "take a word for who or what uses the key")
    if draft.found("admin_key_names", name) is not None:
        raise Conflict(f"there is an admin key called {quoted(name)} already", "take another name")
    secret, fields = fresh_key(call, "smga_", expires_in_days)
    record = {"admin_key": new_public_id(call, "adm_"), "name": name, **fields}
    draft.put("admin_keys", digest_of(secret), record)
    _note(draft, record)
    return _with_secret(secret, record)


def rotate_admin_key(draft: Draft, call: Call, *, admin_key: str) -> Record:
    """``admin_key_secret`` is the new secret; it is shown this one time."""
    digest, record = find_admin_key(draft, admin_key)
    return _with_secret(rotate(draft, call, "admin_keys", digest, record, "smga_"), record)


def disable_admin_key(draft: Draft, call: Call, *, admin_key: str) -> Record:
    digest, record = find_admin_key(draft, admin_key)
    _require_another(draft, call, digest, record)
    draft.put("admin_keys", digest, {**record, "disabled": True})
    return admin_key_view({**record, "disabled": True})


def enable_admin_key(draft: Draft, call: Call, *, admin_key: str) -> Record:
    digest, record = find_admin_key(draft, admin_key)
    draft.put("admin_keys", digest, {**record, "disabled": False})
    return admin_key_view({**record, "disabled": False})


def delete_admin_key(draft: Draft, call: Call, *, admin_key: str) -> None:
    digest, record = find_admin_key(draft, admin_key)
    _require_another(draft, call, digest, record)
    draft.delete("admin_keys", digest)


def admin_key_view(record: Record) -> Record:
    shown = {field: record.get(field) for field in ("admin_key", "name", "hint", "created_at", "expires_at")}
    return {**shown, "disabled": record.get("disabled", False)}


def _require_another(draft: Draft, call: Call, digest: str, record: Record) -> None:
    """Nobody may shut the last door behind all."""
    if not is_active(record, call.now):
        return
    if not any(is_active(other, call.now) for key, other in draft.table("admin_keys").items() if key != digest):
        raise Conflict(f"{quoted(record['name'])} is the last admin key that works", "create or enable another one first")


def _with_secret(secret: str, record: Record) -> Record:
    return {"admin_key_secret": secret, "admin_key": record["admin_key"], "name": record["name"]}


def _note(document: Document, record: Record) -> None:
    if isinstance(document, Draft):
        document.names["admin_key_id"] = record["admin_key"]
        document.names["admin_key_name"] = record["name"]
