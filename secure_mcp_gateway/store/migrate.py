"""Documents of Enkrypt's gateway (its 2.1 and 2.2 lines) in the shape of ours."""

from __future__ import annotations

from secure_mcp_gateway.errors import StoreDamaged
from secure_mcp_gateway.store.check import POLICIES, content_problems
from secure_mcp_gateway.store.clock import utc_time
from secure_mcp_gateway.store.document import Document, digest_of, member_key
from secure_mcp_gateway.store.restrictions import KEPT_ELSEWHERE, KEPT_IN_OVERRIDES, KEPT_IN_SERVER, lost_restrictions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Record = dict[str, Any]

_RENAMED = {
    "input_guardrails_config": "input_guardrails_policy",
    "output_guardrails_config": "output_guardrails_policy",
    "tool_guardrails_config": "tool_guardrails_policy",
    "tools_guardrails_config": "tool_guardrails_policy",
    "server_tools_guardrails_config": "tool_guardrails_policy",
}
_PLACEHOLDER = "YOUR_ENKRYPT_API_KEY"
_COMMON_TOOL_POLICY = "server_tools_guardrails_config"


class Converted:
    """``content`` holds our tables, of a store that was at ``generation``; ``problems`` make a restore impossible, ``warnings`` say
    what it will change."""

    def __init__(self, now: str) -> None:
        self.now = now
        self.content: dict[str, dict[str, Record]] = {}
        self.settings: Record = {}
        self.generation = 0
        self.warnings: list[str] = []
        self.problems: list[str] = []

    def records(self, source: Record, table: str) -> list[tuple[str, Record]]:
        found = source.get(table, {})
        if not isinstance(found, dict):
            self.problems.append(f"{table} must be an object")
            return []
        secret = table == "apikeys"
        for position, (key, record) in enumerate(found.items()):
            if not isinstance(record, dict):
                self.problems.append(f"{table}[{position if secret else repr(key[:60])}] must be an object")
        return [(key, record) for key, record in found.items() if isinstance(record, dict)]

    def time(self, where: str, record: Record, field: str = "created_at") -> str:
        value = record.get(field)
        if value is None:
            return self.now
        try:
            return utc_time(value)
        except ValueError:
            self.problems.append(f"{where}.{field} must be an ISO 8601 time")
            return self.now

    def flag(self, where: str, record: Record, field: str) -> bool:
        value = record.get(field, False)
        if value is not None and not isinstance(value, bool):
            self.problems.append(f"{where}.{field} must be true or false")
        return value is True


def is_enkrypt(content: Any) -> bool:
    return isinstance(content, dict) and "kind" not in content and "format" not in content and {"mcp_configs", "apikeys"} <= content.keys()


def document_of_older(content: Record, now: str) -> Document:
    """The document that a file of Enkrypt's gateway, put in the store's place, stands for."""
    made = from_enkrypt(content, now)
    problems = made.problems or content_problems(made.content)
    if problems:
        raise StoreDamaged("the file in the store's place cannot be taken over", "mend it first", private="; ".join(problems))
    return Document.of(made.content, made.settings)


def from_enkrypt(source: Record, now: str) -> Converted:
    """Everything that the file holds; records without a time get ``now``. No secret of it stands in a problem or warning."""
    made = Converted(now)
    made.content["mcp_configs"] = {key: _config(made, key, record) for key, record in made.records(source, "mcp_configs")}
    projects = made.records(source, "projects")
    made.content["projects"] = {key: _project(made, key, record) for key, record in projects}
    made.content["users"] = {key: _user(made, key, record) for key, record in made.records(source, "users")}
    made.content["members"] = {key: record for each, project in projects for key, record in _members(made, each, project)}
    made.content["apikeys"] = dict(_api_key(made, at, *pair) for at, pair in enumerate(made.records(source, "apikeys")))
    made.content["admin_keys"] = _admin_keys(made, source.get("admin_apikey"))
    made.settings = _settings(source)
    return made


