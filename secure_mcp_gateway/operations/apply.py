"""The row of apply, alone: no other command needs what it needs."""

from __future__ import annotations

from secure_mcp_gateway.operations.identifiers import DRY_RUN
from secure_mcp_gateway.operations.operation import ADMIN, SETTLE, Operation
from secure_mcp_gateway.params import BOOLEAN, DOCUMENT, Param
from secure_mcp_gateway.repository import desired
from secure_mcp_gateway.repository.desired_document import DESIRED_KIND, DESIRED_VERSION

_EXAMPLE = {
    "kind": DESIRED_KIND,
    "version": DESIRED_VERSION,
    "configs": [{"name": "research", "servers": [{"server_name": "echo", "config": {"command": "echo-server"}}]}],
    "projects": [{"name": "research", "config": "research", "users": ["ada@example.com"]}],
    "users": ["ada@example.com"],
}

OPERATIONS = (
    Operation(
        "apply",
        "Make configs, projects, members and users as one document says, in one write",
        "Setup applied successfully",
        "POST /api/v1/system/apply",
        desired.apply_desired,
        ADMIN,
        SETTLE,
        answer="Applied",
        params=(
            Param(
                "data",
                DOCUMENT,
                "The setup, as `system export-desired` writes it; `help desired` says what stands in it.",
                required=True,
                file="input_file",
                file_flag="file",
                example=_EXAMPLE,
            ),
            Param(
                "prune",
                BOOLEAN,
                "Take away what is not in a section that is there, API keys of users and projects that go with it.",
                example=False,
            ),
            DRY_RUN,
        ),
        columns=("changes", "created", "changed", "removed", "api_keys_deleted", "warnings", "safety_backup"),
        errors=("invalid_request",),
    ),
)
