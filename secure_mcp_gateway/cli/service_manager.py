"""What a service manager such as systemd hands over and wants to hear: sd_listen_fds(3) and sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time

from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.output import Output

_FIRST_DESCRIPTOR = 3
_HANDED_OVER = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_NOTIFY = "NOTIFY_SOCKET"
_SEND_SECONDS = 1.0
_ONE_SOCKET = "give its socket unit one ListenStream=ADDRESS:PORT and Accept=no"


def activated_socket() -> socket.socket | None:
    """The one listening TCP socket that was handed over; None where none was, or where what stands in the environment is another
    process's. The variables are gone from then on, so that no process of ours takes them for its own."""
    process, count = (os.environ.get(name, "") for name in _HANDED_OVER[:2])
    for name in _HANDED_OVER:
        os.environ.pop(name, None)
    if process != str(os.getpid()):
        return None
    if count != "1":
        raise InvalidRequest(f"LISTEN_FDS is {count!r}: this server takes exactly one socket", _ONE_SOCKET)
    return _listening_socket(_FIRST_DESCRIPTOR)


def _listening_socket(descriptor: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError as error:
        raise _unfit(os.strerror(error.errno or 0).lower()) from None
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or listener.type != socket.SOCK_STREAM:
        raise _unfit("it is no TCP socket")
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise _unfit("it does not listen")
    listener.set_inheritable(False)
    return listener


def _unfit(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the socket that the service manager handed over cannot be served on: {reason}", _ONE_SOCKET)


class Notifier:
    """Tells the service manager of each stage, for as long as it listens. A server serves all the same where it does not."""

    __slots__ = ("_output", "_socket")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._socket = self._connected(os.environ.pop(_NOTIFY))

    def tell(self, stage: str) -> None:
        """``READY``, ``RELOADING`` or, as the last word, ``STOPPING``."""
        if self._socket is None:
            return
        text = f"{stage}=1"
        if stage == "RELOADING":
            # So that a READY which was sent before is not taken for the end of this reload.
            text += f"\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
        try:
            self._socket.send(text.encode())
        except OSError as error:
            self._warn(error)
        if stage == "STOPPING":
            self._socket.close()
            self._socket = None

    def _connected(self, address: str) -> socket.socket | None:
        """Connected now: later on no address needs to be looked for any more."""
        if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
            self._output.warn(f"${_NOTIFY} is neither a path nor @NAME, so the service manager hears nothing of this server")
            return None
        found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        found.settimeout(_SEND_SECONDS)
        try:
            found.connect("\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            found.close()
            self._warn(error)
            return None
        return found

    def _warn(self, error: OSError) -> None:
        self._output.warn(f"the service manager cannot be told of this server: {error.strerror or error}")
