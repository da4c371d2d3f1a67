"""One server of a client's file as one of ours."""

from __future__ import annotations

import json

from secure_mcp_gateway.cli.client_files.places import below, shown
from secure_mcp_gateway.cli.client_files.tools import TOOL_FIELDS, tools_of
from secure_mcp_gateway.store import server_checks as checks
from secure_mcp_gateway.store.restrictions import restricts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.client_files.references import References

_URLS = ("url", "serverUrl", "httpUrl")
_BY_COMMAND = ("args", "env", "env_vars")
_BY_URL = ("headers", "http_headers", "env_http_headers", "bearer_token_env_var")
_SWITCHES = ("disabled", "enabled")
_KNOWN = ("command", *_URLS, *_BY_COMMAND, *_BY_URL, *_SWITCHES, *TOOL_FIELDS, "type", "transport", "description", "source")
# What the client asks its user, which it goes on doing in front of a gateway.
_ASKING = ("alwaysAllow", "autoApprove", "autoApproveTools", "trust", "default_tools_approval_mode")
_SANDBOX = ("sandbox", "sandboxEnabled")
# How the client logs in, or gets a header made, which the gateway does not do.
_LOGIN = (
    *("oauth", "auth", "headersHelper", "scopes", "oauth_resource"),
    *("authProviderType", "targetAudience", "targetServiceAccount"),
)
_OF_A_COMMAND = ("path", "args", "env")
# "local" is GitHub Copilot's word.
_TYPES = {
    **dict.fromkeys(("stdio", "local"), "command"),
    **dict.fromkeys(("http", "streamable-http", "streamableHttp", "streamable_http", "sse"), "url"),
}


class Reading:
    """What became of one server: ``server`` is None where it has ``problems`` or was ``left_out``, which says why."""

    def __init__(self, place: str, references: References) -> None:
        self.place = place
        self.references = references
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.left_out = ""
        self.server: dict[str, Any] | None = None

    def text(self, value: Any, field: str, name: str = "") -> Any:
        """Strings with our references; anything else as it is, for the checks to refuse."""
        place = f"{self.place}.{field}"
        return self.references.ours(value, below(place, name) if name else place) if isinstance(value, str) else value


def read_server(name: str, entry: Any, place: str, references: References) -> Reading:
    """``name`` is the one it is to have."""
    reading = Reading(place, references)
    if not isinstance(entry, dict):
        reading.problems.append(f"{place} must be an object")
        return reading
    given = {field: value for field, value in entry.items() if value is not None}
    reading.left_out = _why_left_out(reading, given)
    if reading.left_out or reading.problems:
        return reading
    config = _connection(reading, given)
    tools, denied = tools_of(given, place, reading.problems, reading.warnings)
    description = given.get("description", "")
    reading.problems += checks.text_problems(description, below(place, "description"))
    _note_the_rest(reading, given)
    if not reading.problems:
        reading.server = {"server_name": name, "description": description, "config": config, "tools": tools, "denied_tools": denied}
    return reading


def _why_left_out(reading: Reading, given: dict[str, Any]) -> str:
    for field in _SWITCHES:
        if not isinstance(given.get(field, False), bool):
            reading.problems.append(f"{below(reading.place, field)} must be true or false")
    if given.get("disabled") is True or given.get("enabled") is False:
        return "it is switched off in the file"
    if given.get("source") == "extension" or (given.keys() & {"settings", "source"} and not given.keys() & {"command", *_URLS}):
        return "an extension of the editor starts it, by a command that the file does not say"
    return ""


def _connection(reading: Reading, given: dict[str, Any]) -> dict[str, Any]:
    """Command or URL, with what goes with it; what goes with the other is warned of."""
    urls = [field for field in _URLS if field in given]
    kinds = (["command"] if "command" in given else []) + urls
    if len(kinds) != 1:
        what = " and ".join(kinds) + ": keep one of them" if kinds else "neither a command nor a URL"
        reading.problems.append(f"{reading.place} has {what}")
        return {}
    _check_type(reading, given, "url" if urls else "command")
    foreign = [field for field in (_BY_COMMAND if urls else _BY_URL) if given.get(field)]
    if foreign:
        reading.warnings.append(f"{reading.place}: {', '.join(foreign)} left out: not for a server with {'a URL' if urls else 'a command'}")
    return _by_url(reading, given, urls[0]) if urls else _by_command(reading, given)


def _check_type(reading: Reading, given: dict[str, Any], kind: str) -> None:
    for field in ("type", "transport"):
        said = given.get(field)
        if said is None:
            continue
        place = below(reading.place, field)
        expected = _TYPES.get(said) if isinstance(said, str) else None
        if expected is None:
            reading.problems.append(f"{place} is none of " + ", ".join(_TYPES))
        elif expected != kind:
            reading.problems.append(f"{place} goes with a {expected}, and the server has a {kind}")
        elif said == "sse":
            reading.warnings.append(f"{place}: that it is the older SSE transport is not kept, its URL is")


