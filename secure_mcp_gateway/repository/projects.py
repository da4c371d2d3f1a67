"""Projects: users who share one config."""

from __future__ import annotations

from secure_mcp_gateway.errors import Conflict, NotFound
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.repository.configs import find_config
from secure_mcp_gateway.repository.exports import PROJECT_KIND, VERSION
from secure_mcp_gateway.repository.names import (
    check_name,
    check_search_term,
    counted,
    key_by_name,
    no_such,
    quoted,
    searchable,
    seen_key_of,
)
from secure_mcp_gateway.repository.paging import page, table_page
from secure_mcp_gateway.repository.users import find_user
from secure_mcp_gateway.repository.views import (
    config_view,
    is_member,
    project_name,
    project_row,
    project_users,
    project_view,
    user_name,
)
from secure_mcp_gateway.store.document import Draft, member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record


def find_project(document: Document, call: Call, identifier: str) -> tuple[str, Record]:
    """(id, record); ``NotFound`` also for a project that the caller may not see."""
    project_id = seen_key_of(document, call, "projects", call.caller.project_id, identifier)
    record = document.get("projects", project_id) if project_id is not None else None
    if project_id is None or record is None:
        raise no_such(document, call, "projects", identifier)
    _note(document, project_id, record["project_name"])
    return project_id, record


def list_projects(document: Document, call: Call, *, limit: int | None = None, offset: int | None = None) -> Listing:
    if call.caller.is_admin:
        return table_page(document, "projects", limit, offset, lambda key, record: project_row(document, call, key, record))
    own = find_project(document, call, call.caller.project_id)
    return page([own], limit, offset, lambda pair: project_row(document, call, *pair))


def create_project(draft: Draft, call: Call, *, project_name: str) -> Record:
    name = check_name(project_name, "project_name")
    if key_by_name(draft, "projects", name) is not None:
        raise Conflict(f"there is a project called {quoted(name)} already", "take another name")
    project_id = call.new_id()
    draft.put("projects", project_id, {"project_name": name, "mcp_config_id": None, "created_at": call.now})
    _note(draft, project_id, name)
    return {"project_id": project_id, "project_name": name}


def search_projects(document: Document, call: Call, *, search_term: str, limit: int | None = None, offset: int | None = None) -> Listing:
    """A project is found once; a match of its own name comes before one of a member's address."""
    term = check_search_term(search_term)
    by_user = _projects_of_users_like(document, term)
    found = []
    for project_id, record in document.table("projects").items():
        by_name = term in searchable(record["project_name"])
        if by_name or project_id in by_user:
            found.append((project_id, record, "project_name" if by_name else "user_email"))
    return page(found, limit, offset, lambda each: _found_row(document, *each))


def get_project(document: Document, call: Call, *, project_identifier: str) -> Record:
    return project_view(document, call, *find_project(document, call, project_identifier))


def remove_project(draft: Draft, call: Call, *, project_identifier: str) -> None:
    """Its memberships go with it."""
    project_id, record = find_project(draft, call, project_identifier)
    keys = draft.count("project_keys", project_id)
    if keys:
        raise Conflict(f"the project {quoted(record['project_name'])} has {counted(keys, 'API key')}", "delete its keys first")
    for key, _ in draft.related("project_members", project_id):
        draft.delete("members", key)
    draft.delete("projects", project_id)


def assign_config(draft: Draft, call: Call, *, project_identifier: str, config_identifier: str) -> Record:
    project_id, project = find_project(draft, call, project_identifier)
    config_id, config = find_config(draft, call, config_identifier)
    draft.put("projects", project_id, {**project, "mcp_config_id": config_id})
    return {"project_id": project_id, "mcp_config_id": config_id, "mcp_config_name": config["mcp_config_name"]}


def unassign_config(draft: Draft, call: Call, *, project_identifier: str) -> None:
    project_id, project = find_project(draft, call, project_identifier)
    if project["mcp_config_id"] is None:
        raise Conflict(f"the project {quoted(project['project_name'])} has no config assigned")
    draft.names["mcp_config_id"] = project["mcp_config_id"]
    draft.put("projects", project_id, {**project, "mcp_config_id": None})


