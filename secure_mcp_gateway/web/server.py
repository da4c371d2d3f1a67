"""An HTTP server to be trusted: accepts, bounds and drains connections.

Each has a thread of its own while it may have to wait for its peer, the disk or a long answer; else it is in the lobby.
"""

from __future__ import annotations

import selectors
import signal
import socket
import threading
import time
from _thread import start_new_thread
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any, Callable

from secure_mcp_gateway.web.connections import Connection, Connections, Reaper, Timeouts
from secure_mcp_gateway.web.exchange import ENDED, Application, Exchange, Service
from secure_mcp_gateway.web.lobby import Lobby
from secure_mcp_gateway.web.log import AccessLog, report_fault, report_problem
from secure_mcp_gateway.web.request import Limits, Request
from secure_mcp_gateway.web.tls import TlsFiles, load_context, wrap

__all__ = ["Application", "Limits", "Timeouts", "TlsFiles", "WebServer"]

# The stages of a server's life, as its observer is told of them.
READY, RELOADING, STOPPING = "READY", "RELOADING", "STOPPING"
_FULL_PAUSE = 0.01
_HELD_BACK_PAUSE = 0.001
# Bytes of answers that the system holds for a client that does not take them; left to itself it holds megabytes for each.
_UNTAKEN = 262144
_DRAIN_PAUSE = 0.05
_LAST_ARRIVALS = 0.25
_PARTING, _PARTING_PAUSE = 0.5, 0.001
_ACCEPTED_A_TURN = 8


