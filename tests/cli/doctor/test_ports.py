"""Who answers on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import unittest
from collections.abc import Iterator
from unittest import mock

from secure_mcp_gateway.cli.doctor import ports
from tests.cli.doctor.case import DoctorCase


class Ports(DoctorCase):
    @contextlib.contextmanager
    def answering(self, answer: bytes | None) -> Iterator[None]:
        """Somebody on the port, who says this to who calls, or nothing at all."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:

            def serve() -> None:
                with contextlib.suppress(OSError), listener.accept()[0] as connection:
                    connection.recv(4096)
                    connection.sendall(answer or b"")

            if answer is not None:
                threading.Thread(target=serve, daemon=True).start()
            yield

    def test_a_port_that_is_free(self) -> None:
        self.assertEqual(self.faults("ports"), [])

    def test_a_port_that_another_program_has(self) -> None:
        for answer in (b"HTTP/1.1 200 OK\r\n\r\n[]", b"\x15\x03\x01", b"", b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 50000):
            with self.answering(answer):
                self.fault("ports", "warning", f"(process {os.getpid()})" if os.path.exists("/proc/net/tcp") else "another program")

    def test_a_program_that_says_nothing_is_not_waited_for(self) -> None:
        with self.answering(None), mock.patch.object(ports, "_SECONDS", 0.05):
            self.assertIn("--port 0", self.fault("ports", "warning", "is taken by")["fix"])

    def test_an_api_on_another_store(self) -> None:
        with self.answering(b'HTTP/1.1 200 OK\r\n\r\n{"data": {"status": "ok", "version": "1.2"}}'):
            self.fault("ports", "warning", "an API of version 1.2 that is not noted beside this store")

    def test_the_server_on_this_store_and_one_that_hangs(self) -> None:
        server = self.start("--no-access-log")
        with mock.patch.object(ports, "_SECONDS", 5.0):
            found = [each["text"] for each in self.examined() if each["area"] == "ports"]
        self.assertEqual(found[0], f"a server on this store runs on port {server.port} (process {server.process.pid})")
        server.signal(signal.SIGSTOP)
        with mock.patch.object(ports, "_SECONDS", 0.1):
            fault = self.fault("ports", "warning", "does not answer")
        self.assertIn(f"system stop-api --force --port {server.port}", fault["fix"])


if __name__ == "__main__":
    unittest.main()
