"""A server as a process of its own, for tests."""

from __future__ import annotations

import json
import os
import select
import signal
import ssl
import subprocess
import time
import urllib.request
from typing import IO, Any

from tests.support import DEADLINE, ROOT, StoreCase, command, environment


class Server:
    """Its first line is read before anything else is done."""

    def __init__(self, argv: list[str], **more: str) -> None:
        self.process = subprocess.Popen(command(*argv), env=environment(**more), cwd=ROOT, stdout=-1, stderr=-1)
        self.line = self._first_line()

    @property
    def port(self) -> int:
        return int(self.line.rpartition(":")[2])

    def _first_line(self) -> str:
        return _line_of(self.process.stdout).rstrip("\n")

    def error_line(self) -> str:
        return _line_of(self.process.stderr)

    def get(self, path: str = "/health", context: ssl.SSLContext | None = None) -> Any:
        with urllib.request.urlopen(self.line + path, timeout=DEADLINE, context=context) as answer:
            return json.load(answer)["data"]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """The exit code, and all that stands on standard error."""
        out, err = self.process.communicate(timeout=DEADLINE)
        assert out == b"", out
        return self.process.returncode, err.decode()

    def stop(self) -> tuple[int, str]:
        self.signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate(timeout=DEADLINE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class ServerCase(StoreCase):
    def start(self, *flags: str, store: str = "", **more: str) -> Server:
        server = Server(["--store", store or self.store, "system", "start-api", "--host=127.0.0.1", "--port=0", *flags], **more)
        self.addCleanup(server.kill)
        return server


def _line_of(stream: IO[bytes] | None) -> str:
    """The next line, or what there is of it in time. Read byte by byte: a line more would stand in a buffer, where nobody waits for it."""
    assert stream is not None
    line, give_up = b"", time.monotonic() + DEADLINE
    while not line.endswith(b"\n") and select.select([stream], [], [], max(0.0, give_up - time.monotonic()))[0]:
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode()


def until(holds: Any) -> bool:
    """Whether it came to hold before the deadline; asked often, for what no event tells of."""
    give_up = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def entries(store: str) -> list[str]:
    """The files of servers on this store."""
    folder = os.path.join(os.path.dirname(store), "servers")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
