"""Settings of the whole store."""

from __future__ import annotations

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.store.server_checks import url_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.repository.call import Call
    from secure_mcp_gateway.store.document import Document, Draft, Record

# Where OpenTelemetry's own collector listens.
TELEMETRY_DEFAULTS: Record = {"enabled": False, "url": "http://localhost:4317", "insecure": False}
_SHORTEST_SHOWN = 8


def set_enkrypt_api_key(draft: Draft, call: Call, *, api_key: str) -> Record:
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key or not api_key:
        raise InvalidRequest("api_key must be one word of visible ASCII characters", "copy it again from where it was issued")
    draft.settings = {**draft.settings, "enkrypt_api_key": api_key}
    return {"api_key": masked(api_key)}


def get_enkrypt_api_key(document: Document, call: Call) -> Record:
    """``api_key`` is null where none is set."""
    api_key = document.settings.get("enkrypt_api_key")
    return {"api_key": masked(api_key) if api_key else None}


def set_telemetry(
    draft: Draft, call: Call, *, enabled: bool | None = None, url: str | None = None, insecure: bool | None = None
) -> Record:
    given = {field: value for field, value in (("enabled", enabled), ("url", url), ("insecure", insecure)) if value is not None}
    if not given:
        raise InvalidRequest("nothing to set is given", "give at least one of enabled, url, insecure")
    problems = list(url_problems(url, "url")) if url is not None else []
    if problems:
        raise InvalidRequest("; ".join(problems))
    draft.settings = {**draft.settings, "telemetry": {**draft.settings.get("telemetry", {}), **given}}
    return get_telemetry(draft, call)


def get_telemetry(document: Document, call: Call) -> Record:
    return {**TELEMETRY_DEFAULTS, **document.settings.get("telemetry", {})}


def masked(secret: str) -> str:
    """The last four characters; none of a secret so short that four would give it away."""
    return "****" + (secret[-4:] if len(secret) >= _SHORTEST_SHOWN else "")