def server_from_enkrypt(server: Record) -> Record:
    """The server with the 2.2 names of policies and of their fields replaced by ours; nothing is checked or left out."""
    renamed: Record = {}
    for field, value in server.items():
        target = _RENAMED.get(field, field)
        taken = target != field and (target in server or target in renamed)
        renamed[field if taken else target] = value
    return {field: _policy(value) if field in POLICIES else value for field, value in renamed.items()}


def _policy(policy: Any) -> Any:
    if not isinstance(policy, dict) or "guardrail_name" not in policy or "policy_name" in policy:
        return policy
    return {"policy_name" if field == "guardrail_name" else field: value for field, value in policy.items()}


def servers_from_enkrypt(config: Record, where: str) -> tuple[Any, list[str]]:
    """The servers of a config at the path ``where`` with our names, completed, and the restrictions that would be lost."""
    at = f"{where}." if where else ""
    problems = lost_restrictions(where or "data", config, ())
    overrides, servers = config.get("common_overrides"), config.get("mcp_config")
    common = None
    if overrides is not None and not isinstance(overrides, dict):
        problems.append(f"{at}common_overrides must be an object")
    if isinstance(overrides, dict):
        problems += lost_restrictions(f"{at}common_overrides", overrides, KEPT_IN_OVERRIDES)
        problems += [
            f"{at}common_overrides.{field} is switched on and has no meaning here: take it out"
            for field, value in overrides.items()
            if field not in KEPT_IN_OVERRIDES and "guardrails" not in field and isinstance(value, dict) and value.get("enabled") is True
        ]
        if overrides.get("tools"):
            problems.append(f"{at}common_overrides.tools is a restriction that cannot be kept here: give it to each server")
        common = _policy(overrides.get(_COMMON_TOOL_POLICY))
    if isinstance(servers, list):
        servers = [_server(problems, f"{at}mcp_config[{position}]", server, common) for position, server in enumerate(servers)]
    return servers, problems


def _config(made: Converted, key: str, record: Record) -> Record:
    where = f"mcp_configs[{key[:60]!r}]"
    servers, problems = servers_from_enkrypt(record, where)
    made.problems += problems
    created = made.time(where, record)
    updated = made.time(where, record, "updated_at") if "updated_at" in record else created
    return {**_named(record, "mcp_config_name"), "mcp_config": servers, "created_at": created, "updated_at": updated}


def _server(problems: list[str], where: str, server: Any, common: Any) -> Any:
    if not isinstance(server, dict):
        return server
    renamed = server_from_enkrypt(server)
    problems += lost_restrictions(where, renamed, KEPT_IN_SERVER)
    tools = renamed.get("tools")
    for name, tool in tools.items() if isinstance(tools, dict) else ():
        if isinstance(tool, dict):
            problems += lost_restrictions(f"{where}.tools.{name}", tool, ("enabled",))
    for field in POLICIES:
        policy = renamed.get(field)
        if isinstance(policy, dict) and "guardrail_name" in policy and policy["guardrail_name"] != policy.get("policy_name"):
            problems.append(f"{where}.{field} has a guardrail_name and another policy_name: keep one")
    own = renamed.get("tool_guardrails_policy")
    if common is not None and own is not None and own != common and _enabled(common):
        problems.append(f"{where}.tool_guardrails_policy and the config's common_overrides.{_COMMON_TOOL_POLICY} differ: keep one")
    defaults: Record = {"description": "", "config": {}, "tools": {}, "denied_tools": [], **{each: {"enabled": False} for each in POLICIES}}
    if common is not None:
        defaults["tool_guardrails_policy"] = common
    return {**renamed, **{field: value for field, value in defaults.items() if field not in renamed}}


def _enabled(policy: Any) -> bool:
    return isinstance(policy, dict) and policy.get("enabled") is not False


def _named(record: Record, field: str) -> Record:
    name = record.get(field)
    if not isinstance(name, str) or name.isascii():
        return record
    from unicodedata import normalize

    return {**record, field: normalize("NFC", name)}


