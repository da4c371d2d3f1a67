"""The store as a whole: is it sound, what was done to it, a copy of it, and starting over."""

from __future__ import annotations

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.repository.configs import config_issues
from secure_mcp_gateway.repository.defaults import default_tables
from secure_mcp_gateway.repository.exports import VERSION
from secure_mcp_gateway.repository.key_secrets import is_active
from secure_mcp_gateway.repository.names import NOUNS, quoted, unfit_names
from secure_mcp_gateway.repository.views import is_member
from secure_mcp_gateway.store.check import content_problems
from secure_mcp_gateway.store.document import BACKUP_KIND, FORMAT, TABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Draft, Record


def check_health(document: Document, call: Call) -> Record:
    """``issues`` make it unhealthy: dangling references, duplicates, structure, the permissions of the store; ``warnings`` do not."""
    issues, warnings = call.store.facts()
    unsound = content_problems(tables_of(document))
    doubts = [] if unsound else [*_name_warnings(document), *_config_warnings(document), *_key_warnings(document, call.now)]
    issues = [*issues, *unsound]
    return {
        "status": "unhealthy" if issues else "healthy",
        "issues": issues,
        "warnings": [*warnings, *doubts],
        "statistics": _statistics(document),
        "timestamp": call.now,
    }


def audit(
    document: Document,
    call: Call,
    *,
    since: str | None = None,
    actor: str | None = None,
    operation: str | None = None,
    verify: bool | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Any:
    """The lines, newest first; with ``verify`` what a walk along the whole chain found."""
    if verify:
        return call.store.verify_audit()
    lines = call.store.audit_lines(since=_utc(since) if since is not None else None, actor=actor, operation=operation)
    start = offset or 0
    return Listing(lines[start : len(lines) if limit is None else start + limit], len(lines))


def backup(draft: Draft, call: Call) -> Record:
    """Everything that a restore needs; of keys the digests only."""
    return {
        "kind": BACKUP_KIND,
        "version": VERSION,
        "format": FORMAT,
        "created_at": call.now,
        "generation": draft.generation,
        **tables_of(draft),
        "settings": draft.settings,
    }


def reset(draft: Draft, call: Call, *, confirm: bool | None = None) -> Record:
    """Everything but the admin keys is replaced by what a new store begins with."""
    if confirm is not True:
        raise InvalidRequest("confirm must be true: a reset replaces everything but the admin keys", "a safety backup is made first")
    for table, records in default_tables(call).items():
        draft.replace(table, records)
    draft.settings = {}
    return {"safety_backup": draft.safety_backup}


def tables_of(document: Document) -> dict[str, dict[str, Record]]:
    return {name: dict(document.table(name).items()) for name in TABLES}


def _utc(since: str) -> str:
    from secure_mcp_gateway.store.clock import utc_time

    # A plus sign that was not escaped in a query arrives as a blank.
    text = since.replace(" ", "+") if "T" in since else since
    try:
        return utc_time(text)
    except ValueError:
        raise InvalidRequest("since must be an ISO 8601 time", "for example 2026-01-31T08:00:00+00:00 or 2026-01-31") from None


def _name_warnings(document: Document) -> Iterator[str]:
    """Old names are taken as they are: no reason to call it unhealthy."""
    for table, _, name, problem in unfit_names(document):
        yield f"{NOUNS[table]} {quoted(name)}: the {'address' if table == 'users' else 'name'} {problem}"


def _config_warnings(document: Document) -> Iterator[str]:
    for _, config in document.table("mcp_configs").items():
        yield from (f"config {quoted(config['mcp_config_name'])}: {issue}" for issue in config_issues(config["mcp_config"]))


def _key_warnings(document: Document, now: str) -> Iterator[str]:
    if not any(is_active(record, now) for _, record in document.table("admin_keys").items()):
        yield "no admin key works: the REST API can be administered by nobody; make one with `admin-key create`"
    for _, record in document.table("apikeys").items():
        if not record.get("disabled") and not is_member(document, record["project_id"], record["user_id"]):
            yield f"the API key {record['api_key_id']} is enabled, but its user is not in its project: it opens nothing"


def _statistics(document: Document) -> Record:
    keys = document.table("apikeys")
    return {
        "total_projects": len(document.table("projects")),
        "total_users": len(document.table("users")),
        "total_configs": len(document.table("mcp_configs")),
        "total_servers": sum(len(config["mcp_config"] or ()) for _, config in document.table("mcp_configs").items()),
        "total_api_keys": len(keys),
        "disabled_api_keys": sum(1 for _, record in keys.items() if record.get("disabled")),
    }
