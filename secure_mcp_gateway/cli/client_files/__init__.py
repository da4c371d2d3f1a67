"""The files in which MCP clients keep their servers: how they are read, found on a machine, and written."""
