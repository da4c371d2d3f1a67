"""``system doctor``: looks at the machine, the store and what stands in it, and says what is wrong with the command that mends it.

It changes nothing, and each check fails alone: it is needed most where the store is missing, damaged, somebody else's or locked.
"""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient
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
    found = examined(_patient(invocation))
    worst = found[0].level
    if output.is_json:
        findings = [{"level": each.level, "area": each.area, "text": each.text, "fix": each.fix or None} for each in found]
        output.document({"status": worst, "findings": findings})
    else:
        output.text("doctor", "\n".join(lines(found, terminal_width())))
        output.note(summary(found))
    return 1 if worst == PROBLEM else 0


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
    from secure_mcp_gateway.cli.doctor import content, machine, ports, servers, storage, trail

    of_any: list[tuple[str, Check]] = [
        ("store", storage.check_store),
        ("python", machine.check_python),
        ("tls", machine.check_tls),
        ("clock", machine.check_clock),
        ("disk", storage.check_disk),
        ("permissions", storage.check_permissions),
        ("lock", storage.check_lock),
        ("leftovers", storage.check_leftovers),
        ("ports", ports.check_ports),
    ]
    of_readable: list[tuple[str, Check]] = [
        ("audit", trail.check_audit),
        ("records", content.check_records),
        ("admin keys", content.check_admin_keys),
        ("keys", content.check_api_keys),
        ("configs", content.check_configs),
        ("projects", content.check_projects),
        ("servers", servers.check_servers),
    ]
    return of_any + of_readable if patient.document is not None else of_any


def _alone(area: str, check: Check, patient: Patient) -> Iterator[Finding]:
    """What the check finds; that it fails is a finding too."""
    as_owner = f"try it as the store's owner: {patient.command('system doctor')}"
    try:
        yield from check(patient)
    except GatewayError as error:
        where = f" ({error.private})" if error.private else ""
        yield Finding(PROBLEM, area, error.message + where, error.hint or as_owner)
    except OSError as error:
        where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, (str, bytes)) else ""
        yield Finding(PROBLEM, area, f"cannot be looked at: {os.strerror(error.errno or 0).lower()}{where}", as_owner)
    except Exception as error:
        yield Finding(PROBLEM, area, f"this check itself is at fault ({fault_place(error)}); the others hold", "report it with these words")
