"""The clients whose files are known, and what differs from one to the other."""

from __future__ import annotations

from typing import NamedTuple

# Ways to write a variable of the environment: ${env:NAME}, ${NAME}, $NAME; and what VS Code asks its user for: ${input:ID}.
ENV, BRACES, DOLLAR, INPUT = "env", "braces", "dollar", "input"


class Client(NamedTuple):
    """``name`` is its name in commands. ``comments`` and ``last_commas``: does its JSON allow them? ``references`` are the ways in
    which its values name a variable."""

    name: str
    title: str
    comments: bool = False
    last_commas: bool = False
    references: tuple[str, ...] = ()


CLAUDE_DESKTOP = Client("claude-desktop", "Claude Desktop")
CLAUDE_CODE = Client("claude-code", "Claude Code", references=(BRACES,))
CURSOR = Client("cursor", "Cursor", references=(ENV,))
VSCODE = Client("vscode", "VS Code", comments=True, last_commas=True, references=(ENV, INPUT))
WINDSURF = Client("windsurf", "Windsurf", references=(ENV,))
ZED = Client("zed", "Zed", comments=True, last_commas=True)
GEMINI = Client("gemini", "Gemini CLI", comments=True, references=(BRACES, DOLLAR))
CODEX = Client("codex", "Codex CLI")
# A file with `mcpServers` whose name and content do not say whose it is.
ANY = Client("mcpServers", "an MCP client", references=(ENV, BRACES))
BY_NAME = {each.name: each for each in (ANY, CLAUDE_DESKTOP, CLAUDE_CODE, CURSOR, VSCODE, WINDSURF, ZED, GEMINI, CODEX)}
