"""A line about what takes long, for who sits at a terminal: it comes after a second, counts, and is gone when the work is done."""

from __future__ import annotations

import time
from _thread import allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_SECONDS = 1.0


class Progress:
    """A context of the work; ``text`` says what is being done."""

    __slots__ = ("_is_done", "_is_gone", "_stream", "_text")

    def __init__(self, text: str, stream: TextIO) -> None:
        self._text = text
        self._stream = stream
        self._is_done, self._is_gone = allocate_lock(), allocate_lock()

    def __enter__(self) -> None:
        self._is_done.acquire()
        self._is_gone.acquire()
        try:
            start_new_thread(self._tell, (time.monotonic(),))
        except RuntimeError:  # no more threads: the work needs none
            self._is_gone.release()

    def __exit__(self, *_: object) -> None:
        self._is_done.release()
        # Whatever is said next must find a clean line.
        self._is_gone.acquire()

    def _tell(self, began: float) -> None:
        line = ""
        try:
            while not self._is_done.acquire(True, _SECONDS):
                line = f"{self._text} ... {time.monotonic() - began:.0f} s"
                self._write(f"\r{line}")
            if line:
                self._write(f"\r{' ' * len(line)}\r")
        finally:
            self._is_gone.release()

    def _write(self, text: str) -> None:
        """A terminal that has gone away changes nothing about the work."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass
