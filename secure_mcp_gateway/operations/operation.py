"""The row type of the table: what one thing that the product can do is called, takes, may be done by and answers."""

from __future__ import annotations

import re

from secure_mcp_gateway.params import FILE, NAME, SECRET
from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.document import Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.params import Param
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document
    from secure_mcp_gateway.store.store import Store

_PUBLIC_ID = re.compile(r"(key|adm)_[0-9a-f]{16}")

# Access: ADMIN keys only, or also a USER's key, for what is its own.
ADMIN, USER = "admin", "user"

# Effects: READ needs the document alone, LOOK files besides; RECORD leaves the document and writes an audit line; REPLACE writes after
# a safety backup, SETTLE what differs, after one where the rule says so.
READ, LOOK, RECORD, WRITE, CREATE, REPLACE, SETTLE = "read", "look", "record", "write", "create", "replace", "settle"


class Operation:
    """``name`` is the command (``config rename``), ``path`` has ``{parameters}``, ``run`` is the rule, ``columns`` are the fields
    of a table for people (``used_by_projects.project_name`` for a field of each in a list). ``errors`` are the codes that the rule
    itself can raise. At least one of the params ``any_of`` must be given, and no two of ``exclusive``: the rule judges that, the row
    only describes it. ``answer`` names the shape of the result for the API's description, ``[Shape]`` a list of it. ``document`` is
    the field of the result that ``output_file`` saves. ``negative`` is the (field, value) of a result that means "no"."""

    __slots__ = (
        "access",
        "answer",
        "any_of",
        "columns",
        "document",
        "effect",
        "errors",
        "exclusive",
        "message",
        "name",
        "negative",
        "params",
        "route",
        "run",
        "summary",
        "writes",
    )

    def __init__(
        self,
        name: str,
        summary: str,
        message: str,
        route: str,
        run: Callable[..., Any],
        access: str,
        effect: str,
        *,
        answer: str = "",
        params: tuple[Param, ...] = (),
        any_of: tuple[Param, ...] = (),
        exclusive: tuple[Param, ...] = (),
        columns: tuple[str, ...] = (),
        errors: tuple[str, ...] = (),
        document: str = "",
        negative: tuple[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.summary = summary
        self.message = message
        self.route = route
        self.run = run
        self.access = access
        self.effect = effect
        self.answer = answer
        self.writes = effect not in (READ, LOOK)
        self.params = params
        self.any_of = any_of
        self.exclusive = exclusive
        self.columns = columns
        self.errors = errors
        self.document = document
        self.negative = negative

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.route.partition(" ")[2]

    def status(self, values: dict[str, Any]) -> int:
        return 201 if self.effect == CREATE and not values.get("dry_run") else 200


def perform(
    operation: Operation,
    store: Store,
    call: Call,
    values: dict[str, Any],
    *,
    document: Document | None = None,
    if_match: str | None = None,
    deliver: Callable[[Any], Any] | None = None,
    file: str | None = None,
) -> Any:
    """Run a row's rule: on ``document`` (the present one where None is given), or as one commit with its audit line.

    ``if_match`` is an If-Match field. ``deliver`` takes what the rule returned once nothing else can refuse it, and gives
    the result; what it raises is a refusal like the rule's own, so that a file which cannot be written leaves no line of success.
    ``file`` is where it goes, for the audit.
    """
    if not operation.writes:
        return operation.run(document or store.snapshot(), call, **values)
    if values.get("dry_run"):
        return _dry_run(operation, document or store.snapshot(), call, values, if_match)

    def change(draft: Draft) -> Any:
        if call.caller.digest:
            # Only here: most commands write nothing, and none of them comes with a key.
            from secure_mcp_gateway.repository.api_keys import require_unrevoked

            # Under the lock: the key may have been taken away while the request waited for its turn.
            require_unrevoked(draft, call.caller, now_text())
        return operation.run(draft, call, **values)

    return store.commit(
        change,
        audit_entry(operation, call, {**values, "output_file": file}),
        if_match=if_match,
        backup=operation.effect in (REPLACE, SETTLE),
        counts=operation.effect != RECORD,
        deliver=deliver,
    )


def _dry_run(operation: Operation, document: Document, call: Call, values: dict[str, Any], if_match: str | None) -> Any:
    result = operation.run(Draft(document), call, **values)
    if if_match is not None:
        from secure_mcp_gateway.store.commit import require_version

        require_version(if_match, document.generation)
    return result


def _may_be_named(param: Param, value: str) -> bool:
    """Names and files; of a secret's place only a public id."""
    if param.kind == SECRET:
        return _PUBLIC_ID.fullmatch(value) is not None
    return param.kind in (NAME, FILE)


def audit_entry(operation: Operation, call: Call, values: dict[str, Any]) -> AuditEntry:
    named: dict[str, str] = {}
    for param in operation.params:
        given = next((values[name] for name in (param.name, *param.names) if values.get(name) is not None), None)
        if isinstance(given, str) and _may_be_named(param, given):
            named[param.name] = given
    caller = call.caller
    return AuditEntry(call.now, caller.kind, caller.key_id, caller.name, call.request_id, operation.name, named)
