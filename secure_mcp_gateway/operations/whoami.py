"""The row of whoami, alone: no other command needs what it needs."""

from __future__ import annotations

from secure_mcp_gateway.operations.operation import READ, USER, Operation
from secure_mcp_gateway.repository import api_keys

OPERATIONS = (
    Operation(
        "whoami",
        "Show who calls, and until when",
        "Caller retrieved successfully",
        "GET /api/v1/whoami",
        api_keys.whoami,
        USER,
        READ,
        answer="Caller",
        columns=("kind", "name", "email", "project.project_name", "expires_at"),
    ),
)
