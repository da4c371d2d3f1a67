"""The writers' lock: can it be had, and who has it?"""

from __future__ import annotations

import errno
import os
import time

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, Finding, Patient, as_root, me, owner_of
from secure_mcp_gateway.cli.doctor.processes import holders_of, is_of_another, name_of, parent_of
from secure_mcp_gateway.errors import StoreBusy, StoreForbidden
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.facts import kind_facts, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_mcp_gateway.cli.running import Running

_LOCK_SECONDS = 1.0


def check_lock(patient: Patient) -> Iterator[Finding]:
    from secure_mcp_gateway.store.lock import FileLock

    path = patient.store.lock_path
    if not os.path.lexists(path):
        if patient.store.exists():
            yield Finding(OK, "lock", "free: nobody has written yet")
        return
    for fact in kind_facts("the lock", path):
        yield Finding(PROBLEM, "lock", f"{fact.text} ({path})", away(path))
        return
    lock = FileLock(path, adopt=lambda _: None)
    started = time.monotonic()
    try:
        lock.release(lock.acquire(_LOCK_SECONDS))
    except StoreBusy:
        yield _held(patient, path)
    except OSError as error:
        if error.errno == errno.EROFS:
            return  # what the disk's own check says
        if not isinstance(error, PermissionError):
            raise
        yield _closed(patient, path)
    else:
        yield Finding(OK, "lock", f"taken and let go within {(time.monotonic() - started) * 1000:.0f} ms")


def away(path: str) -> str:
    """What is not a file goes from the place of one: a link alone, a folder with all that is in it under another name."""
    return f"mv -n {quote(path)} {quote(free_name(f'{path}.away'))}" if kind_of(path) == "a folder" else f"rm {quote(path)}"


def free_name(path: str) -> str:
    return next(name for name in (path, *(f"{path}.{number}" for number in range(2, 10_000))) if not os.path.lexists(name))


def _closed(patient: Patient, path: str) -> Finding:
    text = f"{path} may not be opened by this user"
    if owner_of(path) == me():
        return Finding(PROBLEM, "lock", text, f"chmod 600 {quote(path)}")
    if owner_of(patient.store.path) == me():
        return Finding(PROBLEM, "lock", text, as_root(f"chown {me()} {quote(path)}"))
    return Finding(PROBLEM, "lock", text, patient.as_owner(path, "system doctor"))


def _held(patient: Patient, path: str) -> Finding:
    text = f"another process has held it for {_LOCK_SECONDS:.0f} s: until it lets go, nothing can be written"
    pids = holders_of(path)
    if pids:
        names = ", ".join(f"{name_of(pid)} (process {pid})" for pid in pids)
        return Finding(PROBLEM, "lock", f"{text}; it is {names}", _ended(patient, pids))
    if me() != 0:
        return Finding(PROBLEM, "lock", f"{text}; this user may not see which", as_root(patient.on(patient.store.path, "system doctor")))
    return Finding(PROBLEM, "lock", text, advice=f"find out which, on this machine or in a container that sees {path}, and end it there")


def _ended(patient: Patient, pids: list[int]) -> str:
    """A server of ours by its own command."""
    ports = {server.port for server in _servers(patient) if {server.pid} & {*pids, *map(parent_of, pids)}}
    if len(ports) == 1:
        return patient.command(f"system stop-api --force --port {ports.pop()}")
    kill = "kill " + " ".join(map(str, pids))
    return as_root(kill) if any(map(is_of_another, pids)) else kill


def _servers(patient: Patient) -> list[Running]:
    from secure_mcp_gateway.cli.doctor.ports import running

    try:
        return running(patient)
    except StoreForbidden:
        return []
