"""TOML 1.0: the same on every Python, of which only the later ones bring a reader."""

from __future__ import annotations

from secure_mcp_gateway.cli.client_files.jsonc import LARGEST_BY_HAND
from secure_mcp_gateway.cli.client_files.toml_scan import Scan
from secure_mcp_gateway.params import DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How a table came to be, which says what may still be added to it.
_ON_THE_WAY, _HEADED, _DOTTED, _INLINE = "on the way to another", "by its own header", "by a key with dots", "in braces"


class _Table(dict):  # type: ignore[type-arg]
    __slots__ = ("made",)

    def __init__(self, made: str) -> None:
        super().__init__()
        self.made = made


class _Tables(list):  # type: ignore[type-arg]
    """An array of tables, made by ``[[headers]]``; one of values is a plain list."""

    __slots__ = ()


def read_toml(text: str) -> dict[str, Any]:
    """``ValueError`` says what is wrong, with line and column, and quotes nothing of the text."""
    if len(text) > LARGEST_BY_HAND:
        raise ValueError("it is larger than 4 MiB")
    return _Reader(text.replace("\r\n", "\n")).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.scan = Scan(text)
        self.root = _Table(_HEADED)

    def document(self) -> dict[str, Any]:
        table, depth, scan = self.root, 0, self.scan
        while True:
            scan.blanks(lines=True)
            if scan.at == len(scan.text):
                return self.root
            if scan.take("[["):
                table, depth = self._headed("]]")
            elif scan.take("["):
                table, depth = self._headed("]")
            else:
                self._pair(table, depth)
            scan.end_of_line()

    def _headed(self, close: str) -> tuple[_Table, int]:
        """(the table that the header opens, its depth)"""
        start = self.scan.at
        parts = self._dotted(0)
        if not self.scan.take(close):
            self.scan.fail(f"{close} is missing")
        table = self.root
        for part in parts[:-1]:
            table = self._passed(table, part, start)
        opened = self._next_of(table, parts[-1], start) if close == "]]" else self._opened(table, parts[-1], start)
        return opened, len(parts) + len(close) - 1

    def _passed(self, table: _Table, part: str, start: int) -> _Table:
        found = table.setdefault(part, _Table(_ON_THE_WAY))
        if isinstance(found, _Tables):
            found = found[-1]
        if not isinstance(found, _Table) or found.made == _INLINE:
            self.scan.fail("a header goes through what cannot be added to", start)
        return found

    def _opened(self, table: _Table, name: str, start: int) -> _Table:
        found = table.setdefault(name, _Table(_ON_THE_WAY))
        if not isinstance(found, _Table) or found.made != _ON_THE_WAY:
            self.scan.fail("a table is there already", start)
        found.made = _HEADED
        return found

    def _next_of(self, table: _Table, name: str, start: int) -> _Table:
        found = table.setdefault(name, _Tables())
        if not isinstance(found, _Tables):
            self.scan.fail("something else has the name of these tables already", start)
        found.append(_Table(_HEADED))
        last: _Table = found[-1]
        return last

    def _pair(self, table: _Table, depth: int) -> None:
        start = self.scan.at
        parts = self._dotted(depth)
        if not self.scan.take("="):
            self.scan.fail("= is missing")
        for part in parts[:-1]:
            found = table.setdefault(part, _Table(_DOTTED))
            if not isinstance(found, _Table) or found.made != _DOTTED:
                self.scan.fail("a key with dots adds to what cannot be added to", start)
            table = found
        if parts[-1] in table:
            self.scan.fail("a key is there already", start)
        self.scan.blanks()
        # Taken before its value is read: in braces nothing else can come between.
        table[parts[-1]] = self._value(depth + len(parts))

    def _dotted(self, depth: int) -> list[str]:
        """The parts of a key; blanks around it and its dots are stepped over."""
        parts: list[str] = []
        while not parts or self.scan.take("."):
            self.scan.blanks()
            parts.append(self.scan.key())
            self._refuse_deep(depth + len(parts))
            self.scan.blanks()
        return parts

    def _value(self, depth: int) -> Any:
        self._refuse_deep(depth)
        scan = self.scan
        if scan.ahead('"') or scan.ahead("'"):
            return scan.string()
        if scan.take("["):
            return self._array(depth)
        if scan.take("{"):
            return self._braces(depth)
        kinds = (scan.boolean, scan.moment, scan.number)
        value = next((found for read in kinds if (found := read()) is not None), None)
        if value is None:
            scan.fail("a value is missing, or of no kind that is known")
        return value

    def _array(self, depth: int) -> list[Any]:
        values: list[Any] = []
        scan = self.scan
        scan.blanks(lines=True)
        while not scan.take("]"):
            values.append(self._value(depth + 1))
            scan.blanks(lines=True)
            if not scan.take(",") and not scan.ahead("]"):
                scan.fail("a comma or ] is missing")
            scan.blanks(lines=True)
        return values

    def _braces(self, depth: int) -> _Table:
        table = _Table(_INLINE)
        self.scan.blanks()
        if self.scan.take("}"):
            return table
        while True:
            self._pair(table, depth)
            self.scan.blanks()
            if self.scan.take("}"):
                break
            if not self.scan.take(","):
                self.scan.fail("a comma or } is missing")
            self.scan.blanks()
        _close(table)
        return table

    def _refuse_deep(self, depth: int) -> None:
        if depth > DEPTH:
            self.scan.fail(f"it is nested deeper than {DEPTH} levels")


def _close(table: _Table) -> None:
    """Nothing can be added to a table in braces, nor to those that its keys with dots made."""
    table.made = _INLINE
    for value in table.values():
        if isinstance(value, _Table) and value.made == _DOTTED:
            _close(value)
