"""``config import``: its row; the file of an MCP client becomes a document for it first."""

from __future__ import annotations

from secure_mcp_gateway.cli.commands import Command, Invocation
from secure_mcp_gateway.cli.output import Output
from secure_mcp_gateway.cli.rows import run_row
from secure_mcp_gateway.errors import InvalidRequest, listed
from secure_mcp_gateway.operations import by_name
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, FILE, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from secure_mcp_gateway.cli.client_files.reading import ClientFile
    from secure_mcp_gateway.operations.operation import Operation

_FROM = Param("from", FILE, "A file of Claude, Cursor, VS Code, Windsurf, Zed, Gemini CLI or Codex CLI instead.", place=COMMAND_LINE)
_AS_ENV = Param(
    "secrets_as_env",
    BOOLEAN,
    "With --from: store ${env:NAME} in the place of each secret in env and headers.",
    place=COMMAND_LINE,
)


def command() -> Command:
    row = by_name("config import")
    data, *others = row.params
    # One of the two is needed: that is for `_run` to say.
    either = Param(data.name, data.kind, data.help, file=data.file, example=data.example)
    summary = f"{row.summary}, or of an MCP client's file"
    return Command(row.name, summary, (either, _FROM, *others, _AS_ENV), lambda invocation: _run(row, invocation), row.errors)


def _run(row: Operation, invocation: Invocation) -> int:
    telling = _Telling(invocation.output)
    try:
        return run_row(row, _Import(row, invocation, telling))
    finally:
        invocation.output.named_store = telling.named_store


def _read(path: str, secrets_as_env: bool) -> ClientFile:
    from secure_mcp_gateway.cli.client_files.reading import no_servers, read_client_file
    from secure_mcp_gateway.operations.files import read_file

    found = read_client_file(read_file(path, "--from"), path, "--from", secrets_as_env)
    if found is None:
        raise no_servers("--from")
    if found.problems:
        raise InvalidRequest("this cannot be imported, nothing is changed: " + listed(found.problems))
    return found


class _Import(Invocation):
    """The row's use with a document that is read here, wherever the row is run; what is wrong with it is a refusal of the row."""

    __slots__ = ("_telling",)

    def __init__(self, row: Operation, invocation: Invocation, telling: _Telling) -> None:
        super().__init__(row.params, invocation.given, invocation.arguments, telling)
        self._telling = telling

    def values(self) -> dict[str, Any]:
        if "from" in self.given and "input-file" in self.given:
            raise InvalidRequest("--from and --input-file exclude each other", "give one of them")
        if "from" not in self.given:
            if "secrets-as-env" in self.given:
                raise InvalidRequest("--secrets-as-env goes with --from", "an export of ours is imported as it is")
            return self._of_export()
        from secure_mcp_gateway.cli.values import read_values

        values = read_values((*self.params[1:], _AS_ENV, _FROM), self.given)
        with self.output.working("reading the client's file"):
            found = _read(values.pop("from"), values.pop("secrets_as_env", False))
        self._telling.warnings = found.warnings
        return {"data": found.servers, **values}

    def _of_export(self) -> dict[str, Any]:
        if "input-file" not in self.given:
            raise InvalidRequest("missing: --input-file or --from", "name what is to be imported")
        return super().values()


class _Telling(Output):
    """Says what was noticed in the client's file among the warnings of the row's answer."""

    __slots__ = ("warnings",)

    def __init__(self, output: Output) -> None:
        super().__init__(output.asked, output.quiet)
        self.warnings: list[str] = []

    def data(self, value: Any, columns: Sequence[str] = ()) -> None:
        super().data({**value, "warnings": [*self.warnings, *value["warnings"]]}, columns)