def _project(made: Converted, key: str, record: Record) -> Record:
    where = f"projects[{key[:60]!r}]"
    made.problems += lost_restrictions(where, record, KEPT_ELSEWHERE)
    kept = {field: value for field, value in _named(record, "project_name").items() if field != "users"}
    return {**kept, "mcp_config_id": record.get("mcp_config_id"), "created_at": made.time(where, record)}


def _user(made: Converted, key: str, record: Record) -> Record:
    where = f"users[{key[:60]!r}]"
    made.problems += lost_restrictions(where, record, KEPT_ELSEWHERE)
    return {**_named(record, "email"), "created_at": made.time(where, record)}


def _members(made: Converted, project_id: str, project: Record) -> list[tuple[str, Record]]:
    users = project.get("users", [])
    where = f"projects[{project_id[:60]!r}].users"
    if not isinstance(users, list) or not all(isinstance(each, str) for each in users):
        made.problems.append(f"{where} must be a list of user ids")
        return []
    if len(set(users)) < len(users):
        made.warnings.append(f"{where} names a user twice: taken once")
    created = made.time(f"projects[{project_id[:60]!r}]", project)
    return [(member_key(project_id, each), {"project_id": project_id, "user_id": each, "created_at": created}) for each in users]


def _api_key(made: Converted, position: int, secret: str, record: Record) -> tuple[str, Record]:
    where = f"apikeys[{position}]"
    if not secret:
        made.problems.append(f"{where} is an empty key")
    made.problems += lost_restrictions(where, record, ("disabled", "disabled_at", "expires_at"))
    digest = digest_of(secret)
    expires = None if record.get("expires_at") is None else made.time(where, record, "expires_at")
    disabled = made.flag(where, record, "disabled")
    if record.get("disabled_at") is not None and "disabled" not in record:
        made.warnings.append(f"{where} arrives disabled: it has a disabled_at")
        disabled = True
    return digest, {
        **record,
        "api_key_id": "key_" + digest_of("api key id of " + digest)[:16],
        "hint": secret[-4:],
        "created_at": made.time(where, record),
        "expires_at": expires,
        "disabled": disabled,
        "rotated_at": None,
    }


def _admin_keys(made: Converted, secret: Any) -> dict[str, Record]:
    if secret is None:
        return {}
    if not isinstance(secret, str) or not secret:
        made.problems.append("admin_apikey must be a string that is not empty")
        return {}
    digest = digest_of(secret)
    key = {"admin_key": "adm_" + digest_of("admin key id of " + digest)[:16], "name": "imported", "hint": secret[-4:]}
    return {digest: {**key, "created_at": made.now, "expires_at": None, "disabled": False, "rotated_at": None}}


def _settings(source: Record) -> Record:
    """What has a meaning here, and under ``imported`` all the rest; the gateway's own API key stands in one place only."""
    rest = {key: value for key, value in source.items() if key not in ("admin_apikey", "mcp_configs", "projects", "users", "apikeys")}
    settings: Record = {"imported": rest}
    for path in (("enkrypt_config",), ("plugins", "guardrails", "config"), ("common_mcp_gateway_config",)):
        place: Any = rest
        for name in path:
            place = place.get(name) if isinstance(place, dict) else None
        field = "enkrypt_api_key" if path[0].startswith("common") else "api_key"
        key = place.get(field) if isinstance(place, dict) else None
        if isinstance(key, str) and key not in ("", _PLACEHOLDER) and settings.get("enkrypt_api_key", key) == key:
            settings["enkrypt_api_key"] = key
            settings["imported"] = _without(settings["imported"], (*path, field))
    telemetry: Any = rest.get("plugins")
    for name in ("telemetry", "config"):
        telemetry = telemetry.get(name) if isinstance(telemetry, dict) else None
    if isinstance(telemetry, dict):
        types = {"enabled": bool, "url": str, "insecure": bool}
        settings["telemetry"] = {name: telemetry[name] for name, kind in types.items() if isinstance(telemetry.get(name), kind)}
    return settings


def _without(record: Record, path: tuple[str, ...]) -> Record:
    first, *rest = path
    if not rest:
        return {key: value for key, value in record.items() if key != first}
    return {**record, first: _without(record[first], tuple(rest))}
