"""Variants of the product whose keys give something away: each breaks one promise in this process for good."""

from __future__ import annotations

from typing import Any

from secure_mcp_gateway.api import access
from secure_mcp_gateway.repository import api_keys, key_secrets, names
from secure_mcp_gateway.repository.call import Caller
from secure_mcp_gateway.store import store
from secure_mcp_gateway.store.document import Document, digest_of


def compares_digests_bit_by_bit() -> None:
    """Walks along the stored digests and compares each up to the first difference."""
    authenticate = api_keys.authenticate

    def slow(document: Document, secret: str, now: str) -> Caller:
        digest = digest_of(secret)
        for table in ("apikeys", "admin_keys"):
            for stored, _ in document.table(table).items():
                _same_up_to(stored, digest)
        return authenticate(document, secret, now)

    api_keys.authenticate = access.authenticate = slow


def keeps_secrets_to_compare(secrets: tuple[str, ...]) -> None:
    """Compares with plain secrets up to the first difference."""
    authenticate = api_keys.authenticate

    def slow(document: Document, secret: str, now: str) -> Caller:
        for stored in secrets:
            _same_up_to(stored, secret)
        return authenticate(document, secret, now)

    api_keys.authenticate = access.authenticate = slow


def _same_up_to(one: str, other: str) -> bool:
    return all(mine == yours for mine, yours in zip(one, other))


def remembers_callers() -> None:
    """A key that was good once stays good: nobody asks the store again."""
    remembered: dict[str, Caller] = {}
    authenticate = api_keys.authenticate

    def cached(document: Document, secret: str, now: str) -> Caller:
        if secret not in remembered:
            remembered[secret] = authenticate(document, secret, now)
        return remembered[secret]

    access.authenticate = cached  # type: ignore[assignment,unused-ignore]


def looks_once_a_second() -> None:
    """What another process changed is seen a second late."""
    store.FRESH_SECONDS = 1.0


def looks_at_no_end() -> None:
    """A key goes on working behind its end."""
    key_secrets.is_expired = api_keys.is_expired = lambda record, now: False


def takes_digests() -> None:
    """Who knows the digest in the store may do what the secret may."""
    api_keys.digest_of = lambda secret: secret if len(secret) == 64 else digest_of(secret)


def forgets_members() -> None:
    """A key outlives its user's membership."""
    api_keys.is_member = lambda document, project_id, user_id: True


def looks_at_everything_first() -> None:
    """It is asked first whether there is such a thing, and then whether it is the caller's own."""
    found = names.own_key_of

    def slow(document: Document, table: str, own: Any, identifier: str) -> str | None:
        return found(document, table, own, identifier) if names.key_of(document, table, identifier) is not None else None

    names.own_key_of = slow
