"""One request and its answer over HTTP, bounded in time and size; whatever goes wrong comes as an error of ours.

No proxy of the environment is asked and no redirect followed: the key goes to the server that was named, and to no other.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from socket import gaierror

from secure_mcp_gateway.client.tls import reason_of, tls_context
from secure_mcp_gateway.errors import GatewayError, OutcomeUnknown, Unavailable
from secure_mcp_gateway.operations.files import LARGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.client.address import Server

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
# A longer body is sent once the server has said that it takes it: one refused before is not heard while it is still being sent.
_SENT_AT_ONCE = 64 * 1024
_PIECE = 64 * 1024
_CERTIFICATE_HINTS = {
    9: "is the clock of this machine right?",
    10: "have it renewed; is the clock of this machine right?",
    62: "name the server as its certificate does",
    64: "name the server as its certificate does",
}
_UNKNOWN_CA = "name the certificate of the CA that signed it with --ca-file FILE"
_READ_BEFORE = "read before you repeat it"


class Answer:
    """``length`` is what the body is said to be, None where that is not said."""

    __slots__ = ("body", "headers", "length", "status")

    def __init__(self, status: int, headers: Any, body: bytes, length: int | None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.length = length

    @property
    def is_whole(self) -> bool:
        """Not one of which nothing was read because it is too large."""
        return len(self.body) <= LARGEST and (self.length is None or self.length <= LARGEST)

    def __str__(self) -> str:
        return f"{self.status}, {self.headers.get('Content-Type', 'of no type')[:60]}"


class Connection:
    """To one server; made by the first request, kept for further ones. ``sent_change``: was one sent yet, or tried to be?"""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._http: http.client.HTTPConnection | None = None
        self.sent_change = False

    def close(self) -> None:
        connection, self._http = self._http, None
        if connection is not None:
            connection.close()

    def ask(self, method: str, target: str, body: bytes | None, *, changes: bool, key: str = "", if_match: str = "") -> Answer:
        """``changes``: a failure after which the server may have done it all the same is ``OutcomeUnknown``. Else, and before anything
        was sent, it is ``Unavailable``."""
        if self._http is None or self._http.sock is None:
            self._http = self._connected()
        self.sent_change = self.sent_change or changes
        try:
            fields = {"Authorization": f"Bearer {key}" if key else "", "If-Match": if_match}
            answer = _exchanged(self._http, method, self._server.base + target, body, fields)
        except (OSError, ValueError, http.client.HTTPException) as error:
            # ValueError: http.client takes a chunk's size from int(), which also reads what can be none.
            self.close()
            raise self._broken(error, changes) from None
        except BaseException:
            self.close()
            raise
        if not answer.is_whole:
            self.close()
        return answer

    def _connected(self) -> http.client.HTTPConnection:
        server = self._server
        connection: http.client.HTTPConnection
        if server.scheme == "https":
            connection = http.client.HTTPSConnection(server.host, server.port, timeout=CONNECT_SECONDS, context=tls_context(server))
        else:
            connection = http.client.HTTPConnection(server.host, server.port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except (OSError, UnicodeError, OverflowError) as error:
            connection.close()
            raise self._unreached(error) from None
        return connection

    def _unreached(self, error: Exception) -> GatewayError:
        server = self._server
        if isinstance(error, (gaierror, UnicodeError)):
            return Unavailable(f"the host {server.host} is not known", "is it spelled right in --server?")
        if isinstance(error, ConnectionRefusedError):
            return Unavailable(f"no server listens at {server}", "is it running there? secure-mcp-gateway system start-api starts it")
        if isinstance(error, (TimeoutError, socket.timeout)):
            hint = "are host and port right, and does a firewall stand between?"
            return Unavailable(f"{server} does not answer within {CONNECT_SECONDS:.0f} seconds", hint)
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = _CERTIFICATE_HINTS.get(error.verify_code, _UNKNOWN_CA)
            return Unavailable(f"the certificate of {server} is not accepted: {error.verify_message.rstrip('.')}", hint)
        if isinstance(error, ssl.SSLError):
            return self._no_tls(error)
        return Unavailable(f"{server} cannot be reached: {reason_of(error)}", "are host and port right?")

    def _no_tls(self, error: ssl.SSLError) -> GatewayError:
        reason = (error.reason or "the other end gave up").replace("_", " ").lower()
        if "alert" in reason:
            hint = "if it takes only clients with a certificate (--tls-client-ca), name yours: --client-cert FILE --client-key FILE"
            if self._server.client is not None:
                hint = f"is the certificate in {self._server.client.certificate_field} valid, and of the CA in its --tls-client-ca?"
            return Unavailable(f"{self._server} refuses this client: {reason}", hint)
        hint = "a server without TLS has a URL that begins with http://"
        return Unavailable(f"{self._server} speaks no TLS that is understood here: {reason}", hint)

    def _broken(self, error: Exception, changes: bool) -> GatewayError:
        """After it was sent."""
        if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
            # With TLS 1.3 a client without a certificate learns that only when it reads.
            return self._no_tls(error)
        if isinstance(error, (http.client.BadStatusLine, http.client.LineTooLong)) and not isinstance(error, ConnectionError):
            hint = "are host and port right, and does its URL begin with https://?"
            return Unavailable(f"{self._server} does not speak HTTP", hint)
        if isinstance(error, (TimeoutError, socket.timeout)):
            what = f"{self._server} did not answer within {ANSWER_SECONDS:.0f} seconds"
        else:
            what = f"the connection to {self._server} broke off before the answer was there"
        hint = ""
        if isinstance(error, http.client.RemoteDisconnected) and self._server.scheme == "http":
            hint = "; a server with TLS has a URL that begins with https://"
        if changes:
            return OutcomeUnknown(f"{what}: whether the change was made is not known", _READ_BEFORE + hint)
        return Unavailable(what, "try again" + hint)


def _exchanged(connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None, fields: dict[str, str]) -> Answer:
    end = time.monotonic() + ANSWER_SECONDS
    held = body if body is not None and len(body) > _SENT_AT_ONCE else None
    connection.sock.settimeout(ANSWER_SECONDS)
    connection.response_class = lambda sock, **named: _Response(sock, end, held, **named)  # type: ignore[assignment]
    connection.putrequest(method, target)
    for name in filter(fields.get, fields):
        connection.putheader(name, fields[name])
    if body is not None:
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
    if held is not None:
        connection.putheader("Expect", "100-continue")
    try:
        connection.endheaders(body if held is None else None)
    except OSError:
        # Refused before it was all sent: what there is to read says why, be it an answer or an alert of TLS.
        pass
    with connection.getresponse() as response:
        return _read_answer(response)


def _read_answer(response: http.client.HTTPResponse) -> Answer:
    length = response.length
    if length is not None and length > LARGEST:
        return Answer(response.status, response.headers, b"", length)
    content = response.read(length) if length is not None else _read_bounded(response)
    if len(content) < (length or 0) or not (content or response.chunked or length == 0):
        # Without a length and without a body the head itself may have been cut off.
        raise http.client.IncompleteRead(content)
    return Answer(response.status, response.headers, content, length)


def _read_bounded(response: http.client.HTTPResponse) -> bytes:
    """To its end, or to where it is too large. Python 3.9 takes the memory for as much as is asked for at once."""
    parts, size = [], 0
    while size <= LARGEST and (part := response.read(_PIECE)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


class _Response(http.client.HTTPResponse):
    """``held`` is a body that is sent when the server says that it takes it (RFC 9110 §10.1.1)."""

    def __init__(self, sock: socket.socket, end: float, held: bytes | None, **named: Any) -> None:
        super().__init__(sock, **named)
        raw: Any = self.fp
        self.fp = io.BufferedReader(_Bounded(raw.detach(), sock, end))
        self._sock, self._held = sock, held

    def _read_status(self) -> Any:
        """``begin`` reads one status line after the other while they are a 100."""
        found = super()._read_status()  # type: ignore[misc]
        held, self._held = self._held, None
        if held is not None and found[1] == http.client.CONTINUE:
            try:
                self._sock.sendall(held)
            except OSError:
                # Refused in the middle: the answer says why.
                pass
        return found


class _Bounded(io.RawIOBase):
    """What a socket brings until a moment of the monotonic clock, however slowly the bytes come; and no more of them than a body that
    is read can have, and as many again for what frames it: by itself http.client takes a chunk of -1 bytes for all that will ever come."""

    def __init__(self, raw: Any, sock: socket.socket, end: float) -> None:
        self._raw, self._sock, self._end = raw, sock, end
        self._left = 2 * (LARGEST + _PIECE)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if self._left <= 0:
            raise http.client.HTTPException("it has no end")
        self._sock.settimeout(max(self._end - time.monotonic(), 0.001))
        count = int(self._raw.readinto(into))
        self._left -= count
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
