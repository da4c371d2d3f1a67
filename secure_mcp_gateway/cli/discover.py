"""``config discover``: which MCP clients of this machine have servers, and what would be imported of each."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.arguments import PROGRAM
from secure_mcp_gateway.cli.commands import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.client_files.finding import Place
    from secure_mcp_gateway.cli.commands import Invocation

# What says where the import is to go.
_WHERE = ("store", "server", "api-key-file", "ca-file", "client-cert", "client-key")


def command() -> Command:
    return Command("config discover", "Find the servers that MCP clients of this machine have", (), _run)


def _run(invocation: Invocation) -> int:
    from secure_mcp_gateway.cli.client_files.finding import usual_places
    from secure_mcp_gateway.cli.table import clean

    with invocation.output.working("reading the clients' files"):
        rows = [row for place in usual_places() if (row := _look(place)) is not None]
    given = invocation.given
    _name_commands(rows, [word for flag in _WHERE if flag in given for word in (f"--{flag}", given[flag])])
    output = invocation.output
    if output.is_json:
        output.data(rows)
        return 0
    output.data([_for_people(row) for row in rows])
    importable = [row["command"] for row in rows if row["command"]]
    if importable:
        output.note("To see what an import would bring, all of its warnings included; without --dry-run it is made:")
    for line in importable:
        output.note(f"  {clean(line)}")
    return 0


def _look(place: Place) -> dict[str, Any] | None:
    """None where no file is, or one without servers."""
    from secure_mcp_gateway.cli.client_files.reading import read_client_file
    from secure_mcp_gateway.errors import GatewayError
    from secure_mcp_gateway.operations.files import read_file

    row: dict[str, Any] = {"client": place.client.title, "path": place.path, "servers": [], "left_out": [], "warnings": [], "problems": []}
    if not os.path.lexists(place.path):
        return None
    try:
        found = read_client_file(read_file(place.path, "the file"), place.path, "the file")
    except GatewayError as error:
        return {**row, "problems": [error.detail], "suggested": ""}
    if found is None:
        return None
    names = [server["server_name"] for server in found.servers]
    suggested = place.client.name + (f"-{_folder_name()}" if place.own else "")
    row.update(servers=names, left_out=found.left_out, warnings=found.warnings, problems=found.problems)
    return {**row, "suggested": suggested if names else ""}


def _folder_name() -> str:
    from secure_mcp_gateway.cli.client_files.reading import valid_name

    return valid_name(os.path.basename(os.getcwd())) or "folder"


def _name_commands(rows: list[dict[str, Any]], where: list[str]) -> None:
    """``command`` in the place of ``suggested``, each with a config's name of its own."""
    from secure_mcp_gateway.shell import join

    used: set[str] = set()
    for row in rows:
        suggested = row.pop("suggested")
        row["command"] = None
        if not suggested:
            continue
        name, number = suggested, 1
        while name in used:
            number += 1
            name = f"{suggested}-{number}"
        used.add(name)
        row["command"] = join([PROGRAM, *where, "config", "import", "--from", row["path"], "--config-name", name, "--dry-run"])


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """Without what there is nothing of; the warnings come with the import."""
    number = len(row["warnings"])
    warnings = f"{number} warning{'s' if number > 1 else ''}" if number and row["servers"] else None
    shown = {"client": row["client"], "path": row["path"], "servers": row["servers"], "left_out": row["left_out"]}
    return {field: value for field, value in {**shown, "remarks": warnings, "problems": row["problems"]}.items() if value}
