"""Tables of strings, and of lists of strings, as TOML."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_of(document: dict[str, Any]) -> str:
    """Each table under a header of its own, its plain values first."""
    return "\n".join(_tables((), document))


def _tables(path: tuple[str, ...], table: dict[str, Any]) -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in plain.items()]
    # A table that holds nothing but others needs no header; an empty one does, or it would not be there.
    head = [f"[{'.'.join(map(_key, path))}]\n"] if path and (plain or not inner) else []
    blocks = ["".join([*head, *lines])] if head or lines else []
    return [*blocks, *(block for key, value in inner.items() for block in _tables((*path, key), value))]


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _string(text)


def _value(value: Any) -> str:
    return "[" + ", ".join(map(_string, value)) + "]" if isinstance(value, list) else _string(value)


def _string(text: str) -> str:
    """JSON's escapes are TOML's too; what a terminal could obey is escaped besides."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_shown, quoted))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
