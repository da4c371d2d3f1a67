"""A disk that forgets: an image file behind a loop device, whose writes and flushes are all recorded in order.

The file is served through the kernel's FUSE protocol (``linux/fuse.h``, version 7.31) by a process of its own, with nothing but the
standard library. From the record a ``Playback`` makes the image as a power cut leaves it on a disk with a volatile cache: everything
up to the last flush that was answered, and of the writes after it any part.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import time
from collections.abc import Iterator
from random import Random
from typing import BinaryIO, NamedTuple

from tests.crash.disks import Mounted, copy_sparse, make_image

IMAGE = "image"
_ROOT, _FILE = 1, 2
_MAX_WRITE = 1 << 20
_IN, _OUT = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ")
_ATTR = struct.Struct("<6Q10I")
_EVENT = struct.Struct("<BQQQ")  # kind, nanoseconds (monotonic), offset, length
_WRITE, _FLUSHED = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """``at`` is when a write arrived, or when a flush was answered; ``place`` is where the data stands in the record."""

    is_write: bool
    at: int
    offset: int
    length: int
    place: int


def mount_image(folder: str, backing: str, record: str) -> int:
    """Serve ``backing`` as ``folder``/image until it is unmounted, recording to ``record``; gives the process that serves."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if _libc.mount(b"forgetful", folder.encode(), b"fuse", ctypes.c_ulong(6), options.encode()):
        code = ctypes.get_errno()
        os.close(device)
        raise OSError(code, os.strerror(code))
    served = os.fork()
    if served:
        os.close(device)
        return served
    try:
        _Server(device, backing, record).serve()
    finally:
        os._exit(0)


