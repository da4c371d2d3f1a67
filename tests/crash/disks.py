"""File systems in sparse image files, mounted through loop devices, and copies of them as a power cut leaves them."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence

from tests.support import DEADLINE

# Each kind with the size of its image in megabytes (the least that mkfs takes, with room), what mkfs is told, how it is mounted, and
# how a copy of it is mounted beside it. ext4 goes without the flush that it gives to programs which forget theirs before a rename.
KINDS: dict[str, tuple[int, tuple[str, ...], str, str]] = {
    "ext4": (64, ("-q", "-F"), "loop,noauto_da_alloc", "loop,noauto_da_alloc"),
    "xfs": (320, ("-q", "-f"), "loop", "loop,nouuid"),
    "btrfs": (256, ("-q", "-f"), "loop", "loop"),
}
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_MEGABYTE = 1 << 20
_ROOM = 3 << 30
_STAT = (4, 6, 8, 11, 13)  # writes, sectors written, in flight, discards, sectors discarded: Documentation/block/stat.rst


class DiskFault(Exception):
    """A tool failed; its own words."""


def missing(kind: str) -> str:
    """Why no such disk can be made here, or nothing."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "mounting needs root"
    tools = [tool for tool in (f"mkfs.{kind}", "mount", "umount") if shutil.which(tool, path=_PATH) is None]
    if tools:
        return f"no {' and no '.join(tools)} here"
    with tempfile.TemporaryDirectory(prefix="disk-", dir=room()) as folder:
        try:
            with Disk(kind, folder) as disk:
                disk.cut()
                with disk.what_is_left():
                    return ""
        except DiskFault as fault:
            return str(fault)


def room() -> str:
    """In memory where there is room for the images; they are sparse."""
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return tempfile.gettempdir()
    return "/dev/shm" if found.f_bavail * found.f_frsize > _ROOM else tempfile.gettempdir()


def make_image(kind: str, image: str) -> None:
    size, flags, _, _ = KINDS[kind]
    with open(image, "wb") as file:
        file.truncate(size * _MEGABYTE)
    _tool(f"mkfs.{kind}", *flags, image)


class Mounted:
    """An image on a folder from ``with`` on. A journal is replayed by that; the loop device goes with the mount."""

    def __init__(self, image: str, place: str, options: str = "loop") -> None:
        self.image = image
        self.place = place
        self._options = options

    def __enter__(self) -> Mounted:
        _tool("mount", "-o", self._options, self.image, self.place)
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + DEADLINE
        while True:
            # A store that nobody uses any more may still have its file open.
            gc.collect()
            try:
                return _tool("umount", self.place)
            except DiskFault:
                # Nor is a process that was killed just now gone at once.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


class Disk:
    """A new file system of this kind, in an image in ``folder``, mounted at ``place`` from ``with`` on."""

    def __init__(self, kind: str, folder: str) -> None:
        self.kind = kind
        self.folder = folder
        self.place = os.path.join(folder, f"{kind}.mounted")
        self._copy = os.path.join(folder, f"{kind}.copy")
        self._mounted = Mounted(os.path.join(folder, f"{kind}.image"), self.place, KINDS[kind][2])

    def __enter__(self) -> Disk:
        make_image(self.kind, self._mounted.image)
        os.mkdir(self.place)
        self._mounted.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._mounted.__exit__()
        os.rmdir(self.place)
        os.unlink(self._mounted.image)

    def cut(self) -> None:
        """Take a copy of the disk as it is in this moment: what is only in the kernel's memory is not in it.

        Whoever writes must have been stopped before. The kernel's own threads may go on: then the copy is taken again.
        """
        device = _device_of(self.place)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            before = _written(device)
            copy_sparse(self._mounted.image, self._copy)
            if before[2] == 0 and _written(device) == before:
                return
        raise DiskFault("the disk does not come to rest")

    @contextlib.contextmanager
    def what_is_left(self) -> Iterator[str]:
        """The last copy, mounted as after the power came back."""
        place = os.path.join(self.folder, f"{self.kind}.copied")
        os.mkdir(place)
        with Mounted(self._copy, place, KINDS[self.kind][3]):
            yield place
        os.rmdir(place)
        os.unlink(self._copy)


def copy_sparse(source: str, target: str) -> None:
    """Holes stay holes."""
    reading, writing = os.open(source, os.O_RDONLY), os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        end = os.fstat(reading).st_size
        os.ftruncate(writing, end)
        at = 0
        while (at := _next_data(reading, at)) >= 0:
            until = os.lseek(reading, at, os.SEEK_HOLE)
            while at < until:
                part = os.pread(reading, min(until - at, _MEGABYTE), at)
                if part.count(0) < len(part):
                    os.pwrite(writing, part, at)
                at += len(part)
    finally:
        os.close(reading)
        os.close(writing)


def _next_data(descriptor: int, at: int) -> int:
    """-1 where there is none any more."""
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError:
        return -1


def _device_of(place: str) -> str:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields = line.split(" ")
            if fields[4] == place:
                return os.path.basename(fields[fields.index("-") + 2])
    raise DiskFault(f"{place} is not mounted")


def _written(device: str) -> Sequence[int]:
    with open(f"/sys/block/{device}/stat", encoding="ascii") as file:
        fields = [int(word) for word in file.read().split()]
    return [fields[at] for at in _STAT if at < len(fields)]


def _tool(name: str, *words: str) -> None:
    path = shutil.which(name, path=_PATH)
    done = subprocess.run([path or name, *words], capture_output=True, timeout=DEADLINE, check=False)
    if done.returncode:
        raise DiskFault(f"{name}: {done.stderr.decode(errors='replace').strip()}")
