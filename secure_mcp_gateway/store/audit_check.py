"""Reading the audit log back: repairing its end after a crash, and verifying the whole chain."""

from __future__ import annotations

import os
import sys
from collections import deque
from itertools import islice

from secure_mcp_gateway.store.audit import GENESIS, LONGEST, MOST_GENERATIONS, REPAIR, is_torn, open_regular, opened
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.document import AuditHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from secure_mcp_gateway.store.audit import AuditLog, Line

_UNCOMMITTED, _LOST = "uncommitted_lines", "lines_of_lost_writes"
_PART, _END = 65536, 16384
_MOST_LOOKED_AT, _MOST_REMEMBERED = 1000, 200


def recovered(log: AuditLog, descriptor: int, head: AuditHead, generation: int) -> tuple[AuditHead, list[Line]]:
    """Walk what stands behind the document's head: refusals, and writes that never committed. A torn last line is cut off; what no
    crash can have left stays.

    Gives the log's real end and the lines that say what was found.
    """
    holding = _holding(log, descriptor, head)
    size = os.fstat(descriptor).st_size
    if holding is None:
        size = _line_ended(descriptor, size)
        return AuditHead(head.lines, head.head, size, head.file), [_repair({"gap": f"line {head.lines} is not where it was written"})]
    count, last, behind, rest, sound = head.lines, head.head, Behind(generation), b"", True
    for line in _lines_behind(holding, descriptor, head.size):
        content = opened(line)
        if not rest and not line.endswith(b"\n"):
            rest = line
            continue
        if rest or content is None or _problem(content, count + 1, last) or behind.problem(content):
            sound = False
            break
        count, last = count + 1, content["hash"]
    repairs = []
    if sound and rest and is_torn(rest, count + 1):
        whole = _end_of_lines(descriptor, size)
        os.ftruncate(descriptor, whole)
        repairs.append(_repair({"torn_bytes": str(size - whole)}))
        size = whole
    elif rest or not sound:
        size = _line_ended(descriptor, size)
        repairs.append(_repair({"gap": f"line {count + 1} is not as it was written"}))
    if behind.uncommitted:
        named = _LOST if behind.is_rolled_back else _UNCOMMITTED
        repairs.append(_repair({named: ",".join(map(str, sorted(behind.uncommitted)))}))
    return AuditHead(count, last, size, head.file), repairs


def last_generation(log: AuditLog, head: AuditHead, generation: int) -> int:
    """The highest generation that the log proves of a store that says of itself it is at ``generation``: where the lines behind the
    head show that the document is an older copy, or those up to it that its number was set back by hand. Raises OSError."""
    descriptor = open_regular(log.path, os.O_RDONLY)
    behind, highest = Behind(generation), generation
    try:
        holding = _holding(log, descriptor, head)
        if holding is None:
            return generation
        reached = _reached(holding, descriptor, head)
        for number, line in enumerate(_lines_behind(holding, descriptor, head.size), 1):
            content = opened(line)
            # Each generation has a line of its own: a number that runs ahead of the lines was not given by us.
            if content is None or behind.problem(content) or (content["generation"] or 0) > generation + number:
                break
            highest = max(highest, content["generation"] or 0)
    finally:
        os.close(descriptor)
    return max(highest if behind.is_rolled_back else generation, reached if reached <= MOST_GENERATIONS else 0)


def first_doubt(log: AuditLog, head: AuditHead, generation: int) -> str:
    """What is wrong with the log as far as its ends tell: its first line, that of the document's head, and some behind that. Only
    ``verified`` sees all. Raises OSError."""
    if not log.files():
        return f"it is gone, the store knows {head.lines} lines" if head.lines else ""
    descriptor = open_regular(log.path, os.O_RDONLY)
    try:
        first, holding = _first_line(log), _holding(log, descriptor, head)
        if head.lines and (first is None or _problem(first, 1, GENESIS)):
            return "its first line is not the one that was written"
        if holding is None:
            return f"line {head.lines} is not where it was written"
        reached = _reached(holding, descriptor, head)
        return _set_back(generation, reached) or _doubt_behind(_lines_behind(holding, descriptor, head.size, LONGEST), head, generation)
    finally:
        os.close(descriptor)


def _first_line(log: AuditLog) -> Line | None:
    with open(log.files()[0], "rb", opener=open_regular) as file:
        return opened(file.readline(_PART))


def _doubt_behind(lines: Iterator[bytes], head: AuditHead, generation: int) -> str:
    count, last, behind = head.lines, head.head, Behind(generation)
    for line in islice(lines, _MOST_LOOKED_AT):
        content = opened(line)
        if not line.endswith(b"\n"):
            break  # torn, or written just now
        if content is None or _problem(content, count + 1, last) or behind.problem(content):
            return f"line {count + 1} is not as it was written"
        count, last = count + 1, content["hash"]
    return "; ".join(behind.said()) if behind.is_rolled_back else ""


