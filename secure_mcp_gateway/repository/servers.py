"""The MCP servers of a config."""

from __future__ import annotations

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound, listed
from secure_mcp_gateway.repository import tool_lists
from secure_mcp_gateway.repository.call import Listing
from secure_mcp_gateway.repository.configs import find_config
from secure_mcp_gateway.repository.names import check_server_name, nearest, quoted
from secure_mcp_gateway.repository.paging import page
from secure_mcp_gateway.repository.views import server_row, server_view
from secure_mcp_gateway.store import server_checks as checks
from secure_mcp_gateway.store.check import POLICIES
from secure_mcp_gateway.store.document import Draft, normalised
from secure_mcp_gateway.store.server_checks import stored_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Record

SERVER_FIELDS = ("server_name", "description", "config", "tools", "denied_tools", *POLICIES)
COMMAND_FIELDS, URL_FIELDS = ("command", "args", "env"), ("url", "headers")
_UPDATED = ("new_server_name", "server_command", "server_url", "args", "env", "headers", "tools", "denied_tools", "description")


def _tools_problems(tools: Any, path: str) -> list[str]:
    return [*checks.tools_problems(tools, path), *tool_lists.slips_in_tools(tools, path)]


def _denied_problems(names: Any, path: str) -> list[str]:
    return [*checks.strings_problems(names, path), *tool_lists.slips_in_denied(names, path)]


_CHECKS: dict[str, Callable[[Any, str], Iterable[str]]] = {
    "server_command": checks.command_problems,
    "server_url": checks.url_problems,
    "args": checks.args_problems,
    "env": checks.env_problems,
    "headers": checks.headers_problems,
    "tools": _tools_problems,
    "denied_tools": _denied_problems,
    "description": checks.text_problems,
    **dict.fromkeys((*POLICIES, "policy", "input_policy", "output_policy"), checks.policy_problems),
}


def list_servers(document: Document, call: Call, *, config_identifier: str, limit: int | None = None, offset: int | None = None) -> Listing:
    _, config = find_config(document, call, config_identifier)
    return page(config["mcp_config"], limit, offset, lambda server: server_row(call, server))


def get_server(document: Document, call: Call, *, config_identifier: str, server_name: str) -> Record:
    _, config = find_config(document, call, config_identifier)
    return server_view(call, config["mcp_config"][_position(config, call, server_name)])


def add_server(draft: Draft, call: Call, *, config_identifier: str, server_name: str, **fields: Any) -> Record:
    """``fields`` are server_command or server_url, args, env, headers, tools, denied_tools, description and the three policies."""
    given = _checked(fields)
    name = check_server_name(server_name)
    if "server_command" not in given and "server_url" not in given:
        raise InvalidRequest("server_command or server_url must be given")
    connection = _connection({}, given)
    config_id, config = find_config(draft, call, config_identifier)
    _require_free(config, name)
    server = {
        "server_name": name,
        "description": given.get("description", ""),
        "config": connection,
        "tools": given.get("tools", {}),
        "denied_tools": given.get("denied_tools", []),
        **{field: stored_policy(given.get(field, {"enabled": False})) for field in POLICIES},
    }
    _put_servers(draft, call, config_id, [*config["mcp_config"], server])
    return server_view(call, server)


def update_server(draft: Draft, call: Call, *, config_identifier: str, server_name: str, **fields: Any) -> Record:
    """What is not named stays; ``server_command`` replaces a URL and the reverse; ``{}``, ``[]`` and ``""`` clear."""
    given = _checked(fields)
    if not given:
        raise InvalidRequest("nothing to change is given", "give at least one of " + ", ".join(_UPDATED))
    new_name = check_server_name(given["new_server_name"], "new_server_name") if "new_server_name" in given else None
    config_id, config = find_config(draft, call, config_identifier)
    position = _position(config, call, server_name)
    server = config["mcp_config"][position]
    if new_name is not None and new_name != server["server_name"]:
        _require_free(config, new_name)
    changed: Record = {field: given[field] for field in ("description", "tools", "denied_tools") if field in given}
    if new_name is not None:
        changed["server_name"] = new_name
    changed["config"] = _connection(server["config"], given)
    return _replace(draft, call, config_id, config, position, {**server, **changed})


def remove_server(draft: Draft, call: Call, *, config_identifier: str, server_name: str) -> None:
    config_id, config = find_config(draft, call, config_identifier)
    position = _position(config, call, server_name)
    servers = config["mcp_config"]
    _put_servers(draft, call, config_id, [*servers[:position], *servers[position + 1 :]])


def remove_all_servers(draft: Draft, call: Call, *, config_identifier: str) -> Record:
    config_id, config = find_config(draft, call, config_identifier)
    _put_servers(draft, call, config_id, [])
    return {"removed": len(config["mcp_config"])}


def set_input_policy(draft: Draft, call: Call, *, config_identifier: str, server_name: str, policy: Record) -> Any:
    return _set_policy(draft, call, config_identifier, server_name, "input_guardrails_policy", policy)


