"""What must stand in the store once a file was restored, worked out from the file's own form without any code of the package."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import unicodedata
from typing import Any

from tests.crash.mutations import TIMES

Record = dict[str, Any]

_RENAMED = {
    "input_guardrails_config": "input_guardrails_policy",
    "output_guardrails_config": "output_guardrails_policy",
    "tool_guardrails_config": "tool_guardrails_policy",
    "tools_guardrails_config": "tool_guardrails_policy",
    "server_tools_guardrails_config": "tool_guardrails_policy",
}
_POLICIES = ("input_guardrails_policy", "output_guardrails_policy", "tool_guardrails_policy")
_TABLES = ("mcp_configs", "projects", "users")
_KEYS_OF_THE_SERVICE: tuple[tuple[str, ...], ...] = (
    ("enkrypt_config", "api_key"),
    ("plugins", "guardrails", "config", "api_key"),
    ("common_mcp_gateway_config", "enkrypt_api_key"),
)


class Form:
    """Equal to every text of this form."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self._pattern.fullmatch(other) is not None

    def __hash__(self) -> int:
        return hash(self._pattern)

    def __repr__(self) -> str:
        return f"Form({self._pattern.pattern!r})"


ANY_TIME = Form(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def utc(value: Any) -> Any:
    """The time as the store has it; what is none stays as it is, and will not be found there."""
    if value is None:
        return ANY_TIME
    if isinstance(value, str) and value in TIMES:
        return TIMES[value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", value, re.ASCII):
        return value + "+00:00"
    return value


def strict(data: bytes) -> Any:
    """The JSON in a file; ``ValueError`` where it is none, or more lax than RFC 8259 and the limits that are documented."""

    def pairs(found: list[tuple[str, Any]]) -> Record:
        if len({name for name, _ in found}) < len(found):
            raise ValueError("a name twice")
        return dict(found)

    def number(text: str) -> Any:
        if len(text) > 1000:
            raise ValueError("digits")
        return int(text)

    def fraction(text: str) -> float:
        if float(text) in (float("inf"), float("-inf")):
            raise ValueError("too large")
        return float(text)

    def constant(text: str) -> None:
        raise ValueError(text)

    text = data.decode("utf-8")
    value = json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=fraction, parse_constant=constant)
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a character: UnicodeEncodeError, a ValueError
    return value


def depth(value: Any) -> int:
    """Levels of objects and lists."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0) if isinstance(value, (dict, list)) else 0


def expected(source: Record) -> Record:
    """The tables and settings of the store that this document, of either make, was restored into; all but the admin keys."""
    made = _of_ours(source) if "mcp_configs" in source and "members" in source else _of_enkrypt(source)
    keys = {}
    for key, record in made["apikeys"].items():
        if record["user_id"] in made["users"] and record["project_id"] in made["projects"]:
            member = f"{record['project_id']}/{record['user_id']}" in made["members"]
            keys[key] = {**record, "disabled": record["disabled"] or not member}
    return {**made, "apikeys": keys}


def _of_ours(source: Record) -> Record:
    made = {table: {key: _timed(record) for key, record in source[table].items()} for table in (*_TABLES, "members", "apikeys")}
    return {**made, "settings": source["settings"]}


def _timed(record: Record) -> Record:
    fields = ("created_at", "updated_at", "expires_at", "rotated_at")
    return {**record, **{field: utc(record[field]) for field in fields if record.get(field) is not None}}


def _of_enkrypt(source: Record) -> Record:
    projects, users = source.get("projects", {}), source.get("users", {})
    members = {}
    for project_id, project in projects.items():
        for user_id in project.get("users", []):
            record = {"project_id": project_id, "user_id": user_id, "created_at": utc(project.get("created_at"))}
            members[f"{project_id}/{user_id}"] = record
    return {
        "mcp_configs": {key: _config(config) for key, config in source["mcp_configs"].items()},
        "projects": {key: _project(project) for key, project in projects.items()},
        "users": {key: {**_named(user, "email"), "created_at": utc(user.get("created_at"))} for key, user in users.items()},
        "members": members,
        "apikeys": {digest(secret): _key(secret, record) for secret, record in source["apikeys"].items()},
        "settings": _settings(source),
    }


def _named(record: Record, field: str) -> Record:
    return {**record, field: unicodedata.normalize("NFC", record[field])}


def _project(project: Record) -> Record:
    fields = {"mcp_config_id": project.get("mcp_config_id"), "created_at": utc(project.get("created_at"))}
    return {**{field: value for field, value in _named(project, "project_name").items() if field != "users"}, **fields}


def _config(config: Record) -> Record:
    common = (config.get("common_overrides") or {}).get("server_tools_guardrails_config")
    created = utc(config.get("created_at"))
    times = {"created_at": created, "updated_at": utc(config["updated_at"]) if "updated_at" in config else created}
    return {**_named(config, "mcp_config_name"), "mcp_config": [_server(each, common) for each in config["mcp_config"]], **times}


def _server(server: Record, common: Any) -> Record:
    made: Record = {}
    for field, value in server.items():
        target = _RENAMED.get(field, field)
        made[field if target != field and (target in server or target in made) else target] = value
    made = {"description": "", "tools": {}, "denied_tools": [], **made}
    for field in _POLICIES:
        made.setdefault(field, common if field == "tool_guardrails_policy" and common is not None else {"enabled": False})
        made[field] = _policy(made[field])
    return made


def _policy(policy: Record) -> Record:
    if "guardrail_name" not in policy or "policy_name" in policy:
        return policy
    return {"policy_name" if field == "guardrail_name" else field: value for field, value in policy.items()}


def _key(secret: str, record: Record) -> Record:
    disabled = record.get("disabled_at") is not None if record.get("disabled") is None else record["disabled"] is True
    expires = record.get("expires_at")
    return {
        **record,
        "api_key_id": Form("key_[0-9a-f]{16}"),
        "hint": secret[-4:],
        "created_at": utc(record.get("created_at")),
        "expires_at": None if expires is None else utc(expires),
        "disabled": disabled,
        "rotated_at": None,
    }


def _settings(source: Record) -> Record:
    rest = copy.deepcopy({name: value for name, value in source.items() if name not in ("admin_apikey", "apikeys", *_TABLES)})
    settings: Record = {"imported": rest}
    for *way, last in _KEYS_OF_THE_SERVICE:
        place: Any = rest
        for step in way:
            place = place.get(step) if isinstance(place, dict) else None
        key = place.get(last) if isinstance(place, dict) else None
        if isinstance(key, str) and key and key != "YOUR_ENKRYPT_API_KEY" and settings.setdefault("enkrypt_api_key", key) == key:
            del place[last]
    telemetry: Any = source
    for step in ("plugins", "telemetry", "config"):
        telemetry = telemetry.get(step) if isinstance(telemetry, dict) else None
    if isinstance(telemetry, dict):
        types = (("enabled", bool), ("url", str), ("insecure", bool))
        settings["telemetry"] = {name: telemetry[name] for name, kind in types if isinstance(telemetry.get(name), kind)}
    return settings


def differences(wanted: Record, store: Record) -> list[str]:
    """What is missing, added or other in the store's document."""
    found = []
    for table, records in wanted.items():
        there = store[table]
        if table == "settings":
            found += [] if records == there else [f"settings: {str(records)[:300]} became {str(there)[:300]}"]
            continue
        found += [f"{table}: {key[:80]!r} is missing" for key in records.keys() - there.keys()]
        found += [f"{table}: {key[:80]!r} is new" for key in there.keys() - records.keys()]
        changed = [key for key in records.keys() & there.keys() if records[key] != there[key]]
        found += [f"{table}[{key[:80]!r}]: {str(records[key])[:300]} became {str(there[key])[:300]}" for key in changed]
    return found

