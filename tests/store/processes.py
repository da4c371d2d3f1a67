"""Children that share nothing with the test but the disk: forked, so that hundreds of them cost no start of Python each."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from typing import Any, Callable

from tests.store.sample_store import SECONDS


class Child:
    """``work`` runs in a process of its own; ``work`` may take the child's ends of two pipes as ``say`` and ``hear``."""

    def __init__(self, work: Callable[[Channel], Any]) -> None:
        here, there = Channel.pair()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            here.close()
            _run(work, there)
        there.close()
        self.channel = here

    def hear(self) -> Any:
        """The next thing that the child said."""
        return self.channel.hear()

    def say(self, word: Any) -> None:
        self.channel.say(word)

    def result(self) -> Any:
        """What ``work`` gave, once the child has ended."""
        kind, value = self.hear()
        status = self.ended()
        if kind != "result" or status != 0:
            raise AssertionError(f"the child failed (status {status}):\n{value}")
        return value

    def ended(self) -> int:
        """The child's wait status; it is killed where it does not end in time."""
        deadline = time.monotonic() + SECONDS
        if self.channel.ended(deadline):
            _, status = os.waitpid(self.pid, 0)
        else:
            self.kill()
            raise AssertionError("the child did not end in time")
        self.channel.close()
        return status

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.channel.close()


class Channel:
    """One end of a pair of pipes that carries one JSON value a line."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._buffer = b""

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        (a, b), (c, d) = os.pipe(), os.pipe()
        return cls(a, d), cls(c, b)

    def say(self, word: Any) -> None:
        data = json.dumps(word).encode() + b"\n"
        while data:
            data = data[os.write(self._writing, data) :]

    def hear(self) -> Any:
        deadline = time.monotonic() + SECONDS
        while b"\n" not in self._buffer:
            if not self._more(deadline):
                raise AssertionError("the other process ended or did not answer")
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def ended(self, deadline: float) -> bool:
        while self._more(deadline):
            pass
        return time.monotonic() < deadline

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(self._reading, 1 << 16) if ready else b""
        self._buffer += part
        return bool(part)


def _run(work: Callable[[Channel], Any], channel: Channel) -> None:
    code = 1
    try:
        channel.say(["result", work(channel)])
        code = 0
    except BaseException:
        channel.say(["error", traceback.format_exc()])
    finally:
        # Neither the clean-up nor the report of the test runner is this process's to make.
        os._exit(code)
