"""JSON as editors take it: with comments, and with commas behind the last entry."""

from __future__ import annotations

import re

from secure_mcp_gateway.params import DOCUMENT_DEPTH, strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMMENT, COMMA = "a comment", "a comma behind the last entry"
# A larger file is a program's own, and holds neither.
LARGEST_BY_HAND = 4 * 1024 * 1024
# What is not closed runs to the end: each character is looked at once, whatever the text.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_COMMENTS = re.compile(_STRING + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMAS = re.compile(_STRING + r"|,(?=[ \t\r\n]*[\]}])", re.DOTALL)
_NO_LINE_BREAK = re.compile(r"[^\n]")


def read_jsonc(text: str) -> tuple[Any, dict[str, str]]:
    """(the value, what JSON itself does not allow: where the first comment and the first such comma stand); ``ValueError`` like JSON's."""
    try:
        return strict_json(text, DOCUMENT_DEPTH), {}
    except ValueError as error:
        if len(text) > LARGEST_BY_HAND:
            raise
        refusal = error
    bare, found = _without_extras(text)
    if not found:
        raise refusal
    return strict_json(bare, DOCUMENT_DEPTH), found


def _without_extras(text: str) -> tuple[str, dict[str, str]]:
    """The text with blanks in their place, so that what comes after them stands where it stood."""
    found: dict[str, str] = {}

    def comment(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return match[0]
        if match[0].startswith("/*") and (len(match[0]) < 4 or not match[0].endswith("*/")):
            raise ValueError(f"a comment is not closed at {_position(text, match.start())}")
        # Looked for once: a place takes as long as the text before it.
        if COMMENT not in found:
            found[COMMENT] = _position(text, match.start())
        return _NO_LINE_BREAK.sub(" ", match[0])

    bare = _COMMENTS.sub(comment, text)

    def comma(match: re.Match[str]) -> str:
        if match[0] != "," or not _follows_a_value(bare, match.start()):
            return match[0]
        if COMMA not in found:
            found[COMMA] = _position(text, match.start())
        return " "

    return _LAST_COMMAS.sub(comma, bare), found


def _follows_a_value(text: str, at: int) -> bool:
    """Not right behind an opening bracket, another comma or a colon."""
    at -= 1
    while at >= 0 and text[at] in " \t\r\n":
        at -= 1
    return at >= 0 and text[at] not in "[{,:"


def _position(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"
