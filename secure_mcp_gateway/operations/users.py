"""The rows of users."""

from __future__ import annotations

from secure_mcp_gateway.operations.identifiers import PAGED, SEARCH_TERM, new_email
from secure_mcp_gateway.operations.identifiers import USER as USER_NAMED
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, READ, USER, WRITE, Operation
from secure_mcp_gateway.params import BODY_OR_QUERY, BOOLEAN, Param
from secure_mcp_gateway.repository import users

_ALL = "/api/v1/users"
_ONE = "/api/v1/users/{user_identifier}"

OPERATIONS = (
    Operation(
        "user list",
        "List all users",
        "Users retrieved successfully",
        f"GET {_ALL}",
        users.list_users,
        ADMIN,
        READ,
        answer="[UserRow]",
        params=PAGED,
        columns=("user_id", "email", "projects.project_name", "api_keys"),
    ),
    Operation(
        "user create",
        "Make a user",
        "User created successfully",
        f"POST {_ALL}",
        users.create_user,
        ADMIN,
        CREATE,
        answer="UserName",
        params=(new_email("email", "The user's e-mail address, not taken yet.", "ada@example.com"),),
        columns=("user_id", "email"),
        errors=("invalid_request", "conflict"),
    ),
    Operation(
        "user search",
        "Find users by their addresses or their projects' names",
        "Users retrieved successfully",
        f"POST {_ALL}/search",
        users.search_users,
        ADMIN,
        READ,
        answer="[UserFound]",
        params=(SEARCH_TERM, *PAGED),
        columns=("user_id", "email", "match_type", "api_keys"),
        errors=("invalid_request",),
    ),
    Operation(
        "user get",
        "Show a user with projects and API keys",
        "User retrieved successfully",
        f"GET {_ONE}",
        users.get_user,
        USER,
        READ,
        answer="User",
        params=(USER_NAMED,),
        columns=("user_id", "email", "projects.project_name", "api_keys.api_key", "created_at"),
        errors=("not_found",),
    ),
    Operation(
        "user update",
        "Give a user another e-mail address",
        "User updated successfully",
        f"PUT {_ONE}",
        users.update_user,
        ADMIN,
        WRITE,
        answer="UserName",
        params=(USER_NAMED, new_email("new_email", "The new address, not taken yet.", "ada.l@example.com")),
        columns=("user_id", "email"),
        errors=("invalid_request", "not_found", "conflict"),
    ),
    Operation(
        "user delete",
        "Delete a user",
        "User deleted successfully",
        f"DELETE {_ONE}",
        users.delete_user,
        ADMIN,
        WRITE,
        answer="UserDeleted",
        params=(
            USER_NAMED,
            Param("force", BOOLEAN, "Delete the user's API keys and memberships too.", place=BODY_OR_QUERY, example=False),
        ),
        columns=("api_keys_deleted", "projects_left"),
        errors=("not_found", "conflict"),
    ),
    Operation(
        "user list-projects",
        "List the projects of a user",
        "Projects retrieved successfully",
        f"GET {_ONE}/projects",
        users.list_user_projects,
        ADMIN,
        READ,
        answer="[UserProject]",
        params=(USER_NAMED, *PAGED),
        columns=("project_id", "project_name", "api_keys"),
        errors=("not_found",),
    ),
)
