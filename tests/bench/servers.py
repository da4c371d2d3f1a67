"""What the load goes to: the product, and the servers that it is compared with, each with its log going to a file."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.bench.stores import workplace
from tests.crash.server import Server
from tests.hostile.target import until
from tests.support import DEADLINE, ROOT, environment

_PACKAGES = ROOT / ".tools" / "bench" / "bin" / "python"
_ANNOUNCED = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Running:
    def __init__(self, process_id: int, port: int) -> None:
        self.process_id = process_id
        self.port = port


@contextlib.contextmanager
def ours(store: str, *flags: str) -> Iterator[Running]:
    server = Server(store, *flags, log=_new_log())
    try:
        yield Running(server.process.pid, server.port)
    finally:
        server.kill()


@contextlib.contextmanager
def stock(document: str, *flags: str) -> Iterator[Running]:
    """``http.server``, which answers what is in the file."""
    with _started([sys.executable, "-m", "tests.bench.stock", document, *flags]) as running:
        yield running


@contextlib.contextmanager
def uvicorn(document: str, *flags: str) -> Iterator[Running]:
    """uvicorn and FastAPI, with their own settings."""
    argv = [str(_PACKAGES), "-m", "uvicorn", "tests.bench.fastapi_app:app", "--host=127.0.0.1", "--port=0", *flags]
    with _started(argv, BENCH_DOCUMENT=document) as running:
        yield running


def why_no_uvicorn() -> str:
    """Empty where it can be started."""
    if not _PACKAGES.exists():
        return "`make bench` installs uvicorn and FastAPI for it"
    done = subprocess.run([str(_PACKAGES), "-c", "import uvicorn, fastapi"], capture_output=True, timeout=DEADLINE, check=False)
    return done.stderr.decode().strip().rpartition("\n")[2]


@contextlib.contextmanager
def _started(argv: list[str], **settings: str) -> Iterator[Running]:
    log = _new_log()
    with open(log, "ab") as file:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment(**settings), stdout=file, stderr=file)
    try:
        assert until(lambda: process.poll() is not None or _port_in(log) > 0) and process.poll() is None, _text(log)
        yield Running(process.pid, _port_in(log))
    finally:
        process.kill()
        process.wait()


def _new_log() -> str:
    descriptor, path = tempfile.mkstemp(dir=workplace(), suffix=".log")
    os.close(descriptor)
    return path


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _port_in(log: str) -> int:
    """0 while it is not announced."""
    found = _ANNOUNCED.search(_text(log))
    return int(found[1]) if found else 0
