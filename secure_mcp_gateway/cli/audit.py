"""``system audit``: its row; a walk along the whole chain takes no choice of lines."""

from __future__ import annotations

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.rows import run_row
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.operations import by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.operations.operation import Operation

_CHOICES = ("since", "actor", "operation", "limit", "offset")


def command() -> Command:
    row = by_name("system audit")
    return Command(row.name, row.summary, row.params, lambda invocation: _run(row, invocation), row.errors, says_no=True)


def _run(row: Operation, invocation: Invocation) -> int:
    chosen = [flag for flag in _CHOICES if flag in invocation.given]
    if chosen and invocation.given.get("verify") == "true":
        raise InvalidRequest(f"--verify and --{chosen[0]} exclude each other", "verify the whole chain, or list some of its lines")
    return run_row(row, invocation)
