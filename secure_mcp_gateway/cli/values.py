"""Values out of flags: the same that a request's body would give."""

from __future__ import annotations

import os
import sys

from secure_mcp_gateway.cli.arguments import flags_of
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import FILE, MAPPING, OBJECT, SECRET, STRINGS, parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from secure_mcp_gateway.params import Param

_LONGEST_SECRET = 65536
_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


def read_values(params: Iterable[Param], given: dict[str, Any]) -> dict[str, Any]:
    """By the rules' keywords, without those that were not given; ``InvalidRequest`` names the flag."""
    reader = _Reader(given)
    found = {param.name: reader.value(param) for param in params}
    if reader.missing:
        raise InvalidRequest("missing: " + ", ".join(reader.missing))
    return {name: value for name, value in found.items() if value is not None}


class _Reader:
    def __init__(self, given: dict[str, Any]) -> None:
        self.missing: list[str] = []
        self._given = given
        self._input_is_used = False

    def value(self, param: Param) -> Any:
        flags = [flag for flag in flags_of(param) if flag in self._given]
        if len(flags) > 1:
            raise InvalidRequest(" and ".join(f"--{flag}" for flag in flags) + " exclude each other", "give one of them")
        if flags:
            return self._of_flag(param, flags[0])
        if param.default is not None:
            return param.parse(param.default)
        if param.required:
            self.missing.append(" or ".join(f"--{flag}" for flag in flags_of(param)))
        return None

    def _of_flag(self, param: Param, flag: str) -> Any:
        given, field = self._given[flag], f"--{flag}"
        if flag == param.file_flag:
            return param.check(self._file(given, field), field)
        if param.kind != FILE:
            _refuse_bytes(given, field)
        if param.kind == STRINGS:
            return param.check(_strings(given, field), field)
        if param.kind == SECRET and given == "-":
            return self._line(field)
        if param.kind in (MAPPING, OBJECT) and given.startswith("@"):
            return param.check(self._file(given[1:], field), field)
        return param.parse(given, field)

    def _file(self, path: str, field: str) -> Any:
        from secure_mcp_gateway.operations.files import json_of, read_json_file

        if path != "-":
            return read_json_file(path, field)
        return json_of(whole(self._standard_input(field), field), field)

    def _line(self, field: str) -> str:
        given = self._standard_input(field)
        if sys.stdin.isatty():
            secret = _typed_unseen(field)
        else:
            secret = _text_of(given.readline(_LONGEST_SECRET))
        if not secret:
            raise InvalidRequest(f"{field}: standard input holds no line of text", "write the secret to it")
        return secret

    def _standard_input(self, field: str) -> Any:
        if self._input_is_used:
            raise InvalidRequest(f"{field}: standard input is read for another flag already", "give one of them another way")
        self._input_is_used = True
        return standard_input(field)


def standard_input(field: str) -> Any:
    if sys.stdin is None:
        raise InvalidRequest(f"{field}: standard input is closed")
    return sys.stdin.buffer


def whole(stream: Any, field: str) -> bytes:
    """All that comes, as much of it as a file may have."""
    from secure_mcp_gateway.operations.files import LARGEST

    data: bytes = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidRequest(f"{field}: standard input is larger than 64 MiB")
    return data


def _typed_unseen(field: str) -> str:
    from getpass import getpass

    try:
        return getpass(f"{field}: ", stream=sys.stderr).strip()
    except (EOFError, UnicodeDecodeError):
        return ""


def _text_of(line: bytes) -> str:
    """Without the byte order mark that a pipe of Windows may begin with."""
    try:
        return line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return ""


def _strings(given: list[str], field: str) -> Any:
    """One text is comma-separated or a JSON list; each of several is one string as it is."""
    if len(given) > 1:
        return given
    if given[0].lstrip().startswith("["):
        return parse_json(given[0], field)
    return given[0].split(",") if given[0] else []


def _refuse_bytes(given: str | list[str], field: str) -> None:
    """Arguments that are not text reach Python as lone surrogates."""
    try:
        "".join(given).encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{field} is not {sys.getfilesystemencoding().upper()} text") from None


def server_url(given: dict[str, Any]) -> str:
    """Empty where the store is named instead, or no server at all. What is typed goes before what the environment says."""
    if "server" in given and "store" in given:
        raise InvalidRequest("--server and --store exclude each other", "give one of them")
    named = os.environ.get("SECURE_MCP_GATEWAY_SERVER", "")
    if "server" in given:
        if not given["server"]:
            raise InvalidRequest("--server is empty", "give the URL of a server")
        return str(given["server"])
    if named and "store" not in given:
        if os.environ.get("SECURE_MCP_GATEWAY_STORE"):
            both = "$SECURE_MCP_GATEWAY_SERVER and $SECURE_MCP_GATEWAY_STORE are both set"
            raise InvalidRequest(both, "say which is meant with --server URL or --store FILE")
        return named
    for flag in ("api-key-file", "ca-file", "client-cert", "client-key"):
        if flag in given:
            raise InvalidRequest(f"--{flag} goes with a server", "name one with --server URL")
    return ""


def store_path(given: str | None) -> str:
    if given == "":
        raise InvalidRequest("--store is empty", "name the store's file")
    named = given or os.environ.get("SECURE_MCP_GATEWAY_STORE") or "~/.secure-mcp-gateway/store.json"
    if named.endswith(_SEPARATORS):
        raise InvalidRequest("the store's path names a folder", "name a file in it with --store FILE", private=named)
    path = os.path.expanduser(named)
    if named.startswith("~") and (not os.path.isabs(path) or os.environ.get("HOME") == ""):
        raise InvalidRequest("the home folder that the store is to lie in cannot be told", "name it with --store FILE", private=named)
    return path
