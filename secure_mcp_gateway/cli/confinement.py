"""``--paranoid``: from the moment of serving on, the process refuses itself what serving does not take.

It goes by the audit events of Python (PEP 578). That is a net under faults and smuggled-in requests and code of ours, and a witness; no
sandbox: code that can run anything at all in the process, or a library in C, gets around it. The system's own fences belong outside.
"""

from __future__ import annotations

import os
import sys

from secure_mcp_gateway.web.log import report_attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Callable

    from secure_mcp_gateway.web.log import AccessLog

_PACKAGE = __name__.partition(".")[0]
# Calling others, waiting for others elsewhere, asking for names, starting processes, calling into C.
_NEVER = frozenset(
    (
        *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
        *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"),
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.startfile"),
        *("ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function"),
    )
)
_NEW_CODE = frozenset(("exec", "code.__new__", "function.__new__"))
# Of the standard library; what starts processes and calls into C is behind them, partly without an event of its own.
_NEVER_IMPORTED = frozenset(("_posixsubprocess", "_ctypes"))
_CHANGED_PATHS = {
    "os.rename": 2,
    "os.link": 2,
    **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime"), 1),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LONGEST_SAID = 200


def confine(log: AccessLog | None, home: str, roots: list[str]) -> None:
    """For good: a hook cannot be taken away. Files are written below ``roots`` alone; ``home`` becomes the current folder."""
    # A bare name may belong to an open folder, which the event does not tell; of the current folder it must mean nothing else.
    os.chdir(home)
    sys.dont_write_bytecode = True
    sys.addaudithook(_Confinement(log, [os.path.realpath(root) for root in roots]).heed)


class _Confinement:
    def __init__(self, log: AccessLog | None, roots: list[str]) -> None:
        self._log = log
        self._roots = roots
        self._importable = _standard_library() - _NEVER_IMPORTED | {_PACKAGE}
        self._judges: dict[str, Callable[[tuple[Any, ...]], bool]] = {
            **dict.fromkeys(_NEVER, lambda _: False),
            **dict.fromkeys(_NEW_CODE, lambda _: _is_importing(sys._getframe(2))),
            "import": lambda arguments: arguments[0].partition(".")[0] in self._importable,
            "open": lambda arguments: not arguments[2] & _WRITING or self._is_inside(arguments[0]),
            "os.symlink": lambda arguments: self._is_inside(arguments[1]),
        }
        for event, count in _CHANGED_PATHS.items():
            self._judges[event] = lambda arguments, count=count: all(map(self._is_inside, arguments[:count]))  # type: ignore[misc]

    def heed(self, event: str, arguments: tuple[Any, ...]) -> None:
        judge = self._judges.get(event)
        if judge is None or judge(arguments):
            return
        named = arguments[-1:] if event.startswith("socket.") else arguments[:1]
        said = ", ".join(map(repr, named))[:_LONGEST_SAID]
        # Noted here, for who called may swallow every error.
        raise report_attempt(self._log, f"--paranoid refused {event}({said})")

    def _is_inside(self, path: Any) -> bool:
        if isinstance(path, int):
            return True  # open already
        text = os.fsdecode(path)
        if not os.path.isabs(text):
            return os.path.basename(text) == text and bool(self._roots)
        real = os.path.realpath(text)
        return any(real == root or real.startswith(os.path.join(root, "")) for root in self._roots)


def _is_importing(frame: FrameType | None) -> bool:
    """A module's own code runs when it is imported, and so does what it makes then."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
            return True
        frame = frame.f_back
    return False


def _standard_library() -> frozenset[str]:
    names: frozenset[str] | None = getattr(sys, "stdlib_module_names", None)
    if names is not None:
        return names
    folder = os.path.dirname(os.__file__)
    found = os.listdir(folder) + os.listdir(os.path.join(folder, "lib-dynload"))
    return frozenset(sys.builtin_module_names).union(name.partition(".")[0] for name in found) - {"site-packages", "dist-packages"}
