"""The machine: its Python, its clock."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, timezone

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, as_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.store.document import Document

LOWEST = (3, 9)
# The last month with security fixes (PEP 596, 619, 664, 693, 719, 745).
_LAST_MONTH = {9: "2025-10", 10: "2026-10", 11: "2027-10", 12: "2028-10", 13: "2029-10", 14: "2030-10"}
_SOON_DAYS = 90
# What clocks of machines differ by while all is well.
_TOLERATED = timedelta(seconds=5)
_EARLIEST, _FAR = 2026, timedelta(days=3650)


def check_python(patient: Patient) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    newer = "install a newer Python, and this package for it"
    if sys.version_info[:2] < LOWEST:
        yield Finding(PROBLEM, "python", f"Python {version} at {sys.executable} is older than 3.9", advice=newer)
        return
    last = _LAST_MONTH.get(sys.version_info[1], "")
    if last and patient.now[:7] > last:
        yield Finding(WARNING, "python", f"Python {version} gets no security fixes since {last}", advice=newer)
    elif last and later(patient.now, _SOON_DAYS)[:7] > last:
        yield Finding(WARNING, "python", f"Python {version} gets security fixes until {last} only", advice=newer)
    else:
        yield Finding(OK, "python", f"{version} at {sys.executable}")


def check_tls(patient: Patient) -> Iterator[Finding]:
    rebuild = "install Python with its ssl module (from the system's packages, or built with OpenSSL 1.1.1 or later)"
    try:
        import ssl
    except ImportError:
        yield Finding(WARNING, "tls", "this Python has no ssl module: the API can be served without TLS only", advice=rebuild)
        return
    if ssl.HAS_TLSv1_2 or ssl.HAS_TLSv1_3:
        newest = "1.3" if ssl.HAS_TLSv1_3 else "1.2"
        yield Finding(OK, "tls", f"{ssl.OPENSSL_VERSION}, up to TLS {newest}")
    else:
        text = f"{ssl.OPENSSL_VERSION} knows neither TLS 1.2 nor 1.3: the API cannot be served over TLS"
        yield Finding(WARNING, "tls", text, advice=rebuild)


def check_clock(patient: Patient) -> Iterator[Finding]:
    """Ends of keys are judged by it, and records are ordered by it."""
    now = datetime.fromisoformat(patient.now)
    newest, what = _newest(patient)
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now.year < _EARLIEST:
        yield _wrong(PROBLEM, f"it says {said}: that is before this program was made")
    elif newest is not None and newest - now > _TOLERATED:
        text = f"it says {said}, but {what} is of {newest:%Y-%m-%d %H:%M:%S}: it went back, and keys live longer than they should"
        yield _wrong(PROBLEM, f"{text}; or it was ahead then, which time mends")
    elif newest is not None and now - newest > _FAR:
        text = f"it says {said}, ten years and more after {what}: if it is far ahead, keys have ended that should work"
        yield _wrong(WARNING, text)
    else:
        yield Finding(OK, "clock", said)


def later(now: str, days: int) -> str:
    from secure_mcp_gateway.store.clock import time_after

    return time_after(now, days)


def _wrong(level: str, text: str) -> Finding:
    if os.path.isdir("/run/systemd/system"):  # sd_booted(3): else timedatectl has nobody to ask
        return Finding(level, "clock", text, as_root("timedatectl set-ntp true"))
    return Finding(level, "clock", text, advice="compare it with another clock, and set it as root: date -u -s 'YYYY-MM-DD hh:mm:ss'")


def _newest(patient: Patient) -> tuple[datetime | None, str]:
    """The latest moment that the store or its audit log tells of, and what it is of."""
    if patient.document is None:
        return None, ""
    found = [(_newest_record(patient.document), "the newest record"), (_last_audited(patient), "the last audit line")]
    moments = [(moment, what) for text, what in found if (moment := _moment(text)) is not None]
    return max(moments) if moments else (None, "")


def _newest_record(document: Document) -> str:
    """Each table is in the order of creation."""
    from secure_mcp_gateway.store.document import TABLES

    buckets = [document.table(name).buckets[-1] for name in TABLES if len(document.table(name))]
    return max((bucket.last[0] for bucket in buckets), default="")


def _last_audited(patient: Patient) -> str:
    from secure_mcp_gateway.store.audit_check import last_line

    assert patient.document is not None
    try:
        content = last_line(patient.store.log(patient.document).path)
    except OSError:
        return ""  # the audit's own check says so
    return content["time"] if content is not None else ""


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(timezone.utc)
    except ValueError:
        return None
