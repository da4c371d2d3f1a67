"""What tests share. Importing this poisons the default store: a test that forgets to name one fails instead of touching it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
DEADLINE = 30
# Runs what tests start: without the packages that may be installed, which nothing here needs and whose start costs more than ours.
PYTHON = (sys.executable, "-S")
# Where files go whose syncs need cost nothing; None: where temporary files usually go.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# A folder with further files of Enkrypt's gateway to try; read before the settings of the product are taken away.
SAMPLES = os.environ.get("SECURE_MCP_GATEWAY_SAMPLES", "")
POISON = {"HOME": "/dev/null/poisoned", "SECURE_MCP_GATEWAY_STORE": "/dev/null/poisoned/store.json"}
for name in [name for name in os.environ if name.startswith("SECURE_MCP_GATEWAY_")]:
    del os.environ[name]
os.environ.update(POISON)


@contextlib.contextmanager
def in_memory() -> Iterator[str]:
    """A folder where syncs cost nothing."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield os.path.realpath(folder)


class Ran(NamedTuple):
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def refusal(self) -> Any:
        """Standard error as the one JSON document that it must be."""
        return json.loads(self.err)


def run(*argv: str, given: bytes = b"") -> Ran:
    """The command line in this process; ``given`` stands on standard input."""
    from secure_mcp_gateway.cli.main import main

    out, err, stdin = io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(given))
    with mock.patch.object(sys, "stdin", stdin), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(argv))
    return Ran(code, out.getvalue(), err.getvalue())


def command(*argv: str) -> list[str]:
    return [*PYTHON, "-m", "secure_mcp_gateway", *argv]


def environment(**more: str) -> dict[str, str]:
    """With which a process says on standard error what it left open."""
    return {"PYTHONWARNINGS": "default::ResourceWarning", **os.environ, "PYTHONPATH": str(ROOT), **more}


def process(*argv: str, given: bytes = b"", cwd: str | None = None, **more: Any) -> Ran:
    """The command line in a process of its own."""
    settings = {"env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    done = subprocess.run(command(*argv), input=given, cwd=cwd, timeout=DEADLINE, check=False, **settings)
    return Ran(done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode())


class FolderCase(unittest.TestCase):
    """Each test with an empty folder of its own, resolved of links."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = os.path.realpath(holder.name)

    def path(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def write(self, name: str, content: Any) -> str:
        """A file with this text, these bytes, or this as JSON."""
        data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
        path = self.path(name)
        Path(path).write_bytes(data)
        return path


class StoreCase(FolderCase):
    """A folder with a store in ``s/``, made by ``generate-config``."""

    keys: dict[str, Any]

    def setUp(self) -> None:
        super().setUp()
        self.store = self.path("s", "store.json")
        self.keys = self.done("generate-config")

    def run_json(self, *argv: str, given: bytes = b"") -> Ran:
        return run("--store", self.store, "--format", "json", *argv, given=given)

    def run_table(self, *argv: str, given: bytes = b"") -> Ran:
        return run("--store", self.store, "--format", "table", *argv, given=given)

    def done(self, *argv: str, given: bytes = b"") -> Any:
        ran = self.run_json(*argv, given=given)
        self.assertEqual(ran.code, 0, ran.err)
        return ran.data

    def refused(self, code: int, *argv: str, given: bytes = b"") -> str:
        """The detail of a refusal with this exit code."""
        ran = self.run_json(*argv, given=given)
        self.assertEqual((ran.code, ran.out), (code, ""), ran.err)
        self.assertEqual(sorted(ran.refusal), ["detail", "error", "timestamp"])
        return str(ran.refusal["detail"])

    def audited(self, operation: str) -> list[str]:
        """The results of this operation, the newest first."""
        return [line["result"] for line in self.done("system", "audit", "--operation", operation)]
