"""One connection's requests and answers, in turn."""

from __future__ import annotations

import socket
import ssl
import time
from http.server import BaseHTTPRequestHandler
from typing import Callable

from secure_mcp_gateway.errors import GatewayError, RequestTimeout
from secure_mcp_gateway.web.connections import ANSWER, BODY, BUSY, HANDSHAKE, HEAD, IDLE, LINGER, Connection, Timeouts
from secure_mcp_gateway.web.log import AccessLog, report_fault
from secure_mcp_gateway.web.request import Limits, Request, Source, fresh_request_id, read_request
from secure_mcp_gateway.web.response import Response, body_to_send, encode, error_response, utc_now
from secure_mcp_gateway.web.tls import say_goodbye

Application = Callable[[Request], Response]

# Any other token is the client's own text.
_LOGGED_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"))
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MOST_DRAINED = 1024 * 1024


class Service:
    """What all connections of a server share. While it is ``crowded`` somebody waits for a place, and nobody makes room."""

    __slots__ = ("application", "crowded", "limits", "log", "port", "stopping", "timeouts")

    def __init__(self, application: Application, limits: Limits, timeouts: Timeouts, log: AccessLog | None) -> None:
        self.application = application
        self.limits = limits
        self.timeouts = timeouts
        self.log = log
        self.port = 0
        self.stopping = False
        self.crowded = False


class Exchange(BaseHTTPRequestHandler):
    """The ``request`` of this handler is a ``Connection``; the server has a ``service``."""

    def setup(self) -> None:
        self.link: Connection = self.request
        self.service: Service = self.server.service  # type: ignore[attr-defined]
        self.source = Source(self._receive)
        self.give_up = 0.0  # monotonic; 0: wait as long as the reaper lets it
        self.close_connection = True

    def handle(self) -> None:
        try:
            self._shake_hands()
            super().handle()
        except OSError:
            pass  # the peer is gone, or the reaper shut the connection

    def finish(self) -> None:
        if self.link.state != LINGER:
            self._end_sending()

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
        sent = False
        try:
            self._send(data)
            sent = True
        finally:
            self._log(request.request_id, request.key_id, request.method, request.route, status, size if sent else 0, started)
        self.close_connection = not keep
        # Who wanted to go on may have sent the next request already.
        if not keep and (request.keep_alive or not request.is_read_whole()):
            self._linger()

    def _make_answer(self, request: Request) -> tuple[Response, bytes, bool]:
        """The answer, its bytes, and whether the connection is kept."""
        try:
            response = self._apply(request)
            keep = self._may_keep(request, response)
            return response, encode(response, request.method, request.request_id, _connection_field(request, keep)), keep
        except Exception as error:
            fault = report_fault(self.service.log, request.request_id, error)
            response = error_response(fault, utc_now())
            return response, encode(response, request.method, request.request_id, "close"), False

    def _apply(self, request: Request) -> Response:
        try:
            return self.service.application(request)
        except GatewayError as error:
            return error_response(error, utc_now())

    def _may_keep(self, request: Request, response: Response) -> bool:
        # Who sends request upon request is neither idle nor slow, and would keep its place from others for as long as it likes.
        wanted = not (self.service.stopping or self.service.crowded or self.link.evicted)
        return request.keep_alive and not response.close and wanted and request.is_read_whole()

    def _refuse(self, error: GatewayError, started: float) -> None:
        response, request_id = error_response(error, utc_now()), fresh_request_id()
        self.link.enter(BUSY)
        try:
            self._send(encode(response, "", request_id, "close"))
        finally:
            self._log(request_id, "", "", "", response.status, len(response.body), started)
        self._linger()

    def _send(self, data: bytes) -> None:
        self._stop_timing()
        self.link.enter(ANSWER, time.monotonic() + self.service.timeouts.answer)
        self.link.sock.sendall(data)

    def _log(self, request_id: str, key_id: str, method: str, route: str, status: int, size: int, started: float) -> None:
        if not self.service.log:
            return
        spent = round((time.monotonic() - started) * 1000, 3)
        self.service.log.write(
            {
                "time": time.time(),
                "request_id": request_id,
                "key_id": key_id,
                "method": method if method in _LOGGED_METHODS else "",
                "route": route,
                "status": status,
                "bytes": size,
                "ms": spent,
            }
        )

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
