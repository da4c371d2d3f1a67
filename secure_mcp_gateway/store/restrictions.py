"""What restricts in a file of another make and has no meaning here: it is refused by name, never dropped in silence."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Fields that look like restrictions and are kept here, by the kind of record they stand in.
KEPT_IN_SERVER = ("tools", "denied_tools", "input_guardrails_policy", "output_guardrails_policy", "tool_guardrails_policy")
KEPT_IN_OVERRIDES = ("server_tools_guardrails_config",)
KEPT_ELSEWHERE: tuple[str, ...] = ()


def _words(*patterns: str) -> str:
    """For a name in lower case with ``_`` between its words: one of the patterns, from a word's start to a word's end.

    Compiled at its first use: most commands load this module and restore nothing.
    """
    return f"(?:^|_)(?:{'|'.join(patterns)})(?:_|$)"


def _shortened(word: str) -> set[str]:
    """The word, and without each one of its letters."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


_SWITCH = "enabled"
_NEAR_SWITCH = _shortened(_SWITCH)
_NEW_WORD = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+"

# Set to false, these restrict.
_ON = "(is_)?(enabled?|active|valid|approved)"
_OFF = "(is_)?disabled?"
_STATE = _words(
    *("disabled?", "inactive", "deactivated", "revoked", "suspended", "blocked", "locked", "frozen", "paused", "banned"),
    *("deleted", "removed", "archived", "expired", "quarantined", "hidden", "read_?only"),
)
_STATUS = _words("status", "state")
# They restrict whatever they are set to: what is not allowed is denied.
_PERMITS = _words("allow(ed|s)?", "permit(s|ted)?")
_LIMITS = _words(
    *("(allow|deny|block|ban|white|black|gr[ae]y)_?list(s|ed)?", "den(y|ied|ies)", "block(s|ed)?", "bans?", "forbid(s|den)?"),
    *("disallow(s|ed)?", "restrict(s|ed|ions?)?", "exclud(e|es|ed|ing)", "includ(e|es|ed|ing)", "only", "ip_ranges?", "cidrs?"),
    *("permissions?", "privileges?", "scopes?", "roles?", "acls?", "polic(y|ies)", "access_(control|level|list|mode|rule)s?"),
    *("approvals?", "approvers?", "require[sd]?(?=_)", "(?<=_)required", "enable_server_info_validation"),
    *("rate_?limit(s|ed|ing)?", "limit(s|ed)?", "quotas?", "throttl(e|ed|ing)", "max_([a-z]{1,20}_)?(calls|requests|uses|usage|tools)"),
)
_TIMES = _words("expir(e|es|y|ies|ation|ations|ing)", "exp", "ttl", "valid(?=_)", "not_(valid_)?(before|after)", "nbf", "until", "lifetime")
# These choose some and leave the others out, where they hold more than a yes.
_CHOICES = _words("enabled?", "active", "available", "selected", "visible", "filter(s|ed)?", "ignored?", "skip(ped)?")
_TOOLS = _words("tools?")
# How long something is cached restricts nobody, a hint of the protocol describes, and what is always allowed is not asked about.
_NO_TIMES, _NO_LIMITS = _words("cache"), _words("hint", "always_allow")


def lost_restrictions(where: str, record: dict[str, Any], kept: tuple[str, ...]) -> list[str]:
    """A problem for each field of ``record`` beside ``kept`` that restricts, given that it is switched on or not empty."""
    lost = [field for field, value in record.items() if field not in kept and restricts(field, value)]
    way_out = "take it out, or deny by denied_tools or a policy instead"
    return [f"{where}.{field} is a restriction that cannot be kept here: {way_out}" for field in lost]


def tool_restrictions(tools: Any, path: str) -> list[str]:
    """A problem for each field of an allowed tool's record that was meant to deny or to limit it: ``enabled`` alone has a meaning."""
    return [problem for where, tool in _allowed(tools, path) for problem in _in_vain(where, tool, tool)]


def tool_denials(tools: Any, path: str) -> list[str]:
    """Those of ``tool_restrictions`` that say nothing but that the tool is off; what else a record holds may be about something else."""
    problems: list[str] = []
    for where, tool in _allowed(tools, path):
        problems += _in_vain(where, tool, {field: value for field, value in tool.items() if _switches_off(field, value)})
    return problems


def _allowed(tools: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, record) of each tool that is not off and whose record holds more than whether it is."""
    for name, tool in tools.items() if isinstance(tools, dict) else ():
        if isinstance(tool, dict) and tool.get(_SWITCH) is not False and tool.keys() - {_SWITCH}:
            yield f"{path}.{name[:80]}", tool


def _in_vain(where: str, tool: dict[str, Any], fields: dict[str, Any]) -> list[str]:
    mistyped = [field for field, value in tool.items() if _denies(value) and _is_nearly_enabled(field)]
    problems = [f"{where}.{field[:80]} has no meaning here, so the tool is allowed: did you mean enabled?" for field in mistyped]
    return problems + lost_restrictions(where, fields, (_SWITCH, *mistyped))


def _switches_off(field: str, value: Any) -> bool:
    name = _in_words(field)
    return _denies(value) if re.fullmatch(_ON, name) else bool(re.fullmatch(_OFF, name))


def _denies(value: Any) -> bool:
    return str(value).lower() in ("false", "0", "no", "off")


def _is_nearly_enabled(field: str) -> bool:
    """The two are the same without a letter of one or of each; not what says who or when, like ``enabled_by``."""
    return field != _SWITCH and abs(len(field) - len(_SWITCH)) < 2 and not _NEAR_SWITCH.isdisjoint(_shortened(field.lower()))


def restricts(field: str, value: Any) -> bool:
    """By the words of its name, which no list of whole names would ever hold all of."""
    name = _in_words(field)
    if value is None or (isinstance(value, dict) and value.get("enabled") is False):
        return False
    if "guardrail" in name:
        # Also an empty one: nothing in it says that it is switched off.
        return value is not False
    if re.fullmatch(_ON, name):
        return _denies(value)
    if re.search(_STATUS, name):
        return isinstance(value, str) and bool(re.search(_STATE, _in_words(value)))
    if re.search(_NO_LIMITS, name):
        return False
    if re.search(_PERMITS, name):
        return value is False or bool(value)
    if re.search(_STATE, name) or re.search(_LIMITS, name) or (re.search(_TIMES, name) and not re.search(_NO_TIMES, name)):
        return bool(value) and value != "never"
    return bool(re.search(_CHOICES, name)) and _chooses(value, bool(re.search(_TOOLS, name)))


def _in_words(name: str) -> str:
    return re.sub(_NEW_WORD, "_", name).strip("_").lower()


def _chooses(value: Any, tools: bool) -> bool:
    if isinstance(value, (list, dict)):
        return bool(value)
    return tools and (value is False or (isinstance(value, str) and value != ""))