class WebServer(ThreadingHTTPServer):
    """Has the ``listener`` from its making on; ``serve`` answers until ``stop``. Raises OSError or ValueError where ``tls`` cannot be used.

    A ``lasting`` listener is somebody else's too, and goes on taking connections when this server ends. ``observer`` is told of
    each stage, on the thread that serves. ``at_once`` tells of a request without a body whether the application answers it out of
    memory: such answers are given where the request is received. ``hold_back`` is asked before each accept, with the number of
    connections there are, whether to leave the next one for a moment to others who accept on the same socket; ``count`` is told that
    number after each end.
    """

    request_queue_size = 1024

    def __init__(
        self,
        listener: socket.socket,
        application: Application,
        *,
        limits: Limits | None = None,
        max_connections: int = 512,
        tls: TlsFiles | None = None,
        access_log: AccessLog | None = None,
        timeouts: Timeouts | None = None,
        lasting: bool = False,
        observer: Callable[[str], object] | None = None,
        at_once: Callable[[Request], bool] | None = None,
        hold_back: Callable[[int], bool] | None = None,
        count: Callable[[int], object] | None = None,
    ) -> None:
        self.service = Service(application, limits or Limits(), timeouts or Timeouts(), access_log, at_once)
        self._tls_files = tls
        self._tls = load_context(tls) if tls else None
        self._connections = Connections(max_connections)
        self._reaper = Reaper(self._connections, min(max(self.service.timeouts.shortest() / 8, 0.01), 1.0))
        self._reload_wanted = self._ended = False
        self._lasting = lasting
        self._tell = observer or _tell_nobody
        self._hold_back, self._count = hold_back, count
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._lobby = Lobby(self._left_lobby)
        self._conversations: set[object] = set()  # one for each thread of a connection
        self._take(listener)

    def _take(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname()[:2], Exchange, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # The server that had it before may have closed its queue.
        self.server_activate()
        self.socket.setblocking(False)
        self.bound: tuple[str, int] = listener.getsockname()[:2]
        self.service.port = self.bound[1]

    def serve(self) -> None:
        """Returns when ``stop`` or ``stop_now`` was called and the connections are closed."""
        self._reaper.start()
        try:
            with _woken_by_signals(self._waker):
                self._tell(READY)
                self._accept_until_stopped()
        finally:
            self.service.stopping = True
            self._tell(STOPPING)
            self._lobby.close()
            self._accept_the_rest()
            self.socket.close()
            self._drain()
            self._connections.close_all()
            self._see_threads_end()
            self.server_close()

    def server_close(self) -> None:
        """Only for a server that never came to ``serve``."""
        super().server_close()
        self._wake.close()
        self._waker.close()

    def stop(self) -> None:
        """Let the requests under way be answered, then let ``serve`` return. Takes no lock: signal handlers may call it."""
        self.service.stopping = True
        self._rouse()

    def stop_now(self) -> None:
        """As ``stop``, but waits for nobody."""
        self._ended = True
        self.stop()

    def reload_tls(self) -> None:
        """Read certificate and key again for new connections; the old ones stay where that fails. Takes no lock."""
        self._reload_wanted = True
        self._rouse()

    def _rouse(self) -> None:
        try:
            self._waker.send(b"\0")
        except OSError:
            pass  # full: it is awake already; closed: it has ended

    def _accept_until_stopped(self) -> None:
        self._lobby.watch(self._wake)
        self._lobby.watch(self.socket)
        while not self.service.stopping:
            ready = self._lobby.turn()
            if self._wake in ready:
                self._on_wake()
            if self.socket in ready:
                self._accept_some()

    def _accept_some(self) -> None:
        """One for certain, and others while there is room: nobody is evicted for somebody who may not be there."""
        for at in range(_ACCEPTED_A_TURN):
            if self.service.stopping or (at and not self._connections.has_room()):
                return
            if self._hold_back is not None and self._hold_back(len(self._connections)):
                self._pause_accepting(_HELD_BACK_PAUSE)
                return
            accepted = self._accept()
            if accepted is None:
                self._pause_accepting(_FULL_PAUSE)
            if not accepted:
                return

    def _pause_accepting(self, seconds: float) -> None:
        """New connections wait in the listening socket's queue while there is no place, or no descriptor, for them here."""
        self._lobby.ignore(self.socket)
        until = time.monotonic() + seconds
        while not self.service.stopping and (left := until - time.monotonic()) > 0:
            if self._wake in self._lobby.turn(left):
                self._on_wake()
        self._lobby.watch(self.socket)

    def _on_wake(self) -> None:
        self._empty_wake()
        if self._reload_wanted:
            self._reload_wanted = False
            self._tell(RELOADING)
            self._reload()
            self._tell(READY)

    def _empty_wake(self) -> None:
        try:
            while self._wake.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _reload(self) -> None:
        if not self._tls_files:
            return
        try:
            self._tls = load_context(self._tls_files)
        except (OSError, ValueError) as error:
            report_problem(self.service.log, f"the TLS files could not be read again, the old ones stay in use: {error}")

    def _accept(self) -> bool | None:
        """Whether somebody was there; None where accepting must wait."""
        self.service.crowded = not self._connections.make_room()
        if self.service.crowded:
            return None
        try:
            sock, address = self.socket.accept()
        except (BlockingIOError, ConnectionError):
            return False
        except OSError:
            return None  # out of descriptors or memory
        self._admit(sock, address)
        return True

    def _accept_the_rest(self) -> None:
        """Closing the listening socket resets the connections in its queue, though their clients have sent requests already."""
        give_up = time.monotonic() + _LAST_ARRIVALS
        try:
            if not self._lasting:
                # No queue from now on: who comes later is not connected, and so is refused, not reset.
                self.socket.listen(0)
            while not self._ended and time.monotonic() < give_up:
                sock, address = self.socket.accept()
                self._admit(sock, address)
        except OSError:
            pass  # nobody waits

    def _admit(self, sock: socket.socket, address: Any) -> None:
        try:
            sock.setblocking(True)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNTAKEN)
            if self._tls:
                sock = wrap(self._tls, sock)
        except (OSError, ValueError):
            sock.close()
            return
        link = Connection(sock, address[0], self._tls is not None, time.monotonic() + self.service.timeouts.idle)
        self._connections.add(link)
        exchange = Exchange(link, address, self)
        if not self._lobby.enter(exchange):
            self._start(exchange)

    def _start(self, exchange: Exchange) -> None:
        # Not the exchange: it may be back in the lobby, and out again, before its first thread has ended.
        conversation = object()
        self._conversations.add(conversation)
        try:
            # Not a Thread: to start one waits until it runs, behind all that run already, and so long nobody else is let in.
            start_new_thread(self._converse, (exchange, conversation))
        except RuntimeError:  # no more threads
            self._conversations.discard(conversation)
            self._dismiss(exchange.link)

    def _converse(self, exchange: Exchange, conversation: object) -> None:
        ended = True
        try:
            ended = exchange.converse()
        except Exception as error:
            report_fault(self.service.log, "", error)
        finally:
            if ended:
                self._dismiss(exchange.link)
            self._conversations.discard(conversation)

    def takes_back(self, exchange: Exchange) -> bool:
        """Any thread's exchange waits for its next request in the lobby from now on; false where it cannot."""
        entered = self._lobby.enter(exchange)
        if entered:
            self._rouse()
        return entered

    def _left_lobby(self, exchange: Exchange, outcome: int) -> None:
        if outcome == ENDED:
            exchange.finish()
            self._dismiss(exchange.link)
        else:
            self._start(exchange)

    def _dismiss(self, link: Connection) -> None:
        self._connections.remove(link)
        link.sock.close()
        if self._count is not None:
            self._count(len(self._connections))
        if self.service.stopping:
            self._rouse()

    def _drain(self) -> None:
        give_up = time.monotonic() + self.service.timeouts.drain
        with selectors.DefaultSelector() as wake:
            wake.register(self._wake, selectors.EVENT_READ)
            while len(self._connections) and not self._ended and time.monotonic() < give_up:
                # Again and again: one that was busy a moment ago may be idle now. A request that is here already is still read.
                self._connections.close_idle()
                wake.select(_DRAIN_PAUSE)
                self._empty_wake()

    def _see_threads_end(self) -> None:
        """Up to Python 3.10 a thread that ends while the interpreter does can take the process down with it (a segmentation fault)."""
        self._reaper.stop()
        give_up = time.monotonic() + _PARTING
        while self._conversations and time.monotonic() < give_up:
            time.sleep(_PARTING_PAUSE)


def _tell_nobody(_: str) -> None:
    pass


@contextmanager
def _woken_by_signals(waker: socket.socket) -> Iterator[None]:
    """A signal that comes between the last look at it and the wait, or to another thread, would be heeded only after the wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(usual)
