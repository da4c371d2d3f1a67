"""Processes of the command line without the cost of Python's start: a process that has loaded everything forks one for each command.

``python3 -m tests.crash.forge [MODULE:FUNCTION]`` (a variant broken on purpose) takes one order a line on standard input and answers
each with a line. ``Forge`` is the other end.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import time
from typing import Any, NamedTuple

from tests.support import DEADLINE, PYTHON, ROOT, environment

PACKAGE = "secure_mcp_gateway"
_servers: dict[int, int] = {}


class Aim(NamedTuple):
    """When to kill: so many seconds after the start, or, where ``sign`` names a file or folder, after that first changed."""

    seconds: float
    sign: str = ""


class Done(NamedTuple):
    """``seconds`` is how long the command took from its start or, where there was one, from the sign on; ``code`` is negative where
    a signal ended it."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def data(self) -> Any:
        """What was printed, None where that is not whole."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None


class Forge:
    """One command after the other; its processes make one group."""

    def __init__(self, variant: str = "") -> None:
        argv = [*PYTHON, "-m", "tests.crash.forge", *([variant] if variant else [])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(argv, env=environment(), cwd=ROOT, start_new_session=True, **pipes)  # type: ignore[call-overload]

    @property
    def group(self) -> int:
        return int(self._process.pid)

    def run(self, store: str, *words: str, aim: Aim | None = None) -> Done:
        """The command; killed where it has not ended when it should be."""
        return Done(*self._ask({"argv": ["--store", store, "--format", "json", *words], "aim": aim or Aim(DEADLINE)}))

    def serve(self, store: str, *flags: str) -> tuple[int, int]:
        """A server's process id and port."""
        words = ["system", "start-api", "--host=127.0.0.1", "--port=0", "--no-access-log", *flags]
        pid, port = self._ask({"serve": ["--store", store, *words]})
        return pid, port

    def kill(self, pid: int, aim: Aim) -> None:
        """SIGKILL a server; it is gone when this returns."""
        self._ask({"kill": pid, "aim": aim})

    def __enter__(self) -> Forge:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.group, signal.SIGCONT)
        os.killpg(self.group, signal.SIGKILL)
        self._process.communicate()

    def _ask(self, order: dict[str, Any]) -> Any:
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the forge ended")
        return json.loads(line)


def main(words: list[str]) -> int:
    for module in pkgutil.walk_packages(importlib.import_module(PACKAGE).__path__, f"{PACKAGE}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    if words:
        from tests.crash.variant import break_it

        break_it(words[0])
    answers = os.dup(1)
    for line in sys.stdin:
        order = json.loads(line)
        if "serve" in order:
            answer: Any = _served(order["serve"])
        elif "kill" in order:
            answer = _killed(order["kill"], Aim(*order["aim"]))
        else:
            answer = _ran(order["argv"], Aim(*order["aim"]))
        os.write(answers, json.dumps(answer).encode() + b"\n")
    return 0


def _forked(argv: list[str], out: int, err: int) -> int:
    from secure_mcp_gateway.cli.main import main as command_line

    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = command_line(argv)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _ran(argv: list[str], aim: Aim) -> list[Any]:
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    before = _look(aim.sign)
    pid = _forked(argv, out_end, err_end)
    os.close(out_end)
    os.close(err_end)
    said: dict[int, bytes] = {out: b"", err: b""}
    start = _seen(aim.sign, before, pid)
    if not _listened(said, start + aim.seconds):
        os.kill(pid, signal.SIGKILL)
        _listened(said, time.monotonic() + DEADLINE)
    _, status = os.waitpid(pid, 0)
    seconds = time.monotonic() - start
    os.close(out)
    os.close(err)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return [code, said[out].decode(), said[err].decode(), seconds]


def _killed(pid: int, aim: Aim) -> int:
    until = _seen(aim.sign, _look(aim.sign), pid) + aim.seconds
    while time.monotonic() < until:
        pass
    os.kill(pid, signal.SIGKILL)
    os.close(_servers.pop(pid))
    return os.waitpid(pid, 0)[1]


def _look(sign: str) -> tuple[int, ...]:
    try:
        found = os.stat(sign)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _seen(sign: str, before: tuple[int, ...], pid: int) -> float:
    """When the sign came: at once where none is wanted, and where the process ended without it. A write lasts less than a
    millisecond in memory, so this looks without pause."""
    deadline = time.monotonic() + DEADLINE
    while sign and _look(sign) == before and time.monotonic() < deadline:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
    return time.monotonic()


def _listened(said: dict[int, bytes], until: float) -> bool:
    """What the process says until it is over, or until then; is it over?"""
    ends = list(said)
    while ends and (left := until - time.monotonic()) > 0:
        for end in select.select(ends, [], [], left)[0]:
            part = os.read(end, 1 << 16)
            said[end] += part
            if not part:
                ends.remove(end)
    return not ends


def _served(argv: list[str]) -> list[int]:
    out, out_end = os.pipe()
    silence = os.open(os.devnull, os.O_WRONLY)
    pid = _forked(argv, out_end, silence)
    os.close(silence)
    os.close(out_end)
    line = b""
    while not line.endswith(b"\n") and select.select([out], [], [], DEADLINE)[0]:
        part = os.read(out, 1 << 10)
        line += part
        if not part:
            break
    _servers[pid] = out  # open as long as the server lives, which must not meet a closed pipe
    return [pid, int(line.strip().rpartition(b":")[2])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
