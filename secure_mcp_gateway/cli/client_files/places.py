"""How the place of a field in somebody's file is said."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 80


def shown(name: str) -> str:
    """A name out of a file, bounded; quoted where it could be taken for more than a name."""
    short = name if len(name) <= _LONGEST else name[:_LONGEST] + "..."
    return short if _PLAIN.fullmatch(short) else '"' + short.replace('"', '\\"') + '"'


def below(place: str, name: str) -> str:
    return f"{place}.{shown(name)}" if place else shown(name)
