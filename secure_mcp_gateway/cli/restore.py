"""``system restore``: its row, and where there is no store yet, a new one made of the backup."""

from __future__ import annotations

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.rows import command_line_call, run_row, show
from secure_mcp_gateway.operations import by_name
from secure_mcp_gateway.operations.operation import audit_entry
from secure_mcp_gateway.repository.restore import NOBODY_ADMINISTERS
from secure_mcp_gateway.store.document import Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.operations.operation import Operation


def command() -> Command:
    row = by_name("system restore")
    return Command(row.name, row.summary, row.params, lambda invocation: _run(row, invocation), row.errors)


def _run(row: Operation, invocation: Invocation) -> int:
    if invocation.server():
        return run_row(row, invocation)
    store = invocation.store()
    if store.exists():
        return run_row(row, invocation)
    values = invocation.values()
    call = command_line_call(store)

    def content(draft: Draft) -> Any:
        return row.run(draft, call, **values)

    with invocation.output.working(row.name):
        if values.get("dry_run"):
            from secure_mcp_gateway.store.document import Document

            result = content(Draft(Document()))
        else:
            result = store.create(content, audit_entry(row, call, values))
    code = show(row, values, result, invocation.output)
    if NOBODY_ADMINISTERS in result["warnings"]:
        invocation.output.warn(NOBODY_ADMINISTERS)
    return code
