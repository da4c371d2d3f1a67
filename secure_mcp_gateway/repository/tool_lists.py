"""A server's lists of tools: which are allowed, and what in the lists does not do what it seems to say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from secure_mcp_gateway.store.document import Record

_LONGEST = 80


def allowed(tools: Record) -> list[str]:
    """The names of those tools that are not switched off."""
    return [name for name, tool in tools.items() if not (isinstance(tool, dict) and tool.get("enabled") is False)]


def slips_in_tools(tools: Any, path: str) -> list[str]:
    """What is refused where it is written anew. What stands in the store already, or in a backup of it, may be as it is."""
    from secure_mcp_gateway.store.restrictions import tool_denials

    return [*tool_denials(tools, path), *_padded(tools, path)]


def slips_in_denied(names: Any, path: str) -> list[str]:
    """The same of the tools that are denied."""
    return list(_padded(names, path))


def doubts(server: Record, where: str) -> list[str]:
    """All that is said of lists in the store."""
    from secure_mcp_gateway.store.restrictions import tool_restrictions

    tools, denied = server.get("tools") or {}, server.get("denied_tools") or []
    found = [*tool_restrictions(tools, f"{where}.tools"), *_padded(tools, f"{where}.tools"), *_padded(denied, f"{where}.denied_tools")]
    prefixes = tuple(f"{prefix}{server.get('server_name')}__" for prefix in ("", "mcp__"))
    for field, does, names in (("tools", "allows", allowed(tools)), ("denied_tools", "denies", denied)):
        for name in names:
            why = "* stands for nothing else" if "*" in name else "the server itself uses no prefix" if name.startswith(prefixes) else ""
            if why:
                found.append(f"{where}.{field}: {name[:_LONGEST]} {does} a tool of exactly that name, {why}")
    return found


def contradictions(server: Record, where: str) -> list[str]:
    """Tools that are allowed and denied: a rule decides, and somebody may have meant the other thing."""
    denied = set(server.get("denied_tools") or ())
    both = [name for name in allowed(server.get("tools") or {}) if name in denied]
    return [f"{where}.tools.{name} is allowed and denied: it is denied" for name in both]


def _padded(names: Any, path: str) -> Iterator[str]:
    """As the second one of ``a, b``: the tool that is meant has no such blank."""
    for name in names if isinstance(names, (dict, list)) else ():
        if isinstance(name, str) and name != name.strip():
            yield f"{path}: the name {name[:_LONGEST]!r} must not begin or end with a blank"
