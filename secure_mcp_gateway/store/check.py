"""Is this content whole? Types, references and names of everything that a document holds; the rules stand on it."""

from __future__ import annotations

import re

from secure_mcp_gateway.store.clock import is_time
from secure_mcp_gateway.store.document import email_key, member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
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


def content_problems(content: Content) -> list[str]:
    """Every problem, each with the place it is at; secrets and digests are named by their position."""
    return type_problems(content) or [*_reference_problems(content), *_ambiguities(content)]


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


def type_problems(content: Content) -> list[str]:
    return [problem for table in FIELDS for problem in _table_problems(table, content)]


def record_problems(where: str, record: Any, fields: dict[str, tuple[type, ...]]) -> Iterator[str]:
    if not isinstance(record, dict):
        yield f"{where} must be an object"
        return
    for field, types in fields.items():
        if field not in record:
            yield f"{where}.{field} is missing"
        elif not isinstance(record[field], types):
            yield f"{where}.{field} must be {' or '.join(_WORDS[each] for each in types)}"


def place(table: str, position: int, key: str) -> str:
    """How a problem names a record: by its id, or by its position where the key is a digest or a secret."""
    return f"{table}[{position}]" if table in ("apikeys", "admin_keys") else f"{table}[{key[:80]!r}]"


def _table_problems(table: str, content: Content) -> Iterator[str]:
    records = content.get(table)
    if not isinstance(records, dict):
        yield f"{table} must be an object"
        return
    for position, (key, record) in enumerate(records.items()):
        where = place(table, position, key)
        found = list(record_problems(where, record, FIELDS[table]))
        yield from found
        if not found:
            yield from _key_problems(table, key, where)
            yield from _name_problems(table, record, where)
            yield from _time_problems(record, where)
            if table == "mcp_configs":
                yield from _server_problems(where, record["mcp_config"])


def _key_problems(table: str, key: str, where: str) -> Iterator[str]:
    if table in ("apikeys", "admin_keys"):
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            yield f"{where} must stand under a SHA-256 digest"
    elif table != "members" and (not 0 < len(key) <= 100 or "/" in key or not key.isprintable()):
        yield f"{where} has an id that cannot be one: 1 to 100 printable characters without a slash"


def _name_problems(table: str, record: dict[str, Any], where: str) -> Iterator[str]:
    if table in _NAMES and not record[_NAMES[table]]:
        yield f"{where}.{_NAMES[table]} must not be empty"
    field, form = _PUBLIC_IDS.get(table, ("", None))
    if form is not None and not form.fullmatch(record[field]):
        yield f"{where}.{field} must be {form.pattern[:4]} and 16 hexadecimal digits"


def _time_problems(record: dict[str, Any], where: str) -> Iterator[str]:
    for field in ("created_at", "updated_at", "expires_at", "rotated_at"):
        if record.get(field) is not None and not is_time(record[field]):
            yield f"{where}.{field} is not a time such as 2026-01-02T03:04:05.678901+00:00"


def _server_problems(where: str, servers: list[Any]) -> Iterator[str]:
    names: set[str] = set()
    for position, server in enumerate(servers):
        here = f"{where}.mcp_config[{position}]"
        found = list(record_problems(here, server, SERVER_FIELDS))
        yield from found
        if found:
            continue
        if server["server_name"] in names:
            yield f"{here}.server_name {server['server_name'][:60]!r} is there twice"
        names.add(server["server_name"])


def _reference_problems(content: Content) -> Iterator[str]:
    configs, projects, users = content["mcp_configs"], content["projects"], content["users"]
    for key, project in projects.items():
        if project["mcp_config_id"] is not None and project["mcp_config_id"] not in configs:
            yield f"projects[{key!r}].mcp_config_id names a config that does not exist"
    for key, member in content["members"].items():
        if key != member_key(member["project_id"], member["user_id"]):
            yield f"members[{key!r}] does not stand under its own ids"
    for table in ("members", "apikeys"):
        for position, (key, record) in enumerate(content[table].items()):
            if record["project_id"] not in projects:
                yield f"{place(table, position, key)}.project_id names a project that does not exist"
            if record["user_id"] not in users:
                yield f"{place(table, position, key)}.user_id names a user that does not exist"


def _ambiguities(content: Content) -> Iterator[str]:
    yield from _twice("mcp_configs", {key: each["mcp_config_name"] for key, each in content["mcp_configs"].items()})
    yield from _twice("projects", {key: each["project_name"] for key, each in content["projects"].items()})
    yield from _twice("users", {key: email_key(each["email"]) for key, each in content["users"].items()})
    yield from _twice("admin_keys", {key: each["name"] for key, each in content["admin_keys"].items()})
    yield from _twice("admin_keys", {key: each["admin_key"] for key, each in content["admin_keys"].items()})
    yield from _twice("apikeys", {key: each["api_key_id"] for key, each in content["apikeys"].items()})
    for position, key in enumerate(content["apikeys"]):
        if key in content["admin_keys"]:
            yield f"{place('apikeys', position, key)} is an admin key too"


def _twice(table: str, names: dict[str, str]) -> Iterator[str]:
    """Two records that one name would mean, or a name that is another record's id."""
    seen: dict[str, str] = {}
    for position, (key, name) in enumerate(names.items()):
        if name in seen:
            yield f"{place(table, position, key)}: {name[:60]!r} is the name of another one too"
        if name in names and name != key:
            yield f"{place(table, position, key)}: {name[:60]!r} is the id of another one"
        seen[name] = key
