"""Who calls, and whether this caller may do this."""

from __future__ import annotations

from urllib.parse import urlsplit

from secure_mcp_gateway.errors import Forbidden, Unauthorized
from secure_mcp_gateway.operations.operation import ADMIN, Operation
from secure_mcp_gateway.repository.api_keys import authenticate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Caller
    from secure_mcp_gateway.store.document import Document
    from secure_mcp_gateway.web.request import Request


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
    """Which ``Host`` and ``Origin`` fields are let in. ``origins`` are those of ``--allow-origin``, ``hosts`` of ``--allow-host``."""

    def __init__(self, origins: tuple[str, ...], hosts: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._hosts = frozenset(host.lower() for host in hosts)

    @property
    def names_origins(self) -> bool:
        return bool(self._origins)

    def admits_origin(self, origin: str) -> bool:
        """Is this one that ``--allow-origin`` names?"""
        return origin.lower() in self._origins

    def check(self, request: Request) -> None:
        """Foreign pages and rebound names stay out, whatever key they hold."""
        origin = request.headers.get("origin")
        if origin is None and not self._hosts:
            return
        host, port = _split(request.authority)
        if self._hosts and host not in self._hosts and request.authority.lower() not in self._hosts:
            raise Forbidden("this Host is not served here", "name it with --allow-host")
        if origin is not None and not self.admits_origin(origin) and not _is_same(origin, host, port or (443 if request.secure else None)):
            raise Forbidden("requests from pages of another Origin are refused", "name it with --allow-origin")


def _split(authority: str) -> tuple[str, int | None]:
    found = urlsplit("//" + authority)
    return (found.hostname or "").lower(), found.port


def _is_same(origin: str, host: str, port: int | None) -> bool:
    """Does the Origin field (RFC 6454 §6.1) name this host and port? Without TLS of our own a proxy may stand before us: a Host
    without a port then has the port that is usual for the Origin's scheme."""
    try:
        found = urlsplit(origin)
        usual = {"http": 80, "https": 443}.get(found.scheme)
        if usual is None or found.path or found.query or "@" in found.netloc:
            return False
        its_host, its_port = _split(found.netloc)
    except ValueError:
        return False
    return (its_host, its_port or usual) == (host, port or usual)
