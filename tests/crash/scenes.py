"""A running server and the command line on one store, asked the same things while something is done to the files beneath them."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from typing import Any

from secure_mcp_gateway.store.store import FRESH_SECONDS
from tests.crash.fault_cases import Said, answer_said, command_said
from tests.crash.server import Server, argv_of, make_store
from tests.support import DEADLINE, ROOT, environment

_READ_SECONDS = 3.0


class Scene:
    """``wrong`` are sentences: what was answered otherwise than it should be. The store is ``s/store.json`` in ``folder``."""

    def __init__(self, folder: str, variant: str = "") -> None:
        self.folder = os.path.join(folder, "s")
        self.store = os.path.join(self.folder, "store.json")
        self.requests = 0
        self.wrong: list[str] = []
        self.said = ""
        self.key = make_store(self.store)
        self._variant = variant
        self.prepare()
        self.start()
        self.writes("before anything was done")

    def prepare(self) -> None:
        """What is to be done to the folder before the server starts."""

    def start(self) -> None:
        self.server = Server(self.store, variant=self._variant)
        self._reader = self.server.client(self.key)

    def stop(self) -> None:
        """``said`` is then what the server said on standard error."""
        self._reader.close()
        code = self.server.stop()
        self.said += self.server.said
        self.expect(code == 0, f"the server ended with {code}")
        self.expect("Traceback" not in self.said and "incident" not in self.said, f"the server said {self.said}")

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def grow_stale(self) -> None:
        """Until the server looks at the file anew: it takes what it read for fresh that long."""
        time.sleep(2 * FRESH_SECONDS)

    def expect(self, holds: bool, sentence: str) -> bool:
        if not holds:
            self.wrong.append(sentence)
        return holds

    def reads(self, when: str) -> None:
        """Both surfaces answer a read, at once."""
        start = time.monotonic()
        said = self.ask("GET", "/users")
        self.expect(not said.error, f"{when}, a read was answered {said.code} {said.all}")
        self.expect(time.monotonic() - start < _READ_SECONDS, f"{when}, a read took {time.monotonic() - start:.1f} s")
        said = self.command("user", "list")
        self.expect(said.code == 0, f"{when}, the command line's read ended with {said.code} {said.all}")

    def reads_refused(self, when: str, reason: str = "", code: int = 6) -> None:
        """On both surfaces; ``code`` is the command line's, which says where."""
        self._refused(f"{when}, a read", self.ask("GET", "/users"), self.command("user", "list"), code, reason)
        health = self.ask("GET", "/health", base="")
        self.expect(health.code == 503, f"{when}, /health was answered {health.code}")

    def writes(self, when: str) -> None:
        said = self.write()
        self.expect(said.code == 201, f"{when}, a write was answered {said.code} {said.all}")
        said = self.write_command()
        self.expect(said.code == 0, f"{when}, the command line's write ended with {said.code} {said.all}")

    def writes_refused(self, when: str, reason: str = "", code: int = 6) -> None:
        self._refused(f"{when}, a write", self.write(), self.write_command(), code, reason)

    def write(self) -> Said:
        return self.ask("POST", "/users", {"email": f"u{self.requests}@example.com"})

    def write_command(self) -> Said:
        return self.command("user", "create", f"--email=c{self.requests}@example.com")

    def verified(self, when: str) -> None:
        said = self.command("system", "audit", "--verify")
        self.expect(said.code == 0, f"{when}, the audit does not verify: {said.all}")

    def no_temporary(self, when: str) -> None:
        left = [name for _, _, names in os.walk(self.folder) for name in names if name.endswith(".tmp")]
        self.expect(not left, f"{when}, these were left behind: {left}")

    def ask(self, method: str, path: str, body: Any = None, key: str = "", base: str = "/api/v1") -> Said:
        """A refusal never names a place of ours, and is never a fault of ours."""
        self.requests += 1
        is_plain = not key and base == "/api/v1"
        client = self._reader if is_plain else self.server.client(key or self.key, base)
        try:
            said = answer_said(client.send(method, path, body))
        except (OSError, http.client.HTTPException) as error:
            said = Said(0, "no answer", repr(error), repr(error))
        if not is_plain:
            client.close()
        self.expect(not said.error or self.folder not in said.all, f"the refusal of {method} {path} names the place: {said.all}")
        self.expect(said.code < 500 or said.error == "unavailable", f"{method} {path} was answered {said.code} {said.all}")
        return said

    def command(self, *words: str) -> Said:
        """``all`` is what it gave, where it did not refuse."""
        self.requests += 1
        argv = argv_of(self.store, list(words), self._variant)
        done = subprocess.run(argv, capture_output=True, env=environment(), cwd=ROOT, timeout=DEADLINE, check=False)
        if done.returncode < 2:
            return Said(done.returncode, "", "", f"{done.stdout.decode()} {done.stderr.decode()}")
        return command_said(done.returncode, done.stderr)

    def _refused(self, what: str, answer: Said, command: Said, code: int, reason: str) -> None:
        told = answer.code == 503 and answer.error == "unavailable" and reason in answer.detail
        self.expect(told, f"{what} was answered {answer.code} {answer.all}, not 503 with '{reason}'")
        told = command.code == code and command.error == "unavailable" and reason in command.detail
        self.expect(told, f"{what} on the command line ended with {command.code} {command.all}, not {code} with '{reason}'")
        self.expect(self.folder in command.detail, f"{what} on the command line does not say where: {command.all}")
