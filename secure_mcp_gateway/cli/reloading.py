"""``--reload``: a parent that keeps the socket, and a server in a child that is started anew when the source changes."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from secure_mcp_gateway.cli.children import PACKAGE, require_handing_on, start_child
from secure_mcp_gateway.cli.commands import INTERRUPTED
from secure_mcp_gateway.cli.listening import ANNOUNCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from secure_mcp_gateway.cli.output import Output

_POLL_SECONDS = 0.5
_STOP_SECONDS = 15.0
_FAILED = 1


def supervise(arguments: list[str], listener: socket.socket, output: Output) -> int:
    """The exit code of the child that ended by itself; one that fails after a change is tried again at the next change."""
    require_handing_on("--reload")
    supervisor = _Supervisor(arguments, listener, output)
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), supervisor.pass_on)
    return supervisor.run()


class _Supervisor:
    def __init__(self, arguments: list[str], listener: socket.socket, output: Output) -> None:
        self._arguments = arguments
        self._listener = listener
        self._output = output
        self._seen = source_times()
        self._asked_to_end = 0  # the signal
        self._child: subprocess.Popen[bytes] | None = None

    def pass_on(self, number: int, _: object) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._asked_to_end = self._asked_to_end or number
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)

    def run(self) -> int:
        first = True
        while True:
            self._child = child = start_child(self._arguments, self._listener, ANNOUNCE if first else "")
            if self._asked_to_end:
                child.terminate()
            code = self._watched(child)
            if self._asked_to_end:
                return self._end(code or 0)
            if code is not None and (first or code in (0, INTERRUPTED)):
                return code if code >= 0 else _FAILED
            if code is None:
                _stop(child)
            elif not self._changed_after(code):
                return self._end(0)
            first = False

    def _end(self, code: int) -> int:
        return INTERRUPTED if self._asked_to_end == signal.SIGINT else max(0, code)

    def _watched(self, child: subprocess.Popen[bytes]) -> int | None:
        """The child's exit code, None where the source changed before it ended."""
        while True:
            try:
                return child.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if not self._asked_to_end and self._changed_and_compiles():
                    return None

    def _changed_after(self, code: int) -> bool:
        """Waits for the next change; False where it was asked to end before."""
        self._output.say(f"the server ended with {code} after a change: connections wait until the next change lets it start")
        while not self._asked_to_end:
            if self._changed_and_compiles():
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _changed_and_compiles(self) -> bool:
        """What does not compile is said once, and leaves the server that runs alone."""
        times = source_times()
        if times == self._seen:
            return False
        self._seen = times
        problem = _syntax_error(times)
        if problem:
            self._output.say(f"the source changed but does not compile, so nothing is started anew: {problem}")
        return not problem


def _syntax_error(paths: Iterable[str]) -> str:
    for path in paths:
        try:
            with open(path, "rb") as file:
                compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            return str(error)
        except OSError:
            continue  # it went away meanwhile, which the next look will see
    return ""


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def source_times() -> dict[str, int]:
    """The time of each source file of the package."""
    times = {}
    for folder, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                try:
                    times[path] = os.stat(path).st_mtime_ns
                except OSError:
                    continue
    return times
