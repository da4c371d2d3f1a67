"""The rows of admin keys."""

from __future__ import annotations

from secure_mcp_gateway.operations.identifiers import ADMIN_KEY, EXPIRES_IN_DAYS, PAGED, new_name
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, READ, WRITE, Operation
from secure_mcp_gateway.repository import admin_keys

_ALL = "/api/v1/admin-keys"
_ONE = "/api/v1/admin-keys/{admin_key}"
_COLUMNS = ("admin_key", "name", "hint", "created_at", "expires_at", "disabled")

OPERATIONS = (
    Operation(
        "admin-key list",
        "List the admin keys; never their secrets",
        "Admin keys retrieved successfully",
        f"GET {_ALL}",
        admin_keys.list_admin_keys,
        ADMIN,
        READ,
        answer="[AdminKey]",
        params=PAGED,
        columns=("admin_key", "name", "hint", "expires_at", "disabled"),
    ),
    Operation(
        "admin-key create",
        "Make an admin key; the secret is shown once",
        "Admin key created successfully",
        f"POST {_ALL}",
        admin_keys.create_admin_key,
        ADMIN,
        CREATE,
        answer="AdminKeySecret",
        params=(new_name("name", "What the key is called, not taken yet.", "laptop of Ada"), EXPIRES_IN_DAYS),
        columns=("admin_key_secret", "admin_key", "name"),
        errors=("invalid_request", "conflict"),
    ),
    Operation(
        "admin-key rotate",
        "Give an admin key a new secret; the old one stops at once",
        "Admin key rotated successfully",
        f"POST {_ONE}/rotate",
        admin_keys.rotate_admin_key,
        ADMIN,
        WRITE,
        answer="AdminKeySecret",
        params=(ADMIN_KEY,),
        columns=("admin_key_secret", "admin_key", "name"),
        errors=("not_found", "conflict"),
    ),
    Operation(
        "admin-key disable",
        "Stop an admin key from working; never the last one that does",
        "Admin key disabled successfully",
        f"POST {_ONE}/disable",
        admin_keys.disable_admin_key,
        ADMIN,
        WRITE,
        answer="AdminKey",
        params=(ADMIN_KEY,),
        columns=_COLUMNS,
        errors=("not_found", "conflict"),
    ),
    Operation(
        "admin-key enable",
        "Let a disabled admin key work again",
        "Admin key enabled successfully",
        f"POST {_ONE}/enable",
        admin_keys.enable_admin_key,
        ADMIN,
        WRITE,
        answer="AdminKey",
        params=(ADMIN_KEY,),
        columns=_COLUMNS,
        errors=("not_found",),
    ),
    Operation(
        "admin-key delete",
        "Delete an admin key; never the last one that works",
        "Admin key deleted successfully",
        f"DELETE {_ONE}",
        admin_keys.delete_admin_key,
        ADMIN,
        WRITE,
        params=(ADMIN_KEY,),
        errors=("not_found", "conflict"),
    ),
)
