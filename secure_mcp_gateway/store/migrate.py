"""Documents of Enkrypt's gateway (its 2.1 and 2.2 lines) in the shape of ours."""

from __future__ import annotations

from secure_mcp_gateway.errors import StoreDamaged
from secure_mcp_gateway.store.check import POLICIES, content_problems, keys_of_nobody, place
from secure_mcp_gateway.store.clock import utc_time
from secure_mcp_gateway.store.document import Document, digest_of, member_key, normalised
from secure_mcp_gateway.store.restrictions import (
    KEPT_ELSEWHERE,
    KEPT_IN_OVERRIDES,
    KEPT_IN_SERVER,
    lost_restrictions,
    restricts,
    tool_restrictions,
)
from secure_mcp_gateway.store.server_checks import deep_problems, servers_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
        # Also what could not be converted stands in it, in its own place: `content_problems` says what is wrong with it.
        self.content: dict[str, Any] = {}
        self.settings: Record = {}
        self.generation = 0
        self.warnings: list[str] = []
        self.problems: list[str] = []

    def table(self, source: Record, name: str, convert: Callable[[Converted, str, Record], Record]) -> Any:
        found = source.get(name, {})
        if not isinstance(found, dict):
            return found
        return {key: convert(self, key, record) if isinstance(record, dict) else record for key, record in found.items()}

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
    """Not one of ours that has lost what says so: taken for another make's, it would lose its members and its keys too."""
    ours = {"kind", "format", "audit", "members", "admin_keys"}
    return isinstance(content, dict) and {"mcp_configs", "apikeys"} <= content.keys() and not ours & content.keys()


def document_of_older(content: Record, now: str) -> Document:
    """The document that a file of Enkrypt's gateway, put in the store's place, stands for."""
    made = from_enkrypt(content, now)
    problems = conversion_problems(made)
    if problems:
        raise StoreDamaged("the file in the store's place cannot be taken over", "mend it first", private="; ".join(problems))
    settle_keys(made)
    return Document.of(made.content, made.settings)


def conversion_problems(made: Converted) -> list[str]:
    """Everything that keeps the content from being taken over, each said once."""
    found = content_problems(made.content, dropped=keys_of_nobody(made.content))
    servers = servers_problems(made.content.get("mcp_configs"))
    return list(dict.fromkeys([*made.problems, *found, *servers, *_deep_problems(made)]))


def _deep_problems(made: Converted) -> Iterator[str]:
    for table, records in made.content.items():
        for position, (key, record) in enumerate(records.items() if isinstance(records, dict) else ()):
            if isinstance(record, dict):
                yield from deep_problems(place(table, position, key), record, ("mcp_config",))
    settings = made.settings if isinstance(made.settings, dict) else {}
    yield from deep_problems("settings", settings, ("imported",))
    if isinstance(settings.get("imported"), dict):
        yield from deep_problems("settings.imported", settings["imported"])


def settle_keys(made: Converted) -> None:
    """Of whole content: keys of nobody are dropped, keys of non-members arrive disabled; both are said."""
    settled, lost = {}, keys_of_nobody(made.content)
    for position, (digest, key) in enumerate(made.content["apikeys"].items()):
        where = f"{place('apikeys', position, digest)} ({key['api_key_id']})"
        if digest in lost:
            made.warnings.append(f"{where} is dropped: its user or project does not exist")
        elif member_key(key["project_id"], key["user_id"]) not in made.content["members"]:
            made.warnings.append(f"{where} arrives disabled: its user is not in the project")
            settled[digest] = {**key, "disabled": True}
        else:
            settled[digest] = key
    made.content["apikeys"] = settled


def from_enkrypt(source: Record, now: str) -> Converted:
    """Everything that the file holds; records without a time get ``now``. No secret of it stands in a problem or warning."""
    made = Converted(now)
    made.content["mcp_configs"] = made.table(source, "mcp_configs", _config)
    made.content["projects"] = made.table(source, "projects", _project)
    made.content["users"] = made.table(source, "users", _user)
    made.content["members"] = _members(made, source.get("projects"))
    made.content["apikeys"] = _api_keys(made, source.get("apikeys"))
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
            if field not in KEPT_IN_OVERRIDES and not restricts(field, value) and isinstance(value, dict) and value.get("enabled") is True
        ]
        if overrides.get("tools"):
            problems.append(f"{at}common_overrides.tools is a restriction that cannot be kept here: give it to each server")
        common = _policy(overrides.get(_COMMON_TOOL_POLICY))
    if isinstance(servers, list):
        servers = [_server(problems, f"{at}mcp_config[{position}]", server, common) for position, server in enumerate(servers)]
    return servers, problems


def _config(made: Converted, key: str, record: Record) -> Record:
    where = place("mcp_configs", 0, key)
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
    problems += tool_restrictions(renamed.get("tools"), f"{where}.tools")
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
    return {**record, field: normalised(name)} if isinstance(name, str) else record


def _project(made: Converted, key: str, record: Record) -> Record:
    where = place("projects", 0, key)
    made.problems += lost_restrictions(where, record, KEPT_ELSEWHERE)
    kept = {field: value for field, value in _named(record, "project_name").items() if field != "users"}
    return {**kept, "mcp_config_id": record.get("mcp_config_id"), "created_at": made.time(where, record)}


def _user(made: Converted, key: str, record: Record) -> Record:
    where = place("users", 0, key)
    made.problems += lost_restrictions(where, record, KEPT_ELSEWHERE)
    return {**_named(record, "email"), "created_at": made.time(where, record)}


def _members(made: Converted, projects: Any) -> dict[str, Record]:
    members: dict[str, Record] = {}
    for key, project in projects.items() if isinstance(projects, dict) else ():
        if isinstance(project, dict):
            members.update(_members_of(made, key, project))
    return members


def _members_of(made: Converted, project_id: str, project: Record) -> Iterator[tuple[str, Record]]:
    users = project.get("users", [])
    where = place("projects", 0, project_id)
    if not isinstance(users, list):
        made.problems.append(f"{where}.users must be a list of user ids")
        return
    made.problems += [f"{where}.users[{at}] must be a string" for at, each in enumerate(users) if not isinstance(each, str)]
    ids = [each for each in users if isinstance(each, str)]
    if len(set(ids)) < len(ids):
        made.warnings.append(f"{where}.users names a user twice: taken once")
    created = made.time(where, project)
    for each in ids:
        yield member_key(project_id, each), {"project_id": project_id, "user_id": each, "created_at": created}


def _api_keys(made: Converted, found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    pairs = enumerate(found.items())
    return {digest_of(secret): _api_key(made, at, secret, key) if isinstance(key, dict) else key for at, (secret, key) in pairs}


def _api_key(made: Converted, position: int, secret: str, record: Record) -> Record:
    where = place("apikeys", position, "")
    if not secret:
        made.problems.append(f"{where} is an empty key")
    made.problems += lost_restrictions(where, record, ("disabled", "disabled_at", "expires_at"))
    expires = None if record.get("expires_at") is None else made.time(where, record, "expires_at")
    disabled = made.flag(where, record, "disabled")
    if record.get("disabled_at") is not None and record.get("disabled") is None:
        made.warnings.append(f"{where} arrives disabled: it has a disabled_at")
        disabled = True
    return {
        **record,
        "api_key_id": "key_" + digest_of("api key id of " + digest_of(secret))[:16],
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
