"""``system doctor``: looks at the machine, the store and what stands in it, and says what is wrong with the command that mends it.

It changes nothing, and each check fails alone: it is needed most where the store is missing, damaged, somebody else's or locked.
"""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, me, owner_of
from secure_mcp_gateway.errors import GatewayError, fault_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from secure_mcp_gateway.cli.commands import Invocation

    Check = Callable[[Patient], Iterator[Finding]]

_LEVELS = (PROBLEM, WARNING, OK)


def command() -> Command:
    summary = "Look for what is wrong or soon will be, with the command that mends it"
    return Command("system doctor", summary, (), run, says_no=True)


def run(invocation: Invocation) -> int:
    from secure_mcp_gateway.cli.doctor.report import lines, summary
    from secure_mcp_gateway.cli.output import terminal_width

    output = invocation.output
    patient = _patient(invocation)
    with output.working("examining"):
        found = examined(patient)
    worst = found[0].level
    if output.is_json:
        output.document({"status": worst, "findings": [_said(each) for each in found]})
    else:
        output.text("doctor", "\n".join(lines(found, terminal_width())))
        output.note(summary(found))
    return 1 if worst == PROBLEM else 0


def _said(found: Finding) -> dict[str, str | None]:
    return {
        "level": found.level,
        "area": found.area,
        "text": found.text,
        "fix": found.fix or None,
        "advice": found.advice or None,
    }


def _patient(invocation: Invocation) -> Patient:
    """On a network file system too: that is something to be said, not a reason to say nothing."""
    allows_network = "allow-network-fs" in invocation.given
    invocation.given["allow-network-fs"] = True
    store = invocation.store()
    return Patient(store, invocation.output.named_store, allows_network)


def examined(patient: Patient) -> list[Finding]:
    """What all checks found, the worst first."""
    found = [finding for area, check in _checks(patient) for finding in _alone(area, check, patient)]
    return sorted(found, key=lambda finding: _LEVELS.index(finding.level))


def _checks(patient: Patient) -> list[tuple[str, Check]]:
    from secure_mcp_gateway.cli.doctor import content, disk, lock, machine, permissions, ports, servers, storage, trail

    of_any: list[tuple[str, Check]] = [
        ("store", storage.check_store),
        ("python", machine.check_python),
        ("tls", machine.check_tls),
        ("clock", machine.check_clock),
        ("disk", disk.check_disk),
        ("permissions", permissions.check_permissions),
        ("lock", lock.check_lock),
        ("leftovers", permissions.check_leftovers),
        ("ports", ports.check_ports),
    ]
    of_readable: list[tuple[str, Check]] = [
        ("audit", trail.check_audit),
        ("records", content.check_records),
        ("names", content.check_names),
        ("admin keys", content.check_admin_keys),
        ("keys", content.check_api_keys),
        ("configs", content.check_configs),
        ("projects", content.check_projects),
        ("servers", servers.check_servers),
    ]
    return of_any + of_readable if patient.document is not None else of_any


def _alone(area: str, check: Check, patient: Patient) -> Iterator[Finding]:
    """What the check finds; that it fails is a finding too."""
    others_hold = "look for it in the system's log; what else is said here holds all the same"
    try:
        yield from check(patient)
    except GatewayError as error:
        where = f" ({error.private})" if error.private else ""
        yield Finding(PROBLEM, area, error.message + where, advice=error.hint or others_hold)
    except OSError as error:
        where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, (str, bytes)) else ""
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        text = f"cannot be looked at: {reason}{where}"
        if not isinstance(error, PermissionError) or os.name == "nt":
            yield Finding(PROBLEM, area, text, advice=others_hold)
        elif owner_of(error.filename or "") in (me(), None):
            yield Finding(PROBLEM, area, text, advice="open it to its owner, as is said of the permissions here")
        else:
            yield Finding(PROBLEM, area, text, patient.as_owner(os.fsdecode(error.filename), "system doctor"))
    except Exception as error:
        report = "report it with these words to who makes this program"
        yield Finding(PROBLEM, area, f"this check itself is at fault ({fault_place(error)}); the others hold", advice=report)
