"""The secrets in servers that are to be stored, pointed out, or kept out; and what servers take from the gateway's machine."""

from __future__ import annotations

import re
from itertools import chain, count

from secure_mcp_gateway.cli.client_files.places import shown
from secure_mcp_gateway.cli.client_files.references import needed, without_references
from secure_mcp_gateway.cli.client_files.secret_signs import in_url, is_secret, secret_args

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def keep_out(servers: list[dict[str, Any]], places: list[str], as_env: bool) -> list[str]:
    """A warning for each secret. ``as_env`` puts a variable in the place of those in env and headers."""
    names = _Names(servers)
    warnings: list[str] = []
    for server, place in zip(servers, places):
        config = server["config"]
        for part in ("env", "headers"):
            for name in [name for name, value in config.get(part, {}).items() if is_secret(name, value)]:
                where = f"{place}.{part}.{shown(name)}"
                variable = names.variable(server["server_name"], name, config[part][name], part)
                before, plain, behind = config[part][name].rpartition(without_references(config[part][name]))
                # In pieces between references nothing can be put in its place.
                if as_env and plain:
                    config[part][name] = f"{before}${{env:{variable}}}{behind}"
                    warnings.append(f"{where} is stored as ${{env:{variable}}} instead of the secret in the file")
                else:
                    warnings.append(f"{where} looks like a secret: {_way_out(variable)}")
        warnings += _elsewhere(config, place)
    return warnings


def reads(servers: list[dict[str, Any]], places: list[str]) -> list[str]:
    """For each server the variables and files that its values name."""
    warnings = []
    for server, place in zip(servers, places):
        variables, files = needed(_values(server["config"]))
        if variables:
            warnings.append(f"{place} reads from the gateway's environment: {', '.join(map(shown, variables))}")
        if files:
            warnings.append(f"{place} reads files of the gateway's machine: {', '.join(map(shown, files))}")
    return warnings


def _elsewhere(config: dict[str, Any], place: str) -> Iterator[str]:
    """Where a secret is a part of a longer text: that is for a person to change."""
    for at in secret_args(config.get("args", [])):
        yield f"{place}.args[{at}] seems to hold a secret: {_way_out('NAME')}"
    where = in_url(config.get("url", ""))
    if where:
        yield f"{place}: its URL seems to hold a secret ({shown(where)}): {_way_out('NAME')}"


def _way_out(variable: str) -> str:
    return f"keep it out of the store with ${{env:{variable}}} or ${{file:PATH}} in its place"


def _values(config: dict[str, Any]) -> list[str]:
    return [
        *(config[field] for field in ("command", "url") if field in config),
        *config.get("args", []),
        *config.get("env", {}).values(),
        *config.get("headers", {}).values(),
    ]


class _Names:
    """Variables for secrets: a variable's own name; with the server's before it for a header, and where another value has that name."""

    def __init__(self, servers: list[dict[str, Any]]) -> None:
        self._values: dict[str, str | None] = dict.fromkeys(needed([text for server in servers for text in _values(server["config"])])[0])

    def variable(self, server: str, name: str, value: str, part: str) -> str:
        own = name if _VARIABLE.fullmatch(name) else _upper(name)
        long = f"{_upper(server)}_{_upper(name)}"
        candidates = chain([long] if part == "headers" else [own, long], (f"{long}_{number}" for number in count(2)))
        chosen = next(each for each in candidates if each not in self._values or self._values[each] == value)
        self._values[chosen] = value
        return chosen


def _upper(text: str) -> str:
    made = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper()
    return f"_{made}" if made[:1].isdigit() else made