def _by_command(reading: Reading, given: dict[str, Any]) -> dict[str, Any]:
    command, inner = given["command"], ""
    if isinstance(command, dict):
        # Zed's older form.
        given, inner = {**given, **{field: value for field, value in command.items() if value is not None}}, "command."
        command = given.get("path")
    args, env = given.get("args", []), _env(reading, given)
    place = reading.place
    reading.problems += checks.command_problems(command, f"{place}.{'command.path' if inner else 'command'}")
    reading.problems += checks.args_problems(args, f"{place}.{inner}args")
    reading.problems += checks.env_problems(env, f"{place}.{inner}env")
    if isinstance(args, list):
        args = [reading.text(arg, f"{inner}args[{at}]") for at, arg in enumerate(args)]
    return {"command": reading.text(command, "command"), "args": args, "env": env}


def _env(reading: Reading, given: dict[str, Any]) -> Any:
    env, passed = given.get("env", {}), _passed(reading, given.get("env_vars", []))
    if not isinstance(env, dict):
        return env
    empty = [name for name, value in env.items() if value is None]
    if empty:
        reading.warnings.append(f"{reading.place}.env: {', '.join(map(shown, empty))} left out: nothing can be taken away from it here")
    own = {name: reading.text(_text_of(value), "env", name) for name, value in env.items() if value is not None}
    return {**own, **{name: f"${{env:{name}}}" for name in passed if name not in own}}


def _passed(reading: Reading, given: Any) -> list[str]:
    """The variables that Codex CLI hands over: each a name, or an object that says besides which machine has it."""
    place = below(reading.place, "env_vars")
    if not isinstance(given, list):
        reading.problems.append(f"{place} must be a list")
        return []
    names = []
    for at, each in enumerate(given):
        known = isinstance(each, dict) and each.keys() <= {"name", "source"} and each.get("source", "local") == "local"
        name = each.get("name") if known else each
        if isinstance(name, str):
            names.append(name)
        else:
            reading.problems.append(f"{place}[{at}] must be a name, or an object with one and no other source than local")
    return names


def _text_of(value: Any) -> Any:
    """A number, which clients take for its text."""
    return json.dumps(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _by_url(reading: Reading, given: dict[str, Any], field: str) -> dict[str, Any]:
    url = reading.text(given[field], field)
    reading.problems += checks.url_problems(url, below(reading.place, field))
    headers: dict[str, Any] = {}
    for each in ("headers", "http_headers"):
        found = given.get(each, {})
        reading.problems += checks.headers_problems(found, below(reading.place, each))
        if isinstance(found, dict):
            headers.update({name: reading.text(value, each, name) for name, value in found.items()})
    by_variable = given.get("env_http_headers", {})
    reading.problems += checks.headers_problems(by_variable, below(reading.place, "env_http_headers"))
    if isinstance(by_variable, dict):
        headers = _replaced(headers, {name: f"${{env:{variable}}}" for name, variable in by_variable.items()})
    variable = given.get("bearer_token_env_var")
    if variable is not None:
        reading.problems += checks.text_problems(variable, below(reading.place, "bearer_token_env_var"))
        headers = _replaced(headers, {"Authorization": f"Bearer ${{env:{variable}}}"})
    return {"url": url, "headers": headers}


def _replaced(headers: dict[str, Any], new: dict[str, str]) -> dict[str, Any]:
    """A header's name is the same in any case."""
    names = {name.lower() for name in new}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **new}


def _note_the_rest(reading: Reading, given: dict[str, Any]) -> None:
    rest = {field: value for field, value in given.items() if field not in _KNOWN}
    command = given.get("command")
    if isinstance(command, dict):
        rest.update({f"command.{field}": value for field, value in command.items() if field not in _OF_A_COMMAND})
    if "source" in given and given["source"] != "custom":
        rest["source"] = given["source"]
    login = [field for field in _LOGIN if rest.pop(field, False)]
    if login:
        said = ", ".join(login)
        reading.warnings.append(f"{reading.place}: {said} left out: the gateway does not log in, give the server a header if it needs one")
    if rest.pop("envFile", ""):
        reading.warnings.append(f"{reading.place}: envFile left out: what the server needs of it goes to env")
    for field in list(rest):
        if (field in _SANDBOX and rest[field] not in (False, {})) or (field not in _ASKING and restricts(field, rest[field])):
            reading.problems.append(f"{below(reading.place, field)} is a restriction that cannot be kept here: take it out")
            del rest[field]
    if rest:
        reading.warnings.append(f"{reading.place}: left out, for it has no meaning here: {', '.join(map(shown, rest))}")
