"""Honest clients beside a crowd: how many of their requests fail, and how long they take."""

from __future__ import annotations

import select
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tests.hostile.target import Target
from tests.web.raw import PATIENCE, RawClient

__all__ = ["CLIENTS", "DRIP_LIMIT", "PATIENCE", "Served", "fresh", "kept", "seconds_until_408"]

CLIENTS = 4
DRIP_LIMIT = 2.5
# Between two requests of one client, seconds.
_PAUSE = 0.02
_LATE = 30.0


class Served(NamedTuple):
    """Seconds of each request that was answered; ``again`` counts those asked once more, because the kept connection had ended."""

    times: list[float]
    failures: list[str]
    again: int

    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)] if self.times else _LATE


class Client:
    """One that asks again and again; ``kept``: on one connection, as long as that lasts."""

    def __init__(self, target: Target, kept: bool, patience: float) -> None:
        self._target = target
        self._kept = kept
        self._patience = patience
        self._client: RawClient | None = None
        self._request = f"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {target.key}\r\n\r\n".encode()
        self.again = 0

    def ask(self, requests: int) -> Served:
        times, failures, pause = list[float](), list[str](), threading.Event()
        for _ in range(requests):
            start = time.monotonic()
            try:
                status = self._status()
                failures += [] if status == 200 else [f"answered {status}"]
                times.append(time.monotonic() - start)
            except (EOFError, OSError) as error:
                failures.append(f"{error!r} after {time.monotonic() - start:.3f} s")
                self._close()
            if not self._kept:
                self._close()
            pause.wait(_PAUSE)
        self._close()
        return Served(times, failures, self.again)

    def _status(self) -> int:
        if self._client:
            try:
                return self._client.send(self._request).read().status
            except (EOFError, ConnectionError):
                self.again += 1
                self._close()
        self._client = self._target.connect()
        self._client.sock.settimeout(self._patience)
        return self._client.send(self._request).read().status

    def _close(self) -> None:
        if self._client:
            self._client.sock.close()
        self._client = None


def fresh(target: Target, requests: int, patience: float = PATIENCE) -> Served:
    """Each request on a connection of its own; ``patience`` in seconds."""
    return _share(target, requests, False, patience)


def kept(target: Target, requests: int) -> Served:
    """Each client keeps its connection. Where that ended before an answer began, it asks again on a new one, as clients do
    (RFC 9112 §9.3.1)."""
    return _share(target, requests, True, PATIENCE)


def _share(target: Target, requests: int, kept: bool, patience: float) -> Served:
    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = list(pool.map(lambda _: Client(target, kept, patience).ask(requests // CLIENTS), range(CLIENTS)))
    times, failures = [each for part in parts for each in part.times], [each for part in parts for each in part.failures]
    return Served(times, failures, sum(part.again for part in parts))


def seconds_until_408(target: Target) -> float:
    """Of a head that comes in a byte every fifth of a second; ``DRIP_LIMIT`` where that takes longer."""
    with target.connect() as client:
        client.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        start, pause = time.monotonic(), threading.Event()
        while time.monotonic() - start < DRIP_LIMIT:
            client.send_what_goes(b"a")
            if select.select([client.sock], [], [], 0)[0]:
                assert client.read().status == 408
                return time.monotonic() - start
            pause.wait(0.2)
    return DRIP_LIMIT
