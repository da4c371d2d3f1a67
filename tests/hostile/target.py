"""A server to attack: the product in a process of its own, its store, its key, its log, and what the system says of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Callable

from tests.crash.server import Server, make_store
from tests.support import DEADLINE
from tests.web.raw import RawClient
from tests.web.test_tls import client_context

_ESTABLISHED, _LISTENING = "01", "0A"


class Target:
    """``secure`` where it speaks TLS."""

    def __init__(self, folder: str, tls: tuple[str, str] | None, variant: str, flags: tuple[str, ...]) -> None:
        self.store = os.path.join(folder, "s", "store.json")
        os.mkdir(os.path.dirname(self.store))
        self.key = make_store(self.store)
        self.log = os.path.join(folder, "log")
        self.secure = tls is not None
        words = (f"--tls-cert={tls[0]}", f"--tls-key={tls[1]}") if tls else ()
        self.server = Server(self.store, *words, *flags, variant=variant, log=self.log)
        self._context: ssl.SSLContext | None = client_context() if tls else None

    def connect(self) -> RawClient:
        return RawClient(("127.0.0.1", self.server.port), self._context.wrap_socket if self._context else None)

    def wait_until_read(self) -> None:
        """Until the server's program has taken all that its connections have received."""
        assert until(lambda: not self._unread()), "the server does not read what came"

    def _unread(self) -> int:
        return self._queued(_ESTABLISHED)

    def queue(self) -> int:
        """How many wait to be let in."""
        return self._queued(_LISTENING)

    def _queued(self, state: str) -> int:
        own, queued = f":{self.server.port:04X}", 0
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table:
                words = line.split()
                if words[1].endswith(own) and words[3] == state:
                    queued += int(words[4].partition(":")[2], 16)
        return queued

    @property
    def memory(self) -> int:
        """KiB that are resident."""
        return self._of_status("VmRSS")

    @property
    def threads(self) -> int:
        return self._of_status("Threads")

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def _of_status(self, name: str) -> int:
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))


@contextlib.contextmanager
def target(secure: bool = False, variant: str = "", flags: tuple[str, ...] = ()) -> Iterator[Target]:
    """``variant`` is ``MODULE:FUNCTION`` of this room."""
    folder = tempfile.mkdtemp()
    try:
        tls = _certificate(folder) if secure else None
        attacked = Target(folder, tls, f"tests.hostile.{variant}" if variant else "", flags)
        try:
            yield attacked
        finally:
            if attacked.server.process.poll() is None:
                attacked.server.kill()
    finally:
        shutil.rmtree(folder)


def has_openssl() -> bool:
    return shutil.which("openssl") is not None


def _certificate(folder: str) -> tuple[str, str]:
    paths = os.path.join(folder, "crt"), os.path.join(folder, "key")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", paths[1])
    argv = ("openssl", "req", "-x509", *key, "-out", paths[0], "-days", "2", "-subj", "/CN=localhost")
    subprocess.run(argv, check=True, capture_output=True, timeout=DEADLINE)
    return paths


def until(condition: Callable[[], bool], patience: float = DEADLINE) -> bool:
    """Whether it holds in time; looked at again and again, where nothing tells of the change."""
    give_up = time.monotonic() + patience
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.002)
    return True
