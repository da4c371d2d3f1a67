"""One connection's requests and answers, in turn: in a thread of its own, or one by one in the lobby's."""

from __future__ import annotations

import socket
import ssl
import time
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any, Callable

from secure_mcp_gateway.errors import GatewayError, RequestTimeout
from secure_mcp_gateway.web.connections import ANSWER, BODY, BUSY, HANDSHAKE, HEAD, IDLE, LINGER, Connection, Timeouts
from secure_mcp_gateway.web.log import AccessLog, report_fault
from secure_mcp_gateway.web.request import Limits, Request, Source, fresh_request_id, read_held_request, read_request
from secure_mcp_gateway.web.response import Response, body_to_send, encode, error_response, utc_now
from secure_mcp_gateway.web.tls import say_goodbye

Application = Callable[[Request], Response]

# What became of a request that was met in the lobby: the connection waits for the next there, or has ended, or needs a thread.
STAYS, ENDED, GOES = range(3)

# Any other token is the client's own text.
_LOGGED_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"))
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MOST_DRAINED = 1024 * 1024
_AGAIN = 0.005  # seconds that a thread waits for its connection's next request
_PIECE = 16384
_AT_ONCE: int = getattr(socket, "MSG_DONTWAIT", 0)
# Two answers in a row that take longer, in seconds, make those of their route go by threads for a while. One alone may have been slow
# because the machine was busy.
_LONG = 0.005
_LONG_FOR = 2.0


class Service:
    """What all connections of a server share. ``at_once`` tells whether the application answers a request out of memory, and fills in
    the request's route. While it is ``crowded`` somebody waits for a place, and nobody makes room."""

    __slots__ = ("_long", "application", "at_once", "crowded", "limits", "log", "port", "stopping", "timeouts")

    def __init__(
        self,
        application: Application,
        limits: Limits,
        timeouts: Timeouts,
        log: AccessLog | None,
        at_once: Callable[[Request], bool] | None = None,
    ) -> None:
        self.application = application
        self.at_once = at_once
        self.limits = limits
        self.timeouts = timeouts
        self.log = log
        self.port = 0
        self.stopping = False
        self.crowded = False
        self._long: dict[str, float] = {}  # routes whose last answer was long, with until when they go by threads

    def answers_at_once(self, request: Request, now: float) -> bool:
        if self.at_once is None or request.has_body() or not self.at_once(request):
            return False
        return self._long.get(request.route, 0.0) <= now

    def note_length(self, route: str, seconds: float, now: float) -> None:
        if seconds > _LONG:
            self._long[route] = now + _LONG_FOR if route in self._long else 0.0
        elif route in self._long:
            del self._long[route]


