"""Whose file it is, by what stands in it and by its name; and where in it the servers stand."""

from __future__ import annotations

from typing import NamedTuple

from secure_mcp_gateway.cli.client_files import clients
from secure_mcp_gateway.cli.client_files.places import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from secure_mcp_gateway.cli.client_files.clients import Client

_OFF_IN_PROJECT = "disabledMcpServers"
_KEYS = ("mcpServers", "servers", "context_servers", "mcp_servers")
_BY_PATH = (
    ("claude_desktop_config.json", clients.CLAUDE_DESKTOP),
    (".claude.json", clients.CLAUDE_CODE),
    (".mcp.json", clients.CLAUDE_CODE),
    (".cursor/mcp.json", clients.CURSOR),
    ("mcp_config.json", clients.WINDSURF),
    (".gemini/settings.json", clients.GEMINI),
    ("gemini-cli/settings.json", clients.GEMINI),
)


class Section(NamedTuple):
    """The servers that stand at one place of a file. ``off`` are the names of those that are switched off beside it."""

    place: str
    servers: Any
    off: Collection[str] = ()


def sections_of(document: Any, is_toml: bool) -> list[Section]:
    """All places at which the file holds servers; none where it holds none."""
    if not isinstance(document, dict):
        return []
    keys = _KEYS[3:] if is_toml else _KEYS[:3]
    found = [Section(key, document[key], _switched_off(document, document[key])) for key in keys if key in document]
    mcp, projects = document.get("mcp"), document.get("projects")
    if isinstance(mcp, dict) and "servers" in mcp and not is_toml:
        found.append(Section("mcp.servers", mcp["servers"]))
    for path, project in projects.items() if isinstance(projects, dict) and not is_toml else ():
        if isinstance(project, dict) and project.get("mcpServers"):
            off = set(_names(project.get(_OFF_IN_PROJECT)))
            found.append(Section(f"projects[{shown(path)}].mcpServers", project["mcpServers"], off))
    return found


def off_in_projects(document: dict[str, Any]) -> list[str]:
    """A warning for each project in which Claude Code does not use all of the user's own servers: a config is the same everywhere."""
    own, warnings = _object(document.get("mcpServers")), []
    for path, value in _object(document.get("projects")).items():
        project = _object(value)
        instead = _object(project.get("mcpServers"))
        off = [shown(name) for name in _names(project.get(_OFF_IN_PROJECT)) if name in own and name not in instead]
        if off:
            place = f"projects[{shown(path)}].{_OFF_IN_PROJECT}"
            warnings.append(f"{place} switches {', '.join(off)} off there alone: what uses the config has all of its servers")
    return warnings


def beside(document: Any) -> tuple[list[str], list[str]]:
    """What the file forbids beside its servers: (what names tools of MCP servers and is not brought along, what may)."""
    if not isinstance(document, dict):
        return [], []
    denied = [each for each in _names(_at(document, "permissions", "deny")) if each.startswith("mcp__")]
    rules = _at(document, "agent", "tool_permissions", "tools")
    ruled = [name for name in rules if name.startswith("mcp:")] if isinstance(rules, dict) else []
    problems = [
        f"{place} forbids {_counted(found)}, which cannot be kept: give the servers lists of tools, and take it out of a copy of the file"
        for place, found in (("permissions.deny", denied), ("agent.tool_permissions.tools", ruled))
        if found
    ]
    lists = {"excludeTools": document.get("excludeTools"), "tools.exclude": _at(document, "tools", "exclude")}
    warnings = [f"{place} is left out: it holds for all servers, deny tools server by server" for place in lists if _names(lists[place])]
    commands = {"mcp.serverCommand": _at(document, "mcp", "serverCommand"), "mcpServerCommand": document.get("mcpServerCommand")}
    warnings += [f"{place} is left out: name it among the servers" for place, command in commands.items() if isinstance(command, str)]
    return problems, warnings + _profiles(document)


def _profiles(document: dict[str, Any]) -> list[str]:
    """Zed's choose among the tools of its servers."""
    profiles = _object(_at(document, "agent", "profiles"))
    choosing = [shown(name) for name, profile in profiles.items() if _object(_at(profile, "context_servers"))]
    return [f"agent.profiles: which tools {', '.join(choosing)} may use is left out, allow tools server by server"] if choosing else []


def _at(document: Any, *way: str) -> Any:
    for step in way:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _counted(found: list[str]) -> str:
    return f"{len(found)} of the servers' tools" if len(found) > 1 else "one of the servers' tools"


def client_of(path: str, document: Any, sections: list[Section], is_toml: bool) -> Client:
    """By the kind of its servers; where several clients share that, by the file's name, then by fields that one of them alone has."""
    if is_toml:
        return clients.CODEX
    places = {section.place for section in sections}
    if "context_servers" in places:
        return clients.ZED
    if places & {"servers", "mcp.servers"}:
        return clients.VSCODE
    whole = path.replace("\\", "/")
    named = next((client for end, client in _BY_PATH if whole.endswith("/" + end) or whole == end), None)
    if named is not None:
        return named
    if any(section.place.startswith("projects[") for section in sections):
        return clients.CLAUDE_CODE
    fields = {field for section in sections for server in _objects(section.servers) for field in server}
    return clients.WINDSURF if "serverUrl" in fields else clients.GEMINI if "httpUrl" in fields else clients.ANY


def _switched_off(document: dict[str, Any], servers: Any) -> set[str]:
    """Gemini CLI says beside its servers which of them it may use, by two names each: the older ones stand alone."""
    mcp = _object(document.get("mcp"))
    lists = [given for given in (mcp.get("allowed"), document.get("allowMCPServers")) if isinstance(given, list)]
    excluded = {*_names(mcp.get("excluded")), *_names(document.get("excludeMCPServers"))}
    return excluded.union(*(_object(servers).keys() - set(_names(given)) for given in lists))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(servers: Any) -> list[dict[str, Any]]:
    return [each for each in servers.values() if isinstance(each, dict)] if isinstance(servers, dict) else []
