"""The rows of configs."""

from __future__ import annotations

from secure_mcp_gateway.operations.identifiers import CONFIG, DRY_RUN, OVERWRITE, PAGED, SEARCH_TERM, new_name, output_file
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, READ, RECORD, USER, WRITE, Operation
from secure_mcp_gateway.params import CONFIGS, DOCUMENT, NAME, Param
from secure_mcp_gateway.repository import configs
from secure_mcp_gateway.repository.exports import CONFIG_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Draft

_PATH = "/api/v1/configs"
_ONE = "/api/v1/configs/{config_identifier}"


def _import_config(draft: Draft, call: Call, **values: Any) -> Any:
    # Loaded when it is used: no other command needs what it needs.
    from secure_mcp_gateway.repository.config_import import import_config

    return import_config(draft, call, **values)


def _new_name(name: str, example: str = "team_tools") -> Param:
    return new_name(name, "The name to give it: 1 to 100 characters, not taken yet.", example)


_DATA = Param(
    "data",
    DOCUMENT,
    "The config to import: what an export wrote or answered, or a config of Enkrypt's gateway.",
    required=True,
    file="input_file",
    example={"kind": CONFIG_KIND, "version": 1, "mcp_config": [{"server_name": "echo", "config": {"command": "echo-server"}}]},
)

OPERATIONS = (
    Operation(
        "config list",
        "List all configs",
        "Configurations retrieved successfully",
        f"GET {_PATH}",
        configs.list_configs,
        USER,
        READ,
        answer="[ConfigRow]",
        params=PAGED,
        columns=("mcp_config_id", "mcp_config_name", "servers", "used_by_projects.project_name"),
    ),
    Operation(
        "config add",
        "Make an empty config",
        "Configuration created successfully",
        f"POST {_PATH}",
        configs.add_config,
        ADMIN,
        CREATE,
        answer="ConfigMade",
        params=(_new_name("config_name"),),
        columns=("mcp_config_id", "config_name"),
        errors=("invalid_request", "conflict"),
    ),
    Operation(
        "config copy",
        "Copy a config with all its servers",
        "Configuration copied successfully",
        f"POST {_PATH}/copy",
        configs.copy_config,
        ADMIN,
        CREATE,
        answer="ConfigName",
        params=(
            Param(
                "source_config", NAME, "The name or id of the config to copy.", required=True, example="default_config", completes=CONFIGS
            ),
            _new_name("target_config"),
        ),
        columns=("mcp_config_id", "config_name"),
        errors=("invalid_request", "not_found", "conflict"),
    ),
    Operation(
        "config import",
        "Make a config of an exported one",
        "Configuration imported successfully",
        f"POST {_PATH}/import",
        _import_config,
        ADMIN,
        CREATE,
        answer="ConfigImported",
        params=(_DATA, _new_name("config_name"), DRY_RUN),
        columns=("mcp_config_id", "config_name", "servers", "warnings"),
        errors=("invalid_request", "conflict"),
    ),
    Operation(
        "config search",
        "Find configs by their own or their servers' names",
        "Configurations retrieved successfully",
        f"POST {_PATH}/search",
        configs.search_configs,
        ADMIN,
        READ,
        answer="[ConfigFound]",
        params=(SEARCH_TERM, *PAGED),
        columns=("mcp_config_id", "mcp_config_name", "match_type", "servers"),
        errors=("invalid_request",),
    ),
    Operation(
        "config get",
        "Show a config with all its servers",
        "Configuration retrieved successfully",
        f"GET {_ONE}",
        configs.get_config,
        USER,
        READ,
        answer="Config",
        params=(CONFIG,),
        columns=("mcp_config_id", "mcp_config_name", "mcp_config.server_name", "created_at", "updated_at"),
        errors=("not_found",),
    ),
    Operation(
        "config rename",
        "Give a config another name",
        "Configuration renamed successfully",
        f"PUT {_ONE}/rename",
        configs.rename_config,
        ADMIN,
        WRITE,
        answer="ConfigName",
        params=(CONFIG, _new_name("new_name")),
        columns=("mcp_config_id", "config_name"),
        errors=("invalid_request", "not_found", "conflict"),
    ),
    Operation(
        "config remove",
        "Delete a config that no project uses",
        "Configuration deleted successfully",
        f"DELETE {_ONE}",
        configs.remove_config,
        ADMIN,
        WRITE,
        params=(CONFIG,),
        errors=("not_found", "conflict"),
    ),
    Operation(
        "config list-projects",
        "List the projects that use a config",
        "Projects retrieved successfully",
        f"GET {_ONE}/projects",
        configs.list_config_projects,
        ADMIN,
        READ,
        answer="[ConfigProject]",
        params=(CONFIG, *PAGED),
        columns=("project_id", "project_name", "users"),
        errors=("not_found",),
    ),
    Operation(
        "config validate",
        "Check a config for what cannot work or cannot be meant",
        "Configuration validated successfully",
        f"POST {_ONE}/validate",
        configs.validate_config,
        ADMIN,
        READ,
        answer="ConfigValidity",
        params=(CONFIG,),
        columns=("valid", "issues"),
        errors=("not_found",),
        negative=("valid", False),
    ),
    Operation(
        "config export",
        "Write a config to a file, or answer it",
        "Configuration exported successfully",
        f"POST {_ONE}/export",
        configs.export_config,
        ADMIN,
        RECORD,
        answer="ConfigExport",
        params=(
            CONFIG,
            output_file("The file to write; without one the answer holds the document.", "default_config.json", default="-"),
            OVERWRITE,
        ),
        columns=("output_file", "config"),
        errors=("not_found",),
        document="config",
    ),
)