class Exchange(BaseHTTPRequestHandler):
    """The ``server`` has a ``service``; its ``takes_back`` takes the exchange in where it can wait for its next request in the lobby."""

    def __init__(self, link: Connection, address: Any, server: Any) -> None:
        # Not the base's, which holds the whole conversation before it returns.
        self.request = self.link = link
        self.client_address = address
        self.server = server
        self.service: Service = server.service
        self.source = Source(self._receive)
        self.give_up = 0.0  # monotonic; 0: wait as long as the reaper lets it
        self.close_connection = True
        self._rest: Callable[[], None] | None = None

    def converse(self) -> bool:
        """True when the connection has ended, false when it waits in the lobby."""
        try:
            self._shake_hands()
            rest, self._rest = self._rest, None
            if rest:
                rest()
            else:
                self.handle_one_request()
            while not self.close_connection:
                if not self._comes_again() and self.server.takes_back(self):  # type: ignore[attr-defined]
                    return False
                self.handle_one_request()
        except OSError:
            pass  # the peer is gone, or the reaper shut the connection
        self.finish()
        return True

    def _comes_again(self) -> bool:
        """Whether there is something to read at once, be it the end. Who writes tends to write on: a thread is not started for each."""
        if self.source.has_buffered or self.link.secure:
            return True
        self.link.enter(IDLE, time.monotonic() + self.service.timeouts.idle)
        self.link.sock.settimeout(_AGAIN)
        try:
            self.source.fill()
            return True
        except (socket.timeout, BlockingIOError):
            return False
        finally:
            self.link.sock.settimeout(None)

    def finish(self) -> None:
        if self.link.state != LINGER:
            self._end_sending()

    def answer_at_once(self) -> int:
        """Answer the request that has come, unless anything of it could make others wait: what became of it."""
        started = time.monotonic()
        try:
            data = self.link.sock.recv(_PIECE, _AT_ONCE)
            return self._meet(data, started) if data else ENDED
        except BlockingIOError:
            return STAYS
        except OSError:
            return ENDED
        except Exception as error:
            # All the others wait on this thread: it must go on.
            report_fault(self.service.log, "", error)
            return ENDED

    def _meet(self, data: bytes, started: float) -> int:
        self.source.hold(data)
        try:
            request = read_held_request(self.source, self.service.limits)
        except GatewayError:
            request = None
        if request is None or self.source.has_buffered or not self.service.answers_at_once(request, started):
            # A thread reads it anew.
            self.source.hold(data)
            return GOES
        request.peer, request.local_port = self.link.peer, self.service.port
        response, data, keep = self._make_answer(request)
        status, size = response.status, len(body_to_send(response, request.method))
        done = time.monotonic()
        self.service.note_length(request.route, done - started, done)
        try:
            sent = self.link.sock.send(data, _AT_ONCE)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._log_answer(request, status, 0, started)
            return ENDED
        if sent < len(data) or (request.keep_alive and not keep):
            self._rest = partial(self._complete, request, status, size, data[sent:], keep, started)
            return GOES
        self._log_answer(request, status, size, started)
        self.link.rest(done, done + self.service.timeouts.idle)
        return STAYS if keep else ENDED

    def handle_one_request(self) -> None:
        self.close_connection = True
        if not self._await_request():
            return
        started = time.monotonic()
        self.give_up = started + self.service.timeouts.head
        self.link.enter(HEAD, self.give_up)
        try:
            request = read_request(self.source, self.service.limits)
        except GatewayError as error:
            if not self.link.evicted:
                self._refuse(error, started)
            return
        self.link.enter(BUSY)
        self._answer(request, started)

    def _shake_hands(self) -> None:
        if isinstance(self.link.sock, ssl.SSLSocket):
            self.link.enter(HANDSHAKE, time.monotonic() + self.service.timeouts.handshake)
            self.link.sock.do_handshake()

    def _await_request(self) -> bool:
        """False where the connection ends without another request."""
        self.link.enter(IDLE, time.monotonic() + self.service.timeouts.idle)
        return self.source.has_buffered or self.source.fill()

    def _receive(self, size: int) -> bytes:
        if not self.give_up:
            return self.link.sock.recv(size)
        data = self._receive_in_time(size)
        if not data and self.link.evicted:
            raise RequestTimeout("the request was not finished when others needed its place")
        return data

    def _receive_in_time(self, size: int) -> bytes:
        left = self.give_up - time.monotonic()
        if left > 0:
            # What is left, anew for each piece: a time-out alone starts again with every byte.
            self.link.sock.settimeout(left)
            try:
                return self.link.sock.recv(size)
            except socket.timeout:
                pass
        raise RequestTimeout("the request was not finished in time")

    def _stop_timing(self) -> None:
        self.give_up = 0.0
        if self.link.sock.gettimeout() is not None:
            self.link.sock.settimeout(None)

    def _prepare_body(self, request: Request) -> None:
        timeouts = self.service.timeouts
        if request.expects_continue and not self.source.has_buffered:
            self._send(_CONTINUE)
        self.give_up = time.monotonic() + timeouts.body
        self.link.enter(BODY, self.give_up)

    def _end_body(self, request: Request) -> None:
        self.link.enter(BUSY)

    def _answer(self, request: Request, started: float) -> None:
        self.give_up = 0.0
        request.peer, request.secure, request.local_port = self.link.peer, self.link.secure, self.service.port
        request.before_body, request.after_body = self._prepare_body, self._end_body
        response, data, keep = self._make_answer(request)
        status, size = response.status, len(body_to_send(response, request.method))
        del response  # Its body stands in the data: while nobody takes it, once is enough.
        self._complete(request, status, size, data, keep, started)

    def _complete(self, request: Request, status: int, size: int, data: bytes, keep: bool, started: float) -> None:
        sent = False
        try:
            self._send(data)
            sent = True
        finally:
            self._log_answer(request, status, size if sent else 0, started)
        self.close_connection = not keep
        # Who wanted to go on may have sent the next request already.
        if not keep and (request.keep_alive or not request.is_read_whole()):
            self._linger()

    def _make_answer(self, request: Request) -> tuple[Response, bytes, bool]:
        """The answer, its bytes, and whether the connection is kept."""
        try:
            try:
                response = self.service.application(request)
            except GatewayError as error:
                response = error_response(error, utc_now())
            keep = self._may_keep(request)
            return response, encode(response, request.method, request.request_id, _connection_field(request, keep)), keep
        except Exception as error:
            fault = report_fault(self.service.log, request.request_id, error)
            response = error_response(fault, utc_now())
            return response, encode(response, request.method, request.request_id, "close"), False

    def _may_keep(self, request: Request) -> bool:
        # Who sends request upon request is neither idle nor slow, and would keep its place from others for as long as it likes.
        wanted = not (self.service.stopping or self.service.crowded or self.link.evicted)
        return request.keep_alive and wanted and request.is_read_whole()

    def _refuse(self, error: GatewayError, started: float) -> None:
        response, request_id = error_response(error, utc_now()), fresh_request_id()
        self.link.enter(BUSY)
        try:
            self._send(encode(response, "", request_id, "close"))
        finally:
            if self.service.log:
                self.service.log.answered(request_id, "", "", "", response.status, len(response.body), time.monotonic() - started)
        self._linger()

    def _send(self, data: bytes) -> None:
        self._stop_timing()
        self.link.enter(ANSWER, time.monotonic() + self.service.timeouts.answer)
        self.link.sock.sendall(data)

    def _log_answer(self, request: Request, status: int, size: int, started: float) -> None:
        log = self.service.log
        if log:
            method = request.method if request.method in _LOGGED_METHODS else ""
            log.answered(request.request_id, request.key_id, method, request.route, status, size, time.monotonic() - started)

    def _linger(self) -> None:
        """Take what the peer still sends: closing over unread bytes resets the connection and may take the answer with it."""
        give_up = time.monotonic() + self.service.timeouts.linger
        self.link.enter(LINGER, give_up)
        self._end_sending()
        drained, sock = 0, self.link.sock
        while drained < _MOST_DRAINED:
            left = give_up - time.monotonic()
            if left <= 0:
                return
            socket.socket.settimeout(sock, left)
            # Raw bytes do: nobody reads them.
            data = socket.socket.recv(sock, 65536)
            if not data:
                return
            drained += len(data)

    def _end_sending(self) -> None:
        if isinstance(self.link.sock, ssl.SSLSocket):
            say_goodbye(self.link.sock)
        self.link.shut(socket.SHUT_WR)


def _connection_field(request: Request, keep: bool) -> str:
    if not keep:
        return "close"
    return "" if request.version == "1.1" else "keep-alive"
