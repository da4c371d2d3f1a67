"""Where the store lies: is there room, may it be written to, does it keep what it promises?"""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.doctor.finding import OK, PROBLEM, WARNING, Finding, Patient, as_root, size_of
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.facts import LEAST_FREE, free_space
from secure_mcp_gateway.store.network import network_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_REWRITES = 10


def check_disk(patient: Patient) -> Iterator[Finding]:
    folder = patient.nearest_folder()
    kind = network_kind(folder)
    if kind:
        text = f"the store is on a network file system ({kind}), whose locks and renames do not keep what a store promises"
        advice = "move the store to a local disk, with all that stands beside it, and name it there with --store FILE"
        yield Finding(WARNING if patient.allows_network else PROBLEM, "disk", text, advice=advice)
    if os.name == "nt":
        return
    room = os.statvfs(folder)
    if room.f_flag & os.ST_RDONLY:
        text = f"{folder} is mounted read-only: nothing can be written (start-api --read-only serves all the same)"
        yield Finding(WARNING, "disk", text, as_root(f"mount -o remount,rw {quote(_mount_point(folder))}"))
    elif room.f_files and not room.f_favail:
        advice = f"remove files that nobody needs from {_mount_point(folder)}, or move the store to another disk"
        yield Finding(PROBLEM, "disk", f"{folder} has no room for another file (inodes)", advice=advice)
    else:
        yield _room(patient, folder)


def _room(patient: Patient, folder: str) -> Finding:
    size = os.stat(patient.store.path).st_size if os.path.isfile(patient.store.path) else 0
    free = free_space(folder)
    place = _mount_point(folder)
    advice = f"remove what nobody needs from {place}: du -xh {quote(place)} | sort -h | tail shows what takes the most"
    if free < LEAST_FREE + 2 * size:
        second = f"a second copy of the store ({size_of(size)})"
        text = f"{size_of(free)} free: a write needs room for {second}, and its log {size_of(LEAST_FREE)}"
        return Finding(PROBLEM, "disk", text, advice=advice)
    if free < LEAST_FREE + (_REWRITES + 1) * size:
        text = f"{size_of(free)} free: less than ten rewrites and a backup take ({size_of(size)} each)"
        return Finding(WARNING, "disk", text, advice=advice)
    return Finding(OK, "disk", f"{size_of(free)} free")


def _mount_point(folder: str) -> str:
    while not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder
