"""A server of several workers, for tests: which processes they are, and which of them has which connection."""

from __future__ import annotations

import http.client
import json
import os
import socket
import unittest
from pathlib import Path
from typing import Any

from tests.cli.server_process import Server, ServerCase, until
from tests.support import DEADLINE


def children_of(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def connections_of(pid: int, port: int) -> set[int]:
    """The clients' ports of the connections that a process has accepted on a port of 127.0.0.1."""
    fields = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    by_inode = {each[9]: int(each[2].partition(":")[2], 16) for each in fields if each[1] == f"0100007F:{port:04X}"}
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        found.add(by_inode.get(link[len("socket:[") : -1], 0))
    return found - {0}


@unittest.skipUnless(os.path.exists("/proc/net/tcp") and os.path.exists("/proc/self/task"), "this system does not say whose what is")
class WorkersCase(ServerCase):
    def start_workers(self, *flags: str, count: int = 2, **more: str) -> Server:
        server = self.start(f"--workers={count}", *flags, **more)
        self.assertTrue(server.line, server.ended() if not server.line else "")
        self.assertEqual(len(children_of(server.process.pid)), count)
        return server

    def call(self, server: Server, caller: http.client.HTTPConnection | None = None) -> http.client.HTTPConnection:
        """A connection over which a request was answered, and which stays open."""
        caller = caller or http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
        self.addCleanup(caller.close)
        self.assertEqual(self.ask(caller, "GET", "/health")[0], 200)
        return caller

    def ask(self, caller: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.keys['admin_api_key']}", "Content-Type": "application/json"}
        caller.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = caller.getresponse()
        return answer.status, json.loads(answer.read())

    def one_for_each(self, server: Server) -> dict[int, http.client.HTTPConnection]:
        """A connection to each worker, by its process."""
        found: dict[int, http.client.HTTPConnection] = {}
        workers = children_of(server.process.pid)

        def has_all() -> bool:
            caller = self.call(server)
            port = caller.sock.getsockname()[1]
            found.setdefault(next(pid for pid in workers if port in connections_of(pid, server.port)), caller)
            return len(found) == len(workers)

        self.assertTrue(until(has_all))
        return found

    def assert_gone(self, *pids: int) -> None:
        self.assertTrue(until(lambda: not any(map(is_alive, pids))))

    def half_a_request(self, server: Server) -> socket.socket:
        """One that a worker has begun to take: it asked for the body."""
        slow = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
        self.addCleanup(slow.close)
        lines = ["POST /api/v1/configs HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.keys['admin_api_key']}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(_rest_for(slow))}", "Expect: 100-continue", "", ""]
        slow.sendall("\r\n".join(lines).encode())
        self.assertIn(b"100", slow.recv(4096))
        return slow

    def finish(self, slow: socket.socket) -> None:
        slow.sendall(_rest_for(slow))
        self.assertIn(b" 201 ", slow.recv(4096))

    def is_refused(self, server: Server) -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # the socket was closed in the middle of this: the next look tells
        return False


def _rest_for(slow: socket.socket) -> bytes:
    return json.dumps({"config_name": f"c{slow.getsockname()[1]:05}"}).encode()
