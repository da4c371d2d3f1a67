"""Servers of ours as the file of an MCP client."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from secure_mcp_gateway.cli.client_files import clients
from secure_mcp_gateway.cli.client_files.places import below, shown
from secure_mcp_gateway.cli.client_files.references import References, needed
from secure_mcp_gateway.cli.client_files.toml_writer import toml_of
from secure_mcp_gateway.store.check import POLICIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.client_files.clients import Client

_BEARER = re.compile(r"Bearer \$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


class Format(NamedTuple):
    """``key`` holds the servers; ``url`` is the field of a server's URL. ``allowed`` and ``denied`` are the fields that list tools."""

    client: Client
    key: str = "mcpServers"
    url: str = "url"
    says_type: bool = False
    allowed: str = ""
    denied: str = ""
    describes: bool = False
    is_toml: bool = False


FORMATS = {
    each.client.name: each
    for each in (
        Format(clients.ANY, says_type=True),
        Format(clients.CLAUDE_DESKTOP),
        Format(clients.CLAUDE_CODE, says_type=True),
        Format(clients.CURSOR),
        Format(clients.VSCODE, key="servers", says_type=True),
        Format(clients.WINDSURF, url="serverUrl", denied="disabledTools"),
        Format(clients.ZED, key="context_servers"),
        Format(clients.GEMINI, url="httpUrl", allowed="includeTools", denied="excludeTools", describes=True),
        Format(clients.CODEX, key="mcp_servers", allowed="enabled_tools", denied="disabled_tools", is_toml=True),
    )
}


def client_file(servers: list[dict[str, Any]], form: Format) -> tuple[dict[str, Any], list[str]]:
    """(the document, a warning for all that it does not say)"""
    entries: dict[str, Any] = {}
    warnings: list[str] = []
    for server in servers:
        name = server["server_name"]
        warnings += _refused_there(server, form)
        if name in entries:
            warnings.append(f"{shown(name)} is there twice: the second one is left out")
            continue
        entries[name] = _entry(server, form, warnings)
    return {form.key: entries}, warnings


def _refused_there(server: dict[str, Any], form: Format) -> list[str]:
    """What the client itself does not take."""
    place = shown(server["server_name"])
    if form.client is clients.CLAUDE_DESKTOP and "url" in server["config"]:
        return [f"{place} has a URL, and {form.client.title} takes only commands from its file: connect it in its settings"]
    if form.client is clients.CODEX and "." in server["server_name"]:
        return [f"{place}: {form.client.title} takes no dots in names"]
    return []


def text_of(document: dict[str, Any], form: Format) -> str:
    return toml_of(document) if form.is_toml else json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _entry(server: dict[str, Any], form: Format, warnings: list[str]) -> dict[str, Any]:
    config, place = server["config"], shown(server["server_name"])
    fields = ("url", "headers") if "url" in config else ("command", "args", "env")
    values = {field: _written(config.get(field), form, below(place, field), warnings) for field in fields if config.get(field)}
    entry: dict[str, Any] = {"type": "http" if "url" in config else "stdio"} if form.says_type else {}
    if form.client is clients.CODEX:
        values = _for_codex(values)
    warnings += [
        f"{below(place, field)} holds a reference, which {form.client.title} takes for plain text" for field in _unresolved(values, form)
    ]
    if "url" in values:
        entry[form.url] = values.pop("url")
    tools, lost = _tools(server, form)
    entry.update({**values, **tools})
    if form.describes and server.get("description"):
        entry["description"] = server["description"]
    lost += _unsaid(server, form, fields)
    if lost:
        warnings.append(f"{place}: not said in this format: {', '.join(map(shown, lost))}")
    return entry


def _tools(server: dict[str, Any], form: Format) -> tuple[dict[str, list[str]], list[str]]:
    """(the lists of tools that the format has, the fields that it has none for)"""
    tools, denied = server.get("tools") or {}, list(server.get("denied_tools") or [])
    allowed = [name for name, tool in tools.items() if not (isinstance(tool, dict) and tool.get("enabled") is False)]
    said, lost = {}, []
    for what, field, given, names in (("tools", form.allowed, tools, allowed), ("denied_tools", form.denied, denied, denied)):
        if given and field:
            said[field] = names
        elif given:
            lost.append(what)
    if form.allowed and any(tool != {"enabled": True} for name, tool in tools.items() if name in allowed):
        lost.append("what tools says besides their names")
    return said, lost


def _unsaid(server: dict[str, Any], form: Format, fields: tuple[str, ...]) -> list[str]:
    lost = [policy for policy in POLICIES if server.get(policy, {"enabled": False}) != {"enabled": False}]
    lost += [field for field in server if field not in ("server_name", "description", "config", "tools", "denied_tools", *POLICIES)]
    lost += ["description"] if server.get("description") and not form.describes else []
    return lost + [f"config.{field}" for field in server["config"] if field not in fields]


def _unresolved(values: dict[str, Any], form: Format) -> list[str]:
    """The fields with references that the client does not resolve."""
    texts = {field: list(value.values()) if isinstance(value, dict) else value for field, value in values.items()}
    found = {field: needed(value if isinstance(value, list) else [value]) for field, value in texts.items()}
    client = form.client
    return [
        field for field, (names, files) in found.items() if (names and not client.references) or (files and client is not clients.WINDSURF)
    ]


def _written(value: Any, form: Format, place: str, warnings: list[str]) -> Any:
    if isinstance(value, list):
        return [_text(each, form, f"{place}[{at}]", warnings) for at, each in enumerate(value)]
    if isinstance(value, dict):
        return {name: _text(each, form, below(place, name), warnings) for name, each in value.items()}
    return _text(value, form, place, warnings)


def _text(value: str, form: Format, place: str, warnings: list[str]) -> str:
    """References as the client writes them; warned of where it would not understand the value as it is meant."""
    client = form.client
    by_name = clients.ENV not in client.references and clients.BRACES in client.references
    text = _VARIABLE.sub(r"${\1}", value) if by_name else value
    if References(client).ours(text, place) != value:
        warnings.append(f"{place} holds plain text that {client.title} takes for a variable")
    return text


def _for_codex(values: dict[str, Any]) -> dict[str, Any]:
    """It names variables in fields of their own."""
    env, headers = values.pop("env", {}), values.pop("headers", {})
    passed = [name for name, value in env.items() if value == f"${{env:{name}}}"]
    bearer = _BEARER.fullmatch(headers.get("Authorization", ""))
    by_variable = {name: found[1] for name, value in headers.items() if (found := _VARIABLE.fullmatch(value))}
    plain = {name: value for name, value in headers.items() if name not in by_variable and not (bearer and name == "Authorization")}
    made = {
        **values,
        "env_vars": passed,
        "bearer_token_env_var": bearer[1] if bearer else "",
        "env": {name: value for name, value in env.items() if name not in passed},
        "http_headers": plain,
        "env_http_headers": by_variable,
    }
    return {field: value for field, value in made.items() if value}
