"""Times as the store writes them: ISO 8601, UTC, microseconds and offset, so that text order is time order."""

from __future__ import annotations

import time


def time_text(nanoseconds: int) -> str:
    """``2026-01-02T03:04:05.678901+00:00`` of nanoseconds since 1970."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1000:06d}+00:00"


def now_text() -> str:
    return time_text(time.time_ns())


def time_after(now: str, days: int) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(now) + timedelta(days=days)).isoformat(timespec="microseconds")
