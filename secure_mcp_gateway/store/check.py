"""Is this content whole? Types, references and names of everything that a document holds; the rules stand on it."""

from __future__ import annotations

import re

from secure_mcp_gateway.store.clock import is_time
from secure_mcp_gateway.store.document import email_key, member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    Content = dict[str, dict[str, dict[str, Any]]]

_NULL = type(None)

# Every field that the rules rely on, with the types it may have. Further fields are kept as they are.
FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "admin_keys": {
        "admin_key": (str,),
        "name": (str,),
        "hint": (str,),
        "created_at": (str,),
        "expires_at": (str, _NULL),
        "disabled": (bool,),
        "rotated_at": (str, _NULL),
    },
    "mcp_configs": {"mcp_config_name": (str,), "mcp_config": (list,), "created_at": (str,), "updated_at": (str,)},
    "projects": {"project_name": (str,), "mcp_config_id": (str, _NULL), "created_at": (str,)},
    "users": {"email": (str,), "created_at": (str,)},
    "members": {"project_id": (str,), "user_id": (str,), "created_at": (str,)},
    "apikeys": {
        "api_key_id": (str,),
        "hint": (str,),
        "user_id": (str,),
        "project_id": (str,),
        "created_at": (str,),
        "expires_at": (str, _NULL),
        "disabled": (bool,),
        "rotated_at": (str, _NULL),
    },
}
_NAMES = {"mcp_configs": "mcp_config_name", "projects": "project_name", "users": "email", "admin_keys": "name"}
_PUBLIC_IDS = {"apikeys": ("api_key_id", re.compile(r"key_[0-9a-f]{16}")), "admin_keys": ("admin_key", re.compile(r"adm_[0-9a-f]{16}"))}

POLICIES = ("input_guardrails_policy", "output_guardrails_policy", "tool_guardrails_policy")
SERVER_FIELDS: dict[str, tuple[type, ...]] = {
    "server_name": (str,),
    "description": (str,),
    "config": (dict,),
    "tools": (dict,),
    "denied_tools": (list,),
    **dict.fromkeys(POLICIES, (dict,)),
}

_SETTINGS: dict[str, tuple[type, ...]] = {"enkrypt_api_key": (str,), "telemetry": (dict,), "imported": (dict,)}
_TELEMETRY: dict[str, tuple[type, ...]] = {"enabled": (bool,), "url": (str,), "insecure": (bool,)}

_WORDS = {str: "a string", bool: "true or false", list: "a list", dict: "an object", _NULL: "null"}
# In the words of the closer look at a server, so that what both see is said once.
_FULLER = {"config": "an object with a command or a url", "denied_tools": "a list of strings"}


def content_problems(content: Content, dropped: Collection[str] = ()) -> list[str]:
    """Every problem, each with the place it is at; secrets and digests are named by their position.

    What refers to a record that is broken itself, or to a table that is, is not blamed for it. A table that is left out is not
    looked at. ``dropped`` are API keys that will not be kept: what they refer to, or clash with, does not matter.
    """
    return [*_type_problems(content), *_reference_problems(content, dropped), *_ambiguities(content, dropped)]


def settings_problems(settings: Any) -> list[str]:
    if not isinstance(settings, dict):
        return ["settings must be an object"]
    problems = list(record_problems("settings", settings, _given(_SETTINGS, settings)))
    telemetry = settings.get("telemetry")
    if isinstance(telemetry, dict):
        problems += record_problems("settings.telemetry", telemetry, _given(_TELEMETRY, telemetry))
    return problems


def _given(fields: dict[str, tuple[type, ...]], record: dict[str, Any]) -> dict[str, tuple[type, ...]]:
    return {field: types for field, types in fields.items() if field in record}


def _type_problems(content: Content) -> Iterator[str]:
    for table in FIELDS:
        if table in content:
            yield from _table_problems(table, content[table])


def record_problems(where: str, record: Any, fields: dict[str, tuple[type, ...]]) -> Iterator[str]:
    if not isinstance(record, dict):
        yield f"{where} must be an object"
        return
    for field, types in fields.items():
        if field not in record:
            yield f"{where}.{field} is missing"
        elif not isinstance(record[field], types):
            yield f"{where}.{field} must be {_FULLER.get(field) or ' or '.join(_WORDS[each] for each in types)}"


def place(table: str, position: int, key: str) -> str:
    """How a problem names a record: by its id, or by its position where the key is a digest or a secret."""
    return f"{table}[{position}]" if table in ("apikeys", "admin_keys") else f"{table}[{key[:80]!r}]"


