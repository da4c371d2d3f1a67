"""The rows of the store as a whole."""

from __future__ import annotations

from secure_mcp_gateway.operations import schemas
from secure_mcp_gateway.operations.identifiers import DRY_RUN, OVERWRITE, PAGED, output_file
from secure_mcp_gateway.operations.operation import ADMIN, LOOK, RECORD, REPLACE, Operation
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, DOCUMENT, QUERY, STRING, Param
from secure_mcp_gateway.repository import restore, system
from secure_mcp_gateway.store.document import BACKUP_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Draft

_PATH = "/api/v1/system"
_EXAMPLE_TIME = "2026-01-31T08:00:00Z"
_EXAMPLE_BACKUP = {
    "kind": BACKUP_KIND,
    "version": 1,
    "format": 1,
    "generation": 7,
    **{name: {} for name in ("admin_keys", "mcp_configs", "projects", "users", "members", "apikeys", "settings")},
}
_CONFIRM = Param("confirm", BOOLEAN, "Must be true: everything but the admin keys is replaced.", schema=schemas.ONLY_TRUE, example=True)


def _export_desired(draft: Draft, call: Call) -> Any:
    # Loaded when it is used: no other command needs what it needs.
    from secure_mcp_gateway.repository.desired import export_desired

    return export_desired(draft, call)


OPERATIONS = (
    Operation(
        "system health-check",
        "Check the store: references, duplicates, structure, permissions",
        "Health check completed successfully",
        f"GET {_PATH}/health",
        system.check_health,
        ADMIN,
        LOOK,
        answer="Health",
        columns=("status", "issues", "warnings", "statistics", "timestamp"),
        negative=("status", "unhealthy"),
    ),
    Operation(
        "system audit",
        "List what was done to the store, the newest first",
        "Audit lines retrieved successfully",
        f"GET {_PATH}/audit",
        system.audit,
        ADMIN,
        LOOK,
        answer="[AuditLine]",
        params=(
            Param("since", STRING, "Only lines from this time on; ISO 8601.", place=QUERY, schema=schemas.TIME, example=_EXAMPLE_TIME),
            Param("actor", STRING, "Only lines of this actor: a key's id, or a name.", place=QUERY, example="adm_0123456789abcdef"),
            Param("operation", STRING, "Only lines of this operation.", place=QUERY, example="config rename"),
            Param("verify", BOOLEAN, "Walk along the whole chain and say where it is broken.", place=COMMAND_LINE),
            *PAGED,
        ),
        columns=("time", "actor.name", "operation", "result", "generation", "committed"),
        errors=("invalid_request",),
        negative=("valid", False),
    ),
    Operation(
        "system backup",
        "Write everything to a file, or answer it",
        "Backup created successfully",
        f"POST {_PATH}/backup",
        system.backup,
        ADMIN,
        RECORD,
        answer="Backup",
        params=(output_file("The file to write; without one the answer holds the document.", "backup.json"), OVERWRITE),
        columns=("output_file", "backup"),
        document="backup",
    ),
    Operation(
        "system restore",
        "Put a backup in the place of everything but the admin keys",
        "Restore completed successfully",
        f"POST {_PATH}/restore",
        restore.restore_store,
        ADMIN,
        REPLACE,
        answer="Restored",
        params=(
            Param(
                "data",
                DOCUMENT,
                "A backup as it was written or answered, or a config or backup file of Enkrypt's gateway.",
                required=True,
                file="input_file",
                example=_EXAMPLE_BACKUP,
            ),
            DRY_RUN,
            Param("with_admin_keys", BOOLEAN, "Take over the file's admin keys too; the present ones stay.", example=False),
        ),
        columns=("projects", "users", "configs", "api_keys", "warnings", "safety_backup"),
        errors=("invalid_request",),
    ),
    Operation(
        "system export-desired",
        "Write configs, projects, members and users as one document for `apply`",
        "Setup exported successfully",
        f"POST {_PATH}/export-desired",
        _export_desired,
        ADMIN,
        RECORD,
        answer="DesiredExport",
        params=(
            output_file("The file to write; without one the answer holds the document.", "desired.json", default="-"),
            OVERWRITE,
        ),
        columns=("output_file", "desired"),
        document="desired",
    ),
    Operation(
        "system reset",
        "Start over with what a new store begins with; admin keys stay",
        "Reset completed successfully",
        f"POST {_PATH}/reset",
        system.reset,
        ADMIN,
        REPLACE,
        answer="Reset",
        params=(_CONFIRM,),
        any_of=(_CONFIRM,),
        columns=("safety_backup",),
        errors=("invalid_request",),
    ),
)
