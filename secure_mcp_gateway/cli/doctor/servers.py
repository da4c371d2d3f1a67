"""The servers in the configs: can they be started on this machine? Nothing of them is run, and no value is shown."""

from __future__ import annotations

import os
import re

from secure_mcp_gateway.cli.doctor.content import limited
from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, as_root, flag, me, naming, owner_of
from secure_mcp_gateway.repository.names import quoted
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.facts import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Server = dict[str, Any]

_REFERENCE = re.compile(r"\$\{(env|file):([^}]*)\}")
_BROUGHT_BY = {
    "npx": "Node.js", "npm": "Node.js", "node": "Node.js", "uvx": "uv", "uv": "uv", "docker": "Docker", "podman": "Podman",
    "deno": "Deno", "bun": "Bun", "bunx": "Bun", "python": "Python", "pipx": "pipx", "java": "Java", "dotnet": ".NET",
}  # fmt: skip


class _Placed:
    """A server with where it stands; what a project uses is wrong where it cannot start, anything else only doubtful."""

    __slots__ = ("config", "level", "server", "words")

    def __init__(self, server: Server, config: str, config_name: str, is_used: bool) -> None:
        self.server = server
        self.config = config
        self.level = PROBLEM if is_used else WARNING
        self.words = f"server {quoted(server['server_name'])} of config {quoted(config_name)}"


def check_servers(patient: Patient) -> Iterator[Finding]:
    missing: list[Finding] = []
    unresolved: list[Finding] = []
    count = 0
    for placed in _all_servers(patient):
        count += 1
        missing += _missing_command(patient, placed)
        unresolved += _unresolved(patient, placed)
    listed = patient.command("config list")
    yield from limited(missing, listed)
    yield from limited(unresolved, listed)
    if not missing and not unresolved:
        yield Finding(OK, "servers", f"{count}: their commands and references are found on this machine")


def _all_servers(patient: Patient) -> Iterator[_Placed]:
    document = patient.document
    assert document is not None
    for key, record in document.table("mcp_configs").items():
        is_used = document.count("config_projects", key) > 0
        for server in record["mcp_config"]:
            yield _Placed(server, naming("config", record["mcp_config_name"], key), record["mcp_config_name"], is_used)


def _missing_command(patient: Patient, placed: _Placed) -> Iterator[Finding]:
    from shutil import which

    config = placed.server["config"]
    command = config.get("command")
    if not isinstance(command, str) or which(command, path=_path(config)) is not None:
        return
    update = patient.command(
        "config update-server", placed.config, flag("server-name", placed.server["server_name"]), "--server-command COMMAND"
    )
    brought = _BROUGHT_BY.get(command)
    is_there = os.path.dirname(command) and os.path.isfile(command)
    if is_there:
        text = f"{placed.words}: {command} may not be run by this user"
        yield Finding(placed.level, "servers", text, _for_its_owner(f"chmod +x {quote(command)}", command))
        return
    advice = f"install {brought or 'it'}, or name another one: {update}"
    yield Finding(placed.level, "servers", f"{placed.words}: there is no command {quoted(command)} on this machine", advice=advice)


def _for_its_owner(command: str, path: str) -> str:
    return command if os.name == "nt" or owner_of(path) == me() else as_root(command)


def _path(config: Server) -> str | None:
    """Where its command is looked for; None for our own PATH."""
    env = config.get("env")
    given = env.get("PATH") if isinstance(env, dict) else None
    return _REFERENCE.sub(_resolved, given) if isinstance(given, str) else None


def _resolved(found: re.Match[str]) -> str:
    return os.environ.get(found[2], "") if found[1] == "env" else ""


def _unresolved(patient: Patient, placed: _Placed) -> Iterator[Finding]:
    """An environment variable may be set for the service and not here; a file is there or not."""
    for kind, name in sorted(_references(placed.server["config"])):
        if kind == "env" and name not in os.environ:
            text = f"{placed.words}: ${{env:{name}}} is not set here"
            yield Finding(WARNING, "servers", text, advice=f"set it where the gateway is started, for example: export {name}=VALUE")
        elif kind == "file" and not _is_readable(name):
            text = f"{placed.words}: ${{file:{name}}} cannot be read by this user"
            yield _unreadable(placed, text, name)


def _unreadable(placed: _Placed, text: str, path: str) -> Finding:
    if os.path.isfile(path):
        return Finding(placed.level, "servers", text, _for_its_owner(f"chmod u+r {quote(path)}", path))
    if os.path.lexists(path):
        advice = "put a file with the value in its place, or name another one"
        return Finding(placed.level, "servers", f"{text}: it is {kind_of(path)}", advice=advice)
    advice = f"write the value to it, for this user alone: install -m 600 /dev/stdin {quote(path)} takes what you type, up to Ctrl-D"
    return Finding(placed.level, "servers", text, advice=advice)


def _is_readable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.R_OK)


def _references(config: Server) -> set[tuple[str, str]]:
    """(kind, name) of what the gateway resolves when it starts the server."""
    texts: list[Any] = list(config.get("args") or ())
    for field in ("env", "headers"):
        values = config.get(field)
        texts += values.values() if isinstance(values, dict) else ()
    return {(found[1], found[2]) for text in texts if isinstance(text, str) for found in _REFERENCE.finditer(text)}
