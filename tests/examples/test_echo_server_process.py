"""The echo server as a client starts it: a process with pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

from secure_mcp_gateway.examples import echo_server

ROOT = Path(__file__).resolve().parents[2]
BY_NAME = ("-m", "secure_mcp_gateway.examples.echo_server")
BY_PATH = (echo_server.__file__,)
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
DEADLINE = 20


def line(method: str, params: Any = None, request_id: Any = None) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params or {}}
    if request_id is not None:
        message["id"] = request_id
    return json.dumps(message).encode() + b"\n"


def run(data: bytes, *how: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *(how or BY_NAME)], input=data, cwd=cwd, capture_output=True, timeout=DEADLINE, check=False)


class WholeRuns(unittest.TestCase):
    def test_a_session_from_initialize_to_the_end_of_the_input(self) -> None:
        greeting = line("initialize", HELLO, 1) + line("notifications/initialized")
        call = {"name": "echo", "arguments": {"text": "grüß dich"}}
        done = run(greeting + line("tools/list", {}, "two") + line("tools/call", call, 3))
        answers = [json.loads(answer) for answer in done.stdout.splitlines()]
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual([answer["id"] for answer in answers], [1, "two", 3])
        self.assertEqual(answers[2]["result"]["structuredContent"], {"text": "grüß dich"})

    def test_the_file_runs_by_its_path_from_anywhere(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = run(line("ping", {}, 1), *BY_PATH, cwd=Path(folder))
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {"jsonrpc": "2.0", "id": 1, "result": {}}))

    def test_no_input_at_all_ends_with_nothing_said(self) -> None:
        done = run(b"")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_a_last_line_without_its_end_is_answered(self) -> None:
        self.assertEqual(json.loads(run(line("ping", {}, 1).rstrip()).stdout)["id"], 1)

    def test_a_line_past_the_limit_is_refused_and_the_next_one_served(self) -> None:
        huge = line("ping", {"text": "x" * echo_server.MAX_LINE}, 1)
        answers = [json.loads(answer) for answer in run(huge + line("ping", {}, 2)).stdout.splitlines()]
        self.assertEqual([answer.get("id") for answer in answers], [None, 2])
        self.assertEqual(answers[0]["error"]["code"], -32600)

    def test_a_line_at_the_limit_is_served(self) -> None:
        empty = len(line("ping", {"text": ""}, 1))
        longest = line("ping", {"text": "x" * (echo_server.MAX_LINE - empty)}, 1)
        self.assertEqual(len(longest), echo_server.MAX_LINE)
        self.assertEqual(json.loads(run(longest).stdout)["result"], {})


class LiveProcess(unittest.TestCase):
    def setUp(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, *BY_NAME], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
        watchdog = threading.Timer(DEADLINE, self.process.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        self.addCleanup(self.process.__exit__, None, None, None)
        self.addCleanup(self.process.kill)

    def ask(self, data: bytes) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(data)
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def complaint(self) -> bytes:
        assert self.process.stderr
        return self.process.stderr.read()

    def test_each_answer_comes_before_the_next_line_is_sent(self) -> None:
        self.assertEqual(self.ask(line("initialize", HELLO, 1))["id"], 1)
        self.assertEqual(self.ask(b"\xff\n")["error"]["code"], -32700)
        self.assertEqual(self.ask(line("ping", {}, 2))["id"], 2)

    def test_closing_the_input_ends_the_server(self) -> None:
        self.ask(line("ping", {}, 1))
        assert self.process.stdin
        self.process.stdin.close()
        self.assertEqual((self.process.wait(DEADLINE), self.complaint()), (0, b""))

    def test_a_client_that_reads_no_more_ends_the_server_quietly(self) -> None:
        self.ask(line("ping", {}, 1))
        assert self.process.stdin and self.process.stdout
        self.process.stdout.close()
        self.process.stdin.write(line("ping", {}, 2))
        self.process.stdin.flush()
        self.assertEqual((self.process.wait(DEADLINE), self.complaint()), (0, b""))

    @unittest.skipIf(os.name == "nt", "there is no SIGINT to send on Windows")
    def test_an_interrupt_ends_the_server_quietly(self) -> None:
        self.ask(line("ping", {}, 1))
        self.process.send_signal(signal.SIGINT)
        self.assertEqual((self.process.wait(DEADLINE), self.complaint()), (130, b""))
