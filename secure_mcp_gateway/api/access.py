"""Who calls, and whether this caller may do this."""

from __future__ import annotations

from urllib.parse import urlsplit

from secure_mcp_gateway.errors import Forbidden, Unauthorized
from secure_mcp_gateway.operations.operation import ADMIN, Operation
from secure_mcp_gateway.repository.api_keys import authenticate
from secure_mcp_gateway.web.target import is_authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Caller
    from secure_mcp_gateway.store.document import Document
    from secure_mcp_gateway.web.request import Request

_USUAL_PORTS = {"http": 80, "https": 443}


def bearer_caller(document: Document, request: Request, now: str) -> Caller:
    """The owner of the key in ``Authorization: Bearer <key>`` (RFC 6750 §2.1); ``Unauthorized`` for anything else."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip(" ")
    if not key or scheme.lower() != "bearer":
        raise Unauthorized("a key is needed", "send it as Authorization: Bearer <key>")
    return authenticate(document, key, now)


def require_access(caller: Caller, operation: Operation) -> None:
    if operation.access == ADMIN and not caller.is_admin:
        raise Forbidden("this key is a user's: it may not do this", "use an admin key")


def refuse_writes(operation: Operation) -> None:
    """A backup or an export is one too: it leaves a line in the audit."""
    if operation.writes:
        raise Forbidden("this server is read-only", "send writes to one that runs without --read-only, or use the command line")


class Surroundings:
    """Which ``Host`` and ``Origin`` fields are let in. ``origins`` are those of ``--allow-origin``, ``hosts`` of ``--allow-host``:
    one without a port is let in on every port."""

    def __init__(self, origins: tuple[str, ...], hosts: tuple[str, ...]) -> None:
        self._origins = frozenset(_origin(origin.rstrip("/")) for origin in origins)
        self._hosts = frozenset(_split(host) for host in hosts)

    @property
    def names_origins(self) -> bool:
        return bool(self._origins)

    def admits_origin(self, origin: str) -> bool:
        """Is this one that ``--allow-origin`` names?"""
        found = _origin(origin)
        return found is not None and found in self._origins

    def check(self, request: Request) -> None:
        """Foreign pages and rebound names stay out, whatever key they hold."""
        origin = request.headers.get("origin")
        if origin is None and not self._hosts:
            return
        host, port = _split(request.authority)
        port = port or (443 if request.secure else None)
        if self._hosts and (host, None) not in self._hosts and (host, port) not in self._hosts:
            raise Forbidden("this Host is not served here", "name it with --allow-host")
        if origin is not None and not self.admits_origin(origin) and not _is_same(origin, host, port):
            raise Forbidden("requests from pages of another Origin are refused", "name it with --allow-origin")


def _split(authority: str) -> tuple[str, int | None]:
    found = urlsplit("//" + authority)
    return (found.hostname or "").lower(), found.port


def _origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port (RFC 6454 §6.1), the usual port where none is given; None for ``null`` and what is no web page's."""
    scheme, _, authority = text.partition("://")
    usual = _USUAL_PORTS.get(scheme.lower())
    if usual is None or not is_authority(authority):
        return None
    host, port = _split(authority)
    return scheme.lower(), host, port or usual


def _is_same(origin: str, host: str, port: int | None) -> bool:
    """Does the Origin field name this host and port? Without TLS of our own a proxy may stand before us: a Host without a port then
    has the port that is usual for the Origin's scheme."""
    found = _origin(origin)
    return found is not None and found[1:] == (host, port or _USUAL_PORTS[found[0]])
