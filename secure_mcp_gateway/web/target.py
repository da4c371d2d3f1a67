"""The target of a request and the authority it is for (RFC 9112 §3.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

from secure_mcp_gateway.errors import InvalidRequest

# Unrolled, so that a long target that does not match is refused in linear time.
_PERCENT = r"%(?!00)[0-9A-Fa-f]{2}"
_PATH = rf"/[^?#%]*(?:{_PERCENT}[^?#%]*)*"
_QUERY = rf"[^#%]*(?:{_PERCENT}[^#%]*)*"
_PLAIN_PATH = re.compile(r"/[^?#%]*").fullmatch
_ORIGIN_FORM = re.compile(rf"({_PATH})(?:\?({_QUERY}))?").fullmatch
_ABSOLUTE_FORM = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE).fullmatch
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|[0-9A-Za-z._-]+)(?::([0-9]{0,5}))?").fullmatch
_GOOD_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


class Target(NamedTuple):
    path: str
    query: str
    authority: str
    """Of an absolute form; empty for the other forms."""


def split_target(method: str, target: str) -> Target:
    if _PLAIN_PATH(target):
        return Target(target, "", "")
    origin = _ORIGIN_FORM(target)
    if origin:
        return Target(origin[1], origin[2] or "", "")
    absolute = _ABSOLUTE_FORM(target)
    if absolute:
        return _split_absolute(absolute[1], absolute[2])
    if target == "*" and method == "OPTIONS":
        return Target("*", "", "")
    raise InvalidRequest(_fault_of(target))


def _split_absolute(authority: str, rest: str) -> Target:
    if not is_authority(authority):
        raise InvalidRequest("the authority in the target is not a host with an optional port")
    rest = rest if rest.startswith("/") else "/" + rest
    origin = _ORIGIN_FORM(rest)
    if not origin:
        raise InvalidRequest(_fault_of(rest))
    return Target(origin[1], origin[2] or "", authority)


def _fault_of(target: str) -> str:
    if "#" in target:
        return "the target holds a '#'; a fragment is never sent"
    if "%00" in target:
        return "the target holds an encoded NUL"
    if "%" in _GOOD_PERCENT.sub("", target):
        return "the target holds a '%' that two hexadecimal digits do not follow"
    return "the target must begin with '/' or 'http://', or be '*' with OPTIONS"


@lru_cache(maxsize=64)
def is_authority(text: str) -> bool:
    """``host[:port]`` without user information; IPv6 addresses in brackets (RFC 3986 §3.2)."""
    match = _AUTHORITY(text)
    if not match or int(match[2] or 0) > 65535:
        return False
    return match[1] is None or _is_ipv6(match[1])


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
