"""``python3 -m tests.hostile.crowd KIND PORT COUNT KEY``: as many hostile connections, which come back when they are closed.

It says ``ready`` when each was open once, and ends, with the count of connections it opened, when its standard input does.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import time
from collections import deque

from tests.support import DEADLINE, ROOT, environment

# So many connections a second at most: an honest machine's share, not a flood of packets.
_RATE = 200
_DRIP = 1.0
_TICK = 0.005
_HOST = "Host: localhost\r\n"


class Kind:
    """``opening`` is sent at once, then a byte of ``drip`` a second; ``reads``: it takes the answers, and so sees the end. Who does not
    read sends its ``opening`` again and again."""

    def __init__(self, opening: bytes, drip: bytes = b"", reads: bool = True) -> None:
        self.opening = opening
        self.drip = drip
        self.reads = reads


def kinds(key: str) -> dict[str, Kind]:
    body = f"POST /api/v1/users HTTP/1.1\r\n{_HOST}Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    return {
        "slow_header": Kind(f"GET /health HTTP/1.1\r\n{_HOST}X-A: ".encode(), b"a"),
        "slow_body": Kind(body.encode() + b'Content-Length: 9999\r\n\r\n{"', b" "),
        "never_reading": Kind(f"GET /openapi.json HTTP/1.1\r\n{_HOST}\r\n".encode() * 20, reads=False),
        "idle": Kind(b""),
        "silent": Kind(b""),
    }


class Crowd:
    def __init__(self, kind: Kind, port: int, count: int) -> None:
        self._kind = kind
        self._address = ("127.0.0.1", port)
        self._count = count
        self._selector = selectors.DefaultSelector()
        self._drips: deque[tuple[float, socket.socket]] = deque()
        self._open = 0
        self.opened = 0

    def run(self) -> None:
        """Until standard input ends."""
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        start, told = time.monotonic(), False
        while True:
            if any(self._heed(key) for key, _ in self._selector.select(_TICK)):
                return
            # The first ones come as fast as they can.
            due = self._count + int((time.monotonic() - start) * _RATE) - self.opened
            for _ in range(min(due, self._count - self._open)):
                self._come()
            self._drip()
            if not told and self.opened >= self._count:
                told = True
                print("ready", flush=True)

    def _come(self) -> None:
        sock = socket.socket()
        # A small window: what it does not read stays with the server.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(DEADLINE)
        self.opened += 1
        try:
            sock.connect(self._address)
            sock.setblocking(False)
            if self._kind.opening:
                sock.send(self._kind.opening)
        except OSError:
            sock.close()
            return
        self._open += 1
        self._selector.register(sock, selectors.EVENT_READ if self._kind.reads else selectors.EVENT_WRITE)
        if self._kind.drip:
            self._drips.append((time.monotonic() + _DRIP, sock))

    def _heed(self, key: selectors.SelectorKey) -> bool:
        """True where standard input has ended."""
        if not isinstance(key.fileobj, socket.socket):
            return True
        try:
            over = not (key.fileobj.recv(4096) if self._kind.reads else key.fileobj.send(self._kind.opening))
        except BlockingIOError:
            over = False
        except OSError:
            over = True
        if over:
            self._selector.unregister(key.fileobj)
            key.fileobj.close()
            self._open -= 1
        return False

    def _drip(self) -> None:
        now = time.monotonic()
        while self._drips and self._drips[0][0] <= now:
            _, sock = self._drips.popleft()
            if sock.fileno() < 0:
                continue
            try:
                sock.send(self._kind.drip)
            except OSError:
                continue  # its end is seen when it is read
            self._drips.append((now + _DRIP, sock))


class Besieged:
    """A crowd in a process of its own, for as long as the block runs; ``opened`` is known behind it."""

    def __init__(self, kind: str, port: int, count: int, key: str) -> None:
        self._argv = [sys.executable, "-m", "tests.hostile.crowd", kind, str(port), str(count), key]
        self.opened = 0

    def __enter__(self) -> Besieged:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(self._argv, env=environment(), cwd=ROOT, **pipes)  # type: ignore[call-overload]
        assert self._process.stdout.readline() == b"ready\n", "the crowd did not come together"
        return self

    def __exit__(self, *_: object) -> None:
        said, _ = self._process.communicate(timeout=DEADLINE)
        self.opened = int(said)


def main(words: list[str]) -> None:
    kind, port, count, key = words
    allow_many_files()
    crowd = Crowd(kinds(key)[kind], int(port), int(count))
    crowd.run()
    print(crowd.opened, flush=True)
    # All its connections end with it.
    os._exit(0)


def allow_many_files() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main(sys.argv[1:])
