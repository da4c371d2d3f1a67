"""The command line in a process whose audit events (PEP 578) are recorded: ``python3 -m tests.cli.recording RECORD ARGUMENT ...``.

Opening for reading is left out. Each line of the record is ``[event, [argument, ...]]``, the arguments as ``repr`` shows them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

from tests.cli.server_process import Server
from tests.support import PYTHON, ROOT, environment

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FIRST_WORDS = frozenset(("os", "shutil", "tempfile", "fcntl", "socket", "subprocess", "ctypes", "pty", "open", "import"))


class Event(NamedTuple):
    name: str
    arguments: list[str]


class RecordedServer(Server):
    """``before`` are the words of a command that runs the rest."""

    def __init__(self, record: str, argv: list[str], before: tuple[str, ...] = ()) -> None:
        self.record = record
        words = [*before, *PYTHON, "-m", "tests.cli.recording", record, *argv]
        # Compiled files are Python's own writing, beside the source.
        settings = environment(PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen(words, env=settings, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.line = self._first_line()

    def events(self) -> list[Event]:
        return events_in(self.record)


def events_in(record: str) -> list[Event]:
    with open(record, encoding="ascii") as file:
        return [Event(*json.loads(line)) for line in file]


def _record_to(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def record(event: str, arguments: tuple[Any, ...]) -> None:
        if event.partition(".")[0] not in _FIRST_WORDS:
            return
        if event != "open" or (isinstance(arguments[2], int) and arguments[2] & WRITING):
            shown = arguments[:1] if event == "import" else arguments
            os.write(descriptor, json.dumps([event, [repr(argument) for argument in shown]]).encode() + b"\n")

    sys.addaudithook(record)


if __name__ == "__main__":
    from secure_mcp_gateway.cli.main import main

    _record_to(sys.argv[1])
    raise SystemExit(main(sys.argv[2:]))
