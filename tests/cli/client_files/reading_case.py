"""Clients' files read from what stands in them, for the tests of all that is read."""

from __future__ import annotations

import json
from typing import Any

from secure_mcp_gateway.cli.client_files.reading import ClientFile, read_client_file

TOKEN = "ghp_" + "a1B2c3D4e5" * 3


def read(path: str, content: Any, **more: Any) -> ClientFile:
    text = content if isinstance(content, str) else json.dumps(content)
    found = read_client_file(text.encode(), path, "--from", **more)
    assert found is not None
    return found


def one(entry: Any, path: str = "servers.json", key: str = "mcpServers", **more: Any) -> Any:
    """The only server of a file."""
    found = read(path, {key: {"one": entry}}, **more)
    assert not found.problems, found.problems
    return found.servers[0]


def problems(entry: Any, path: str = "servers.json") -> list[str]:
    return read(path, {"mcpServers": {"one": entry}}).problems


def warnings(entry: Any, path: str = "servers.json", **more: Any) -> list[str]:
    return read(path, {"mcpServers": {"one": entry}}, **more).warnings
