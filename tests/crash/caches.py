"""Power cuts on a disk with a volatile cache: what was not flushed is lost, all of it or any part of it, in any order.

A server and command-line processes write to a store on a disk that records each write and each flush (``forgetful``). Then the
disk is made anew as a cut behind each single one of these leaves it, and the store on it is judged.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from random import Random
from typing import NamedTuple

from secure_mcp_gateway.store.store import Store
from tests.crash.disks import Mounted, missing, room
from tests.crash.forgetful import ForgetfulDisk, Playback
from tests.crash.report import Report, Scale
from tests.crash.server import Server, make_store
from tests.crash.server import run as run_command
from tests.store.processes import Child
from tests.store.sample_store import add

KEPT = (0.0, 0.5, 1.0)  # of the writes that were not flushed
MUST_LOSE = ("no_folder_sync", "no_file_sync", "no_audit_sync")


class Ack(NamedTuple):
    """``at`` is when the answer was there, nanoseconds of the monotonic clock."""

    at: int
    email: str


class Found(NamedTuple):
    """What stood on the disk behind a cut."""

    torn: int
    lost: int
    unaudited: int
    left_behind: int

    @property
    def bad(self) -> int:
        return sum(self)


def run(report: Report, scale: Scale) -> None:
    for kind in ("ext4", "xfs", "btrfs"):
        why = missing(kind) or ("" if os.path.exists("/dev/fuse") else "there is no /dev/fuse to make the disk with")
        if why:
            report.skip(kind, why)
            continue
        _whole(report, scale, kind)
        for variant in MUST_LOSE if not scale.quick or kind == "xfs" else ():
            _broken(report, scale, kind, variant)


def _whole(report: Report, scale: Scale, kind: str) -> None:
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        disk, acks = _written(kind, folder, scale.of(60, 20), "")
        found = _cut_everywhere(disk, acks, scale.of(400, 25), scale.dice(kind))
    report.figure(kind, writes_and_flushes_of_the_disk=disk.events, cuts=len(found), acknowledged=len(acks), **_sum(found)._asdict())
    report.check(f"{kind}: nothing acknowledged is lost", not _sum(found).bad and len(found) >= scale.of(300, 20), repr(found))


def _broken(report: Report, scale: Scale, kind: str, variant: str) -> None:
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        disk, acks = _written(kind, folder, scale.of(30, 15), f"broken_disk:{variant}")
        found = _cut_everywhere(disk, acks, scale.of(120, 25), scale.dice(f"{kind} {variant}"))
    report.figure(f"{kind}, {variant}", cuts=len(found), acknowledged=len(acks), **_sum(found)._asdict())
    report.check(f"{kind}: {variant} is caught", _sum(found).bad > 0)


def _sum(found: list[Found]) -> Found:
    return Found(*(sum(each) for each in zip(*found)))


def _written(kind: str, folder: str, writes: int, variant: str) -> tuple[ForgetfulDisk, list[Ack]]:
    """The disk after so many writes from two clients of a server, and some on the command line, with what was acknowledged."""
    disk = ForgetfulDisk(kind, folder)
    try:
        store = os.path.join(disk.place, "s", "store.json")
        key = make_store(store)
        acks: list[Ack] = [Ack(time.monotonic_ns(), "default@example.com")]
        server = Server(store, variant=variant)
        try:
            together = [threading.Thread(target=_over_http, args=(server, key, name, writes, acks)) for name in "ab"]
            for thread in together:
                thread.start()
            for number in range(max(3, writes // 10)):
                email = f"cli{number}@example.com"
                if run_command(store, "user", "create", f"--email={email}", variant=variant).returncode == 0:
                    acks.append(Ack(time.monotonic_ns(), email))
            for thread in together:
                thread.join()
        finally:
            server.stop()
    finally:
        disk.close()
    return disk, acks


def _over_http(server: Server, key: str, name: str, writes: int, acks: list[Ack]) -> None:
    client = server.client(key)
    for number in range(writes):
        email = f"{name}{number}@example.com"
        if client.send("POST", "/users", {"email": email}).status == 201:
            acks.append(Ack(time.monotonic_ns(), email))
    client.close()


def _cut_everywhere(disk: ForgetfulDisk, acks: list[Ack], cuts: int, dice: Random) -> list[Found]:
    """Behind writes and flushes since the first acknowledgement, as many as wanted, evenly spread."""
    playback = Playback(disk.pristine, disk.record)
    disk.events = len(playback.events)
    first = next(number for number in range(disk.events) if playback.moment(number) > acks[0].at)
    step = max(1.0, (disk.events - first) / cuts)
    found, place, image = [], os.path.join(disk.folder, "cut"), os.path.join(disk.folder, "cut.img")
    os.mkdir(place)
    at = float(first)
    while at <= disk.events:
        playback.cut(int(at), image, dice, KEPT[len(found) % len(KEPT)])
        kept = [ack.email for ack in acks if ack.at < playback.moment(int(at))]
        with Mounted(image, place):
            found.append(Found(*Child(lambda _, kept=kept: _judged(os.path.join(place, "s", "store.json"), kept)).result()))
        at += step
    playback.close()
    return found


def _judged(path: str, kept: list[str]) -> Found:
    """In a process of its own: what it opens must be closed before the disk is taken away."""
    try:
        store = Store(path)
        document = store.snapshot()
        emails = {record["email"] for _, record in document.table("users").items()}
        lines = store.audit_lines()
        named = {line["named"].get("email") for line in lines if line["committed"]} | {"default@example.com"}
        lost, unaudited = len(set(kept) - emails), len(set(kept) - named) + (not store.verify_audit()["valid"])
        add(store, 9_999)
        left = [name for name in os.listdir(store.folder) if name.endswith(".tmp")]
    except Exception:
        return Found(1, 0, 0, 0)
    return Found(0, lost, unaudited, len(left))
