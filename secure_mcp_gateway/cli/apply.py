"""``apply``: its row; people are told what differs before it is made so."""

from __future__ import annotations

from functools import partial

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.rows import command_line_call, given_values
from secure_mcp_gateway.errors import Conflict, GatewayError, PreconditionFailed
from secure_mcp_gateway.operations import by_name
from secure_mcp_gateway.operations.operation import audit_entry, perform
from secure_mcp_gateway.repository.names import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.operations.operation import Operation

    Record = dict[str, Any]

_MARKS = {"create": "+", "change": "~", "remove": "-"}


def command() -> Command:
    row = by_name("apply")
    return Command(row.name, row.summary, row.params, lambda invocation: _run(row, invocation), (*row.errors, "conflict"))


def _run(row: Operation, invocation: Invocation) -> int:
    return _run_remote(row, invocation) if invocation.server() else _run_here(row, invocation)


def _run_here(row: Operation, invocation: Invocation) -> int:
    store = invocation.store()
    call = command_line_call(store)
    values = given_values(row, invocation, store, call)

    def apply(asked: Record, shown: Record | None) -> Record:
        try:
            with invocation.output.working(row.name):
                result: Record = perform(row, store, call, asked, deliver=partial(_as_shown, shown) if shown else None)
        except GatewayError as error:
            if asked.get("dry_run") and not values.get("dry_run"):
                store.refuse(audit_entry(row, call, values), error)
            raise
        return result

    return _shown_and_applied(values, apply, invocation.output)


def _run_remote(row: Operation, invocation: Invocation) -> int:
    from secure_mcp_gateway.cli.remote import asked, reached

    output, remote = invocation.output, reached(invocation)

    def apply(values: Record, shown: Record | None) -> Record:
        try:
            result: Record = asked(remote, row, values, output, remote.state if shown else "")
        except PreconditionFailed:
            raise _changed_meanwhile() from None
        return result

    with remote:
        return _shown_and_applied(invocation.values(), apply, output)


def _shown_and_applied(values: Record, apply: Callable[[Record, Record | None], Record], output: Output) -> int:
    """For people first a dry run, which they are shown, and then ``apply`` with its result, to make just that so or nothing: in two
    steps nobody waits for the lock while somebody reads."""
    dry_run = bool(values.get("dry_run"))
    if output.is_json:
        result = apply(values, None)
        output.document(result)
    else:
        result = apply({**values, "dry_run": True}, None)
        _show(result, output)
        if not dry_run and result["changes"]:
            result = apply(values, result)
    _summarise(result, dry_run, output)
    return 0


def _show(result: Record, output: Output) -> None:
    """At once, so that it is read before it is made so."""
    output.difference([line_of(change) for change in result["changes"]])
    output.flush()


def _as_shown(shown: Record, made: Record) -> Record:
    """Under the lock: what was shown is what is done, or nothing is."""
    if made["changes"] != shown["changes"]:
        raise _changed_meanwhile()
    return made


def _changed_meanwhile() -> Conflict:
    return Conflict("the store was changed meanwhile: it would not be what was said, so nothing is done", "apply it again")


def _summarise(result: Record, dry_run: bool, output: Output) -> None:
    for warning in result["warnings"]:
        output.warn(warning)
    if result["safety_backup"]:
        output.note(f"The store as it was before: {result['safety_backup']}")
    if not result["changes"]:
        output.note("Nothing to change")
        return
    words = ("to create", "to change", "to remove") if dry_run else ("created", "changed", "removed")
    summary = ", ".join(f"{result[field]} {word}" for field, word in zip(("created", "changed", "removed"), words))
    if result["api_keys_deleted"]:
        summary += f", {counted(result['api_keys_deleted'], 'API key')} {'to be deleted' if dry_run else 'deleted'} with that"
    output.note(f"{summary}; nothing was changed: this was a dry run" if dry_run else summary)


def line_of(change: Record) -> str:
    """Such as ``~ server files in config research: args, env.TOKEN``."""
    from secure_mcp_gateway.cli.table import clean

    parent = {"server": "config", "member": "project"}.get(change["kind"])
    where = f" in {parent} {change[parent]}" if parent else ""
    fields = ": " + ", ".join(_field(field, change) for field in change["fields"]) if change["fields"] else ""
    aside = ", ".join(_asides(change))
    return clean(f"{_MARKS[change['action']]} {change['kind']} {change['name']}{where}{fields}{f' ({aside})' if aside else ''}")


def _field(field: str, change: Record) -> str:
    """Of a project its config by name: that is no secret."""
    return field if (change["kind"], field) != ("project", "config") else f"config ({change['config'] or 'none'} from now on)"


def _asides(change: Record) -> list[str]:
    """What comes with a new project, and what goes with a thing."""
    if change["action"] == "create":
        return [f"config {change['config']}"] if change["kind"] == "project" and change["config"] else []
    losses = (("servers", "server"), ("members", "member"), ("projects", "membership"), ("api_keys", "API key"))
    return [counted(change[field], word) for field, word in losses if change.get(field)]
