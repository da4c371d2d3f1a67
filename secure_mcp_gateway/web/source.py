"""The bytes of a connection, in the order they came."""

from __future__ import annotations

from typing import Callable

from secure_mcp_gateway.errors import GatewayError, InvalidRequest

_PIECE = 16384
_LARGE_PIECE = 262144
_ORDINARY = bytes(code for code in range(256) if code == 9 or (code >= 32 and code != 127))


class Limits:
    """All in bytes, line ends not counted, but ``header_count``."""

    __slots__ = ("body", "header", "header_count", "headers_total", "line", "swift")

    def __init__(
        self,
        line: int = 8192,
        header: int = 8192,
        headers_total: int = 32768,
        header_count: int = 64,
        body: int = 16 * 1024 * 1024,
    ) -> None:
        self.line = line
        self.header = header
        self.headers_total = headers_total
        self.header_count = header_count
        self.body = body
        # A head within this size breaks none of the limits on bytes.
        self.swift = min(line, header, headers_total)

    def with_body(self, most: int) -> Limits:
        """The same, but with a body of at most so many bytes."""
        return Limits(self.line, self.header, self.headers_total, self.header_count, min(self.body, most))


class Source:
    """``receive(size)`` gives 1 to ``size`` bytes, ``b""`` at the end of the input."""

    __slots__ = ("_buffer", "_receive")

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._buffer = b""

    @property
    def has_buffered(self) -> bool:
        return bool(self._buffer)

    def hold(self, data: bytes) -> None:
        """Have these bytes, which were received already, and no others."""
        self._buffer = data

    def fill(self) -> bool:
        """Wait for more bytes; false at the end of the input."""
        data = self._receive(_PIECE)
        self._buffer = self._buffer + data if self._buffer else data
        return bool(data)

    def whole_head(self, limits: Limits) -> list[bytes] | None:
        """The lines of a head that is here already and breaks no limit and holds no stray control character.

        Any other head is left to ``read_line``, which finds the first thing wrong with it.
        """
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", 0, limits.swift + 4)
        if end <= 0:
            return None
        head = buffer[:end]
        lines = head.split(b"\r\n")
        if len(lines) > limits.header_count or not lines[0]:
            return None
        if len(head.translate(None, _ORDINARY)) != 2 * (len(lines) - 1):
            return None
        self._buffer = buffer[end + 4 :]
        return lines

    def read_line(self, limit: int, too_long: Callable[[str], GatewayError]) -> bytes:
        """A line without its CRLF. A control character is refused when it comes, not when the line ends. What is refused for, is
        the first thing wrong, however the bytes came."""
        seen = 0
        while True:
            end = self._buffer.find(b"\n", seen)
            if end >= 0:
                return self._cut_line(end, limit, too_long)
            _refuse_controls(self._buffer[max(seen - 1, 0) : limit + 2])
            if len(self._buffer) > limit + 1:
                raise too_long(f"a line is longer than {limit} bytes")
            seen = len(self._buffer)
            if not self.fill():
                raise InvalidRequest("the request ends in the middle of a line")

    def _cut_line(self, end: int, limit: int, too_long: Callable[[str], GatewayError]) -> bytes:
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        _refuse_controls(line[: limit + 2])
        whole = line.endswith(b"\r")
        if end - whole > limit:
            raise too_long(f"a line is longer than {limit} bytes")
        if not whole:
            raise InvalidRequest("a line ends in LF alone", "end lines with CRLF")
        return line[:-1]

    def read_exactly(self, size: int) -> bytes:
        buffer = self._buffer
        if len(buffer) >= size:
            self._buffer = buffer[size:]
            return buffer[:size]
        pieces, missing, self._buffer = [buffer], size - len(buffer), b""
        while missing:
            data = self._receive(min(missing, _LARGE_PIECE))
            if not data:
                raise InvalidRequest(f"the body ends {missing} bytes early")
            pieces.append(data)
            missing -= len(data)
        return b"".join(pieces)


def _refuse_controls(line: bytes) -> None:
    # The last byte may be the CR of a CRLF: that is judged with what follows it.
    stray = (line[:-1] if line.endswith(b"\r") else line).translate(None, _ORDINARY)
    if stray:
        raise InvalidRequest(f"a control character (0x{stray[0]:02X}) stands in a line of the request")
