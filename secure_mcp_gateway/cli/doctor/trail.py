"""The audit log."""

from __future__ import annotations

import os
import time

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient
from secure_mcp_gateway.repository.names import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# About 9,000 lines, a fifth of a second.
LARGEST_WALKED = 4 * 1024 * 1024
_WRITE_SECONDS = 0.2


def check_audit(patient: Patient) -> Iterator[Finding]:
    document = patient.document
    assert document is not None
    log = patient.store.log(document)
    verify = patient.command("system audit --verify")
    size = sum(map(os.path.getsize, log.files()))
    if size > LARGEST_WALKED:
        yield _ends(patient, size, verify)
        return
    found = _verified(patient)
    if not found["valid"]:
        copies = os.path.join(os.path.dirname(log.path), "*audit*.jsonl")
        text = f"line {found['broken_line']} of {log.path} is not as it was written: {found['problem']}"
        yield Finding(PROBLEM, "audit", text, f"nothing mends it: keep copies of {copies} and find out who did it; {verify}")
    elif found["problem"]:
        yield Finding(WARNING, "audit", found["problem"], f"look whether it was meant: {verify}")
    else:
        yield Finding(OK, "audit", f"{counted(found['lines'], 'line')}, none of them changed, moved or missing")


def _ends(patient: Patient, size: int, verify: str) -> Finding:
    doubt = patient.store.audit_doubt()
    if doubt:
        return Finding(PROBLEM, "audit", f"the audit log: {doubt}", f"see where it is broken: {verify}")
    return Finding(OK, "audit", f"{size // 1024 // 1024} MiB, its ends are in order; too long to be walked here, {verify} does")


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
