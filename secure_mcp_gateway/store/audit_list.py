"""Listing the audit log: what was found is read when it is looked at, for a page of a large log must not take memory for all of it."""

from __future__ import annotations

import os
from array import array

from secure_mcp_gateway.store.audit import bounded_lines, open_regular, opened
from secure_mcp_gateway.store.audit_check import declared_uncommitted, tells_of_a_write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

    from secure_mcp_gateway.store.audit import AuditLog, Line
    from secure_mcp_gateway.store.document import AuditHead

_OFFSET_BITS = 40


class FoundLines:
    """The lines that ``keep`` admits (``since``, ``actor``, ``operation``), newest first, each with ``committed``: whether the store
    vouches for its write. For one that got lost with an older copy it does not: it cannot tell it from one that somebody made up.

    A sequence. Its files stay open, so that a rotation takes nothing away from it. Raises OSError.
    """

    def __init__(self, log: AuditLog, keep: dict[str, str], known: int) -> None:
        """``known``: as many lines as the document vouches for already."""
        self._log = log
        self._keep = keep
        self._known = known
        self._files: list[BinaryIO] = []
        # Of each line found its file and its offset in that; 8 bytes instead of some thousand.
        self._places = array("Q")
        self._writes = set[int]()
        self._uncommitted = set[int]()
        for path in log.files():
            self._files.append(os.fdopen(open_regular(path, os.O_RDONLY), "rb"))
            self._walk(len(self._files) - 1)

    def __del__(self) -> None:
        for file in self._files:
            file.close()

    def judge(self, head: AuditHead) -> FoundLines:
        """By a document that is read after the lines: a write that came in between must not look as if it had never been committed."""
        self._uncommitted.update(number for number in self._writes if number > head.lines)
        self._writes = set()
        return self

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Line]:
        return (self._line(place) for place in reversed(self._places))

    def __getitem__(self, at: Any) -> Any:
        found = self._places[::-1][at]
        return [self._line(place) for place in found] if isinstance(at, slice) else self._line(found)

    def _walk(self, number: int) -> None:
        offset = 0
        for length, raw in bounded_lines(self._files[number]):
            content = opened(raw)
            if content is not None:
                self._uncommitted |= declared_uncommitted(content)
                if content["n"] > self._known and tells_of_a_write(content):
                    self._writes.add(content["n"])
                if _admitted(content, self._keep):
                    self._places.append(number << _OFFSET_BITS | offset)
            offset += length

    def _line(self, place: int) -> Line:
        file = self._files[place >> _OFFSET_BITS]
        try:
            file.seek(place & (1 << _OFFSET_BITS) - 1)
            content = opened(file.readline())
        except OSError as error:
            raise self._log.unreadable(error) from None
        if content is None:
            raise self._log.unreadable(OSError("a line changed while it was read"))
        content["committed"] = content["result"] == "ok" and content["n"] not in self._uncommitted
        content.pop("base", None)
        del content["prev"], content["hash"]
        return content


def _admitted(content: Line, keep: dict[str, str]) -> bool:
    if content["time"] < keep.get("since", ""):
        return False
    actor, operation = keep.get("actor"), keep.get("operation")
    if actor is not None and actor not in (content["actor"]["id"], content["actor"]["name"]):
        return False
    return operation is None or operation == content["operation"]
