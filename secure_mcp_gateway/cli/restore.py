"""``system restore``: its row, and where there is no store yet, a new one made of the backup."""

from __future__ import annotations

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.rows import command_line_call, run_row, show
from secure_mcp_gateway.operations import for_noun
from secure_mcp_gateway.operations.operation import audit_entry
from secure_mcp_gateway.store.document import Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.operations.operation import Operation


def command() -> Command:
    (row,) = (each for each in for_noun("system") if each.name == "system restore")
    return Command(row.name, row.summary, row.params, lambda invocation: _run(row, invocation), row.errors)


def _run(row: Operation, invocation: Invocation) -> int:
    store = invocation.store()
    if store.exists():
        return run_row(row, invocation)
    values = invocation.values()
    call = command_line_call(store)

    admin_keys = 0

    def content(draft: Draft) -> Any:
        nonlocal admin_keys
        result = row.run(draft, call, **values)
        admin_keys = len(draft.table("admin_keys"))
        return result

    if values.get("dry_run"):
        from secure_mcp_gateway.store.document import Document

        result = content(Draft(Document()))
    else:
        result = store.create(content, audit_entry(row, call, values))
    code = show(row, values, result, invocation.output)
    if not admin_keys:
        way_out = "make one with: admin-key create --name NAME"
        invocation.output.warn(f"the file holds no admin key, so nobody can manage this store over the API; {way_out}")
    return code
