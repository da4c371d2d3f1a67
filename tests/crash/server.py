"""The product as processes of its own, whole or broken on purpose, and a client that keeps its connection."""

from __future__ import annotations

import atexit
import http.client
import json
import os
import select
import signal
import subprocess
from typing import Any

from tests.support import DEADLINE, PYTHON, ROOT, command, environment


def argv_of(store: str, words: list[str], variant: str = "") -> list[str]:
    """The command line's words on this store; ``variant`` is ``MODULE:FUNCTION``, which breaks a promise first."""
    head = [*PYTHON, "-m", "tests.crash.variant", variant] if variant else command()
    return [*head, "--store", store, "--format", "json", *words]


def run(store: str, *words: str, variant: str = "", given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    argv = argv_of(store, list(words), variant)
    return subprocess.run(argv, input=given, capture_output=True, env=environment(), cwd=ROOT, timeout=DEADLINE, check=False)


def make_store(store: str) -> str:
    """A new default store; gives its admin key."""
    made = run(store, "generate-config")
    assert made.returncode == 0, made.stderr
    key: str = json.loads(made.stdout)["admin_api_key"]
    return key


class Server:
    """``system start-api`` on a free port of loopback; ``wrapper`` are words before the command (a tracer's).

    ``said`` is its standard error once it has ended; where ``log`` names a file, that takes it instead, with the access log.
    """

    def __init__(self, store: str, *flags: str, variant: str = "", wrapper: tuple[str, ...] = (), log: str = "") -> None:
        words = ["system", "start-api", "--host=127.0.0.1", "--port=0", *([] if log else ["--no-access-log"]), *flags]
        argv = [*wrapper, *argv_of(store, words, variant)]
        with open(log or os.devnull, "ab") as file:
            taker = file if log else subprocess.PIPE
            self.process = subprocess.Popen(argv, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=taker)
        # Whatever ends the proofs, no server outlives them.
        atexit.register(self.process.kill)
        self.said = ""
        self._log = log
        self.port = self._announced()

    def _announced(self) -> int:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line:
            self.process.kill()
            self._ended()
            raise AssertionError(f"the server did not start: {self.said}")
        return int(line.strip().rpartition(":")[2])

    def client(self, key: str, base: str = "/api/v1") -> Client:
        return Client(self.port, key, base)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        _, said = self.process.communicate(timeout=DEADLINE)
        if self._log:
            with open(self._log, "rb") as file:
                said = file.read()
        self.said += said.decode()
        return self.process.returncode


class Answer:
    """``etag`` is the generation that a read saw, -1 where none is said."""

    __slots__ = ("body", "etag", "status")

    def __init__(self, status: int, body: Any, etag: int) -> None:
        self.status = status
        self.body = body
        self.etag = etag

    @property
    def data(self) -> Any:
        return self.body.get("data")


class Client:
    """Requests one after the other on one connection; raises ``OSError`` or ``http.client.HTTPException`` where that breaks."""

    def __init__(self, port: int, key: str, base: str = "/api/v1") -> None:
        """``base`` stands before each path."""
        self._base = base
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self._key = key

    def send(self, method: str, path: str, body: Any = None, **fields: str) -> Answer:
        """``fields`` are further header fields, ``If_Match`` for ``If-Match``."""
        self.ask(method, path, body, **fields)
        return self.answer()

    def ask(self, method: str, path: str, body: Any = None, **fields: str) -> None:
        """What ``answer`` gives the answer to, so that other things can be done meanwhile."""
        headers = {"Authorization": f"Bearer {self._key}", **{name.replace("_", "-"): value for name, value in fields.items()}}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, self._base + path, data, headers)

    def is_answered(self) -> bool:
        """Or broken: ``answer`` does not wait long."""
        return bool(select.select([self._connection.sock], [], [], 0)[0])

    def answer(self) -> Answer:
        response = self._connection.getresponse()
        text = response.read()
        etag = (response.headers["ETag"] or '"-1"').strip('"')
        return Answer(response.status, json.loads(text) if text else None, int(etag))

    def close(self) -> None:
        self._connection.close()
