"""Reading the audit log back: repairing its end after a crash, listing it, and verifying the whole chain."""

from __future__ import annotations

import os

from secure_mcp_gateway.store.audit import GENESIS, REPAIR, opened
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.document import AuditHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.audit import AuditLog, Line


def recovered(log: AuditLog, descriptor: int, head: AuditHead, generation: int) -> tuple[AuditHead, list[Line]]:
    """Walk what stands behind the document's head: refusals, and writes that never committed. A torn last line is cut off.

    Gives the log's real end and the lines that say what was found.
    """
    data = _behind(log, descriptor, head)
    size = os.fstat(descriptor).st_size
    if data is None:
        if size and not _ends_a_line(descriptor, size):
            # What stands there stays, but our next line must not be glued to it.
            size += os.write(descriptor, b"\n")
        return AuditHead(head.lines, head.head, size, head.file), [_repair({"gap": f"line {head.lines} is not where it was written"})]
    whole = data[: data.rfind(b"\n") + 1]
    repairs = []
    if len(whole) < len(data):
        size -= len(data) - len(whole)
        os.ftruncate(descriptor, size)
        repairs.append(_repair({"torn_bytes": str(len(data) - len(whole))}))
    count, last, uncommitted = head.lines, head.head, set[int]()
    for line in whole.split(b"\n")[:-1]:
        content = opened(line + b"\n")
        if content is None or content["prev"] != last:
            repairs.append(_repair({"gap": f"line {count + 1} is not as it was written"}))
            break
        count, last = content["n"], content["hash"]
        uncommitted -= _declared(content)
        if _never_committed(content, generation):
            uncommitted.add(count)
    if uncommitted:
        repairs.append(_repair({"uncommitted_lines": ",".join(map(str, sorted(uncommitted)))}))
    return AuditHead(count, last, size, head.file), repairs


def _behind(log: AuditLog, descriptor: int, head: AuditHead) -> bytes | None:
    """The bytes behind the document's head; None where the head is not found. A rotation may have come in between."""
    if _ends_with(descriptor, head):
        return _read_from(descriptor, head.size)
    later = _read_from(descriptor, 0)
    for path in reversed([path for path in log.files() if path != log.path]):
        archive = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            if _ends_with(archive, head):
                return _read_from(archive, head.size) + later
            later = _read_from(archive, 0) + later
        finally:
            os.close(archive)
    return None


def _ends_with(descriptor: int, head: AuditHead) -> bool:
    """Does the line that ends at ``head.size`` have the head's hash?"""
    if head.size == 0:
        # Nothing in this file yet: the first line must go on from the head, which the caller checks by `prev`.
        return head.head == GENESIS or head.lines > 0
    os.lseek(descriptor, max(0, head.size - 67), os.SEEK_SET)
    return os.read(descriptor, min(67, head.size)) == head.head.encode() + b'"}\n'


def _ends_a_line(descriptor: int, size: int) -> bool:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def _read_from(descriptor: int, position: int) -> bytes:
    os.lseek(descriptor, position, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


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


def _never_committed(content: Line, generation: int) -> bool:
    """Of a line that the document of this generation does not know. Refusals are never known to it; a backup has no generation."""
    if content["result"] != "ok" or content["operation"] == REPAIR:
        return False
    return content["generation"] is None or int(content["generation"]) > generation


def _declared(content: Line) -> set[int]:
    if content["operation"] != REPAIR:
        return set()
    return {int(each) for each in content["named"].get("uncommitted_lines", "").split(",") if each}


def newest_first(lines: list[bytes], head: AuditHead, generation: int, keep: dict[str, str]) -> list[Line]:
    """Every line that ``keep`` admits (``since``, ``actor``, ``operation``), each with ``committed``: whether its write took place."""
    found: list[Line] = []
    uncommitted: set[int] = set()
    for raw in lines:
        content = opened(raw)
        if content is None:
            continue
        uncommitted |= _declared(content)
        if content["n"] > head.lines and _never_committed(content, generation):
            uncommitted.add(content["n"])
        if _admitted(content, keep):
            found.append(content)
    for content in found:
        content["committed"] = content["result"] == "ok" and content["n"] not in uncommitted
        del content["prev"], content["hash"]
    return found[::-1]


def _admitted(content: Line, keep: dict[str, str]) -> bool:
    if content["time"] < keep.get("since", ""):
        return False
    actor, operation = keep.get("actor"), keep.get("operation")
    if actor is not None and actor not in (content["actor"]["id"], content["actor"]["name"]):
        return False
    return operation is None or operation == content["operation"]


def verified(log: AuditLog, head: AuditHead) -> Line:
    """``{valid, lines, broken_line, problem}``: the first line that is not as it was written, over all rotated files."""
    count, last, torn = 0, GENESIS, False
    for raw in log.lines():
        if count >= head.lines and not raw.endswith(b"\n"):
            torn = True
            break
        content = opened(raw)
        if content is None:
            return _broken(count + 1, "its bytes are not those that were written")
        problem = _problem(content, count + 1, last)
        if problem:
            return _broken(count + 1, problem)
        count, last = count + 1, content["hash"]
        if count == head.lines and last != head.head:
            return _broken(count, "it is not the line that the store knows: the log was replaced from here on or before")
    if count < head.lines:
        return _broken(count + 1, f"the log ends here, the store knows {head.lines} lines")
    return {"valid": True, "lines": count, "broken_line": None, "problem": "the last line is torn: a crash cut it off" if torn else None}


def _problem(content: Line, number: int, last: str) -> str:
    if content["n"] != number:
        return f"line {content['n']} stands in its place"
    return "" if content["prev"] == last else "it does not follow from the line before"


def _broken(number: int, problem: str) -> Line:
    return {"valid": False, "lines": number - 1, "broken_line": number, "problem": problem}