def last_line(path: str) -> Line | None:
    """The last line of this file that is as it was written, if one of its last ones is. Raises OSError."""
    descriptor = open_regular(path, os.O_RDONLY)
    try:
        lines = _last_part(descriptor, os.fstat(descriptor).st_size).splitlines(keepends=True)
    finally:
        os.close(descriptor)
    return next((content for line in reversed(lines) if (content := opened(line)) is not None), None)


def _last_part(descriptor: int, end: int) -> bytes:
    """What stands before this position; the first line of it may be cut."""
    start = max(0, end - _END)
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, end - start)


def _holding(log: AuditLog, descriptor: int, head: AuditHead) -> list[str] | None:
    """The rotated files from the one on that the document's head is in, which are none where that is the current one; None where it is
    in no file. A rotation may have come since."""
    if _ends_with(descriptor, head):
        return []
    archives = [path for path in log.files() if path != log.path]
    for at in reversed(range(len(archives))):
        archive = open_regular(archives[at], os.O_RDONLY)
        try:
            if _ends_with(archive, head):
                return archives[at:]
        finally:
            os.close(archive)
    return None


def _reached(holding: list[str], descriptor: int, head: AuditHead) -> int:
    """The generation that the last lines up to the head tell of."""
    file = open_regular(holding[0], os.O_RDONLY) if holding else descriptor
    try:
        lines = _last_part(file, head.size).splitlines(keepends=True)
    finally:
        if holding:
            os.close(file)
    return _generation_of(content for line in lines if (content := opened(line)) is not None)


def _lines_behind(archives: list[str], descriptor: int, position: int, longest: int = sys.maxsize) -> Iterator[bytes]:
    """Those from this position of the first file on, one by one, for refusals may have filled many files since the last write. None
    of a file behind a line that is longer than ``longest``: a crash can leave any number of zeros."""
    for path in archives:
        archive = open_regular(path, os.O_RDONLY)
        try:
            yield from _lines_from(archive, position, longest)
        finally:
            os.close(archive)
        position = 0
    yield from _lines_from(descriptor, position, longest)


def _lines_from(descriptor: int, position: int, longest: int) -> Iterator[bytes]:
    """As ``bounded_lines`` of a file object gives them, which would not say why it cannot."""
    os.lseek(descriptor, position, os.SEEK_SET)
    begun: list[bytes] = []
    length = 0
    while part := os.read(descriptor, _PART):
        *ended, rest = part.split(b"\n")
        for line in ended:
            yield b"".join(begun) + (line if length <= LONGEST else b"") + b"\n"
            begun, length = [], 0
        if length <= LONGEST:
            begun.append(rest)
        length += len(rest)
        if length > longest:
            return
    if any(begun):
        yield b"".join(begun)


def _ends_with(descriptor: int, head: AuditHead) -> bool:
    """Does the line that ends at ``head.size`` have the head's hash?"""
    if head.size == 0:
        # Nothing in this file yet: the first line must go on from the head, which the caller checks by `prev`.
        return head.head == GENESIS or head.lines > 0
    os.lseek(descriptor, max(0, head.size - 67), os.SEEK_SET)
    return os.read(descriptor, min(67, head.size)) == head.head.encode() + b'"}\n'


