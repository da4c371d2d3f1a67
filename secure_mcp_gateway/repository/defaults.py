"""What a new store begins with: a config with a server that works, a project that has it, and a member."""

from __future__ import annotations

import os
import sys

from secure_mcp_gateway.repository.servers import import_server
from secure_mcp_gateway.store.document import member_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Record

CONFIG_NAME, PROJECT_NAME, EMAIL = "default_config", "default_project", "default@example.com"


def default_tables(call: Call) -> dict[str, dict[str, Record]]:
    """The tables of a new store, without any key."""
    config_id, project_id, user_id = call.new_id(), call.new_id(), call.new_id()
    made = {"created_at": call.now}
    config = {"mcp_config_name": CONFIG_NAME, "mcp_config": [echo_server()], **made, "updated_at": call.now}
    return {
        "mcp_configs": {config_id: config},
        "projects": {project_id: {"project_name": PROJECT_NAME, "mcp_config_id": config_id, **made}},
        "users": {user_id: {"email": EMAIL, **made}},
        "members": {member_key(project_id, user_id): {"project_id": project_id, "user_id": user_id, **made}},
        "apikeys": {},
    }


def echo_server() -> Record:
    """By its path, so that it starts from a checkout that was never installed too."""
    script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "examples", "echo_server.py")
    return import_server(
        {
            "server_name": "echo_server",
            "description": "A small server to try things with",
            "config": {"command": sys.executable or "python3", "args": [script]},
        }
    )
