"""The words of TOML 1.0: keys, strings and numbers at a place in a text."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date, time
    from typing import NoReturn

_BLANKS = re.compile(r"[ \t]*")
_BLANKS_AND_COMMENTS = re.compile(r"(?:[ \t\n]+|#[^\n\x00-\x08\x0a-\x1f\x7f]*(?=\n|\Z))*")
_COMMENT = re.compile(r"#[^\n\x00-\x08\x0a-\x1f\x7f]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Runs of characters that stand for themselves.
_BASIC = re.compile(r'[^"\\\x00-\x08\x0a-\x1f\x7f]*')
_BASIC_LINES = re.compile(r'[^"\\\x00-\x08\x0b-\x1f\x7f]*')
_LITERAL = re.compile(r"[^'\x00-\x08\x0a-\x1f\x7f]*")
_LITERAL_LINES = re.compile(r"[^'\x00-\x08\x0b-\x1f\x7f]*")
_LINE_END = re.compile(r"\\[ \t]*\n[ \t\n]*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_CODE_POINT = re.compile(r"u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})")
_DATE_OR_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}")
_HOUR_AND_MINUTE = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_CLOCK = rf"(?P<clock>{_HOUR_AND_MINUTE}:[0-5][0-9])(?:\.(?P<part>[0-9]+))?"
_DATE = re.compile(rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[Tt ]{_CLOCK}(?P<zone>[Zz]|[+-]{_HOUR_AND_MINUTE})?)?")
_TIME = re.compile(_CLOCK)
_NUMBER = re.compile(
    r"(?P<base>0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*)"
    r"|(?P<special>[+-]?(?:inf|nan))"
    r"|(?P<whole>[+-]?(?:0|[1-9](?:_?[0-9])*))(?P<part>(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?)"
)
_WORD = re.compile(r"(true|false)(?![A-Za-z0-9_-])")
_TOO_LONG = re.compile(r"[0-9A-Za-z_.+-]{401}")


class Scan:
    """A place in a text; every refusal says its line and column and quotes nothing."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        place = self.at if at is None else at
        line, column = self.text.count("\n", 0, place) + 1, place - self.text.rfind("\n", 0, place)
        raise ValueError(f"{problem} at line {line}, column {column}")

    def ahead(self, word: str) -> bool:
        return self.text.startswith(word, self.at)

    def take(self, word: str) -> bool:
        """Step over the word, where it comes next."""
        found = self.ahead(word)
        self.at += len(word) if found else 0
        return found

    def blanks(self, lines: bool = False) -> None:
        """Step over blanks, and where ``lines`` over comments and line breaks too."""
        self._run(_BLANKS_AND_COMMENTS if lines else _BLANKS)

    def end_of_line(self) -> None:
        """Nothing but a comment may come any more on this line."""
        self.blanks()
        self._match(_COMMENT)
        if self.at < len(self.text) and not self.take("\n"):
            self.fail("the line should end here")

    def key(self) -> str:
        bare = self._match(_BARE_KEY)
        if bare is not None:
            return bare[0]
        if self.ahead('"""') or self.ahead("'''") or not (self.ahead('"') or self.ahead("'")):
            self.fail("a key is missing")
        return self.string()

    def string(self) -> str:
        """The string whose opening quotes come next."""
        start = self.at
        if self.take('"""'):
            return self._basic_lines(start)
        if self.take("'''"):
            return self._literal_lines(start)
        if self.take('"'):
            return self._basic(start)
        self.at += 1
        return self._literal(start)

    def moment(self) -> date | time | None:
        """None where neither a date nor a time comes next."""
        start = self.at
        if not _DATE_OR_TIME.match(self.text, start):
            return None
        found = self._match(_DATE) or self._match(_TIME)
        try:
            made = _moment(**found.groupdict()) if found is not None else None
        except ValueError:
            made = None
        if made is None:
            self.fail("a date or a time is invalid", start)
        return made

    def number(self) -> int | float | None:
        """None where no number comes next."""
        start = self.at
        if _TOO_LONG.match(self.text, start):
            self.fail("a number is too long")
        found = self._match(_NUMBER)
        if found is None:
            return None
        if found["base"] or (found["whole"] and not found["part"]):
            whole = int(found[0].replace("_", ""), 0 if found["base"] else 10)
            if not -(2**63) <= whole < 2**63:
                self.fail("a whole number does not fit into 64 bits", start)
            return whole
        return float(found[0].replace("_", ""))

    def boolean(self) -> bool | None:
        found = self._match(_WORD)
        return None if found is None else found[1] == "true"

    def _basic(self, start: int) -> str:
        parts = [self._run(_BASIC)]
        while not self.take('"'):
            if not self.ahead("\\"):
                self._unclosed(start)
            parts += [self._escape(), self._run(_BASIC)]
        return "".join(parts)

    def _basic_lines(self, start: int) -> str:
        self.take("\n")
        parts = [self._run(_BASIC_LINES)]
        while not self.take('"""'):
            if self.take('"'):
                parts.append('"')
            elif self._match(_LINE_END) is None:
                if not self.ahead("\\"):
                    self._unclosed(start)
                parts.append(self._escape())
            parts.append(self._run(_BASIC_LINES))
        return "".join(parts) + self._quotes_before_the_end('"')

    def _literal(self, start: int) -> str:
        text = self._run(_LITERAL)
        if not self.take("'"):
            self._unclosed(start)
        return text

    def _literal_lines(self, start: int) -> str:
        self.take("\n")
        parts = [self._run(_LITERAL_LINES)]
        while not self.take("'''"):
            if not self.take("'"):
                self._unclosed(start)
            parts += ["'", self._run(_LITERAL_LINES)]
        return "".join(parts) + self._quotes_before_the_end("'")

    def _quotes_before_the_end(self, quote: str) -> str:
        """Of up to five quotes the last three close: the others, seen only now, belong to the text."""
        return quote * sum(self.take(quote) for _ in range(2))

    def _escape(self) -> str:
        start = self.at
        self.at += 1
        plain = _ESCAPES.get(self.text[self.at : self.at + 1])
        if plain is not None:
            self.at += 1
            return plain
        found = self._match(_CODE_POINT)
        code = int(found[1] or found[2], 16) if found else -1
        if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            self.fail("an escape is unknown", start)
        return chr(code)

    def _unclosed(self, start: int) -> NoReturn:
        """Also a control character ends a run."""
        if self.at < len(self.text) and self.text[self.at] != "\n":
            self.fail("a control character must be escaped")
        self.fail("a string is not closed", start)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _run(self, pattern: re.Pattern[str]) -> str:
        """What the pattern, which can be empty, finds."""
        found = self._match(pattern)
        return "" if found is None else found[0]


def _moment(day: str = "", clock: str | None = None, part: str | None = None, zone: str | None = None) -> date | time:
    """``ValueError`` for what no calendar has. Of a second's parts the first six count."""
    from datetime import date, datetime, time

    if clock is None:
        return date.fromisoformat(day)
    exact = f"{clock}.{(part or '')[:6]:0<6}"
    return datetime.fromisoformat(f"{day}T{exact}{(zone or '').upper().replace('Z', '+00:00')}") if day else time.fromisoformat(exact)
