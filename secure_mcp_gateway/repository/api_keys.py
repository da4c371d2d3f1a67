"""API keys: the secret of one user in one project. And who a secret belongs to."""

from __future__ import annotations

from secure_mcp_gateway.errors import Conflict, NotFound, Unauthorized
from secure_mcp_gateway.repository.call import ADMIN, USER, Caller, Listing
from secure_mcp_gateway.repository.key_secrets import fresh_key, is_expired, new_public_id, rotate
from secure_mcp_gateway.repository.names import quoted
from secure_mcp_gateway.repository.paging import page, table_page
from secure_mcp_gateway.repository.projects import find_project
from secure_mcp_gateway.repository.users import find_user
from secure_mcp_gateway.repository.views import is_member, key_view, project_name
from secure_mcp_gateway.store.clock import time_after
from secure_mcp_gateway.store.document import Draft, digest_of, member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record


def authenticate(document: Document, secret: str, now: str) -> Caller:
    """Who holds this secret; ``Unauthorized`` where it opens nothing (any more). A public id never authenticates."""
    return _holder(document, digest_of(secret), now)


def require_unrevoked(document: Document, caller: Caller, now: str) -> None:
    """``Unauthorized`` where the key that the caller came with was taken away, or became another's, since then."""
    if caller.digest:
        holder = _holder(document, caller.digest, now)
        if (holder.kind, holder.user_id, holder.project_id) != (caller.kind, caller.user_id, caller.project_id):
            raise Unauthorized("the key is somebody else's by now", "send the request again")


def _holder(document: Document, digest: str, now: str) -> Caller:
    admin = document.get("admin_keys", digest)
    if admin is not None:
        _require_working(admin, now)
        return Caller(ADMIN, admin["admin_key"], admin["name"], expires_at=admin.get("expires_at"), digest=digest)
    record = document.get("apikeys", digest)
    if record is None:
        raise Unauthorized("the key is not known", "send a valid key as Authorization: Bearer <key>")
    _require_working(record, now)
    user_id, project_id = record["user_id"], record["project_id"]
    user = document.get("users", user_id)
    if user is None or project_id not in document.table("projects") or not is_member(document, project_id, user_id):
        raise Unauthorized("the key's user is not in the key's project any more", "ask an administrator for another key")
    return Caller(USER, record["api_key_id"], user["email"], user_id, project_id, record.get("expires_at"), digest)


def whoami(document: Document, call: Call) -> Record:
    caller = call.caller
    project = None if caller.is_admin else project_name(*find_project(document, call, caller.project_id))
    named = {"name": caller.name} if caller.is_admin else {"email": caller.name}
    return {"kind": caller.kind, **named, "project": project, "expires_at": caller.expires_at}


def find_api_key(document: Document, identifier: str) -> tuple[str, Record]:
    """(digest, record) of the key with this public id or secret."""
    digest = document.found("api_key_ids", identifier) or digest_of(identifier)
    record = document.get("apikeys", digest)
    if record is None:
        raise NotFound("no API key has this id or secret", "list the API keys to see their ids")
    _note(document, record)
    return digest, record


def generate_api_key(
    draft: Draft, call: Call, *, user_identifier: str, project_identifier: str, expires_in_days: int | None = None
) -> Record:
    """``api_key`` is the secret; it is shown this one time."""
    user_id, user = find_user(draft, call, user_identifier)
    project_id, project = find_project(draft, call, project_identifier)
    if not is_member(draft, project_id, user_id):
        message = f"{quoted(user['email'])} is not in the project {quoted(project['project_name'])}"
        raise Conflict(message, "add the user to the project first")
    secret, fields = fresh_key(call, "smg_", expires_in_days)
    record = {"api_key_id": new_public_id(call, "key_"), "user_id": user_id, "project_id": project_id, **fields}
    draft.put("apikeys", digest_of(secret), record)
    _note(draft, record)
    return {"api_key": secret, **{field: record[field] for field in ("api_key_id", "user_id", "project_id", "expires_at")}}


def list_user_api_keys(
    document: Document,
    call: Call,
    *,
    user_identifier: str,
    project_identifier: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Listing:
    user_id, _ = find_user(document, call, user_identifier)
    if project_identifier is None:
        keys = document.related("user_keys", user_id)
    else:
        project_id, _ = find_project(document, call, project_identifier)
        keys = document.related("member_keys", member_key(project_id, user_id))
    return page(keys, limit, offset, lambda pair: key_view(document, pair[1]))


def delete_user_api_keys(draft: Draft, call: Call, *, user_identifier: str) -> Record:
    user_id, _ = find_user(draft, call, user_identifier)
    keys = draft.related("user_keys", user_id)
    for digest, _ in keys:
        draft.delete("apikeys", digest)
    return {"deleted": len(keys)}


def list_api_keys(
    document: Document,
    call: Call,
    *,
    disabled: bool | None = None,
    expires_within_days: int | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Listing:
    """``expires_within_days`` keeps the keys that still work and will not after that many days."""
    if disabled is None and expires_within_days is None:
        return table_page(document, "apikeys", limit, offset, lambda _, record: key_view(document, record))
    records = [record for _, record in document.table("apikeys").items()]
    if disabled is not None:
        records = [record for record in records if record.get("disabled", False) is disabled]
    if expires_within_days is not None:
        end = time_after(call.now, expires_within_days)
        records = [record for record in records if call.now < (record.get("expires_at") or "") <= end]
    return page(records, limit, offset, lambda record: key_view(document, record))


def get_api_key(document: Document, call: Call, *, api_key: str) -> Record:
    return key_view(document, find_api_key(document, api_key)[1])


def rotate_api_key(draft: Draft, call: Call, *, api_key: str) -> Record:
    """``api_key`` of the answer is the new secret; it is shown this one time."""
    digest, record = find_api_key(draft, api_key)
    secret = rotate(draft, call, "apikeys", digest, record, "smg_")
    return {"api_key": secret, "api_key_id": record["api_key_id"], "expires_at": record.get("expires_at")}


def disable_api_key(draft: Draft, call: Call, *, api_key: str) -> Record:
    digest, record = find_api_key(draft, api_key)
    draft.put("apikeys", digest, {**record, "disabled": True})
    return key_view(draft, {**record, "disabled": True})


def enable_api_key(draft: Draft, call: Call, *, api_key: str) -> Record:
    digest, record = find_api_key(draft, api_key)
    if not is_member(draft, record["project_id"], record["user_id"]):
        raise Conflict("the key's user is not in the key's project", "add the user to the project first")
    draft.put("apikeys", digest, {**record, "disabled": False})
    return key_view(draft, {**record, "disabled": False})


def delete_api_key(draft: Draft, call: Call, *, api_key: str) -> None:
    digest, _ = find_api_key(draft, api_key)
    draft.delete("apikeys", digest)


def _require_working(record: Record, now: str) -> None:
    if record.get("disabled"):
        raise Unauthorized("the key is disabled", "ask an administrator to enable it")
    if is_expired(record, now):
        raise Unauthorized("the key has expired", "ask an administrator for another key")


def _note(document: Document, record: Record) -> None:
    if isinstance(document, Draft):
        for field in ("api_key_id", "user_id", "project_id"):
            document.names[field] = record[field]