def set_output_policy(draft: Draft, call: Call, *, config_identifier: str, server_name: str, policy: Record) -> Any:
    return _set_policy(draft, call, config_identifier, server_name, "output_guardrails_policy", policy)


def set_tool_policy(draft: Draft, call: Call, *, config_identifier: str, server_name: str, policy: Record) -> Any:
    return _set_policy(draft, call, config_identifier, server_name, "tool_guardrails_policy", policy)


def set_policies(
    draft: Draft,
    call: Call,
    *,
    config_identifier: str,
    server_name: str,
    input_policy: Record | None = None,
    output_policy: Record | None = None,
) -> Record:
    given = _checked({"input_policy": input_policy, "output_policy": output_policy})
    if not given:
        raise InvalidRequest("no policy is given", "give input_policy, output_policy or both")
    config_id, config = find_config(draft, call, config_identifier)
    position = _position(config, call, server_name)
    policies = {field.replace("_policy", "_guardrails_policy"): stored_policy(policy) for field, policy in given.items()}
    changed = _replace(draft, call, config_id, config, position, {**config["mcp_config"][position], **policies})
    return {field: changed[field] for field in ("input_guardrails_policy", "output_guardrails_policy")}


def import_server(server: Record) -> Record:
    """A server with our names for its fields, completed; further fields are kept, null ones were not given."""
    given = {field: value for field, value in server.items() if value is not None or field not in SERVER_FIELDS}
    known = (*COMMAND_FIELDS, *URL_FIELDS)
    config = {field: value for field, value in given["config"].items() if value is not None or field not in known}
    rest: Record = {"args": [], "env": {}} if "command" in config else {"headers": {}}
    return {
        "server_name": given["server_name"],
        "description": "",
        "tools": {},
        "denied_tools": [],
        **given,
        "config": {**config, **{field: value for field, value in rest.items() if field not in config}},
        **{field: stored_policy(given.get(field, {"enabled": False})) for field in POLICIES},
    }


def _checked(fields: Record) -> Record:
    """The fields that were given; ``InvalidRequest`` says everything that is wrong with them."""
    given = {field: value for field, value in fields.items() if value is not None}
    problems = [problem for field, value in given.items() if field in _CHECKS for problem in _CHECKS[field](value, field)]
    if "server_command" in given and "server_url" in given:
        problems.append("server_command and server_url exclude each other: give one of them")
    if problems:
        raise InvalidRequest(listed(problems))
    return given


def _connection(present: Record, given: Record) -> Record:
    """How the server is reached from now on: a command with args and env, or a URL with headers; further fields stay."""
    by_url = "server_url" in given or ("server_command" not in given and "url" in present)
    own, other = (URL_FIELDS, COMMAND_FIELDS) if by_url else (COMMAND_FIELDS, URL_FIELDS)
    foreign = [field for field in other if given.get(field)]
    if foreign:
        what = ("a command", "a URL") if by_url else ("a URL", "a command")
        raise InvalidRequest(f"{foreign[0]} goes with {what[0]}, and this server has {what[1]}")
    kept = {field: value for field, value in present.items() if field not in other}
    named = {field: given[field] for field in own if field in given}
    if "server_command" in given or "server_url" in given:
        named[own[0]] = given["server_url" if by_url else "server_command"]
    empty: Record = {"headers": {}} if by_url else {"args": [], "env": {}}
    merged = {**empty, **kept, **named}
    return {**{field: merged[field] for field in own if field in merged}, **merged}


def _set_policy(draft: Draft, call: Call, config_identifier: str, server_name: str, field: str, policy: Record) -> Any:
    _checked({"policy": policy})
    config_id, config = find_config(draft, call, config_identifier)
    position = _position(config, call, server_name)
    server = {**config["mcp_config"][position], field: stored_policy(policy)}
    return _replace(draft, call, config_id, config, position, server)[field]


def _position(config: Record, call: Call, server_name: str) -> int:
    names = [server["server_name"] for server in config["mcp_config"]]
    for name in (server_name, normalised(server_name)):
        if name in names:
            return names.index(name)
    near = nearest(server_name, names) if call.caller.is_admin else ""
    message = f"the config {quoted(config['mcp_config_name'])} has no server called {quoted(server_name)}"
    raise NotFound(message, f"did you mean {quoted(near)}?" if near else "list its servers to see what they are called")


def _require_free(config: Record, name: str) -> None:
    if any(server["server_name"] == name for server in config["mcp_config"]):
        message = f"the config {quoted(config['mcp_config_name'])} has a server called {quoted(name)} already"
        raise Conflict(message, "take another name, or update that server")


def _replace(draft: Draft, call: Call, config_id: str, config: Record, position: int, server: Record) -> Record:
    servers = config["mcp_config"]
    _put_servers(draft, call, config_id, [*servers[:position], server, *servers[position + 1 :]])
    return server_view(call, server)


def _put_servers(draft: Draft, call: Call, config_id: str, servers: list[Record]) -> None:
    config = draft.get("mcp_configs", config_id) or {}
    draft.put("mcp_configs", config_id, {**config, "mcp_config": servers, "updated_at": call.now})
