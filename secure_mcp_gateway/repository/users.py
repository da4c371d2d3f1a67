"""Users: people and agents."""

from __future__ import annotations

from secure_mcp_gateway.errors import Conflict
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.repository.names import (
    check_email,
    check_search_term,
    counted,
    key_by_name,
    no_such,
    quoted,
    quoted_list,
    searchable,
    seen_key_of,
)
from secure_mcp_gateway.repository.paging import page, table_page
from secure_mcp_gateway.repository.views import project_name, user_projects, user_row, user_view
from secure_mcp_gateway.store.document import Draft, member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record


def find_user(document: Document, call: Call, identifier: str) -> tuple[str, Record]:
    """(id, record); ``NotFound`` also for a user that the caller may not see."""
    user_id = seen_key_of(document, call, "users", call.caller.user_id, identifier)
    record = document.get("users", user_id) if user_id is not None else None
    if user_id is None or record is None:
        raise no_such(document, call, "users", identifier)
    _note(document, user_id, record["email"])
    return user_id, record


def list_users(document: Document, call: Call, *, limit: int | None = None, offset: int | None = None) -> Listing:
    return table_page(document, "users", limit, offset, lambda key, record: user_row(document, call, key, record))


def create_user(draft: Draft, call: Call, *, email: str) -> Record:
    address = check_email(email, "email")
    _require_free(draft, address)
    user_id = call.new_id()
    draft.put("users", user_id, {"email": address, "created_at": call.now})
    _note(draft, user_id, address)
    return {"user_id": user_id, "email": address}


def search_users(document: Document, call: Call, *, search_term: str, limit: int | None = None, offset: int | None = None) -> Listing:
    """A user is found once; a match of the address comes before one of a project's name."""
    term = check_search_term(search_term)
    by_project = _users_of_projects_like(document, term)
    found = []
    for user_id, record in document.table("users").items():
        by_email = term in searchable(record["email"])
        if by_email or user_id in by_project:
            found.append((user_id, record, "email" if by_email else "project_name"))
    return page(found, limit, offset, lambda each: _found_row(document, *each))


def get_user(document: Document, call: Call, *, user_identifier: str) -> Record:
    return user_view(document, call, *find_user(document, call, user_identifier))


def update_user(draft: Draft, call: Call, *, user_identifier: str, new_email: str) -> Record:
    address = check_email(new_email, "new_email")
    user_id, record = find_user(draft, call, user_identifier)
    _require_free(draft, address, user_id)
    draft.put("users", user_id, {**record, "email": address})
    return {"user_id": user_id, "email": address}


def delete_user(draft: Draft, call: Call, *, user_identifier: str, force: bool | None = None) -> Record:
    user_id, record = find_user(draft, call, user_identifier)
    members = draft.related("user_members", user_id)
    keys = draft.related("user_keys", user_id)
    if (members or keys) and not force:
        names = [project["project_name"] for _, project in user_projects(draft, user_id)]
        held = [*([f"is in {quoted_list(names)}"] if names else []), *([f"holds {counted(len(keys), 'API key')}"] if keys else [])]
        raise Conflict(f"{quoted(record['email'])} {' and '.join(held)}", "take those away first, or delete with force")
    for digest, _ in keys:
        draft.delete("apikeys", digest)
    for key, _ in members:
        draft.delete("members", key)
    draft.delete("users", user_id)
    return {"api_keys_deleted": len(keys), "projects_left": len(members)}


def list_user_projects(
    document: Document, call: Call, *, user_identifier: str, limit: int | None = None, offset: int | None = None
) -> Listing:
    user_id, _ = find_user(document, call, user_identifier)
    return page(user_projects(document, user_id), limit, offset, lambda pair: _membership_row(document, user_id, *pair))


def _require_free(document: Document, address: str, own_id: str | None = None) -> None:
    if key_by_name(document, "users", address) not in (None, own_id):
        raise Conflict(f"there is a user with the e-mail address {quoted(address)} already", "give another address, or use that user")


def _users_of_projects_like(document: Document, term: str) -> set[str]:
    projects = [key for key, project in document.table("projects").items() if term in searchable(project["project_name"])]
    return {member["user_id"] for key in projects for _, member in document.related("project_members", key)}


def _found_row(document: Document, user_id: str, user: Record, match: str) -> Record:
    return {"user_id": user_id, "email": user["email"], "match_type": match, "api_keys": document.count("user_keys", user_id)}


def _membership_row(document: Document, user_id: str, project_id: str, project: Record) -> Record:
    keys = document.count("member_keys", member_key(project_id, user_id))
    return {**project_name(project_id, project), "api_keys": keys, "created_at": project["created_at"]}


def _note(document: Document, user_id: str, email: str) -> None:
    if isinstance(document, Draft):
        document.names["user_id"] = user_id
        document.names["email"] = email
