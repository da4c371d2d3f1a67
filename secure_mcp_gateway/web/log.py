"""Log lines through one writer thread, so that no request waits for the log."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections import deque
from json.encoder import encode_basestring_ascii as quoted
from random import getrandbits
from typing import Any, TextIO

from secure_mcp_gateway.errors import InternalError
from secure_mcp_gateway.web.response import utc_now

_LATENESS = 0.05
_MOST_PENDING = 20_000
_CLOSING = 2.0

Record = dict[str, Any]


class AccessLog:
    """One JSON line per record.

    Lines that cannot be written are dropped and counted; the next line that can be written is preceded by the count.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._pending: deque[str] = deque()
        self._dropped = 0
        self._awake = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        # A daemon: a pipe that nobody reads must not keep the process from ending.
        self._writer = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._writer.start()

    def write(self, record: Record) -> None:
        self._put(_line(record))

    def answered(self, request_id: str, key_id: str, method: str, route: str, status: int, size: int, seconds: float) -> None:
        """The access line of an answer of so many bytes. Put together here: the writer's thread would hold the interpreter for a whole
        group of lines, and all requests wait for it."""
        self._put(
            f'{{"time": "{_now()}", "request_id": {quoted(request_id)}, "key_id": {quoted(key_id)}, "method": {quoted(method)}, '
            f'"route": {quoted(route)}, "status": {status}, "bytes": {size}, "ms": {seconds * 1000:.3f}}}\n'
        )

    def _put(self, line: str) -> None:
        if len(self._pending) >= _MOST_PENDING:
            self._dropped += 1
            return
        self._pending.append(line)
        # Only the first line of a group pays for waking the writer.
        if not self._awake:
            self._awake = True
            self._wake.set()

    def close(self) -> None:
        """Write what is there; waits 2 s at most."""
        self._closing.set()
        self._wake.set()
        self._writer.join(_CLOSING)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._closing.wait(_LATENESS)
            self._awake = False
            self._write_pending()
        self._write_pending()

    def _write_pending(self) -> None:
        lines = [self._pending.popleft() for _ in range(len(self._pending))]
        if not lines:
            return
        dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.insert(0, _line({"time": utc_now(), "log_lines_dropped": dropped}))
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            self._dropped += dropped + len(lines) - bool(dropped)


# ASCII only: no character of an input can forge or break a line.
_encode = json.JSONEncoder(default=repr).encode


def _line(record: Record) -> str:
    return _encode(record) + "\n"


_last_second = (-1, "")


def _now() -> str:
    """ISO 8601, UTC, milliseconds; formatted once a second."""
    global _last_second
    moment = time.time()
    second = int(moment)
    kept, text = _last_second
    if kept != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _last_second = (second, text)
    return f"{text}.{int((moment - second) * 1000):03d}+00:00"


def report_fault(log: AccessLog | None, request_id: str, error: BaseException) -> InternalError:
    """Log a traceback under a new incident id, which is all that the caller is told."""
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return _reported(log, {"request_id": request_id, "traceback": trace})


def report_attempt(log: AccessLog | None, attempt: str) -> InternalError:
    """As ``report_fault``, of what is refused to our own code, with the way that led to it."""
    return _reported(log, {"attempt": attempt, "traceback": "".join(traceback.format_stack())})


def _reported(log: AccessLog | None, what: Record) -> InternalError:
    incident = f"{getrandbits(64):016x}"
    record = {"time": utc_now(), "incident": incident, **what}
    if log:
        log.write(record)
    else:
        _write_at_once(record)
    return InternalError(f"an unexpected fault, incident {incident}", "the server's administrator finds it in the log under this id")


def report_problem(log: AccessLog | None, problem: str) -> None:
    record = {"time": utc_now(), "problem": problem}
    if log:
        log.write(record)
    else:
        _write_at_once(record)


def _write_at_once(record: Record) -> None:
    try:
        sys.stderr.write(_line(record))
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nobody is left to be told
