"""Standard error where several processes of ours write to it."""

from __future__ import annotations

import sys
from fcntl import LOCK_EX, LOCK_UN, lockf
from io import BufferedWriter, FileIO, TextIOWrapper
from select import PIPE_BUF
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class WholeWrites(TextIOWrapper):
    """Lines stay whole. As many as a pipe takes at once or not at all (POSIX, write) go in one write, so that not even a process that
    is killed leaves a part of one. Of a longer line a full pipe takes a part, and others' lines next: all wait for its end.

    The lock for that is on the pipe or file itself, and goes with the process that holds it.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        super().__init__(BufferedWriter(FileIO(descriptor, "w", closefd=False)), encoding, "backslashreplace")
        self._turn = Lock()  # the other one does not keep threads of one process apart

    def write(self, text: str) -> int:
        with self._turn:
            self._lock(LOCK_EX)
            try:
                for piece in _pieces(text):
                    super().write(piece)
                    super().flush()
            finally:
                self._lock(LOCK_UN)
        return len(text)

    def _lock(self, deed: int) -> None:
        try:
            lockf(self.fileno(), deed)
        except OSError:
            pass  # a system, or a kind of file, without such locks


def _pieces(text: str) -> Iterator[str]:
    piece: list[str] = []
    size = 0
    for line in text.splitlines(keepends=True):
        if piece and size + len(line) > PIPE_BUF:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    yield "".join(piece)


def share_standard_error() -> None:
    if sys.stderr is not None:
        sys.stderr = WholeWrites(sys.stderr.fileno(), sys.stderr.encoding)