class _Server:
    def __init__(self, device: int, backing: str, record: str) -> None:
        self._device = device
        self._image = os.open(backing, os.O_RDWR)
        self._size = os.fstat(self._image).st_size
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def serve(self) -> None:
        answers = {1: self._lookup, 3: self._attributes, 4: self._attributes, 14: self._opened, 15: self._read, 16: self._write}
        answers.update({17: self._nothing_left, 18: self._done, 20: self._flush, 25: self._done, 26: self._begun, 27: self._opened})
        while True:
            try:
                message = os.read(self._device, _MAX_WRITE + 4096)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT):
                    continue
                return  # unmounted
            _, opcode, unique, node, *_ = _IN.unpack_from(message)
            if opcode in (2, 36, 42):
                continue  # forget, interrupt, batch forget: none is answered
            answer = answers.get(opcode)
            try:
                self._reply(unique, answer(node, message[_IN.size :]) if answer else -errno.ENOSYS)
            except OSError:
                return

    def _reply(self, unique: int, answer: bytes | int) -> None:
        data, code = (b"", answer) if isinstance(answer, int) else (answer, 0)
        os.write(self._device, _OUT.pack(_OUT.size + len(data), code, unique) + data)

    def _begun(self, node: int, body: bytes) -> bytes:
        # major, minor, readahead, flags (big writes, async reads), background, congestion, max_write, granularity, max_pages.
        return struct.pack("<IIIIHHIIHH", 7, 31, 1 << 20, 1 | 1 << 5 | 1 << 22, 16, 12, _MAX_WRITE, 1, _MAX_WRITE // 4096, 0) + bytes(32)

    def _lookup(self, node: int, body: bytes) -> bytes | int:
        if body.rstrip(b"\0") != IMAGE.encode():
            return -errno.ENOENT
        return struct.pack("<QQQQII", _FILE, 0, 3600, 3600, 0, 0) + self._attr(_FILE)

    def _attributes(self, node: int, body: bytes) -> bytes:
        return struct.pack("<QII", 3600, 0, 0) + self._attr(node)

    def _attr(self, node: int) -> bytes:
        mode, size = (stat.S_IFREG | 0o600, self._size) if node == _FILE else (stat.S_IFDIR | 0o700, 0)
        return _ATTR.pack(node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _opened(self, node: int, body: bytes) -> bytes:
        return struct.pack("<QII", 0, 1 if node == _FILE else 0, 0)  # straight to us, past the page cache

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return os.pread(self._image, size, offset)

    def _write(self, node: int, body: bytes) -> bytes:
        now = time.monotonic_ns()
        _, offset, size = struct.unpack_from("<QQI", body)
        data = body[40 : 40 + size]
        os.write(self._record, _EVENT.pack(_WRITE, now, offset, size) + data)
        os.pwrite(self._image, data, offset)
        return struct.pack("<II", size, 0)

    def _flush(self, node: int, body: bytes) -> bytes:
        # One request at a time is served: every write that was answered before is in the record already.
        os.write(self._record, _EVENT.pack(_FLUSHED, time.monotonic_ns(), 0, 0))
        return b""

    def _nothing_left(self, node: int, body: bytes) -> bytes:
        return struct.pack("<5Q4I24x", self._size // 4096, 0, 0, 2, 0, 4096, 255, 4096, 0)

    def _done(self, node: int, body: bytes) -> bytes:
        return b""


class ForgetfulDisk:
    """A file system of this kind on such a disk, mounted at ``place``. ``pristine`` is the image before the first event."""

    def __init__(self, kind: str, folder: str) -> None:
        self.folder, self.events = folder, 0
        self.pristine, self.record = os.path.join(folder, "pristine.img"), os.path.join(folder, "record")
        self.place, self._served = os.path.join(folder, "disk"), os.path.join(folder, "served")
        backing = os.path.join(folder, "backing.img")
        make_image(kind, backing)
        copy_sparse(backing, self.pristine)
        os.mkdir(self.place)
        os.mkdir(self._served)
        self._server = mount_image(self._served, backing, self.record)
        self._disk = Mounted(os.path.join(self._served, IMAGE), self.place)
        try:
            self._disk.__enter__()
        except BaseException:
            self._end()
            raise

    def close(self) -> None:
        self._disk.__exit__()
        self._end()

    def _end(self) -> None:
        _libc.umount2(self._served.encode(), 0)
        os.waitpid(self._server, 0)


class Playback:
    """The record read back. ``cut(n, ...)`` goes forward only."""

    def __init__(self, pristine: str, record: str) -> None:
        with open(record, "rb") as file:
            self.events = list(_events(file))
        self._record = open(record, "rb")  # noqa: SIM115
        self._certain = pristine
        self._applied = 0

    def close(self) -> None:
        self._record.close()

    def moment(self, number: int) -> int:
        """Until when an acknowledgement must be kept by a cut behind the first ``number`` events: the disk is the same till the next."""
        return self.events[number].at if number < len(self.events) else time.monotonic_ns()

    def cut(self, number: int, image: str, dice: Random, kept: float) -> int:
        """Make ``image`` what is left behind the first ``number`` events, ``kept`` (0 to 1) of the writes that were not flushed among
        it; gives how many of these were lost. What was flushed goes into the ``pristine`` image for good."""
        last_flush = max((at for at in range(self._applied, number) if not self.events[at].is_write), default=self._applied)
        with open(self._certain, "r+b") as file:
            for event in self.events[self._applied : last_flush]:
                self._apply(event, file)
        self._applied = last_flush
        copy_sparse(self._certain, image)
        lost = 0
        with open(image, "r+b") as file:
            for event in self.events[last_flush:number]:
                if event.is_write and dice.random() >= kept:
                    lost += 1
                else:
                    self._apply(event, file)
        return lost

    def _apply(self, event: Event, file: BinaryIO) -> None:
        if event.is_write:
            self._record.seek(event.place)
            file.seek(event.offset)
            file.write(self._record.read(event.length))


def _events(file: BinaryIO) -> Iterator[Event]:
    while len(head := file.read(_EVENT.size)) == _EVENT.size:
        kind, at, offset, length = _EVENT.unpack(head)
        place = file.tell()
        file.seek(length, os.SEEK_CUR)
        yield Event(kind == _WRITE, at, offset, length, place)
