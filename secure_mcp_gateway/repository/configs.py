"""Configs: named sets of MCP servers."""

from __future__ import annotations

from secure_mcp_gateway.errors import Conflict
from secure_mcp_gateway.repository import tool_lists
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.repository.exports import CONFIG_KIND, VERSION
from secure_mcp_gateway.repository.names import (
    check_name,
    check_search_term,
    key_by_name,
    no_such,
    quoted,
    quoted_list,
    searchable,
    seen_key_of,
)
from secure_mcp_gateway.repository.paging import page, table_page
from secure_mcp_gateway.repository.views import config_row, config_view, own_config, project_name
from secure_mcp_gateway.store.check import POLICIES
from secure_mcp_gateway.store.document import Draft
from secure_mcp_gateway.store.server_checks import POLICY_OPTIONS, server_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record

# How like a known field another must be to be taken for it, how much of it is looked at, and how many are.
_LIKENESS, _LONGEST, _MOST_COMPARED = 0.8, 80, 20


def find_config(document: Document, call: Call, identifier: str) -> tuple[str, Record]:
    """(id, record); ``NotFound`` also for a config that the caller may not see."""
    config_id = seen_key_of(document, call, "mcp_configs", own_config(document, call), identifier)
    record = document.get("mcp_configs", config_id) if config_id is not None else None
    if config_id is None or record is None:
        raise no_such(document, call, "mcp_configs", identifier)
    _note(document, config_id, record["mcp_config_name"])
    return config_id, record


def require_free_name(document: Document, name: str, own_id: str | None = None) -> None:
    taken_by = key_by_name(document, "mcp_configs", name)
    if taken_by not in (None, own_id):
        raise Conflict(f"there is a config called {quoted(name)} already", "take another name")


def list_configs(document: Document, call: Call, *, limit: int | None = None, offset: int | None = None) -> Listing:
    if call.caller.is_admin:
        return table_page(document, "mcp_configs", limit, offset, lambda key, record: config_row(document, call, key, record))
    config_id = own_config(document, call)
    record = document.get("mcp_configs", config_id) if config_id is not None else None
    own = [(str(config_id), record)] if record is not None else []
    return page(own, limit, offset, lambda pair: config_row(document, call, *pair))


def add_config(draft: Draft, call: Call, *, config_name: str) -> Record:
    config_id, name = put_new_config(draft, call, config_name, "config_name", {"mcp_config": []})
    return {"mcp_config_id": config_id, "config_id": config_id, "config_name": name}


def put_new_config(draft: Draft, call: Call, name: str, field: str, content: Record) -> tuple[str, str]:
    """(id, name as stored) of a new config with this content; ``field`` is where the name was given."""
    name = check_name(name, field)
    require_free_name(draft, name)
    config_id = call.new_id()
    draft.put("mcp_configs", config_id, {**content, "mcp_config_name": name, "created_at": call.now, "updated_at": call.now})
    _note(draft, config_id, name)
    return config_id, name


def copy_config(draft: Draft, call: Call, *, source_config: str, target_config: str) -> Record:
    name = check_name(target_config, "target_config")
    _, source = find_config(draft, call, source_config)
    # Records are never changed in place, so the copy may share its servers with the source.
    config_id, name = put_new_config(draft, call, name, "target_config", source)
    return {"mcp_config_id": config_id, "config_name": name}


def search_configs(document: Document, call: Call, *, search_term: str, limit: int | None = None, offset: int | None = None) -> Listing:
    """A config is found once; a match of its own name comes before one of a server's."""
    term = check_search_term(search_term)
    found = []
    for config_id, record in document.table("mcp_configs").items():
        names = {
            "config_name": [record["mcp_config_name"]],
            "server_name": [server["server_name"] for server in record["mcp_config"]],
        }
        match = next((kind for kind, texts in names.items() if any(term in searchable(text) for text in texts)), "")
        if match:
            found.append((config_id, record, match))
    return page(found, limit, offset, lambda each: _found_row(*each))


