"""Load from one process beside the server: our own generator's, or that of wrk where it is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any, NamedTuple

from tests.bench.figures import share_below
from tests.support import DEADLINE, ROOT, environment
from tests.team import ADMIN

CONNECTIONS = 16
_UNPACKED = ROOT / ".tools" / "bench" / "wrk" / "usr"
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Served(NamedTuple):
    """Answers a second; seconds that 99 of 100 took at most."""

    rate: float
    p99: float


def drive(port: int, requests: list[bytes], seconds: float, connections: int = CONNECTIONS) -> Served:
    """By our own generator, which can send different requests."""
    plan = {"port": port, "connections": connections, "seconds": seconds, "requests": [each.decode("latin-1") for each in requests]}
    found = json.loads(_output([sys.executable, "-m", "tests.bench.generator"], json.dumps(plan), seconds))
    return Served(found["rate"], share_below(found["times"], 0.99))


def find_wrk() -> str | None:
    unpacked = _UNPACKED / "bin" / "wrk"
    return shutil.which("wrk") or (str(unpacked) if unpacked.exists() else None)


def drive_wrk(wrk: str, port: int, path: str, seconds: float) -> Served:
    flags = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--latency", "-H", f"Authorization: Bearer {ADMIN}"]
    return served_of(_output([wrk, *flags, f"http://127.0.0.1:{port}{path}"], "", seconds))


def served_of(said: str) -> Served:
    """From what wrk prints."""
    if "Non-2xx" in said or "Socket errors" in said:
        raise AssertionError(said)
    slowest = re.search(r"^ +99% +([\d.]+)([a-z]+)$", said, re.MULTILINE)
    found = re.search(r"^Requests/sec: +([\d.]+)$", said, re.MULTILINE)
    assert slowest and found, said
    return Served(float(found[1]), float(slowest[1]) * _UNITS[slowest[2]])


def _output(argv: list[str], given: str, seconds: float) -> str:
    libraries = os.pathsep.join(map(str, (_UNPACKED / "lib").glob("*-linux-gnu")))
    settings = environment(**({"LD_LIBRARY_PATH": libraries} if libraries else {}))
    how: dict[str, Any] = {"env": settings, "cwd": ROOT, "timeout": seconds + DEADLINE}
    done = subprocess.run(argv, input=given, capture_output=True, encoding="utf-8", check=False, **how)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout
