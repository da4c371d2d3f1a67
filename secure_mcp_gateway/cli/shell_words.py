"""A command line as bash has it before anything in it is expanded: its words, and text put back into one of them.

Nothing is evaluated: what stands in a word, and what is put into one, may come from anybody.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"""(?:[^ \t\n'"\\]|\\.|\\$|'[^']*(?:'|$)|"(?:[^"\\]|\\.)*\\?(?:"|$))+""", re.DOTALL)
# What bash takes as it is in any place of a word, but for "~" at the beginning, which is not among it.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\u0080-\U0010ffff-]")
_SPECIAL_IN_DOUBLE = '$`"\\'


def raw_words(line: str) -> list[str]:
    """As they are typed; the last one, which may be empty, is where the line ends."""
    found = list(_WORD.finditer(line))
    words = [each[0] for each in found]
    if not found or found[-1].end() < len(line):
        words.append("")
    return words


def unquoted(raw: str) -> tuple[str, str]:
    """The text that is meant, and the quote that is still open at its end."""
    text: list[str] = []
    quote, at = "", 0
    while at < len(raw):
        char, following = raw[at], raw[at + 1 : at + 2]
        at += 1
        if char == "\\" and quote != "'":
            at += 1
            text.append(following if not quote or following in _SPECIAL_IN_DOUBLE else char + following)
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            text.append(char)
    return "".join(text), quote


def quoted(text: str, quote: str) -> str:
    """The text as it must be typed where this quote, or none, is open."""
    if not quote:
        return "".join(char if _PLAIN.match(char) else f"\\{char}" for char in text)
    made = text.replace("'", "'\\''") if quote == "'" else "".join(map(_in_double_quotes, text))
    # Readline takes a quote that the text begins with for the one that is open, and one that it ends with for the closing one.
    return quote * made.startswith(quote) + made + quote * made.endswith(quote)


def _in_double_quotes(char: str) -> str:
    """History is looked up between them too, and a backslash there would keep it from that but stay: its mark stands outside of them."""
    return '"\\!"' if char == "!" else f"\\{char}" if char in _SPECIAL_IN_DOUBLE else char
