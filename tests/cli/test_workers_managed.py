"""Several workers with TLS, under a service manager, and what they write to one log."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import unittest
from select import PIPE_BUF
from typing import Any
from unittest import mock

from secure_mcp_gateway.cli.whole_lines import WholeWrites
from secure_mcp_gateway.cli.worker import Worker, new_scoreboard, role_of
from tests.cli.server_process import Server, until
from tests.cli.test_service_manager import Activated
from tests.cli.workers_case import WorkersCase, children_of, connections_of
from tests.support import DEADLINE, PYTHON, ROOT, FolderCase, environment
from tests.web.authority import NO_OPENSSL, OPENSSL, Authority, Pair

# Of a long line a pipe takes a part only, and other writers' lines may come in between; a short one it takes whole.
_LONG, _SHORT, _LINES = 200_000, 100, 40
_WRITING = f"""
import sys, threading
from secure_mcp_gateway.cli.whole_lines import share_standard_error
share_standard_error()
print(flush=True)
sys.stdin.readline()
def write(letter):
    long = letter in "ac"
    for _ in range({_LINES} if long else 10 * {_LINES}):
        sys.stderr.write(letter * ({_LONG} if long else {_SHORT}) + chr(10))
threads = [threading.Thread(target=write, args=(letter,)) for letter in sys.argv[1]]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Managed(WorkersCase):
    def manager(self) -> socket.socket:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(self.path("notify"))
        manager.settimeout(DEADLINE)
        return manager

    def test_it_is_told_once_of_each_stage_of_all(self) -> None:
        manager = self.manager()
        server = self.start_workers("--no-access-log", NOTIFY_SOCKET=self.path("notify"), count=3)
        self.assertEqual(manager.recv(4096), b"READY=1")
        server.signal(signal.SIGHUP)
        self.assertTrue(manager.recv(4096).startswith(b"RELOADING=1\n"))
        self.assertEqual(manager.recv(4096), b"READY=1")
        slow = self.half_a_request(server)
        server.signal(signal.SIGTERM)
        self.assertEqual(manager.recv(4096), b"STOPPING=1")
        self.finish(slow)
        self.assertEqual(server.ended(), (0, ""))
        manager.setblocking(False)
        with self.assertRaises(BlockingIOError):
            manager.recv(4096)

    def test_its_socket_stays_open_for_the_next_server(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            for _ in range(2):
                waiting = [self.caller(listener) for _ in range(20)]
                argv = ["--store", self.store, "system", "start-api", "--no-access-log", "--workers=2"]
                server = Activated(argv, listener)
                self.addCleanup(server.kill)
                for client in waiting:
                    self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200 "))
                self.assertEqual(server.line, f"http://127.0.0.1:{listener.getsockname()[1]}")
                self.assertEqual(server.stop(), (0, ""))

    def caller(self, listener: socket.socket) -> socket.socket:
        client = socket.create_connection(listener.getsockname(), timeout=DEADLINE)
        self.addCleanup(client.close)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return client

    @unittest.skipUnless(OPENSSL, NO_OPENSSL)
    def test_each_reads_its_tls_files_again_on_sighup(self) -> None:
        manager = self.manager()
        first, second = (Authority(self.folder, name).issue("machine", "serverAuth") for name in ("first", "second"))
        for path, name in zip(first, ("tls.crt", "tls.key")):
            os.link(path, self.path(name))
        tls = ("--tls-cert", self.path("tls.crt"), "--tls-key", self.path("tls.key"))
        server = self.start_workers(*tls, "--no-access-log", NOTIFY_SOCKET=self.path("notify"))
        self.assertTrue(server.line.startswith("https://127.0.0.1:"))
        self.assertEqual(manager.recv(4096), b"READY=1")
        self.assertEqual(self.issuers(server), {"first"})
        self.replace(second)
        server.signal(signal.SIGHUP)
        self.assertTrue(manager.recv(4096).startswith(b"RELOADING=1\n"))
        self.assertEqual(manager.recv(4096), b"READY=1")
        self.assertEqual(self.issuers(server), {"second"})
        self.assertEqual(server.stop(), (0, ""))

    def replace(self, pair: Pair) -> None:
        for path, name in zip(pair, ("tls.crt", "tls.key")):
            os.replace(path, self.path(name))

    def issuers(self, server: Server) -> set[str]:
        """Of the certificates of connections to all workers."""
        context = ssl.create_default_context()
        for name in ("first", "second"):
            context.load_verify_locations(self.path(f"{name}.crt"))
        found: dict[int, str] = {}
        workers = children_of(server.process.pid)

        def has_all() -> bool:
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                port = secured.getsockname()[1]
                certificate: Any = secured.getpeercert()
                pid = next(pid for pid in workers if port in connections_of(pid, server.port))
                found[pid] = certificate["issuer"][0][0][1]
            return len(found) == len(workers)

        self.assertTrue(until(has_all))
        return set(found.values())


@unittest.skipIf(os.name == "nt", "Windows has no workers")
class OneLog(FolderCase):
    def test_each_write_is_of_whole_lines_and_of_what_a_pipe_takes_at_once(self) -> None:
        # Of such sockets each write is one to read.
        reading, writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with reading, writing:
            large, small = "a" * 2 * PIPE_BUF + "\n", "b" * (PIPE_BUF // 3) + "\n"
            with WholeWrites(writing.fileno(), "utf-8") as stream:
                stream.write(small * 4 + large + small)
                stream.write("c")
            found = [reading.recv(4 * PIPE_BUF).decode() for _ in range(5)]
        self.assertEqual(found, [small * 2, small * 2, large, small, "c"])

    def test_lines_of_several_threads_and_processes_to_one_full_pipe_stay_whole(self) -> None:
        reading, writing = os.pipe()
        words = [*PYTHON, "-c", _WRITING]
        settings: dict[str, Any] = {"stdin": -1, "stdout": -1, "stderr": writing, "cwd": ROOT, "env": environment()}
        writers = [subprocess.Popen([*words, letters], **settings) for letters in ("ab", "cd")]
        os.close(writing)
        self.assertEqual([each.stdout.read(1) for each in writers], [b"\n", b"\n"])
        for each in writers:
            each.stdin.close()
        with open(reading, "rb", buffering=0) as pipe:
            found = b"".join(iter(lambda: pipe.read(8192), b"")).decode().split("\n")
        for each in writers:
            with each:
                self.assertEqual(each.wait(DEADLINE), 0)
        lines = {letter * _LONG: _LINES for letter in "ac"}
        lines.update({letter * _SHORT: 10 * _LINES for letter in "bd"})
        self.assertEqual({f"{line[:1]} {len(line)}" for line in found if line not in lines}, {" 0"}, "torn")
        self.assertEqual({line: found.count(line) for line in lines}, lines)


@unittest.skipIf(os.name == "nt", "Windows has no workers")
class TheNextConnection(unittest.TestCase):
    """Two workers in this process, of whom one has more connections, and the time is the test's."""

    def setUp(self) -> None:
        self.scoreboard = new_scoreboard(3)
        self.addCleanup(os.close, self.scoreboard.descriptor)
        self.many, self.few = self.worker(0), self.worker(1)
        self.now = 1000.0
        patch = mock.patch("secure_mcp_gateway.cli.worker.time.monotonic", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)

    def worker(self, number: int) -> Worker:
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        made = Worker(role_of(theirs.detach(), self.scoreboard.descriptor, number))
        self.addCleanup(made._link.close)
        made.tell("READY")
        self.assertEqual(ours.recv(64), b"+")
        return made

    def test_is_for_who_has_no_more_than_one_above_the_others(self) -> None:
        self.assertFalse(self.few.holds_back(0))
        self.assertFalse(self.many.holds_back(1))

    def test_is_left_to_who_has_fewer_until_that_has_nearly_as_many(self) -> None:
        self.assertTrue(self.many.holds_back(4))
        self.few.holds_back(2)
        self.assertTrue(self.many.holds_back(4))
        self.few.holds_back(3)
        self.assertFalse(self.many.holds_back(4))

    def asked_for(self, seconds: float) -> set[bool]:
        """The answers to being asked about one connection every millisecond."""
        found = set()
        for _ in range(round(seconds * 1000)):
            found.add(self.many.holds_back(4))
            self.now += 0.001
        return found

    def test_is_not_left_for_long_nor_at_once_again_to_one_that_hangs(self) -> None:
        self.assertEqual(self.asked_for(0.049), {True})
        self.now += 0.002
        self.assertEqual(self.asked_for(0.245), {False})
        self.now += 0.01
        self.assertEqual(self.asked_for(0.049), {True})

    def test_is_another_one_after_a_while(self) -> None:
        for _ in range(5):
            self.assertEqual(self.asked_for(0.03), {True})
            self.now += 0.1

    def test_is_not_left_to_one_that_does_not_serve(self) -> None:
        self.scoreboard.counts[1] = 0
        self.assertFalse(self.many.holds_back(5))


if __name__ == "__main__":
    unittest.main()
