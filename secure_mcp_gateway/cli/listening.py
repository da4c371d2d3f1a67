"""The socket that a server listens on, and its address as one can open it."""

from __future__ import annotations

import errno
import os
import socket
import sys

from secure_mcp_gateway.errors import Conflict, Forbidden, GatewayError, InvalidRequest

_BACKLOG = 1024
# ``<process id of the parent>:<descriptor>:<role>``, from a parent that keeps the socket while its children come and go. The role is to
# ``announce`` the address, or nothing, or ``worker,<...>``.
INHERITED, ANNOUNCE, WORKER = "SECURE_MCP_GATEWAY_LISTENER", "announce", "worker"


class Place:
    """Where a server serves. ``address`` is empty where it is not this server's to announce; ``parent`` is the process without which
    it must not go on, ``worker`` its role where it is one; a ``lasting`` socket stays open when this server ends."""

    __slots__ = ("address", "lasting", "listener", "parent", "worker")

    def __init__(self, listener: socket.socket, address: str, *, parent: int = 0, worker: str = "", lasting: bool = False) -> None:
        self.listener = listener
        self.address = address
        self.parent = parent
        self.worker = worker
        self.lasting = lasting


def listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _refusal(error, host, port) from None
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, UnicodeError) as error:
        listener.close()
        raise _refusal(error, host, port) from None
    return listener


def inherited_place(tls: bool) -> Place | None:
    handed = os.environ.get(INHERITED)
    if not handed:
        return None
    parent, descriptor, role = handed.split(":")
    if parent != str(os.getppid()):
        raise GatewayError(f"the process that keeps this server's socket is gone ({INHERITED})", "start the server again")
    listener = socket.socket(fileno=int(descriptor))
    if role.startswith(WORKER):
        return Place(listener, "", worker=role, lasting=True)
    return Place(listener, address_of(listener, tls) if role == ANNOUNCE else "", parent=int(parent))


def handed_on(listener: socket.socket, role: str) -> str:
    return f"{os.getpid()}:{listener.fileno()}:{role}"


def address_of(listener: socket.socket, tls: bool) -> str:
    """A wildcard is shown as the loopback address: that one can be opened."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    host: str = listener.getsockname()[0]
    return host.startswith("127.") or host == "::1"


def _refusal(error: OSError | UnicodeError, host: str, port: int) -> GatewayError:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return Conflict(f"port {port} is in use already", "take another --port (0: a free one), or stop what listens there")
    if code in (errno.EACCES, errno.EPERM):
        return Forbidden(f"this user may not listen on port {port}", "take a --port from 1024 up")
    return InvalidRequest(f"--host {host} is no address of this machine", "0.0.0.0 is all of them, 127.0.0.1 this machine alone")
