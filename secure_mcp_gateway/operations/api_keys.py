"""The rows of API keys."""

from __future__ import annotations

from secure_mcp_gateway.operations.identifiers import API_KEY, EXPIRES_IN_DAYS, PAGED
from secure_mcp_gateway.operations.identifiers import USER as USER_NAMED
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, READ, WRITE, Operation
from secure_mcp_gateway.params import BOOLEAN, INTEGER, NAME, QUERY, SECRET, Param
from secure_mcp_gateway.repository import api_keys

_ALL = "/api/v1/api-keys"
_ONE = "/api/v1/api-keys/{api_key}"
_OF_USER = "/api/v1/users/{user_identifier}/api-keys"
_COLUMNS = ("api_key", "hint", "user_email", "project_name", "disabled", "expires_at")

OPERATIONS = (
    Operation(
        "user generate-api-key",
        "Make an API key for a user in a project; the secret is shown once",
        "API key generated successfully",
        f"POST {_OF_USER}",
        api_keys.generate_api_key,
        ADMIN,
        CREATE,
        params=(
            USER_NAMED,
            Param(
                "project_identifier",
                NAME,
                "The project, by its name or id.",
                required=True,
                names=("project_name", "project_id"),
                example="default_project",
            ),
            EXPIRES_IN_DAYS,
        ),
        columns=("api_key", "api_key_id", "user_id", "project_id", "expires_at"),
        errors=("not_found", "conflict"),
    ),
    Operation(
        "user list-api-keys",
        "List the API keys of a user",
        "API keys retrieved successfully",
        f"GET {_OF_USER}",
        api_keys.list_user_api_keys,
        ADMIN,
        READ,
        params=(
            USER_NAMED,
            Param(
                "project_identifier",
                NAME,
                "Only the keys for this project, by its name or id.",
                place=QUERY,
                flags=("project-name", "project-id"),
                example="default_project",
            ),
            *PAGED,
        ),
        columns=_COLUMNS,
        errors=("not_found",),
    ),
    Operation(
        "user delete-all-api-keys",
        "Delete all API keys of a user",
        "API keys deleted successfully",
        f"DELETE {_OF_USER}",
        api_keys.delete_user_api_keys,
        ADMIN,
        WRITE,
        params=(USER_NAMED,),
        columns=("deleted",),
        errors=("not_found",),
    ),
    Operation(
        "user list-all-api-keys",
        "List the API keys of all users",
        "API keys retrieved successfully",
        f"GET {_ALL}",
        api_keys.list_api_keys,
        ADMIN,
        READ,
        params=(
            Param("disabled", BOOLEAN, "Only keys that are disabled (true), or that are not (false).", place=QUERY, example=False),
            Param(
                "expires_within_days",
                INTEGER,
                "Only keys that work now and expire within so many days.",
                place=QUERY,
                minimum=0,
                maximum=36500,
                example=14,
            ),
            *PAGED,
        ),
        columns=_COLUMNS,
    ),
    Operation(
        "user get-api-key",
        "Show an API key; never its secret",
        "API key retrieved successfully",
        f"GET {_ONE}",
        api_keys.get_api_key,
        ADMIN,
        READ,
        params=(API_KEY,),
        columns=_COLUMNS,
        errors=("not_found",),
    ),
    Operation(
        "user rotate-api-key",
        "Give an API key a new secret; the old one stops at once",
        "API key rotated successfully",
        f"POST {_ALL}/rotate",
        api_keys.rotate_api_key,
        ADMIN,
        WRITE,
        params=(Param("api_key", SECRET, "The key's public id, or its present secret.", required=True, example="key_0123456789abcdef"),),
        columns=("api_key", "api_key_id", "expires_at"),
        errors=("not_found", "conflict"),
    ),
    Operation(
        "user disable-api-key",
        "Stop an API key from working",
        "API key disabled successfully",
        f"POST {_ONE}/disable",
        api_keys.disable_api_key,
        ADMIN,
        WRITE,
        params=(API_KEY,),
        columns=_COLUMNS,
        errors=("not_found",),
    ),
    Operation(
        "user enable-api-key",
        "Let a disabled API key work again",
        "API key enabled successfully",
        f"POST {_ONE}/enable",
        api_keys.enable_api_key,
        ADMIN,
        WRITE,
        params=(API_KEY,),
        columns=_COLUMNS,
        errors=("not_found", "conflict"),
    ),
    Operation(
        "user delete-api-key",
        "Delete an API key",
        "API key deleted successfully",
        f"DELETE {_ONE}",
        api_keys.delete_api_key,
        ADMIN,
        WRITE,
        params=(API_KEY,),
        errors=("not_found",),
    ),
)
