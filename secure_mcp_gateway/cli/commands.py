"""Every command by its words: the rows of the table, and the few that are no row."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.arguments import safe, suggestion
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.operations import MODULES, for_noun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.params import Param
    from secure_mcp_gateway.store.store import Store

# Commands that are no row, or do more than their row, with the modules of this room that have them; a module that has several says
# behind a colon which of its functions makes the command.
_MODULES = {
    "completion bash": "completion:bash",
    "completion fish": "completion:fish",
    "completion zsh": "completion:zsh",
    "config discover": "discover",
    "config export": "export_config",
    "config import": "import_config",
    "generate-config": "generate_config",
    "apply": "apply",
    "system audit": "audit",
    "system doctor": "doctor",
    "system restore": "restore",
    "system start-api": "start_api",
    "system stop-api": "stop_api",
}
HELP = "help"
INTERRUPTED = 130


class Command:
    """``errors`` are the codes that it can fail with beside wrong usage and a store that does not work; ``says_no`` where its
    result can be a "no". ``notes`` are a sentence and what to type for it, for its help."""

    __slots__ = ("errors", "name", "notes", "params", "run", "says_no", "summary")

    def __init__(
        self,
        name: str,
        summary: str,
        params: tuple[Param, ...],
        run: Callable[[Invocation], int],
        errors: tuple[str, ...] = (),
        says_no: bool = False,
        notes: tuple[str, str] | None = None,
    ) -> None:
        self.name = name
        self.summary = summary
        self.params = params
        self.run = run
        self.errors = errors
        self.says_no = says_no
        self.notes = notes


class Invocation:
    """One use of a command: ``given`` are its flags' texts, ``arguments`` everything as it was typed."""

    __slots__ = ("arguments", "given", "output", "params")

    def __init__(self, params: tuple[Param, ...], given: dict[str, Any], arguments: list[str], output: Output) -> None:
        self.params = params
        self.given = given
        self.arguments = arguments
        self.output = output

    def values(self) -> dict[str, Any]:
        from secure_mcp_gateway.cli.values import read_values

        # Standard input comes as somebody types it, or as another program writes it.
        files = [self.given.get(param.file_flag, "-") for param in self.params if param.file]
        if all(file == "-" for file in files):
            return read_values(self.params, self.given)
        with self.output.working("reading the file"):
            return read_values(self.params, self.given)

    def server(self) -> str:
        """The URL of the server that is to do it; empty where it is done here, on the store."""
        from secure_mcp_gateway.cli.values import server_url

        return server_url(self.given)

    def store(self) -> Store:
        from secure_mcp_gateway.cli.values import store_path
        from secure_mcp_gateway.store.store import Store

        if self.server():
            raise InvalidRequest(
                "this command does not work through a server: it needs the store itself",
                "run it on the server's machine, without --server and $SECURE_MCP_GATEWAY_SERVER, or with --store FILE",
            )
        path = store_path(self.given.get("store"))
        if self.given.get("store") or os.environ.get("SECURE_MCP_GATEWAY_STORE"):
            self.output.named_store = path
        return Store(path, allow_network="allow-network-fs" in self.given)


def is_complete(words: list[str]) -> bool:
    """Can no further word belong to the command? Help takes all that come."""
    if not words or words[0] == HELP:
        return False
    return len(words) == 2 or words[0] in _MODULES or words[0] not in nouns() or _row(words) is not None


def find_command(words: list[str]) -> Command | None:
    """None where the words are not a whole command yet; ``InvalidRequest`` where they can never be one."""
    if not words or words[0] == HELP:
        return None
    name = " ".join(words)
    if name in _MODULES:
        return _special(name)
    if words[0] not in nouns():
        near = suggestion(words[0], nouns())
        raise InvalidRequest(f"there is no command {safe(words[0])!r}", _way_out(near, ""))
    row = _row(words)
    if row is not None:
        return of_row(row)
    if len(words) == 1:
        return None
    verb = " ".join(words[1:])
    near = suggestion(verb, [each for each, _ in verbs(words[0])])
    raise InvalidRequest(f"{words[0]} has no command {safe(verb)!r}", _way_out(f"{words[0]} {near}" if near else "", words[0]))


def command_named(name: str) -> Command:
    """One that there is for certain."""
    command = find_command(name.split())
    assert command is not None, name
    return command


def of_row(row: Operation) -> Command:
    from secure_mcp_gateway.cli.rows import run_row

    return Command(row.name, row.summary, row.params, lambda invocation: run_row(row, invocation), row.errors, row.negative is not None)


def nouns() -> list[str]:
    """Those of commands that are no row come last, but for single words: they are what a user begins with."""
    alone = [name for name in _MODULES if " " not in name and name not in MODULES]
    others = [name.partition(" ")[0] for name in _MODULES if " " in name]
    return list(dict.fromkeys([*alone, *MODULES, *others, HELP]))


def verbs(noun: str) -> list[tuple[str, str]]:
    """(verb, summary) of all commands of a noun, the rows first."""
    found = {row.name: row.summary for row in _rows(noun)}
    found.update({name: _special(name).summary for name in _MODULES if name.startswith(f"{noun} ")})
    return [(name.partition(" ")[2], summary) for name, summary in found.items() if " " in name]


def _row(words: list[str]) -> Operation | None:
    name = " ".join(words)
    return next((row for row in _rows(words[0]) if row.name == name), None)


def _rows(noun: str) -> tuple[Operation, ...]:
    return for_noun(noun) if noun in MODULES else ()


def _special(name: str) -> Command:
    from importlib import import_module

    module, _, function = _MODULES[name].partition(":")
    command: Command = getattr(import_module(f"secure_mcp_gateway.cli.{module}"), function or "command")()
    return command


def _way_out(near: str, noun: str) -> str:
    return f"did you mean {near}?" if near else f"secure-mcp-gateway {noun + ' ' if noun else ''}--help lists what there is"
