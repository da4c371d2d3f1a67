"""Restoring a backup: all of it after full validation, or nothing and every problem at once."""

from __future__ import annotations

from secure_mcp_gateway.errors import InvalidRequest, listed
from secure_mcp_gateway.repository.exports import VERSION, unwrapped
from secure_mcp_gateway.repository.key_secrets import is_active
from secure_mcp_gateway.store.check import place, settings_problems
from secure_mcp_gateway.store.clock import utc_time
from secure_mcp_gateway.store.document import BACKUP_KIND, BESIDE_TABLES, FORMAT, TABLES, Draft
from secure_mcp_gateway.store.migrate import Converted, conversion_problems, from_enkrypt, is_enkrypt, settle_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call

_COUNTED = {"projects": "projects", "users": "users", "configs": "mcp_configs", "api_keys": "apikeys"}
_HEAD = ("format", "generation")
NOBODY_ADMINISTERS = (
    "no admin key works after this: nobody can administer the store over the REST API; "
    "make one with: secure-mcp-gateway admin-key create --name NAME"
)
_OF_BACKUPS = ("kind", "version", "created_at")
_RESTORED = ("mcp_configs", "projects", "users", "members", "apikeys")


def restore_store(
    draft: Draft, call: Call, *, data: Any, dry_run: bool | None = None, with_admin_keys: bool | None = None
) -> dict[str, Any]:
    """Put what a backup holds in the place of everything but the admin keys; ``InvalidRequest`` lists all problems."""
    source = unwrapped(data, "backup")
    made = _converted(source, call.now)
    problems = _problems(made)
    if problems:
        raise InvalidRequest("this cannot be restored, nothing is changed: " + listed(problems))
    settle_keys(made)
    # A store that is made just now, be there an audit log from before or not; or one that nobody can administer.
    fresh = not len(draft.table("admin_keys"))
    if fresh:
        draft.generation = max(draft.generation, made.generation)
    if with_admin_keys or fresh:
        _add_admin_keys(draft, made)
    for table in _RESTORED:
        draft.replace(table, made.content[table])
    _drop_clashing_keys(draft, made)
    draft.settings = made.settings
    if not any(is_active(key, call.now) for _, key in draft.table("admin_keys").items()):
        made.warnings.append(NOBODY_ADMINISTERS)
    counts = {name: len(draft.table(table)) for name, table in _COUNTED.items()}
    return {**counts, "warnings": made.warnings, "safety_backup": draft.safety_backup}


def _converted(source: Any, now: str) -> Converted:
    """Our tables out of any document that can be restored."""
    if is_enkrypt(source):
        return from_enkrypt(source, now)
    by_kind = isinstance(source, dict) and source.get("kind") == BACKUP_KIND
    # The store's own file, as the safety backups are, says its format and where its audit stands instead.
    ours = by_kind or (isinstance(source, dict) and "kind" not in source and {"format", "audit"} <= source.keys())
    if not ours:
        hint = "give what `system backup` wrote, or a config file of Enkrypt's gateway"
        raise InvalidRequest("data is neither a backup of ours nor a file of Enkrypt's gateway", hint)
    version = source.get("version") if by_kind else VERSION
    if version != VERSION or source.get("format", FORMAT) != FORMAT:
        hint = "restore it with the release that made it"
        raise InvalidRequest("data has a version or format that this release does not know", hint)
    made = Converted(now)
    made.problems += [f"{name} is missing: this backup is not whole" for name in (*_HEAD, *TABLES, "settings") if name not in source]
    known = {*TABLES, *(_OF_BACKUPS if by_kind else ()), *BESIDE_TABLES}
    made.problems += [f"{name[:60]!r} is nothing that a backup holds" for name in source if name not in known]
    made.content = {name: source[name] for name in TABLES if name in source}
    made.settings = source.get("settings", {})
    made.generation = source.get("generation", 0)
    if isinstance(made.generation, bool) or not isinstance(made.generation, int) or not 0 <= made.generation < 2**62:
        made.problems.append("generation must be a whole number")
    return made


def _problems(made: Converted) -> list[str]:
    untimely: list[str] = []
    for table, records in made.content.items():
        if isinstance(records, dict):
            made.content[table] = _with_utc_times(table, records, untimely)
    return list(dict.fromkeys([*conversion_problems(made), *untimely, *settings_problems(made.settings)]))


def _with_utc_times(table: str, records: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    timed = {}
    for position, (key, record) in enumerate(records.items()):
        timed[key] = record
        for field in ("created_at", "updated_at", "expires_at", "rotated_at"):
            if not isinstance(record, dict) or not isinstance(record.get(field), str):
                continue
            try:
                timed[key] = {**timed[key], field: utc_time(record[field])}
            except ValueError:
                problems.append(f"{place(table, position, key)}.{field} must be an ISO 8601 time")
    return timed


def _add_admin_keys(draft: Draft, made: Converted) -> None:
    """Those of the file join the running ones, under another name where theirs is taken."""
    numbers: dict[str, int] = {}
    for digest, key in made.content["admin_keys"].items():
        if draft.get("admin_keys", digest) is not None:
            continue
        name, stem = key["name"], key["name"][:90]
        while draft.found("admin_key_names", name) is not None:
            # On from where the last one of this stem was placed: many of them must not take the square of their number.
            numbers[stem] = numbers.get(stem, 1) + 1
            name = f"{stem}-{numbers[stem]}"
        if draft.found("admin_key_ids", key["admin_key"]) is not None:
            made.warnings.append(f"the admin key {key['name']!r} of the file is dropped: its id is taken")
            continue
        if name != key["name"]:
            made.warnings.append(f"the admin key {key['name']!r} of the file is called {name!r} here")
        draft.put("admin_keys", digest, {**key, "name": name})


def _drop_clashing_keys(draft: Draft, made: Converted) -> None:
    """One secret is either an admin key or an API key: what runs already stays what it is."""
    clashing = [(digest, key) for digest, key in draft.table("apikeys").items() if draft.get("admin_keys", digest) is not None]
    for digest, key in clashing:
        made.warnings.append(f"the API key {key['api_key_id']} is dropped: its secret is an admin key's")
        draft.delete("apikeys", digest)
