"""What restricts in a file of another make and has no meaning here: it is refused by name, never dropped in silence."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Fields that look like restrictions and are kept here, by the kind of record they stand in.
KEPT_IN_SERVER = ("tools", "denied_tools", "input_guardrails_policy", "output_guardrails_policy", "tool_guardrails_policy")
KEPT_IN_OVERRIDES = ("server_tools_guardrails_config",)
KEPT_ELSEWHERE: tuple[str, ...] = ()

_ON = ("enabled", "active", "is_enabled", "is_active")
_OFF = ("disabled", "inactive", "revoked", "suspended", "blocked", "locked", "expired", "deleted")
_SWITCHES = re.compile(r"^(disabled|blocked|suspended|locked|revoked|read_only|enable_server_info_validation)$")
_LIMITS = re.compile(r"^(allow|allowed|deny|denied|block|blocked|forbid|forbidden|restrict|restricted)_|^(rate_limit|quota|expires|valid_)")


def lost_restrictions(where: str, record: dict[str, Any], kept: tuple[str, ...]) -> list[str]:
    """A problem for each field of ``record`` beside ``kept`` that restricts, given that it is switched on or not empty."""
    lost = [field for field, value in record.items() if field not in kept and _restricts(field, value)]
    way_out = "take it out, or deny by denied_tools or a policy instead"
    return [f"{where}.{field} is a restriction that cannot be kept here: {way_out}" for field in lost]


def _restricts(field: str, value: Any) -> bool:
    if field in _ON:
        return value is False
    if field == "status":
        return isinstance(value, str) and value.lower() in _OFF
    if "guardrails" in field:
        return not isinstance(value, dict) or value.get("enabled") is not False
    if _SWITCHES.match(field):
        return bool(value)
    return bool(_LIMITS.match(field)) and bool(value)
