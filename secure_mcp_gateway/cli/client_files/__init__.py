"""The files in which MCP clients keep their servers: how they are read, found on a machine, and written."""

# Whose files they are: what `config export --as` and `config import --client` take.
NAMES = ("mcpServers", "claude-desktop", "claude-code", "cursor", "vscode", "windsurf", "zed", "gemini", "codex")
