"""Where each client keeps its file on this machine."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from secure_mcp_gateway.cli.client_files import clients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.cli.client_files.clients import Client

_EDITORS = ("Code", "Code - Insiders", "VSCodium")


class Place(NamedTuple):
    """``own`` where the file belongs to the current folder, not to the user."""

    client: Client
    path: str
    own: bool = False


def usual_places() -> list[Place]:
    """Of the user first, then of the current folder; each file once, whether it is there or not."""
    found: dict[str, Place] = {}
    home = "" if os.environ.get("HOME") == "" else os.path.expanduser("~")
    for place in (*(_of_user(home) if os.path.isabs(home) else ()), *_of_folder(os.getcwd())):
        found.setdefault(os.path.realpath(place.path), place)
    return list(found.values())


def _of_user(home: str) -> Iterator[Place]:
    settings = _settings_folder(home)
    yield Place(clients.CLAUDE_DESKTOP, os.path.join(settings, "Claude", "claude_desktop_config.json"))
    yield Place(clients.CLAUDE_CODE, os.path.join(_named("CLAUDE_CONFIG_DIR", home), ".claude.json"))
    yield Place(clients.CURSOR, os.path.join(home, ".cursor", "mcp.json"))
    for editor in _EDITORS:
        for name in ("mcp.json", "settings.json"):
            yield Place(clients.VSCODE, os.path.join(settings, editor, "User", name))
    # In its own editor, and as a plugin of others.
    for parts in (("windsurf", "mcp_config.json"), ("mcp_config.json",)):
        yield Place(clients.WINDSURF, os.path.join(home, ".codeium", *parts))
    yield Place(clients.ZED, os.path.join(_zed_folder(home), "settings.json"))
    yield Place(clients.GEMINI, os.path.join(home, ".gemini", "settings.json"))
    yield Place(clients.CODEX, os.path.join(_named("CODEX_HOME", os.path.join(home, ".codex")), "config.toml"))


def _of_folder(folder: str) -> Iterator[Place]:
    for client, parts in (
        (clients.CLAUDE_CODE, (".mcp.json",)),
        (clients.CURSOR, (".cursor", "mcp.json")),
        (clients.VSCODE, (".vscode", "mcp.json")),
        (clients.VSCODE, (".vscode", "settings.json")),
        (clients.ZED, (".zed", "settings.json")),
        (clients.GEMINI, (".gemini", "settings.json")),
        (clients.CODEX, (".codex", "config.toml")),
    ):
        yield Place(client, os.path.join(folder, *parts), own=True)


def _settings_folder(home: str) -> str:
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support")
    if os.name == "nt":
        return _named("APPDATA", os.path.join(home, "AppData", "Roaming"))
    return _named("XDG_CONFIG_HOME", os.path.join(home, ".config"))


def _zed_folder(home: str) -> str:
    """On macOS too it is not among the applications' own folders."""
    if os.name == "nt":
        return os.path.join(_settings_folder(home), "Zed")
    return os.path.join(_named("XDG_CONFIG_HOME", os.path.join(home, ".config")), "zed")


def _named(variable: str, default: str) -> str:
    """A folder that the environment names; a relative one is none (XDG Base Directory Specification)."""
    named = os.environ.get(variable, "")
    return named if os.path.isabs(named) else default