def _end_of_lines(descriptor: int, size: int) -> int:
    """Where the last whole line ends."""
    while size > 0:
        start = max(0, size - _PART)
        os.lseek(descriptor, start, os.SEEK_SET)
        found = os.read(descriptor, size - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def _line_ended(descriptor: int, size: int) -> int:
    """The size, once our next line cannot be glued to what stands there and stays."""
    os.lseek(descriptor, max(0, size - 1), os.SEEK_SET)
    return size if os.read(descriptor, 1) in (b"\n", b"") else size + os.write(descriptor, b"\n")


def _repair(named: dict[str, str]) -> Line:
    return {
        "time": now_text(),
        "actor": {"kind": "store", "id": "", "name": ""},
        "request_id": "",
        "operation": REPAIR,
        "named": named,
        "result": "ok",
        "generation": None,
    }


def tells_of_a_write(content: Line) -> bool:
    """Where the document does not know such a line, the write never committed. Refusals are written without the document."""
    return bool(content["result"] == "ok" and content["operation"] != REPAIR)


def declared_uncommitted(content: Line) -> set[int]:
    if content["operation"] != REPAIR:
        return set()
    return _numbers(content, _UNCOMMITTED) | _numbers(content, _LOST)


def _numbers(content: Line, name: str) -> set[int]:
    return {int(each) for each in content["named"].get(name, "").split(",") if each.isdecimal()}


def verified(log: AuditLog, head: AuditHead, generation: int) -> Line:
    """``{valid, lines, broken_line, problem}``: the first line that is not as it was written, over all rotated files.

    Of a valid log ``problem`` says what is to be known all the same: a torn last line, and writes that the document does not hold,
    because a crash came between or an older copy of it was put in its place, now or at any time before; and a generation of the
    document that was set back.
    """
    count, last, behind, torn, lost = 0, GENESIS, Behind(generation), False, list[str]()
    known: deque[Line] = deque(maxlen=_MOST_REMEMBERED)
    for raw in log.lines():
        if count >= head.lines and not raw.endswith(b"\n") and is_torn(raw, count + 1):
            torn = True
            break
        content = opened(raw)
        if content is None:
            return _broken(count + 1, "its bytes are not those that were written")
        problem = _problem(content, count + 1, last) or (behind.problem(content) if count >= head.lines else "")
        if problem:
            return _broken(*_blamed(content, count, problem))
        if content["operation"] == REPAIR and (gone := _numbers(content, _LOST)):
            lost.append(f"line {count + 1} says that {_which(gone)} that an older copy of the store, put in its place, does not hold")
        count, last = count + 1, content["hash"]
        if count <= head.lines:
            known.append(content)
        if count == head.lines and last != head.head:
            return _broken(count, "it is not the line that the store knows: the log was replaced from here on or before")
    if count < head.lines:
        return _broken(count + 1, f"the log ends here, the store knows {head.lines} lines")
    set_back = _set_back(generation, _generation_of(known))
    problems = [*lost, *([set_back] if set_back else ()), *behind.said(), *(["the last line is torn: a crash cut it off"] if torn else ())]
    return {"valid": True, "lines": count, "broken_line": None, "problem": "; ".join(problems) or None}


def _generation_of(lines: Iterable[Line]) -> int:
    """What the store had come to by these lines, the last ones up to the document's head: by those of them that it vouches for."""
    gone: set[int] = set()
    writes: list[Line] = []
    for content in lines:
        gone |= declared_uncommitted(content)
        writes += [content] if tells_of_a_write(content) else []
    return max((max(each.get("base", 0), each["generation"] or 0) for each in writes if each["n"] not in gone), default=0)


def _set_back(generation: int, reached: int) -> str:
    if generation >= reached:
        return ""
    said = f"the store says that it is at generation {generation}, and was at {reached} before: the number was set back by hand"
    return f"{said}; the next write goes on from there"


class Behind:
    """The lines behind the document's head, of a document at ``generation``: refusals, repairs, and attempts to write that came to
    nothing, each of which goes on from that generation. One that went from a later one proves that there was a later document."""

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self.uncommitted: set[int] = set()
        self.is_rolled_back = False

    def problem(self, content: Line) -> str:
        """Why this line, the next one, cannot have been written behind the head."""
        self.uncommitted -= declared_uncommitted(content)
        base = content.get("base", self._generation)
        if base < self._generation:
            return f"it goes on from generation {base}, and the store is at {self._generation}"
        self.is_rolled_back |= base > self._generation
        if not tells_of_a_write(content):
            return ""
        if content["generation"] is not None and content["generation"] <= self._generation:
            return f"it tells of generation {content['generation']}, and the store, at {self._generation}, does not know this line"
        self.uncommitted.add(content["n"])
        return ""

    def said(self) -> list[str]:
        if not self.uncommitted:
            return []
        crash = "" if self.is_rolled_back else "a crash or a full disk came between, or "
        return [f"{_which(self.uncommitted)} that the store does not hold: {crash}an older copy of the store was put in its place"]


def _which(lines: set[int]) -> str:
    first, last = min(lines), max(lines)
    return f"line {first} tells of a write" if first == last else f"lines {first} to {last} tell of writes"


def _blamed(content: Line, count: int, problem: str) -> tuple[int, str]:
    """The line to name: the one found, or, where that is the store's own note of a gap, the one that the note is about."""
    words = content["named"].get("gap", "").split(" ") if content["operation"] == REPAIR else []
    if len(words) > 1 and words[1].isdecimal() and 0 < int(words[1]) <= count:
        return int(words[1]), "it is not the line that was written: the log was replaced from here on or before"
    return count + 1, problem


def _problem(content: Line, number: int, last: str) -> str:
    if content["n"] != number:
        return f"line {content['n']} stands in its place"
    return "" if content["prev"] == last else "it does not follow from the line before"


def _broken(number: int, problem: str) -> Line:
    return {"valid": False, "lines": number - 1, "broken_line": number, "problem": problem}
