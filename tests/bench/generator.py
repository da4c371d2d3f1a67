"""``python3 -m tests.bench.generator``: the load, from a process of its own.

Standard input is a plan ``{"port", "connections", "seconds", "requests"}``; each connection sends its share of the requests over and
over, one at a time. Standard output is ``{"rate", "times"}``: whole answers a second, and the seconds that each took.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

from tests.bench.wire import end_of_answer, is_success
from tests.support import DEADLINE


class Connection:
    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._next = 0
        self._sent = 0.0
        self._received = b""

    def send(self) -> None:
        asked = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        self._sent = time.perf_counter()
        self.socket.sendall(asked)

    def receive(self) -> float:
        """The seconds that the answer took, 0.0 while it is not whole."""
        part = self.socket.recv(1 << 18)
        data = self._received + part if self._received else part
        end = end_of_answer(data)
        if len(data) != end:
            if not part or 0 < end < len(data):
                raise ConnectionError(f"no whole answer, or more than one, came: {data[:200]!r}")
            self._received = data
            return 0.0
        if not is_success(data):
            raise AssertionError(data.decode())
        self._received = b""
        return time.perf_counter() - self._sent


def drive(connections: list[Connection], seconds: float) -> tuple[float, list[float]]:
    times: list[float] = []
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        start = time.perf_counter()
        for connection in connections:
            connection.send()
        while (now := time.perf_counter()) < start + seconds:
            for key, _ in selector.select(start + seconds - now):
                took = key.data.receive()
                if took:
                    times.append(took)
                    key.data.send()
        if not times:
            raise AssertionError(f"nothing was answered in {seconds:g} s")
        return len(times) / (time.perf_counter() - start), times


def main() -> None:
    plan = json.load(sys.stdin)
    count, requests = plan["connections"], [each.encode("latin-1") for each in plan["requests"]]
    connections = [Connection(plan["port"], requests[at::count] or requests) for at in range(count)]
    found, times = drive(connections, plan["seconds"])
    json.dump({"rate": found, "times": times}, sys.stdout)


if __name__ == "__main__":
    main()
