"""``config import``: its row; the file of an MCP client becomes a document for it first."""

from __future__ import annotations

from secure_mcp_gateway.cli.client_files import NAMES
from secure_mcp_gateway.cli.commands import Command, Invocation
from secure_mcp_gateway.cli.output import Output
from secure_mcp_gateway.cli.rows import run_row
from secure_mcp_gateway.errors import InvalidRequest, listed
from secure_mcp_gateway.operations import by_name
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, FILE, STRING, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from secure_mcp_gateway.cli.client_files.clients import Client
    from secure_mcp_gateway.cli.client_files.reading import ClientFile
    from secure_mcp_gateway.operations.operation import Operation

_FROM = Param(
    "from",
    FILE,
    "A file of Claude, Cursor, VS Code, Windsurf, Zed, Gemini CLI or Codex CLI instead; - is standard input.",
    place=COMMAND_LINE,
)
_CLIENT = Param(
    "client",
    STRING,
    f"With --from: whose file it is, where its name and content do not say it: {', '.join(NAMES)}.",
    place=COMMAND_LINE,
    schema={"enum": list(NAMES)},
    example="cursor",
)
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
    return Command(row.name, summary, (either, _FROM, _CLIENT, *others, _AS_ENV), lambda invocation: _run(row, invocation), row.errors)


def _run(row: Operation, invocation: Invocation) -> int:
    telling = _Telling(invocation.output)
    try:
        return run_row(row, _Import(row, invocation, telling))
    finally:
        invocation.output.named_store = telling.named_store


def _read(data: bytes, path: str, client: Client | None, secrets_as_env: bool) -> ClientFile:
    from secure_mcp_gateway.cli.client_files.reading import no_servers, read_client_file

    found = read_client_file(data, path, "--from", secrets_as_env, client)
    if found is None:
        raise no_servers("--from")
    if found.problems:
        problems = "this cannot be imported, nothing is changed: " + listed(found.problems)
        raise InvalidRequest(problems, "mend a copy of the file and import that")
    return found


def _client(name: str | None) -> Client | None:
    from secure_mcp_gateway.cli.client_files.clients import BY_NAME

    if name is not None and name not in BY_NAME:
        raise InvalidRequest("--client is no client that is known", "give one of " + ", ".join(NAMES))
    return BY_NAME[name] if name is not None else None


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
            for flag in ("secrets-as-env", "client"):
                if flag in self.given:
                    raise InvalidRequest(f"--{flag} goes with --from", "an export of ours is imported as it is")
            return self._of_export()
        from secure_mcp_gateway.cli.values import read_values

        values = read_values((*self.params[1:], _AS_ENV, _FROM, _CLIENT), self.given)
        path, client = values.pop("from"), _client(values.pop("client", None))
        found = _read(self._bytes(path), path, client, values.pop("secrets_as_env", False))
        self._telling.warnings = found.warnings
        return {"data": found.servers, **values}

    def _bytes(self, path: str) -> bytes:
        from secure_mcp_gateway.cli.values import standard_input, whole
        from secure_mcp_gateway.operations.files import read_file

        if path == "-":
            return whole(standard_input("--from"), "--from")
        with self.output.working("reading the client's file"):
            return read_file(path, "--from")

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
