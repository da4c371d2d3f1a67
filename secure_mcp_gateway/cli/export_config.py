"""``config export``: its row; ``--as`` writes the file of an MCP client instead of our own document."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.commands import Command, Invocation
from secure_mcp_gateway.cli.rows import FILES, STANDARD_OUTPUT, command_line_call, run_row, show
from secure_mcp_gateway.errors import Conflict, GatewayError, InvalidRequest
from secure_mcp_gateway.operations import for_noun
from secure_mcp_gateway.operations.operation import audit_entry, perform
from secure_mcp_gateway.params import COMMAND_LINE, STRING, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.client_files.writing import Format
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.store.store import Store

_NAMES = "mcpServers, claude-desktop, claude-code, cursor, vscode, windsurf, zed, gemini, codex"
_AS = Param("as", STRING, f"Write an MCP client's file: {_NAMES}.", place=COMMAND_LINE, example="mcpServers")


def command() -> Command:
    (row,) = (each for each in for_noun("config") if each.name == "config export")
    # Only with --as is there something to conflict with: such a file is never taken for an earlier export.
    return Command(
        row.name,
        f"{row.summary}; also as an MCP client's file",
        (*row.params, _AS),
        lambda invocation: _run(row, invocation),
        (*row.errors, "conflict"),
    )


def _run(row: Operation, invocation: Invocation) -> int:
    if "as" not in invocation.given:
        return run_row(row, Invocation(row.params, invocation.given, invocation.arguments, invocation.output))
    from secure_mcp_gateway.cli.client_files.writing import client_file

    form = _format(invocation.given["as"])
    store = invocation.store()
    call = command_line_call(store)
    try:
        values = invocation.values()
    except GatewayError as error:
        store.refuse(audit_entry(row, call, {}), error)
        raise
    values.pop("as")
    file, overwrite = values.pop("output_file"), values.pop("overwrite", False)
    written = None if file == STANDARD_OUTPUT else os.path.abspath(file)

    def deliver(document: Any) -> Any:
        content, warnings = client_file(document["mcp_config"], form)
        if written:
            return _saved(content, form, file, overwrite, store), warnings
        return content, warnings

    result, warnings = perform(row, store, call, values, deliver=deliver, file=written)
    for warning in warnings:
        invocation.output.warn(warning)
    if written:
        return show(row, values, result, invocation.output)
    _say(result, form, invocation.output)
    return 0


def _say(content: dict[str, Any], form: Format, output: Output) -> None:
    from secure_mcp_gateway.cli.client_files.writing import text_of

    if form.is_toml:
        output.text("toml", text_of(content, form).rstrip("\n"))
    else:
        output.document(content)


def _format(name: str) -> Format:
    from secure_mcp_gateway.cli.client_files.writing import FORMATS

    if name not in FORMATS:
        raise InvalidRequest("--as is no format that is known", f"give one of {_NAMES}")
    return FORMATS[name]


def _saved(content: dict[str, Any], form: Format, file: str, overwrite: bool, store: Store) -> dict[str, Any]:
    """A file of this kind does not say that it is ours, so one that stands there is never taken for an earlier one."""
    from secure_mcp_gateway.cli.client_files.writing import text_of
    from secure_mcp_gateway.operations.files import write_file

    if not overwrite and os.path.lexists(file):
        raise Conflict("--output-file exists", "name another file, or give --overwrite", private=os.path.abspath(file))
    if os.path.realpath(os.path.dirname(file)) == os.path.join(store.folder, FILES):
        store.own_folder(FILES)
    path = write_file(file, text_of(content, form).encode(), "--output-file", overwrite=overwrite, protected=store.folder)
    return {"output_file": path, "config": None}
