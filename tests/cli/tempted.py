"""The command line with a weak spot put in: ``python3 -m tests.cli.tempted PORT FOLDER ARGUMENT ...``.

``config search`` does the deed that its search term names: a stand-in for whatever a fault of ours might let in. PORT is one that
the test listens on, FOLDER one that lies outside everything that the server should write to.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import sys
import threading
import types
from typing import Any, Callable

from secure_mcp_gateway.operations import all_operations

PORT = int(sys.argv[1]) if __name__ == "__main__" else 0
FOLDER = sys.argv[2] if __name__ == "__main__" else ""
MARKS = os.open(os.path.join(FOLDER, "marks"), os.O_WRONLY | os.O_CREAT, 0o600) if __name__ == "__main__" else -1
STORE = os.path.dirname(sys.argv[4]) if __name__ == "__main__" else ""  # after --store


def leave_mark() -> None:
    """Through a file that is open already: nothing but the way to this call could be refused."""
    os.write(MARKS, b"x")


def _mark(name: str = "mark") -> str:
    return os.path.join(FOLDER, name)


def _connect() -> None:
    socket.create_connection(("127.0.0.1", PORT)).close()


def _connect_raw() -> None:
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", PORT))


def _send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("127.0.0.1", PORT))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _load_the_starter_of_processes() -> None:
    sys.modules.pop("_posixsubprocess", None)
    __import__("_posixsubprocess")


def _import() -> None:
    sys.path.insert(0, FOLDER)
    __import__("foreign")


def _make_a_function() -> None:
    types.FunctionType(compile("leave_mark()", "<made>", "exec"), globals())()


def _open_for_writing() -> None:
    os.close(os.open(_mark(), os.O_WRONLY | os.O_CREAT, 0o600))


def _append() -> None:
    with open(_mark("there"), "a", encoding="ascii") as file:
        file.write("more")


def _write_a_bare_name() -> None:
    with open("bare", "w", encoding="ascii") as file:
        file.write("x")


def _swallow() -> None:
    with contextlib.suppress(Exception):
        _connect()


def _on_another_thread() -> None:
    thread = threading.Thread(target=_swallow)
    thread.start()
    thread.join()


DEEDS: dict[str, Callable[[], Any]] = {
    "connect": _connect,
    "connect raw": _connect_raw,
    "send": _send,
    "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
    "look up": lambda: socket.getaddrinfo("localhost", 80),
    "look up a name": lambda: socket.gethostbyname("localhost"),
    "look up an address": lambda: socket.getnameinfo(("127.0.0.1", 80), 0),
    "process": lambda: subprocess.run(["touch", _mark()], check=True),
    "shell": lambda: os.system(f"touch {_mark()}"),
    "spawn": lambda: os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", f"touch {_mark()}"], {}), 0),
    "fork": _fork,
    "exec": lambda: os.execv("/bin/sh", ["sh", "-c", f"touch {_mark()}"]),
    "pty": lambda: os.forkpty()[0] or os._exit(0),
    "load the starter of processes": _load_the_starter_of_processes,
    "call into C": lambda: ctypes.CDLL(None).getpid(),
    "import": _import,
    "run text": lambda: exec("leave_mark()"),  # noqa: S102
    "evaluate text": lambda: eval("leave_mark()"),  # noqa: S307
    "make a function": _make_a_function,
    "write": lambda: open(_mark(), "w").close(),
    "append": _append,
    "open for writing": _open_for_writing,
    "write through a link": lambda: open(os.path.join(STORE, "files", "link"), "w").close(),
    "write upwards": lambda: open(os.path.join("..", "outside", "mark"), "w").close(),
    "move away": lambda: os.rename(os.path.join(STORE, "store.json.lock"), _mark()),
    "remove": lambda: os.remove(_mark("there")),
    "make a folder": lambda: os.mkdir(_mark()),
    "change a mode": lambda: os.chmod(_mark("there"), 0o640),
    "swallow": _swallow,
    "on another thread": _on_another_thread,
}


def _tempt() -> None:
    row = next(row for row in all_operations() if row.name == "config search")
    usual = row.run

    def run(document: Any, call: Any, search_term: str, **more: Any) -> Any:
        if search_term == "fault":
            raise ZeroDivisionError("a fault of ours")
        if search_term == "bare name":
            _write_a_bare_name()
        if search_term in DEEDS:
            DEEDS[search_term]()
        return usual(document, call, search_term=search_term, **more)

    row.run = run


if __name__ == "__main__":
    from secure_mcp_gateway.cli.main import main

    _tempt()
    raise SystemExit(main(sys.argv[3:]))
