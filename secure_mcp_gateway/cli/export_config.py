"""``config export``: its row; ``--as`` writes the file of an MCP client instead of our own document."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.client_files import NAMES
from secure_mcp_gateway.cli.commands import Command, Invocation
from secure_mcp_gateway.cli.rows import STANDARD_OUTPUT, command_line_call, given_values, make_files_folder, run_row, show, taken_target
from secure_mcp_gateway.errors import Conflict, InvalidRequest
from secure_mcp_gateway.operations import by_name
from secure_mcp_gateway.operations.operation import perform
from secure_mcp_gateway.params import COMMAND_LINE, STRING, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.client_files.writing import Format
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.operations.operation import Operation

_AS = Param(
    "as",
    STRING,
    f"Write an MCP client's file: {', '.join(NAMES)}.",
    place=COMMAND_LINE,
    schema={"enum": list(NAMES)},
    example="mcpServers",
)


def command() -> Command:
    row = by_name("config export")
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
    form = _format(invocation.given["as"])
    if invocation.server():
        return _through_server(row, invocation, form)
    store = invocation.store()
    call = command_line_call(store)
    target = _Target(row, given_values(row, invocation, store, call), form, store.folder)

    def deliver(document: Any) -> None:
        if target.file:
            make_files_folder(store, target.file)
        target.take(document)

    perform(row, store, call, target.values, deliver=deliver, file=target.file)
    return target.tell(row, invocation.output)


def _through_server(row: Operation, invocation: Invocation, form: Format) -> int:
    """The document comes from there; what becomes of it is this machine's matter."""
    from secure_mcp_gateway.cli.remote import asked, reached, store_folder

    remote = reached(invocation)
    target = _Target(row, invocation.values(), form, store_folder())
    with remote:
        target.take(asked(remote, row, target.values, invocation.output)[row.document])
    return target.tell(row, invocation.output)


class _Target:
    """Where a document goes, and as what. ``values`` are those for the row; ``file`` is None for standard output."""

    def __init__(self, row: Operation, values: dict[str, Any], form: Format, protected: str) -> None:
        file, self._overwrite = taken_target(row, values)
        self.file = None if file in (None, STANDARD_OUTPUT) else os.path.abspath(file)
        self.values = values
        self._form, self._protected = form, protected
        self._content: dict[str, Any] = {}
        self._warnings: list[str] = []
        values.pop("as")

    def take(self, document: Any) -> None:
        from secure_mcp_gateway.cli.client_files.writing import client_file, text_of

        self._content, self._warnings = client_file(document["mcp_config"], self._form)
        if self.file:
            self.file = _saved(text_of(self._content, self._form), self.file, self._overwrite, self._protected)

    def tell(self, row: Operation, output: Output) -> int:
        for warning in self._warnings:
            output.warn(warning)
        if self.file:
            return show(row, self.values, {"output_file": self.file, row.document: None}, output)
        _say(self._content, self._form, output)
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
        raise InvalidRequest("--as is no format that is known", "give one of " + ", ".join(NAMES))
    return FORMATS[name]


def _saved(text: str, file: str, overwrite: bool, protected: str) -> str:
    """A file of this kind does not say that it is ours, so one that stands there is never taken for an earlier one."""
    from secure_mcp_gateway.operations.files import write_file

    if not overwrite and os.path.lexists(file):
        raise Conflict("--output-file exists", "name another file, or give --overwrite", private=file)
    return write_file(file, text.encode(), "--output-file", overwrite=overwrite, protected=protected)
