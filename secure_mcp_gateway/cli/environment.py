"""The environment variables that the program goes by."""

from __future__ import annotations

ENVIRONMENT = "SECURE_MCP_GATEWAY_"

SETTINGS = {
    "SECURE_MCP_GATEWAY_STORE": "The store's file, as --store names it; else it is ~/.secure-mcp-gateway/store.json.",
    "SECURE_MCP_GATEWAY_DEBUG": "Where it is set an internal error shows its traceback, which may quote secrets.",
    "NO_COLOR": "Where it is set nothing is coloured.",
}


def server_settings() -> dict[str, str]:
    """Each with the flag of ``system start-api`` that it stands for."""
    from secure_mcp_gateway.cli.server_flags import PARAMS

    return {ENVIRONMENT + param.name.upper(): f"--{param.flags[0]}" for param in PARAMS}
