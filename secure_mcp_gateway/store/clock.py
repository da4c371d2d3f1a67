"""Times as the store writes them: ISO 8601, UTC, microseconds and offset, so that text order is time order."""

from __future__ import annotations

import time

_last_second = (-1, "")


def time_text(nanoseconds: int) -> str:
    """``2026-01-02T03:04:05.678901+00:00`` of nanoseconds since 1970."""
    global _last_second
    second, rest = divmod(nanoseconds, 1_000_000_000)
    kept, text = _last_second
    if kept != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _last_second = (second, text)
    return f"{text}.{rest // 1000:06d}+00:00"


def now_text() -> str:
    return time_text(time.time_ns())


def time_after(now: str, days: int) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(now) + timedelta(days=days)).isoformat(timespec="microseconds")


def is_time(text: str) -> bool:
    """Is this a time as the store writes it?"""
    return len(text) == 32 and text.endswith("+00:00") and text[10] == "T" and text[:4].isdigit() and text[17:19].isdigit()


def utc_time(text: object) -> str:
    """Any ISO 8601 date and time in the store's form, taken as UTC where it has no offset; ``ValueError`` for anything else."""
    import re
    from datetime import datetime, timezone

    if not isinstance(text, str):
        raise ValueError("a time is a string")
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?", text, re.ASCII)
    if parts is None:
        raise ValueError("a time has the form 2026-01-02T03:04:05Z")
    day, minutes, seconds, fraction, offset = parts.groups()
    exact = f"{day}T{minutes or '00:00'}{seconds or ':00'}.{(fraction or '')[:6]:0<6}{'+00:00' if offset in (None, 'Z') else offset}"
    try:
        return datetime.fromisoformat(exact).astimezone(timezone.utc).isoformat(timespec="microseconds")
    except OverflowError:
        raise ValueError("a time is out of range") from None
