"""What API keys and admin keys have in common: a secret that only its digest is kept of, and an end."""

from __future__ import annotations

from secure_mcp_gateway.errors import Conflict
from secure_mcp_gateway.store.clock import is_time, time_after
from secure_mcp_gateway.store.document import digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Draft, Record


def fresh_key(call: Call, prefix: str, expires_in_days: int | None) -> tuple[str, Record]:
    """(secret, the fields that every key's record has) of a key made now."""
    secret = call.new_secret(prefix)
    expires = time_after(call.now, expires_in_days) if expires_in_days is not None else None
    return secret, {"hint": secret[-4:], "created_at": call.now, "expires_at": expires, "disabled": False, "rotated_at": None}


def new_public_id(call: Call, prefix: str) -> str:
    """``prefix`` and 16 hexadecimal digits."""
    return prefix + digest_of(call.new_id())[:16]


def rotate(draft: Draft, call: Call, table: str, digest: str, record: Record, prefix: str) -> str:
    """The new secret; the old one stops at once. ``Conflict`` for a key that does not work any more."""
    state = "disabled" if record.get("disabled") else "expired" if is_expired(record, call.now) else ""
    if state:
        raise Conflict(f"the key is {state}: it cannot be rotated", "enable it first" if state == "disabled" else "make a new one")
    secret = call.new_secret(prefix)
    draft.delete(table, digest)
    draft.put(table, digest_of(secret), {**record, "hint": secret[-4:], "rotated_at": call.now})
    return secret


def is_expired(record: Record, now: str) -> bool:
    """An end that is not written as the store writes times, by hand then, has come: nobody can tell when it was meant to."""
    expires = record.get("expires_at")
    return expires is not None and (not is_time(expires) or bool(expires <= now))


def is_active(record: Record, now: str) -> bool:
    return not record.get("disabled") and not is_expired(record, now)
