"""A row of the table as a command: values out of flags, the rule, the answer."""

from __future__ import annotations

import os

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.operations.operation import READ, audit_entry, perform
from secure_mcp_gateway.repository.call import ADMIN, Call, Caller, Listing, new_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.store.store import Store

STANDARD_OUTPUT, FILES = "-", "files"


def run_row(row: Operation, invocation: Invocation) -> int:
    if invocation.server():
        from secure_mcp_gateway.cli.remote import run_remote

        return run_remote(row, invocation)
    store = invocation.store()
    call = command_line_call(store)
    values = given_values(row, invocation, store, call)
    file, overwrite = taken_target(row, values)
    written = os.path.abspath(file) if file not in (None, STANDARD_OUTPUT) else None
    with invocation.output.working("reading the store" if row.effect == READ else row.name):
        result = perform(row, store, call, values, deliver=_delivery(row, store, file, overwrite), file=written)
    return show_with_document(row, values, result, file, invocation.output)


def taken_target(row: Operation, values: dict[str, Any]) -> tuple[str | None, bool]:
    """Where the row's document goes and whether over what stands there, taken out of the values: the rule knows nothing of it."""
    if not row.document:
        return None, False
    return values.pop("output_file", None), values.pop("overwrite", False)


def show_with_document(row: Operation, values: dict[str, Any], result: Any, file: str | None, output: Output) -> int:
    """For people the document alone, where no file holds it."""
    if row.document and (file == STANDARD_OUTPUT or (file is None and not output.is_json)):
        output.document(result if file else result[row.document])
        return 0
    return show(row, values, result, output)


def given_values(row: Operation, invocation: Invocation, store: Store, call: Call) -> dict[str, Any]:
    """What was given for the row; a refusal is a refused write."""
    try:
        return invocation.values()
    except GatewayError as error:
        if row.writes:
            store.refuse(audit_entry(row, call, {}), error)
        raise


def show(row: Operation, values: dict[str, Any], result: Any, output: Output) -> int:
    """Say the result; the exit code is 1 where it means "no"."""
    data = result.rows if isinstance(result, Listing) else result
    output.data(data, row.columns)
    if isinstance(result, Listing) and len(result.rows) < result.total and not output.is_json:
        output.note(f"{len(result.rows)} of {result.total}")
    if row.writes:
        output.note("Nothing was changed: this was a dry run" if values.get("dry_run") else row.message)
    return 1 if row.negative and isinstance(data, dict) and data.get(row.negative[0]) == row.negative[1] else 0


def command_line_call(store: Store) -> Call:
    """Who can read and write the store's file is its administrator."""
    return new_call(Caller(ADMIN, "", user_name()), store)


def user_name() -> str:
    """From the system's user database, which an environment variable cannot change."""
    if os.name == "nt":
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def make_files_folder(store: Store, file: str) -> None:
    """The folder for exports beside the store, where the file is to lie in it."""
    if os.path.realpath(os.path.dirname(file)) == os.path.join(store.folder, FILES):
        store.own_folder(FILES)


def _delivery(row: Operation, store: Store, file: str | None, overwrite: bool) -> Callable[[Any], Any] | None:
    """What becomes of the rule's document. It is written while the change can still be refused, so that a file which cannot be
    written leaves no line of success in the audit."""
    if not row.document or file == STANDARD_OUTPUT:
        return None
    if file is None:
        return lambda document: {"output_file": None, row.document: document}

    def write(document: Any) -> Any:
        from secure_mcp_gateway.operations.files import write_document

        make_files_folder(store, file)
        path = write_document(file, document, "--output-file", overwrite=overwrite, protected=store.folder)
        return {"output_file": path, row.document: None}

    return write
