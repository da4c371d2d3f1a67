"""What a server's fields must look like; every problem names its field by its path and never quotes a value."""

from __future__ import annotations

import re

from secure_mcp_gateway.params import VALUE_DEPTH, is_deeper
from secure_mcp_gateway.store.check import POLICIES, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

POLICY_OPTIONS = ("policy_name", "additional_config", "block")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
# In the place of what is missing, which `content_problems` says of every field.
_SOUND: dict[str, Any] = {"server_name": "-", "config": {"command": "-"}}
# What the gateway puts something in the place of; 1 can stand for it in a URL, be it a host or a port.
_REFERENCE = re.compile(r"\$\{(?:env|file):[^{}]+\}")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2


def servers_problems(configs: Any) -> list[str]:
    """Of all servers in a table of configs, wherever there are some, but for fields that are missing."""
    problems = []
    for key, config in configs.items() if isinstance(configs, dict) else ():
        servers = config.get("mcp_config") if isinstance(config, dict) else None
        for at, server in enumerate(servers if isinstance(servers, list) else ()):
            if isinstance(server, dict):
                problems += server_problems({**_SOUND, **server}, f"{place('mcp_configs', 0, key)}.mcp_config[{at}]")
    return problems


def deep_problems(where: str, record: dict[str, Any], looked_at: tuple[str, ...] = ()) -> list[str]:
    """Of the values that are kept as they are, in all fields but those ``looked_at`` elsewhere: deeper, they could be neither read back
    nor restored from a backup."""
    at = f"{where}." if where else ""
    nested = {field: value for field, value in record.items() if isinstance(value, (dict, list)) and field not in looked_at}
    return [f"{at}{field} is nested deeper than {VALUE_DEPTH} levels" for field, value in nested.items() if is_deeper(value, VALUE_DEPTH)]


def server_problems(server: Any, where: str, name_rule: Callable[[str, str], str] | None = None) -> list[str]:
    """Of a whole server with our names for its fields, at the path ``where``. ``name_rule`` is for a new name; one that stood
    elsewhere before may be as it is."""
    if not isinstance(server, dict):
        return [f"{where} must be an object"]
    at = f"{where}." if where else ""
    given = {field: value for field, value in server.items() if value is not None}
    # A level more than each of its values may have.
    deep = [f"{where} is nested deeper than {VALUE_DEPTH + 1} levels"] if is_deeper(server, VALUE_DEPTH + 1) else []
    return [
        *deep,
        *_name_problems(given.get("server_name"), f"{at}server_name", name_rule),
        *_connection_problems(given.get("config"), f"{at}config"),
        *_optional(text_problems, given, "description", at),
        *_optional(tools_problems, given, "tools", at),
        *_optional(strings_problems, given, "denied_tools", at),
        *(problem for field in POLICIES if field in given for problem in policy_problems(given[field], f"{at}{field}")),
    ]


def policy_problems(policy: Any, path: str) -> Iterator[str]:
    if not isinstance(policy, dict):
        yield f"{path} must be an object"
        return
    if not isinstance(policy.get("enabled"), bool):
        yield f"{path}.enabled must be true or false"
    given = {field: policy[field] for field in POLICY_OPTIONS if policy.get(field) is not None}
    yield from _optional(text_problems, given, "policy_name", f"{path}.")
    yield from _optional(strings_problems, given, "block", f"{path}.")
    if not isinstance(given.get("additional_config", {}), dict):
        yield f"{path}.additional_config must be an object"


def stored_policy(policy: dict[str, Any]) -> dict[str, Any]:
    """The policy without the options that are null, which means not given."""
    return {field: value for field, value in policy.items() if value is not None or field not in POLICY_OPTIONS}


def command_problems(command: Any, path: str) -> Iterator[str]:
    if not isinstance(command, str):
        yield f"{path} must be a string"
    elif not command.strip():
        yield f"{path} must not be empty"
    elif _CONTROL.search(command):
        yield f"{path} must not hold control characters"


def url_problems(url: Any, path: str) -> Iterator[str]:
    if not isinstance(url, str):
        yield f"{path} must be a string"
    elif _BLANK_OR_CONTROL.search(url):
        yield f"{path} must not hold blanks or control characters"
    elif not url_host(_REFERENCE.sub("1", url)):
        scheme = ": its beginning cannot be a reference" if _REFERENCE.match(url) else ""
        yield f"{path} must be an http or https URL with a host{scheme}"


def url_host(url: str) -> str:
    """The host alone, or nothing where this is no URL of a web server."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    return host or "" if parts.scheme in ("http", "https") else ""


def args_problems(args: Any, path: str) -> Iterator[str]:
    yield from strings_problems(args, path)
    for position, each in enumerate(args if isinstance(args, list) else ()):
        if isinstance(each, str) and "\x00" in each:
            yield f"{path}[{position}] must not hold a NUL"


def env_problems(env: Any, path: str) -> Iterator[str]:
    if not isinstance(env, dict):
        yield f"{path} must be an object of strings"
        return
    for name, value in env.items():
        if not name or "=" in name or "\x00" in name:
            yield f"{path} must have names that are not empty and hold no = and no NUL"
        if not isinstance(value, str):
            yield f"{path}.{name} must be a string"
        elif "\x00" in value:
            yield f"{path}.{name} must not hold a NUL"


def headers_problems(headers: Any, path: str) -> Iterator[str]:
    if not isinstance(headers, dict):
        yield f"{path} must be an object of strings"
        return
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            yield f"{path} must have names made of letters, digits and !#$%&'*+-.^_`|~"
        if not isinstance(value, str):
            yield f"{path}.{name} must be a string"
        elif re.search(r"[\r\n\x00]", value):
            yield f"{path}.{name} must not hold a line break or a NUL"


def tools_problems(tools: Any, path: str) -> Iterator[str]:
    if not isinstance(tools, dict):
        yield f"{path} must be an object"
        return
    for name, tool in tools.items():
        if not isinstance(tool, (str, dict)):
            yield f"{path}.{name} must be a description or an object"
        elif isinstance(tool, dict) and not isinstance(tool.get("enabled", True), bool):
            yield f"{path}.{name}.enabled must be true or false"


def strings_problems(values: Any, path: str) -> Iterator[str]:
    if not isinstance(values, list):
        yield f"{path} must be a list of strings"
        return
    yield from (f"{path}[{position}] must be a string" for position, each in enumerate(values) if not isinstance(each, str))


def text_problems(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} must be a string"


_CONNECTION = {"args": args_problems, "env": env_problems, "headers": headers_problems}


def _connection_problems(config: Any, path: str) -> Iterator[str]:
    if not isinstance(config, dict):
        yield f"{path} must be an object with a command or a url"
        return
    given = {field: value for field, value in config.items() if value is not None}
    if "command" in given and "url" in given:
        yield f"{path} must have a command or a url, not both"
    elif not {"command", "url"} & given.keys():
        yield f"{path} must have a command or a url"
    yield from _optional(command_problems, given, "command", f"{path}.")
    yield from _optional(url_problems, given, "url", f"{path}.")
    for field, problems in _CONNECTION.items():
        yield from _optional(problems, given, field, f"{path}.")


def _name_problems(name: Any, path: str, rule: Callable[[str, str], str] | None) -> Iterator[str]:
    if not isinstance(name, str):
        yield f"{path} must be a string"
    elif rule is not None and (problem := rule(name, path)):
        yield problem
    elif not name:
        yield f"{path} must not be empty"


def _optional(problems: Any, given: dict[str, Any], field: str, at: str) -> Iterator[str]:
    if field in given:
        yield from problems(given[field], f"{at}{field}")