def get_project_config(document: Document, call: Call, *, project_identifier: str) -> Record:
    _, project = find_project(document, call, project_identifier)
    shown = _assigned_config(document, call, project)
    if shown is None:
        raise NotFound(f"the project {quoted(project['project_name'])} has no config assigned", "assign one first")
    return shown


def list_project_users(
    document: Document, call: Call, *, project_identifier: str, limit: int | None = None, offset: int | None = None
) -> Listing:
    project_id, _ = find_project(document, call, project_identifier)
    return page(project_users(document, project_id), limit, offset, lambda pair: _member_row(document, project_id, *pair))


def add_user(draft: Draft, call: Call, *, project_identifier: str, user_identifier: str) -> Record:
    project_id, project = find_project(draft, call, project_identifier)
    user_id, user = find_user(draft, call, user_identifier)
    if is_member(draft, project_id, user_id):
        raise Conflict(f"{quoted(user['email'])} is in the project {quoted(project['project_name'])} already")
    record = {"project_id": project_id, "user_id": user_id, "created_at": call.now}
    draft.put("members", member_key(project_id, user_id), record)
    return {"project_id": project_id, "user_id": user_id, "email": user["email"]}


def remove_user(draft: Draft, call: Call, *, project_identifier: str, user_identifier: str) -> Record:
    """The user's keys for this project go with it."""
    project_id, project = find_project(draft, call, project_identifier)
    user_id, user = find_user(draft, call, user_identifier)
    if not is_member(draft, project_id, user_id):
        message = f"{quoted(user['email'])} is not in the project {quoted(project['project_name'])}"
        raise NotFound(message, "list its users to see who is")
    return {"api_keys_deleted": _leave(draft, project_id, user_id)}


def remove_all_users(draft: Draft, call: Call, *, project_identifier: str) -> Record:
    project_id, _ = find_project(draft, call, project_identifier)
    members = [record["user_id"] for _, record in draft.related("project_members", project_id)]
    deleted = sum(_leave(draft, project_id, user_id) for user_id in members)
    return {"removed": len(members), "api_keys_deleted": deleted}


def export_project(draft: Draft, call: Call, *, project_identifier: str) -> Record:
    """The project, its config and its users; no key."""
    project_id, project = find_project(draft, call, project_identifier)
    return {
        "kind": PROJECT_KIND,
        "version": VERSION,
        **project_name(project_id, project),
        "created_at": project["created_at"],
        "mcp_config": _assigned_config(draft, call, project),
        "users": [user_name(*pair) for pair in project_users(draft, project_id)],
    }


def _assigned_config(document: Document, call: Call, project: Record) -> Record | None:
    config_id = project["mcp_config_id"]
    config = document.get("mcp_configs", config_id) if config_id is not None else None
    return None if config is None else config_view(call, config_id, config)


def _projects_of_users_like(document: Document, term: str) -> set[str]:
    users = [user_id for user_id, user in document.table("users").items() if term in searchable(user["email"])]
    return {member["project_id"] for user_id in users for _, member in document.related("user_members", user_id)}


def _found_row(document: Document, project_id: str, project: Record, match: str) -> Record:
    return {**project_name(project_id, project), "match_type": match, "users": document.count("project_members", project_id)}


def _member_row(document: Document, project_id: str, user_id: str, user: Record) -> Record:
    keys = document.count("member_keys", member_key(project_id, user_id))
    return {"user_id": user_id, "email": user["email"], "api_keys": keys, "created_at": user["created_at"]}


def _leave(draft: Draft, project_id: str, user_id: str) -> int:
    """How many keys went with the membership."""
    member = member_key(project_id, user_id)
    keys = draft.related("member_keys", member)
    for digest, _ in keys:
        draft.delete("apikeys", digest)
    draft.delete("members", member)
    return len(keys)


def _note(document: Document, project_id: str, name: str) -> None:
    if isinstance(document, Draft):
        document.names["project_id"] = project_id
        document.names["project_name"] = name
