"""The environment variables that the program goes by."""

from __future__ import annotations

ENVIRONMENT = "SECURE_MCP_GATEWAY_"

SETTINGS = {
    "SECURE_MCP_GATEWAY_STORE": "The store's file, as --store names it; else it is ~/.secure-mcp-gateway/store.json.",
    "SECURE_MCP_GATEWAY_SERVER": "The URL of a server that is to do it, as --server names it.",
    "SECURE_MCP_GATEWAY_API_KEY": "The key for that server.",
    "SECURE_MCP_GATEWAY_API_KEY_FILE": "A file with that key, as --api-key-file names it; $SECURE_MCP_GATEWAY_API_KEY goes before it.",
    "SECURE_MCP_GATEWAY_CA_FILE": "The CA that signed that server's certificate, as --ca-file names it.",
    "SECURE_MCP_GATEWAY_CLIENT_CERT": "The certificate to show to that server, as --client-cert names it.",
    "SECURE_MCP_GATEWAY_CLIENT_KEY": "The key of that certificate, as --client-key names it.",
    "SECURE_MCP_GATEWAY_DEBUG": "Where it is set an internal error shows its traceback, which may quote secrets.",
    "NO_COLOR": "Where it is set nothing is coloured.",
}


def server_settings() -> dict[str, str]:
    """Each with the flag of ``system start-api`` that it stands for."""
    from secure_mcp_gateway.cli.server_flags import PARAMS

    return {ENVIRONMENT + param.name.upper(): f"--{param.flags[0]}" for param in PARAMS}