def _table_problems(table: str, records: Any) -> Iterator[str]:
    if not isinstance(records, dict):
        yield f"{table} must be an object"
        return
    for position, (key, record) in enumerate(records.items()):
        where = place(table, position, key)
        yield from record_problems(where, record, FIELDS[table])
        yield from _key_problems(table, key, where)
        if isinstance(record, dict):
            yield from _name_problems(table, record, where)
            yield from _time_problems(record, where)
            if table == "mcp_configs" and isinstance(record.get("mcp_config"), list):
                yield from _server_problems(where, record["mcp_config"])


def _key_problems(table: str, key: str, where: str) -> Iterator[str]:
    if table in ("apikeys", "admin_keys"):
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            yield f"{where} must stand under a SHA-256 digest"
    elif table != "members" and (not 0 < len(key) <= 100 or "/" in key or not key.isprintable()):
        yield f"{where} has an id that cannot be one: 1 to 100 printable characters without a slash"


def _name_problems(table: str, record: dict[str, Any], where: str) -> Iterator[str]:
    if table in _NAMES and record.get(_NAMES[table]) == "":
        yield f"{where}.{_NAMES[table]} must not be empty"
    field, form = _PUBLIC_IDS.get(table, ("", None))
    if form is not None and isinstance(record.get(field), str) and not form.fullmatch(record[field]):
        yield f"{where}.{field} must be {form.pattern[:4]} and 16 hexadecimal digits"


def _time_problems(record: dict[str, Any], where: str) -> Iterator[str]:
    for field in ("created_at", "updated_at", "expires_at", "rotated_at"):
        if isinstance(record.get(field), str) and not is_time(record[field]):
            yield f"{where}.{field} is not a time such as 2026-01-02T03:04:05.678901+00:00"


def _server_problems(where: str, servers: list[Any]) -> Iterator[str]:
    names: set[str] = set()
    for position, server in enumerate(servers):
        here = f"{where}.mcp_config[{position}]"
        yield from record_problems(here, server, SERVER_FIELDS)
        name = server.get("server_name") if isinstance(server, dict) else None
        if not isinstance(name, str):
            continue
        if name in names:
            yield f"{here}.server_name {name[:60]!r} is there twice"
        names.add(name)


def _records(content: Content, table: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The place, the key and the record of each that is one."""
    records = content.get(table)
    for position, (key, record) in enumerate(records.items() if isinstance(records, dict) else ()):
        if isinstance(record, dict):
            yield place(table, position, key), key, record


def _is_lost(content: Content, table: str, key: Any) -> bool:
    records = content.get(table)
    return isinstance(key, str) and isinstance(records, dict) and key not in records


def keys_of_nobody(content: Content) -> set[str]:
    """The API keys whose user or project does not exist."""
    return {
        key
        for _, key, record in _records(content, "apikeys")
        if _is_lost(content, "projects", record.get("project_id")) or _is_lost(content, "users", record.get("user_id"))
    }


def _reference_problems(content: Content, dropped: Collection[str]) -> Iterator[str]:
    for where, _, project in _records(content, "projects"):
        if _is_lost(content, "mcp_configs", project.get("mcp_config_id")):
            yield f"{where}.mcp_config_id names a config that does not exist"
    for where, key, member in _records(content, "members"):
        project_id, user_id = member.get("project_id"), member.get("user_id")
        if isinstance(project_id, str) and isinstance(user_id, str) and key != member_key(project_id, user_id):
            yield f"{where} does not stand under its own ids"
    for table in ("members", "apikeys"):
        for where, key, record in _records(content, table):
            if key in dropped:
                continue
            if _is_lost(content, "projects", record.get("project_id")):
                yield f"{where}.project_id names a project that does not exist"
            if _is_lost(content, "users", record.get("user_id")):
                yield f"{where}.user_id names a user that does not exist"


def _ambiguities(content: Content, dropped: Collection[str]) -> Iterator[str]:
    for table, field in (*_NAMES.items(), *((table, field) for table, (field, _) in _PUBLIC_IDS.items())):
        yield from _twice(content, table, field, dropped)
    admin_keys = content.get("admin_keys")
    for where, key, _ in _records(content, "apikeys"):
        if isinstance(admin_keys, dict) and key in admin_keys and key not in dropped:
            yield f"{where} is an admin key too"


def _twice(content: Content, table: str, field: str, dropped: Collection[str]) -> Iterator[str]:
    """Two records that one name would mean, or a name that is another record's id."""
    seen: set[str] = set()
    for where, key, record in _records(content, table):
        name = record.get(field)
        if not isinstance(name, str) or not name or key in dropped:
            continue
        name = email_key(name) if field == "email" else name
        if name in seen:
            yield f"{where}: {name[:60]!r} is the name of another one too"
        if name in content[table] and name != key:
            yield f"{where}: {name[:60]!r} is the id of another one"
        seen.add(name)
