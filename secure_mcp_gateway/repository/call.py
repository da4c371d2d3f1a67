"""All that a rule may need that is not in the document: who calls, when, and where new ids and secrets come from."""

from __future__ import annotations

import os

from secure_mcp_gateway.store.clock import now_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.store.store import Store

ADMIN, USER = "admin", "user"


class Caller:
    """Who calls. ``key_id`` is the public id of the key and ``digest`` its secret's, both empty on the command line. ``user_id``
    and ``project_id`` are set for a user's key alone; what it may see is that project and that user."""

    __slots__ = ("digest", "expires_at", "key_id", "kind", "name", "project_id", "user_id")

    def __init__(
        self,
        kind: str,
        key_id: str,
        name: str,
        user_id: str = "",
        project_id: str = "",
        expires_at: str | None = None,
        digest: str = "",
    ) -> None:
        self.kind = kind
        self.key_id = key_id
        self.name = name
        self.user_id = user_id
        self.project_id = project_id
        self.expires_at = expires_at
        self.digest = digest

    @property
    def is_admin(self) -> bool:
        return self.kind == ADMIN


class Call:
    """``now`` is an ISO 8601 time in UTC with microseconds and offset, so that text order is time order."""

    __slots__ = ("caller", "new_id", "new_secret", "now", "request_id", "store")

    def __init__(
        self,
        caller: Caller,
        request_id: str,
        now: str,
        store: Store,
        new_id: Callable[[], str],
        new_secret: Callable[[str], str],
    ) -> None:
        self.caller = caller
        self.request_id = request_id
        self.now = now
        self.store = store
        self.new_id = new_id
        self.new_secret = new_secret


class Listing:
    """One page of a list: its rows, and how many there are in all."""

    __slots__ = ("rows", "total")

    def __init__(self, rows: list[Any], total: int) -> None:
        self.rows = rows
        self.total = total


def new_call(caller: Caller, store: Store, request_id: str = "", now: str = "") -> Call:
    return Call(caller, request_id or os.urandom(8).hex(), now or now_text(), store, new_uuid, new_secret)


def new_uuid() -> str:
    """A random UUID, RFC 9562 §5.4."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def new_secret(prefix: str) -> str:
    """256 random bits behind a prefix that secret scanners can find."""
    from base64 import urlsafe_b64encode

    return prefix + urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
