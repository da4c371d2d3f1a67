"""The system's limit on the files that a process has open: each connection is one."""

from __future__ import annotations

# The store, its audit and backups, files that requests name, the listening socket and what Python itself holds.
_OWN = 64


def connections_with_room(wanted: int) -> int:
    """As many as wanted, or what the limit leaves beside our own files, after it was raised as far as we may.

    Without a descriptor left nobody is let in or makes room, and nothing is written: who holds connections open could see to that.
    """
    try:
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
    except ImportError:
        return wanted  # Windows has no such limit
    limit, highest = getrlimit(RLIMIT_NOFILE)
    needed = wanted + _OWN
    if limit != RLIM_INFINITY and limit < needed:
        raised = needed if highest == RLIM_INFINITY else min(needed, highest)
        try:
            setrlimit(RLIMIT_NOFILE, (raised, highest))
            limit = raised
        except (OSError, ValueError):
            pass  # macOS may name no highest one and have one all the same
    return wanted if limit == RLIM_INFINITY else max(1, min(wanted, limit - _OWN))
