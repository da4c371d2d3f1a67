"""The documents that leave the store as files, and how to get at one that comes back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
CONFIG_KIND = "secure-mcp-gateway/config"
PROJECT_KIND = "secure-mcp-gateway/project"


def unwrapped(data: Any, field: str) -> Any:
    """The document itself, out of a whole answer ``{message, data, timestamp}`` or its data ``{output_file, FIELD}``."""
    if isinstance(data, dict) and "data" in data and data.keys() <= {"message", "data", "timestamp"}:
        data = data["data"]
    if isinstance(data, dict) and field in data and data.keys() <= {"output_file", field}:
        data = data[field]
    return data
