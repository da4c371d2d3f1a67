"""Answers for people: tables that fit the terminal, and records as lines."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_GAP = "  "
_LONGEST_PIECE = 20
# What people copy is never broken over lines: ids, secrets, times, numbers.
_WHOLE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(key|adm)_[0-9a-f]{16}|smga?_[A-Za-z0-9_-]{43}|\d{4}-\d\d-\d\dT[\d:]+Z|-?\d+"
).fullmatch
_PIECE = re.compile(r"[^ ,_@./:-]*[ ,_@./:-]+|[^ ,_@./:-]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}\+00:00").fullmatch


def clean(text: str) -> str:
    """Without a character that a terminal could obey: control, format and other unprintable ones show as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def table_lines(rows: Sequence[Any], columns: Sequence[str], width: int | None) -> tuple[list[str], list[str]]:
    """The head's lines and those of the rows; no head, and a block of lines for each row, where the columns cannot fit ``width``."""
    heads = [column.partition(".")[0].upper() for column in columns]
    cells = [[cell(_dig(row, column.split("."))) for column in columns] for row in rows]
    widths = _fitted([heads, *cells], width)
    if widths is None:
        return [], _blocks(columns, cells, width)
    numeric = [all(row[at].isdecimal() for row in cells) for at in range(len(columns))]
    lines = [list(_row_lines(row, widths, numeric)) for row in [heads, *cells]]
    return lines[0], [line for row in lines[1:] for line in row]


def record_lines(record: dict[str, Any], width: int | None = None) -> list[str]:
    """``field  value`` for each; what is nested stands below its field, indented."""
    shown = {clean(field): value for field, value in record.items()}
    longest = max((text_width(field) for field, value in shown.items() if not _is_nested(value)), default=0)
    return [line for field, value in shown.items() for line in _field_lines(field, value, longest, width)]


def list_lines(items: Sequence[Any], width: int | None = None) -> list[str]:
    inner = _narrower(width, len(_GAP))
    return [line for item in items for line in _marked(_item_lines(item, inner))]


def cell(value: Any) -> str:
    """One line of text; ``-`` for nothing, and an item of a list that would look like nothing in quotes."""
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_item, value))
    if isinstance(value, dict):
        import json

        return clean(json.dumps(value, ensure_ascii=False))
    return _time_or_text(str(value))


def text_width(text: str) -> int:
    """In columns of a terminal: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _item(value: Any) -> str:
    return f'"{value}"' if value in ("", "-") else cell(value)


def _item_lines(item: Any, width: int | None) -> list[str]:
    return record_lines(item, width) if isinstance(item, dict) and item else _wrapped(_item(item), width)


def _time_or_text(text: str) -> str:
    found = _TIME(text)
    return f"{found[1]}Z" if found else clean(text)


def _dig(value: Any, path: Sequence[str]) -> Any:
    """The field at the end of a path; of each item, where a list stands on the way."""
    if not path:
        return value
    if isinstance(value, list):
        return [_dig(item, path) for item in value]
    return _dig(value.get(path[0]), path[1:]) if isinstance(value, dict) else None


def _is_nested(value: Any) -> bool:
    """Does it need lines of its own? Lists of single words do not."""
    if isinstance(value, list):
        return any(isinstance(item, (dict, list)) or " " in str(item) or "," in str(item) for item in value)
    return isinstance(value, dict) and bool(value)


def _field_lines(field: str, value: Any, longest: int, width: int | None) -> list[str]:
    if not _is_nested(value):
        return _labelled(field, cell(value), longest, width)
    left = _narrower(width, len(_GAP))
    inner = record_lines(value, left) if isinstance(value, dict) else list_lines(value, left)
    return [field, *(f"{_GAP}{line}" for line in inner)]


def _labelled(field: str, text: str, longest: int, width: int | None) -> list[str]:
    """The value's further lines stand below its first."""
    parts = _wrapped(text, _narrower(width, longest + len(_GAP)))
    return [f"{_padded(label, longest)}{_GAP}{part}".rstrip() for label, part in zip([field, *[""] * len(parts)], parts)]


def _narrower(width: int | None, taken: int) -> int | None:
    return None if width is None else max(width - taken, _LONGEST_PIECE)


def _marked(lines: list[str]) -> list[str]:
    return [f"- {lines[0]}", *(f"{_GAP}{line}" for line in lines[1:])]


def _blocks(columns: Sequence[str], cells: list[list[str]], width: int | None) -> list[str]:
    fields = [column.partition(".")[0] for column in columns]
    longest = max(map(len, fields))
    blocks = [[line for field, text in zip(fields, row) for line in _labelled(field, text, longest, width)] for row in cells]
    return [line for at, block in enumerate(blocks) for line in ([""] if at else []) + block]


def _fitted(rows: list[list[str]], width: int | None) -> list[int] | None:
    """The columns' widths; None where even the narrowest do not fit."""
    columns = [list(column) for column in zip(*rows)]
    widths = [max(map(text_width, column)) for column in columns]
    if width is None:
        return widths
    least = [max(text_width(piece.rstrip()) for text in column for piece in _pieces(text)) for column in columns]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while over > 0:
        shrinkable = [at for at in range(len(widths)) if widths[at] > least[at]]
        if not shrinkable:
            return None
        widths[max(shrinkable, key=lambda at: widths[at])] -= 1
        over -= 1
    return widths


def _pieces(text: str) -> list[str]:
    """Where a line may be broken: between these."""
    return [piece for word in re.findall(r"\S+\s*|^$", text) for piece in _pieces_of_word(word)]


def _pieces_of_word(word: str) -> Iterator[str]:
    if _WHOLE(word.rstrip(", ")) or not word:
        yield word
        return
    for piece in _PIECE.findall(word):
        for start in range(0, len(piece), _LONGEST_PIECE):
            yield piece[start : start + _LONGEST_PIECE]


def _wrapped(text: str, width: int | None) -> list[str]:
    if width is None or text_width(text) <= width:
        return [text]
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and text_width((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _row_lines(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    wrapped = [_wrapped(text, width) for text, width in zip(row, widths)]
    for at in range(max(map(len, wrapped))):
        texts = [lines[at] if at < len(lines) else "" for lines in wrapped]
        yield _GAP.join(map(_padded, texts, widths, numeric)).rstrip()


def _padded(text: str, width: int, right: bool = False) -> str:
    blanks = " " * (width - text_width(text))
    return blanks + text if right else text + blanks
