"""Which processes of this machine hold a lock or a port: as far as the system tells this user (Linux, proc(5))."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.arguments import PROGRAM, split_words
from secure_mcp_gateway.cli.commands import is_complete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENS = "0A"
_MOST = 65536


def holders_of(path: str) -> list[int]:
    """Of a lock on this file. A process that has it from a parent which ended is found too: ``/proc/locks`` knows it by the number of
    the dead one, and some file systems by another device."""
    return sorted({pid for pid, number in _open_as({path}) if " FLOCK " in _text(f"/proc/{pid}/fdinfo/{number}")})


def listeners_on(port: int) -> list[int]:
    """On any address of this machine."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _text(table, 16 * _MOST).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTENS and fields[1].rpartition(":")[2] == f"{port:04X}":
                sockets.add(f"socket:[{fields[9]}]")
    return sorted({pid for pid, _ in _open_as(sockets)}) if sockets else []


def name_of(pid: int) -> str:
    """Of one of ours with its command; of another one nothing of its arguments, which may hold secrets."""
    words = _text(f"/proc/{pid}/cmdline").split("\0")
    at = next((at for at, word in enumerate(words) if word == "secure_mcp_gateway" or os.path.basename(word) == PROGRAM), None)
    if at is not None:
        return " ".join([PROGRAM, *split_words(words[at + 1 :], is_complete)[0]])
    return _text(f"/proc/{pid}/comm").strip() or "one that cannot be named"


def parent_of(pid: int) -> int:
    """0 where that cannot be told."""
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def is_of_another(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid != os.geteuid()
    except OSError:
        return False


def _open_as(names: set[str]) -> Iterator[tuple[int, str]]:
    """(process, descriptor) of what is open under one of these names."""
    for pid in filter(str.isdecimal, _names_in("/proc")):
        for number in _names_in(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{number}") in names:
                    yield int(pid), number
            except OSError:
                continue


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _text(path: str, most: int = _MOST) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except OSError:
        return ""
