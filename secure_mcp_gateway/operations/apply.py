"""The row of apply, alone: no other command needs what it needs."""

from __future__ import annotations

from secure_mcp_gateway.operations import schemas
from secure_mcp_gateway.operations.identifiers import DRY_RUN
from secure_mcp_gateway.operations.operation import ADMIN, SETTLE, Operation
from secure_mcp_gateway.params import BOOLEAN, DOCUMENT, Param
from secure_mcp_gateway.repository import desired
from secure_mcp_gateway.repository.desired_document import DESIRED_KIND, DESIRED_VERSION
from secure_mcp_gateway.store.check import POLICIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = {"type": "string"}
_FURTHER = {"type": ["object", "null"], "description": "Fields that are kept without a meaning here."}
_SERVER = {
    "type": "object",
    "required": ["server_name", "config"],
    "properties": {
        "server_name": _NAME,
        "description": {"type": ["string", "null"]},
        "config": {"type": "object", "description": "command, args, env; or url, headers."},
        "tools": {"type": ["object", "null"], **schemas.TOOLS},
        "denied_tools": {"type": ["array", "null"], "items": {"type": "string"}},
        **{field: {"type": ["object", "null"], **schemas.POLICY} for field in POLICIES},
        "further": _FURTHER,
    },
    "additionalProperties": False,
}


def _listed(fields: dict[str, Any], what: str, also: str = "") -> dict[str, Any]:
    """A list of objects of these fields, the first of which each has, or of plain values of the type ``also``."""
    whole = {"type": "object", "required": list(fields)[:1], "properties": {**fields, "further": _FURTHER}, "additionalProperties": False}
    return {"type": "array", "description": what, "items": {"anyOf": [{"type": also}, whole]} if also else whole}


_DESIRED = {
    "properties": {
        "kind": {"const": DESIRED_KIND},
        "version": {"const": DESIRED_VERSION},
        "configs": _listed({"name": _NAME, "servers": {"type": "array", "items": _SERVER}}, "Left out, configs stay as they are."),
        "projects": _listed(
            {
                "name": _NAME,
                "config": {"type": ["string", "null"], "description": "A config's name; null: none; left out: as it is."},
                "users": {"type": "array", "items": _NAME, "description": "The members' e-mail addresses."},
            },
            "Left out, projects stay as they are.",
        ),
        "users": _listed({"email": _NAME}, "E-mail addresses. Left out, users stay as they are.", also="string"),
    }
}
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
                schema=_DESIRED,
                example=_EXAMPLE,
            ),
            Param(
                "prune",
                BOOLEAN,
                "Take away what is not in a section that is there, and the API keys that go with it.",
                example=False,
            ),
            DRY_RUN,
        ),
        columns=("changes", "created", "changed", "removed", "api_keys_deleted", "warnings", "safety_backup"),
        errors=("invalid_request",),
    ),
)