def get_config(document: Document, call: Call, *, config_identifier: str) -> Record:
    return config_view(call, *find_config(document, call, config_identifier))


def rename_config(draft: Draft, call: Call, *, config_identifier: str, new_name: str) -> Record:
    name = check_name(new_name, "new_name")
    config_id, record = find_config(draft, call, config_identifier)
    require_free_name(draft, name, config_id)
    draft.put("mcp_configs", config_id, {**record, "mcp_config_name": name, "updated_at": call.now})
    return {"mcp_config_id": config_id, "config_name": name}


def remove_config(draft: Draft, call: Call, *, config_identifier: str) -> None:
    config_id, record = find_config(draft, call, config_identifier)
    users = [project["project_name"] for _, project in draft.related("config_projects", config_id)]
    if users:
        what = "the project" if len(users) == 1 else "the projects"
        message = f"the config {quoted(record['mcp_config_name'])} is used by {what} {quoted_list(users)}"
        raise Conflict(message, "assign another config there, or unassign this one, first")
    draft.delete("mcp_configs", config_id)


def list_config_projects(
    document: Document, call: Call, *, config_identifier: str, limit: int | None = None, offset: int | None = None
) -> Listing:
    config_id, _ = find_config(document, call, config_identifier)
    projects = document.related("config_projects", config_id)
    return page(projects, limit, offset, lambda pair: {**project_name(*pair), "users": document.count("project_members", pair[0])})


def validate_config(document: Document, call: Call, *, config_identifier: str) -> Record:
    """``issues`` are sentences; a config without servers is valid."""
    _, record = find_config(document, call, config_identifier)
    issues = config_issues(record["mcp_config"])
    return {"valid": not issues, "issues": issues}


def export_config(draft: Draft, call: Call, *, config_identifier: str) -> Record:
    config_id, record = find_config(draft, call, config_identifier)
    return {"kind": CONFIG_KIND, "version": VERSION, **config_view(call, config_id, record)}


def config_issues(servers: list[Any]) -> list[str]:
    issues: list[str] = []
    names: set[str] = set()
    for at, server in enumerate(servers):
        name = server.get("server_name") if isinstance(server, dict) else None
        where = f"servers.{name}" if isinstance(name, str) else f"servers[{at}]"
        issues += server_problems(server, where) or server_doubts(server, where)
        if where in names:
            issues.append(f"{where} is there twice: only one of them can be reached")
        names.add(where)
    return issues


def server_doubts(server: Record, where: str) -> list[str]:
    """What is well-formed and cannot work, or does not do what it says."""
    doubts = tool_lists.doubts(server, where)
    for field in POLICIES:
        policy = server.get(field) or {}
        doubts += [f"{where}.{field}.{given} has no meaning here: did you mean {meant}?" for given, meant in mistyped(policy).items()]
        if policy.get("enabled") is True and not policy.get("policy_name") and not policy.get("block"):
            doubts.append(f"{where}.{field} is enabled but names no policy and nothing to block")
    return doubts


def mistyped(policy: Record) -> Record:
    """Fields of a policy without a meaning, of a flood the first, each with the one that was probably meant."""
    known = ("enabled", *POLICY_OPTIONS)
    unknown = [field for field in policy if field not in known][:_MOST_COMPARED]
    if not unknown:
        return {}
    from difflib import get_close_matches

    found = {field: get_close_matches(field[:_LONGEST].lower(), known, 1, _LIKENESS) for field in unknown}
    return {field: near[0] for field, near in found.items() if near}


def _found_row(config_id: str, record: Record, match: str) -> Record:
    name = record["mcp_config_name"]
    return {"mcp_config_id": config_id, "mcp_config_name": name, "match_type": match, "servers": len(record["mcp_config"])}


def _note(document: Document, config_id: str, name: str) -> None:
    if isinstance(document, Draft):
        document.names["mcp_config_id"] = config_id
        document.names["config_name"] = name
