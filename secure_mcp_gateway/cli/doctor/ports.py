"""The API's servers on this machine. Asked is the loopback address alone."""

from __future__ import annotations

import json
import os
import time

from secure_mcp_gateway.cli.doctor.finding import OK, WARNING, Finding, Patient, is_open
from secure_mcp_gateway.cli.doctor.processes import listeners_on, name_of
from secure_mcp_gateway.cli.environment import ENVIRONMENT
from secure_mcp_gateway.cli.server_flags import PARAMS
from secure_mcp_gateway.errors import StoreForbidden, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from secure_mcp_gateway.cli.running import Running

_SECONDS = 0.5
_SILENT, _LARGEST_ANSWER = b"\0", 65536
_REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n"


def check_ports(patient: Patient) -> Iterator[Finding]:
    try:
        servers = running(patient)
    except StoreForbidden as error:
        again = patient.as_owner(error.private or patient.store.folder, "system doctor")
        yield Finding(WARNING, "ports", f"{error.message} ({error.private})", again)
        servers = []
    except (Unavailable, NotADirectoryError):
        servers = []  # what stands in the way there, other checks say
    for server in servers:
        yield _of_ours(patient, server)
    port = _default_port()
    if port and port not in [server.port for server in servers]:
        yield _of_default(patient, port)


def running(patient: Patient) -> list[Running]:
    if os.name == "nt" or not is_open(patient.store.folder):
        return []
    from secure_mcp_gateway.cli.running import running_servers

    return running_servers(patient.store, sweep=False)


def _of_ours(patient: Patient, server: Running) -> Finding:
    from secure_mcp_gateway.cli.running import machine

    words = f"a server on this store runs on port {server.port} (process {server.pid})"
    if server.machine != machine():
        return Finding(OK, "ports", f"{words}, in another container")
    # One that listens on another address only, or speaks TLS, is not judged by what it answers.
    if asked(server.port) != _SILENT:
        return Finding(OK, "ports", words)
    stop = patient.command(f"system stop-api --force --port {server.port}")
    return Finding(WARNING, "ports", f"{words}, but does not answer within {_SECONDS} s", stop)


def _of_default(patient: Patient, port: int) -> Finding:
    answer = asked(port)
    if answer is None:
        return Finding(OK, "ports", f"{port} is free")
    other = patient.command("system start-api --port 0")
    version = _version(answer)
    if version:
        text = (
            f"on port {port} answers an API of version {version} that is not noted beside this store: it serves another one, or reads alone"
        )
        return Finding(WARNING, "ports", text, other)
    names = ", ".join(f"{name_of(pid)} (process {pid})" for pid in listeners_on(port))
    taken = f"port {port} is taken by {names or 'another program'}"
    return Finding(WARNING, "ports", f"{taken}: start-api needs another one, or that one ended", other)


def _default_port() -> int:
    """The one that ``start-api`` takes where it is told none."""
    (param,) = (each for each in PARAMS if each.name == "port")
    given = os.environ.get(f"{ENVIRONMENT}PORT") or param.default or "0"
    return int(given) if given.isdecimal() and len(given) <= 5 and int(given) <= 65535 else 0


def asked(port: int) -> bytes | None:
    """What answers to ``GET /health`` there: None where nobody listens, ``_SILENT`` where nobody answers in time."""
    import socket

    connected = False
    try:
        with socket.create_connection(("127.0.0.1", port), _SECONDS) as connection:
            connected = True
            connection.sendall(_REQUEST % port)
            return _read(connection)
    except socket.timeout:  # another class than TimeoutError before 3.10
        return _SILENT
    except OSError:
        return b"" if connected else None


def _read(connection: socket.socket) -> bytes:
    """Until the other side ends, or has had its time: what it said by then."""
    give_up = time.monotonic() + _SECONDS
    parts: list[bytes] = []
    while sum(map(len, parts)) < _LARGEST_ANSWER and time.monotonic() < give_up and (part := connection.recv(_LARGEST_ANSWER)):
        parts.append(part)
    return b"".join(parts)


def _version(answer: bytes) -> str:
    """Of the API that gave this answer, else empty."""
    try:
        data = json.loads(answer.partition(b"\r\n\r\n")[2])["data"]
        return str(data["version"])[:20] if data["status"] == "ok" else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
