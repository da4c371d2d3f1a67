"""The audit log."""

from __future__ import annotations

import os
import time

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, size_of
from secure_mcp_gateway.cli.doctor.lock import away, free_name
from secure_mcp_gateway.repository.names import counted
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.facts import kind_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# About 9,000 lines, a fifth of a second.
LARGEST_WALKED = 4 * 1024 * 1024
_WRITE_SECONDS = 0.2
_FIND_OUT = "find out who did it, and keep copies of the log's files: nothing brings back what it was, and writes go on behind it"


def check_audit(patient: Patient) -> Iterator[Finding]:
    document = patient.document
    assert document is not None
    log = patient.store.log(document)
    for fact in kind_facts("the audit log", log.path):
        yield Finding(PROBLEM, "audit", f"{fact.text} ({log.path})", _as_a_file(log.path))
        return
    size = sum(map(os.path.getsize, log.files()))
    if not os.path.exists(log.path) and document.audit.lines:
        text = f"{log.path} is gone, in which the store knows {counted(document.audit.lines, 'line')}"
        advice = "put it back from where it was moved to, or from a copy of the disk; the next write begins a new one, and says so in it"
        yield Finding(PROBLEM, "audit", text, advice=advice)
    elif size > LARGEST_WALKED:
        yield _ends(patient, size)
    else:
        yield _walked(log.path, _verified(patient))


def _as_a_file(path: str) -> str:
    """Of a link to the log a copy in its own place keeps the lines."""
    if os.path.islink(path) and os.path.isfile(path):
        alone = quote(free_name(f"{path}.alone"))
        return f"cp -p {quote(path)} {alone} && mv {alone} {quote(path)}"
    return away(path)


def _walked(path: str, found: dict[str, Any]) -> Finding:
    if not found["valid"]:
        text = f"line {found['broken_line']} of {path} is not as it was written: {found['problem']}"
        return Finding(PROBLEM, "audit", text, advice=_FIND_OUT)
    if found["problem"]:
        advice = "nothing need be mended: the next write notes it; if it was no crash and no copy of yours, find out who did it"
        return Finding(WARNING, "audit", found["problem"], advice=advice)
    return Finding(OK, "audit", f"{counted(found['lines'], 'line')}, none of them changed, moved or missing")


def _ends(patient: Patient, size: int) -> Finding:
    doubt, verify = patient.store.audit_doubt(), patient.command("system audit --verify")
    if doubt:
        return Finding(PROBLEM, "audit", f"the audit log: {doubt}", verify)
    return Finding(OK, "audit", f"{size_of(size)}, no whole line at its ends was changed; too long to be walked here, {verify} does")


def _verified(patient: Patient) -> dict[str, Any]:
    """Without the lock, whose file would have to be made where there is none. What looks wrong may be a write under way, and is looked
    at again when that is over."""
    from secure_mcp_gateway.store.audit_check import verified

    def look() -> dict[str, Any]:
        document = patient.store.snapshot()
        return verified(patient.store.log(document), document.audit, document.generation)

    found = look()
    if found["valid"] and not found["problem"]:
        return found
    time.sleep(_WRITE_SECONDS)
    return look()
