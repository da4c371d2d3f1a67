"""The rows of a config's servers."""

from __future__ import annotations

from secure_mcp_gateway.operations import schemas
from secure_mcp_gateway.operations.identifiers import CONFIG, PAGED, SERVER, new_server_name
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, READ, USER, WRITE, Operation
from secure_mcp_gateway.params import MAPPING, OBJECT, STRING, STRINGS, Param
from secure_mcp_gateway.repository import servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ALL = "/api/v1/configs/{config_identifier}/servers"
_ONE = "/api/v1/configs/{config_identifier}/servers/{server_name}"
_POLICY_EXAMPLE = {"enabled": True, "policy_name": "strict", "block": ["injection_attack", "pii"]}
_SERVER_COLUMNS = ("server_name", "description", "config", "tools", "denied_tools")


def _policy(name: str, help: str, file: str = "", required: bool = False) -> Param:
    shape = "{enabled, policy_name, block, additional_config}"
    return Param(name, OBJECT, f"{help}: {shape}.", required=required, file=file, schema=schemas.POLICY, example=_POLICY_EXAMPLE)


_BY_COMMAND = "The command that starts the server; instead of a URL."
_BY_URL = "The http or https URL that the server is at; instead of a command."
_TOOLS_EXAMPLE = {"echo": "Again", "rm": {"enabled": False}}
_WHERE = (
    Param("server_command", STRING, _BY_COMMAND, schema=schemas.COMMAND, example="npx"),
    Param("server_url", STRING, _BY_URL, schema=schemas.URL, example="https://mcp.example.com/mcp"),
)
_WITH_IT = (
    Param("args", STRINGS, "The command's arguments.", schema=schemas.ARGS, example=["-y", "@scope/server"]),
    Param("env", MAPPING, "Environment variables for the command.", schema=schemas.ENV, example={"LOG_LEVEL": "info"}),
    Param("headers", MAPPING, "Headers for requests to the URL.", schema=schemas.HEADERS, example={"Authorization": "${env:TOKEN}"}),
)
_ALLOWED = (
    Param("tools", OBJECT, "The tools that are allowed, by name; {} allows all.", schema=schemas.TOOLS, example=_TOOLS_EXAMPLE),
    Param("denied_tools", STRINGS, "Tools that are refused, whatever `tools` says.", example=["delete_everything"]),
    Param("description", STRING, "What the server is for.", example="Files of the team"),
)
_POLICIES = (
    _policy("input_guardrails_policy", "What a call is inspected for"),
    _policy("output_guardrails_policy", "What a result is inspected for"),
    _policy("tool_guardrails_policy", "What the tools' own descriptions are inspected for"),
)
_BOTH_POLICIES = (
    _policy("input_policy", "What a call is inspected for", file="input_policy_file"),
    _policy("output_policy", "What a result is inspected for", file="output_policy_file"),
)
_CHANGES = (
    new_server_name("new_server_name", "Another name for the server.", "team_files", required=False),
    *_WHERE,
    *_WITH_IT,
    *_ALLOWED,
)


def _policy_row(which: str, run: Callable[..., Any], help: str) -> Operation:
    return Operation(
        f"config update-server-{which}-guardrails",
        f"Set a server's {which} guardrails policy",
        f"Server {which} guardrails updated successfully",
        f"PUT {_ONE}/{which}-guardrails",
        run,
        ADMIN,
        WRITE,
        answer="Policy",
        params=(CONFIG, SERVER, _policy("policy", help, required=True, file="policy_file")),
        columns=("enabled", "policy_name", "block"),
        errors=("invalid_request", "not_found"),
    )


OPERATIONS = (
    Operation(
        "config list-servers",
        "List the servers of a config",
        "Servers retrieved successfully",
        f"GET {_ALL}",
        servers.list_servers,
        USER,
        READ,
        answer="[ServerRow]",
        params=(CONFIG, *PAGED),
        columns=("server_name", "command", "url", "tools", "input_guardrails_enabled", "output_guardrails_enabled"),
        errors=("not_found",),
    ),
    Operation(
        "config add-server",
        "Add a server to a config",
        "Server added successfully",
        f"POST {_ALL}",
        servers.add_server,
        ADMIN,
        CREATE,
        answer="Server",
        params=(
            CONFIG,
            new_server_name("server_name", "1 to 64 of A-Z a-z 0-9 _ . -; it becomes a prefix of tool names.", "files", required=True),
            *_WHERE,
            *_WITH_IT,
            *_ALLOWED,
            *_POLICIES,
        ),
        any_of=_WHERE,
        exclusive=_WHERE,
        columns=_SERVER_COLUMNS,
        errors=("invalid_request", "not_found", "conflict"),
    ),
    Operation(
        "config get-server",
        "Show a server of a config",
        "Server retrieved successfully",
        f"GET {_ONE}",
        servers.get_server,
        USER,
        READ,
        answer="Server",
        params=(CONFIG, SERVER),
        columns=_SERVER_COLUMNS,
        errors=("not_found",),
    ),
    Operation(
        "config update-server",
        "Change a server; what is not named stays",
        "Server updated successfully",
        f"PUT {_ONE}",
        servers.update_server,
        ADMIN,
        WRITE,
        answer="Server",
        params=(CONFIG, SERVER, *_CHANGES),
        any_of=_CHANGES,
        exclusive=_WHERE,
        columns=_SERVER_COLUMNS,
        errors=("invalid_request", "not_found", "conflict"),
    ),
    Operation(
        "config remove-server",
        "Take a server out of a config",
        "Server removed successfully",
        f"DELETE {_ONE}",
        servers.remove_server,
        ADMIN,
        WRITE,
        params=(CONFIG, SERVER),
        errors=("not_found",),
    ),
    Operation(
        "config remove-all-servers",
        "Take all servers out of a config",
        "Servers removed successfully",
        f"DELETE {_ALL}",
        servers.remove_all_servers,
        ADMIN,
        WRITE,
        answer="ServersRemoved",
        params=(CONFIG,),
        columns=("removed",),
        errors=("not_found",),
    ),
    _policy_row("input", servers.set_input_policy, "What a call is inspected for"),
    _policy_row("output", servers.set_output_policy, "What a result is inspected for"),
    _policy_row("tool", servers.set_tool_policy, "What the tools' own descriptions are inspected for"),
    Operation(
        "config update-server-guardrails",
        "Set a server's input and output guardrails policies at once",
        "Server guardrails updated successfully",
        f"PUT {_ONE}/guardrails",
        servers.set_policies,
        ADMIN,
        WRITE,
        answer="Policies",
        params=(CONFIG, SERVER, *_BOTH_POLICIES),
        any_of=_BOTH_POLICIES,
        columns=("input_guardrails_policy", "output_guardrails_policy"),
        errors=("invalid_request", "not_found"),
    ),
)
