"""A disk that is full or nearly so, a mount that takes no writes, and a lock that is never let go, while a server runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crash.fault_cases import Said, content
from tests.crash.scenes import Scene
from tests.support import DEADLINE

_FULL, _READ_ONLY = "No space left on device", "Read-only file system"
_LIMIT, _PATIENCE = 10.0, 20.0
_REFUSALS = ("the audit log cannot be written", "the safety backup cannot be written", "the store cannot be written")


def missing() -> str:
    """Why nothing can be mounted here, or nothing."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "mounting needs root"
    with tempfile.TemporaryDirectory() as place:
        try:
            with small_disk(place, "64k"), read_only(place):
                return ""
        except OSError as error:
            return str(error)


@contextmanager
def small_disk(place: str, size: str) -> Iterator[None]:
    """In memory, and no larger than ``size``."""
    _tool("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "none", place)
    try:
        yield
    finally:
        _tool("umount", "-l", place)


@contextmanager
def read_only(place: str) -> Iterator[None]:
    """What opens its files anew finds them on a mount that takes no writes."""
    _tool("mount", "--bind", place, place)
    try:
        _tool("mount", "-o", "remount,ro,bind", place)
        yield
    finally:
        _tool("umount", "-l", place)


def _tool(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, timeout=DEADLINE, check=False)
    except FileNotFoundError:
        raise OSError(f"no {words[0]} here") from None
    if done.returncode:
        raise OSError(done.stderr.decode().strip() or f"{words[0]} ended with {done.returncode}")


def disk_is_full(scene: Scene) -> None:
    """Filled by writes until one is refused; then there is room again, and the same server goes on."""
    said, before = Said(201, "", "", ""), {}
    while said.code == 201 and scene.requests < 1000:
        before = content(scene.store)
        said = scene.write()
    scene.expect(said.code == 503 and _FULL in said.detail, f"the full disk's first refusal is {said.code} {said.all}")
    # What did not fit may fit where lines of the audit are shorter, or once the server lets go of a file that was replaced.
    scene.reads("on a nearly full disk")
    scene.expect(_lets_go(scene), "the server still holds a file that was replaced")
    _leave(os.path.join(os.path.dirname(scene.folder), "ballast"), 0)
    scene.writes_refused("on a full disk", _FULL)
    reset = scene.ask("POST", "/system/reset", {"confirm": True})
    scene.expect(reset.code == 503 and _FULL in reset.detail, f"a reset on a full disk was answered {reset.code} {reset.all}")
    scene.expect(content(scene.store) == before, "on a full disk a refused write changed the document")
    scene.reads("on a full disk")
    scene.no_temporary("on a full disk")
    scene.verified("on a full disk")
    _tool("mount", "-o", "remount,size=1m", os.path.dirname(scene.folder))
    scene.writes("with room again")
    scene.reads("with room again")
    scene.no_temporary("with room again")
    scene.verified("with room again")


def _lets_go(scene: Scene) -> bool:
    """Of the files that were replaced: their blocks are free only then."""
    descriptors, give_up = Path("/proc", str(scene.server.process.pid), "fd"), time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        # One may be closed while it is looked at.
        with contextlib.suppress(FileNotFoundError):
            if not any(os.readlink(each).endswith(" (deleted)") for each in descriptors.iterdir()):
                return True
        time.sleep(0.01)
    return False


def room_is_little(scene: Scene, most: int) -> None:
    """0 to ``most`` free blocks: audit, temporary file and backup each are once the one that does not fit."""
    ballast, seen = os.path.join(os.path.dirname(scene.folder), "ballast"), Counter[str]()
    for free in range(most + 1):
        # Without a free block a few lines of refused writes fill the audit's last one: then it is the one that does not fit.
        for number in range(24 if free == 0 else 4):
            _leave(ballast, free)
            seen[_with_little_room(scene, f"with {free} free blocks", number)] += 1
        scene.reads(f"with {free} free blocks")
    os.unlink(ballast)
    scene.writes("with room again")
    scene.no_temporary("with room again")
    scene.verified("with room again")
    scene.expect(seen.keys() == {*_REFUSALS, ""}, f"not everything was once what does not fit: {dict(seen)}")


def _leave(ballast: str, blocks: int) -> None:
    """So many free blocks on the ballast's disk."""
    with open(ballast, "wb") as file:
        found = os.statvfs(ballast)
        file.write(b"\0" * ((found.f_bavail - blocks) * found.f_bsize))


def _with_little_room(scene: Scene, when: str, number: int) -> str:
    """One write, of one kind after the other; what could not be written, or nothing where all could."""
    before = content(scene.store)
    deeds = (scene.write, scene.write_command, lambda: scene.ask("POST", "/system/reset", {"confirm": True}))
    said = deeds[number % 3]() if number % 4 else scene.command("system", "reset", "--confirm")
    now = content(scene.store)
    scene.no_temporary(when)
    if said.error:
        told = said.code in (6, 503) and said.error == "unavailable" and _FULL in said.detail
        scene.expect(told, f"{when}, a write was refused with {said.code} {said.all}")
        scene.expect(now == before, f"{when}, a refused write changed the document: {said.all}")
        return next((each for each in _REFUSALS if each in said.detail), said.detail)
    scene.expect(now["generation"] == before["generation"] + 1, f"{when}, an acknowledged write is not there: {said.all}")
    return ""


def mount_is_read_only(scene: Scene) -> None:
    """First under a server that runs, then from the start of another one."""
    with read_only(scene.folder):
        _takes_no_writes(scene, "on a mount made read-only")
    scene.writes("writable again")
    scene.verified("writable again")
    scene.stop()
    with read_only(scene.folder):
        scene.start()
        _takes_no_writes(scene, "started on a read-only mount")
    scene.writes("started on a read-only mount that is writable by now")
    scene.verified("started on a read-only mount that is writable by now")
    scene.stop()
    scene.expect("warning: this server cannot be noted" in scene.said, f"the server started without a warning: {scene.said}")
    scene.start()


def _takes_no_writes(scene: Scene, when: str) -> None:
    before = content(scene.store)
    scene.reads(when)
    listed = scene.command("config", "list")
    scene.expect(listed.code == 0 and "default_config" in listed.all, f"{when}, config list ended with {listed.code} {listed.all}")
    scene.writes_refused(when, _READ_ONLY)
    scene.expect(content(scene.store) == before, f"{when}, the document changed")
    scene.verified(when)


@contextmanager
def lock_held(scene: Scene) -> Iterator[None]:
    from fcntl import LOCK_EX, flock

    descriptor = os.open(f"{scene.store}.lock", os.O_RDWR)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def lock_is_held(scene: Scene) -> None:
    """Writers of both surfaces give up at the limit; readers do not even notice."""
    took: dict[str, float] = {}

    def refused() -> None:
        start = time.monotonic()
        said = scene.ask("POST", "/users", {"email": "late@example.com"}, key=scene.key)
        took["server"] = time.monotonic() - start
        scene.expect(said.code == 503 and "busy" in said.detail, f"a write beside a held lock was answered {said.code} {said.all}")

    def refused_command() -> None:
        start = time.monotonic()
        said = scene.write_command()
        took["command line"] = time.monotonic() - start
        scene.expect(said.code == 6 and "busy" in said.detail, f"a command beside a held lock ended with {said.code} {said.all}")

    writers = [threading.Thread(target=work) for work in (refused, refused_command)]
    with lock_held(scene):
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            scene.reads("beside a held lock")
    for surface, seconds in took.items():
        scene.expect(_LIMIT - 0.5 < seconds < _PATIENCE, f"{surface}: a write beside a held lock took {seconds:.1f} s")
    scene.writes("with the lock let go")
    scene.verified("with the lock let go")


def readers_pass(scene: Scene) -> None:
    with lock_held(scene):
        scene.reads("beside a held lock")
