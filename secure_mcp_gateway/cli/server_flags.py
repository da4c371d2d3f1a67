"""The flags of a server, each also an environment variable, and what they can mean."""

from __future__ import annotations

import json
import os
import re

from secure_mcp_gateway.cli.environment import ENVIRONMENT
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, FILE, INTEGER, STRING, STRINGS, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation


def _flag(name: str, kind: str, help: str, **more: Any) -> Param:
    return Param(name, kind, help, place=COMMAND_LINE, **more)


PARAMS = (
    _flag("host", STRING, "The address to listen on.", default="0.0.0.0", example="127.0.0.1"),
    _flag("port", INTEGER, "The port to listen on; 0 takes a free one.", default="8001", minimum=0, maximum=65535, example=8001),
    _flag("init", BOOLEAN, "Make a store first where there is none."),
    _flag("read_only", BOOLEAN, "Serve reads alone, and write nothing: the store's folder may be read-only."),
    _flag("paranoid", BOOLEAN, "Refuse ourselves what serving does not take: calling others, processes, foreign code."),
    _flag("workers", INTEGER, "So many processes serve; one that dies is replaced.", default="1", minimum=1, maximum=64, example=2),
    _flag("reload", BOOLEAN, "Start anew whenever the package's source changes."),
    _flag("files_root", FILE, "The folder that all files named in requests must lie in.", example="/srv/exports"),
    _flag("tls_cert", FILE, "The certificate and its chain, PEM; read again on SIGHUP.", example="/etc/ssl/gateway.pem"),
    _flag("tls_key", FILE, "The certificate's private key, PEM.", example="/etc/ssl/gateway.key"),
    _flag("tls_client_ca", FILE, "Only clients with a certificate of this CA, PEM; read again too.", example="/etc/ssl/clients.pem"),
    _flag("allow_origin", STRINGS, "Pages of these origins may call the API.", example=["https://admin.example.com"]),
    _flag("allow_host", STRINGS, "Only these Host fields are served.", example=["gateway.example.com"]),
    _flag("max_body", INTEGER, "The largest body, in bytes.", default=str(16 * 1024 * 1024), minimum=1, example=1048576),
    _flag("max_connections", INTEGER, "So many connections at once.", default="512", minimum=1, maximum=1_000_000, example=512),
    _flag("no_access_log", BOOLEAN, "Without a line per request on standard error."),
)

# RFC 3986 §3.2.2, and no more of it than a Host field of ours can hold.
_HOST = r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?"
_FORMS = {
    "allow_host": (re.compile(_HOST).fullmatch, "hosts, with or without a port", "such as gateway.example.com:8443"),
    "allow_origin": (re.compile(f"https?://{_HOST}/?", re.I).fullmatch, "origins", "such as https://admin.example.com:8443"),
}


def server_values(invocation: Invocation) -> dict[str, Any]:
    """From the flags, and from the environment where a flag is not given."""
    given = dict(invocation.given)
    for param in PARAMS:
        text = os.environ.get(ENVIRONMENT + param.name.upper())
        flag = param.flags[0]
        if text and flag not in given:
            given[flag] = _from_environment(param, text)
    if "allow-host" in given:
        given["allow-host"] = _no_json(given["allow-host"])
    invocation.given = given
    values = invocation.values()
    _refuse_empty(values)
    for name in _FORMS:
        _check_form(name, values.get(name, ()))
    if values.get("init") and values.get("read_only"):
        raise InvalidRequest("--init makes a store, which --read-only may not", "make it first, with: secure-mcp-gateway generate-config")
    if values.get("reload") and values["workers"] > 1:
        raise InvalidRequest("--reload and --workers exclude each other", "leave out one of the two, or say --workers=1")
    if "files_root" in values:
        values["files_root"] = os.path.abspath(values["files_root"])
        if not os.path.isdir(values["files_root"]):
            raise InvalidRequest("--files-root is no folder", "make it first", private=values["files_root"])
    return values


def _from_environment(param: Param, text: str) -> str | list[str]:
    if param.kind == BOOLEAN:
        return {"1": "true", "0": "false"}.get(text, text)
    return [text] if param.kind == STRINGS else text


def _no_json(texts: list[str]) -> list[str]:
    """An IPv6 address begins as a JSON list does."""
    is_host = _FORMS["allow_host"][0]
    hosts = texts[0].split(",")
    return [json.dumps(hosts)] if len(texts) == 1 and texts[0].startswith("[") and all(map(is_host, hosts)) else texts


def _refuse_empty(values: dict[str, Any]) -> None:
    """Most often the variable behind it was not set; to go on without the flag would let in what it was to keep out."""
    for param in PARAMS:
        if values.get(param.name) in ("", []):
            raise InvalidRequest(f"--{param.flags[0]} is empty", "give it a value, or leave it out")


def _check_form(name: str, texts: list[str]) -> None:
    from secure_mcp_gateway.web.target import is_authority

    is_one, kind, example = _FORMS[name]
    for text in texts:
        if not (is_one(text) and is_authority(text.rpartition("://")[2].rstrip("/"))):
            raise InvalidRequest(f"--{name.replace('_', '-')} takes {kind}, not {text!r}", example)
