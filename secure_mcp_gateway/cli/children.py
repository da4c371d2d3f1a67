"""A server in a process of its own, which its parent hands the socket."""

from __future__ import annotations

import os
import subprocess
import sys

from secure_mcp_gateway.cli.listening import INHERITED, handed_on
from secure_mcp_gateway.errors import NotImplementedHere

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# With -m, or with -c alone, what lies in the current folder would be imported before the standard library's.
_MAIN = f"""import sys
sys.path[:] = [{os.path.dirname(PACKAGE)!r}, *filter(None, sys.path)]
from {os.path.basename(PACKAGE)}.__main__ import console
console()"""


def require_handing_on(flag: str) -> None:
    if os.name == "nt":
        raise NotImplementedHere("Windows has no way to hand the socket on", f"do without {flag}")


def start_child(arguments: list[str], listener: socket.socket, role: str, *descriptors: int) -> subprocess.Popen[bytes]:
    """The same command again; ``descriptors`` are what else it is handed. Raises OSError where no process can be had."""
    environment = {**os.environ, INHERITED: handed_on(listener, role)}
    # Whoever started this one without what is installed beside Python means that one too.
    command = [sys.executable, *(["-S"] if sys.flags.no_site else []), "-c", _MAIN, *arguments]
    # In a session of its own: Ctrl-C would reach it twice, from the terminal and from its parent, and the second one ends at once.
    return subprocess.Popen(command, env=environment, pass_fds=[listener.fileno(), *descriptors], start_new_session=True)
