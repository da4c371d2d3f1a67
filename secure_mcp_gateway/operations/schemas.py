"""What JSON Schema can say of the rules of inputs. It only describes: the rules themselves stand elsewhere, and some refuse more.

What is refused here, its rule refuses too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[str, Any]

_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
_EDGE = rf"[^\s{_CONTROLS}]"
_WORD = rf"[^\s@.{_CONTROLS}]+"
_WITHOUT_NUL: Schema = {"type": "string", "pattern": r"^[^\u0000]*$"}

NEW_NAME: Schema = {
    "minLength": 1,
    "maxLength": 100,
    "pattern": rf"^{_EDGE}([^{_CONTROLS}]*{_EDGE})?$",
    # A step in a path, and what looks like an id.
    "not": {"pattern": r"^(\.\.?|[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})$"},
}
NEW_EMAIL: Schema = {"maxLength": 254, "pattern": rf"^[^\s@{_CONTROLS}]+@{_WORD}(\.{_WORD})+$"}
NEW_SERVER_NAME: Schema = {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}
SEARCH_TERM: Schema = {"minLength": 1}
ONLY_TRUE: Schema = {"const": True}
TIME: Schema = {"format": "date-time"}
VISIBLE_ASCII: Schema = {"pattern": "^[!-~]+$"}

COMMAND: Schema = {"pattern": rf"^[^{_CONTROLS}]*{_EDGE}[^{_CONTROLS}]*$"}
URL: Schema = {"pattern": rf"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#\s{_CONTROLS}]{_EDGE}*$"}
ARGS: Schema = {"items": _WITHOUT_NUL}
ENV: Schema = {"propertyNames": {"pattern": r"^[^=\u0000]+$"}, "additionalProperties": _WITHOUT_NUL}
HEADERS: Schema = {
    "propertyNames": {"pattern": r"^[!#$%&'*+\-.\^_`|~0-9A-Za-z]+$"},
    "additionalProperties": {"type": "string", "pattern": r"^[^\r\n\u0000]*$"},
}
_SWITCH = {"type": "boolean", "description": "false denies the tool. Another field that would restrict it is refused."}
TOOLS: Schema = {"additionalProperties": {"type": ["string", "object"], "properties": {"enabled": _SWITCH}}}
POLICY: Schema = {
    "required": ["enabled"],
    "properties": {
        "enabled": {"type": "boolean"},
        "policy_name": {"type": ["string", "null"]},
        "additional_config": {"type": ["object", "null"]},
        "block": {"type": ["array", "null"], "items": {"type": "string"}},
    },
}
