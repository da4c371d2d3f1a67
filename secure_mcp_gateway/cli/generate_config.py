"""``generate-config``: makes the store, and shows its keys this one time."""

from __future__ import annotations

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.rows import command_line_call
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Draft
    from secure_mcp_gateway.store.store import Store

FIRST_ADMIN_KEY = "admin"


def command() -> Command:
    params = (
        Param("overwrite", BOOLEAN, "Make a new store in the place of the old one; a safety backup is made first.", place=COMMAND_LINE),
        Param("empty", BOOLEAN, "Without the default config, project, user and API key.", place=COMMAND_LINE),
    )
    return Command("generate-config", "Make the store, with an admin key that is shown once", params, run, ("conflict",))


def run(invocation: Invocation) -> int:
    values = invocation.values()
    empty = values.get("empty", False)
    made = make_store(invocation.store(), values.get("overwrite", False), with_defaults=not empty, with_api_key=not empty)
    invocation.output.data(made)
    invocation.output.note("Store created successfully. Keep the keys: they are shown this one time, the store holds only their digests")
    return 0


def make_store(store: Store, overwrite: bool = False, *, with_defaults: bool, with_api_key: bool) -> dict[str, Any]:
    """The secrets and ids of what was made; ``Conflict`` where there is a store, unless ``overwrite``."""
    from secure_mcp_gateway.repository.admin_keys import create_admin_key
    from secure_mcp_gateway.store.audit import AuditEntry

    call = command_line_call(store)
    caller = call.caller

    def content(draft: Draft) -> dict[str, Any]:
        admin = create_admin_key(draft, call, name=FIRST_ADMIN_KEY)
        return {
            "store": store.path,
            "admin_api_key": admin["admin_key_secret"],
            **_defaults(draft, call, with_defaults, with_api_key),
            "safety_backup": draft.safety_backup,
        }

    entry = AuditEntry(call.now, caller.kind, caller.key_id, caller.name, call.request_id, "generate-config", {})
    return store.create(content, entry, overwrite)


def _defaults(draft: Draft, call: Call, with_defaults: bool, with_api_key: bool) -> dict[str, Any]:
    made: dict[str, Any] = dict.fromkeys(("api_key", "config_id", "config_name", "project_id", "project_name", "user_id", "email"))
    if not with_defaults:
        return made
    from secure_mcp_gateway.repository.api_keys import generate_api_key
    from secure_mcp_gateway.repository.defaults import default_tables

    tables = default_tables(call)
    for table, records in tables.items():
        draft.replace(table, records)
    ((config_id, config),) = tables["mcp_configs"].items()
    ((project_id, project),) = tables["projects"].items()
    ((user_id, user),) = tables["users"].items()
    made.update(config_id=config_id, config_name=config["mcp_config_name"], project_id=project_id)
    made.update(project_name=project["project_name"], user_id=user_id, email=user["email"])
    if with_api_key:
        made["api_key"] = generate_api_key(draft, call, user_identifier=user_id, project_identifier=project_id)["api_key"]
    return made
