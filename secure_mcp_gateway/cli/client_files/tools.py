"""Which of a server's tools may be called: a client's lists as our ``tools`` and ``denied_tools``."""

from __future__ import annotations

from secure_mcp_gateway.cli.client_files.places import below
from secure_mcp_gateway.store.server_checks import strings_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ALLOWED, _DENIED = ("includeTools", "enabled_tools"), ("excludeTools", "disabled_tools", "disabledTools")
_APPROVAL = "approval_mode"
TOOL_FIELDS = (*_ALLOWED, *_DENIED, "tools")
ALL = "*"
# An empty list of ours allows all; with an entry that is switched off it allows none.
_NONE: dict[str, Any] = {ALL: {"enabled": False}}


def tools_of(given: dict[str, Any], place: str, problems: list[str], warnings: list[str]) -> tuple[dict[str, Any], list[str]]:
    """(the tools that are allowed, {} for all; those that are denied)"""
    lists = {field: _names(given, field, place, problems) for field in _ALLOWED if field in given}
    if "tools" in given:
        listed = _of_tools(given["tools"], below(place, "tools"), problems, warnings)
        lists.update({} if listed is None else {"tools": listed})
    if len(lists) > 1:
        problems.append(f"{place} says in {' and '.join(lists)} which tools are allowed: keep one of them")
    denied = [name for field in _DENIED for name in _names(given, field, place, problems)]
    allowed = {name: {"enabled": True} for names in lists.values() for name in names}
    if lists and not allowed:
        warnings.append(f"{below(place, next(iter(lists)))} allows no tool at all, and so it stays")
        allowed = dict(_NONE)
    return allowed, list(dict.fromkeys(denied))


def _names(given: dict[str, Any], field: str, place: str, problems: list[str]) -> list[Any]:
    found = given.get(field, [])
    wrong = [*strings_problems(found, below(place, field))]
    if not wrong and any("(" in name or ALL in name or not name for name in found):
        wrong.append(f"{below(place, field)} must hold plain names of tools: a pattern or arguments cannot be kept")
    problems += wrong
    return [] if wrong else found


def _of_tools(tools: Any, place: str, problems: list[str], warnings: list[str]) -> list[Any] | None:
    """None where all are allowed. A list as GitHub Copilot has it, or Codex CLI's object that says which tools it asks about."""
    if tools == [ALL]:
        return None
    if isinstance(tools, list) and all(isinstance(name, str) and name and ALL not in name for name in tools):
        return tools
    if isinstance(tools, dict) and all(isinstance(tool, dict) and tool.keys() <= {_APPROVAL} for tool in tools.values()):
        if tools:
            warnings.append(f"{place}: left out: it says only what the client asks about")
        return None
    problems.append(f"{place} may restrict, in a way that cannot be kept here: take it out")
    return None
