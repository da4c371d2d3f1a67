"""``--reload``: a parent that keeps the socket, and a server in a child that is started anew when the source changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from secure_mcp_gateway.cli.listening import INHERITED
from secure_mcp_gateway.errors import NotImplementedHere

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

_POLL_SECONDS = 0.5
_STOP_SECONDS = 15.0
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def supervise(arguments: list[str], listener: socket.socket) -> int:
    """The exit code of the child that ended by itself; one that fails after a change is tried again at the next change."""
    if os.name == "nt":
        raise NotImplementedHere("Windows has no way to hand the socket on", "do without --reload")
    supervisor = _Supervisor(arguments, listener)
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), supervisor.pass_on)
    return supervisor.run()


class _Supervisor:
    def __init__(self, arguments: list[str], listener: socket.socket) -> None:
        self._arguments = arguments
        self._listener = listener
        self._ending = False
        self._child: subprocess.Popen[bytes] | None = None

    def pass_on(self, number: int, _: object) -> None:
        self._ending = self._ending or number in (signal.SIGTERM, signal.SIGINT)
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)

    def run(self) -> int:
        seen, changed = source_times(), False
        while True:
            self._child = child = self._started()
            if self._ending:
                child.terminate()
            code = self._watched(child, seen)
            if self._ending:
                return max(0, code or 0)
            if code == 0 or (code is not None and not changed):
                return code
            if code is None:
                _stop(child)
            while source_times() == seen and not self._ending:
                time.sleep(_POLL_SECONDS)
            seen, changed = source_times(), True

    def _started(self) -> subprocess.Popen[bytes]:
        descriptor = self._listener.fileno()
        path = os.pathsep.join(filter(None, [os.path.dirname(_PACKAGE), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, INHERITED: f"{os.getpid()}:{descriptor}"}
        command = [sys.executable, "-m", os.path.basename(_PACKAGE), *self._arguments]
        # In a session of its own: Ctrl-C would reach it twice, from the terminal and from here, and the second one ends at once.
        return subprocess.Popen(command, env=environment, pass_fds=[descriptor], start_new_session=True)

    def _watched(self, child: subprocess.Popen[bytes], seen: dict[str, int]) -> int | None:
        """The child's exit code, None where the source changed before it ended."""
        while self._ending or source_times() == seen:
            try:
                return child.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return None


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
    for folder, _, names in os.walk(_PACKAGE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                try:
                    times[path] = os.stat(path).st_mtime_ns
                except OSError:
                    continue
    return times
