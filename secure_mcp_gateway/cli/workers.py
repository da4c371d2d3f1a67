"""``--workers``: a parent that keeps the socket, and servers in as many processes, each of which is replaced when it dies."""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
import time

from secure_mcp_gateway.cli.children import start_child
from secure_mcp_gateway.cli.commands import INTERRUPTED
from secure_mcp_gateway.cli.worker import RELOAD, SERVES, STOP, STOP_NOW, new_scoreboard, role_of
from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.web.log import report_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_mcp_gateway.cli.listening import Place
    from secure_mcp_gateway.web.log import AccessLog

# Seconds. The pause before a place is filled again doubles, until a worker has lived for long.
_FIRST_PAUSE, _LONGEST_PAUSE, _LONG = 0.1, 2.0, 10.0
# A worker gives requests under way 10 s; hurried, it waits for nobody.
_STOP_SECONDS, _HURRY_SECONDS = 15.0, 3.0
# So many in vain, in all, before any worker has served; and for each place, with half a minute of pauses, once one has.
_FIRST_TRIES, _LATER_TRIES = 5, 20


class Workers:
    """``announce`` is called once, when all serve for the first time; ``tell`` as the observer of a ``WebServer`` is."""

    def __init__(
        self,
        arguments: list[str],
        place: Place,
        count: int,
        log: AccessLog | None,
        tell: Callable[[str], object],
        announce: Callable[[], None],
    ) -> None:
        self._arguments = arguments
        self._place = place
        self._scoreboard = new_scoreboard(count)
        self._workers = [_Worker(number) for number in range(count)]
        self._log = log
        self._tell = tell
        self._announce: Callable[[], None] | None = announce
        self._is_ready = False
        self._failures = 0  # since a worker came to serve
        self._most_tries = max(_FIRST_TRIES, count)
        self._end_signal = 0  # the one that asked it to end
        self._give_up = 0.0
        self._signals: list[int] = []
        self._wake, self._waker = socket.socketpair()
        for end in (self._wake, self._waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: self._signals.append(number))

    def run(self) -> int:
        """The exit code, once a signal has ended it; ``GatewayError`` where no worker comes up."""
        try:
            with selectors.DefaultSelector() as self._selector:
                self._selector.register(self._wake, selectors.EVENT_READ, self._on_signal)
                while self._goes_on():
                    self._step()
        finally:
            signal.set_wakeup_fd(-1)
            for worker in self._workers:
                worker.kill()
            for each in (self._place.listener, self._wake, self._waker):
                each.close()
        return INTERRUPTED if self._end_signal == signal.SIGINT else 0

    def _goes_on(self) -> bool:
        if not self._end_signal:
            return True
        late = [worker for worker in self._workers if worker.link is not None]
        if late and time.monotonic() >= self._give_up:
            report_problem(self._log, f"{len(late)} workers did not end in time and are killed")
            return False
        return bool(late)

    def _step(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if not self._end_signal and worker.link is None and worker.due <= now:
                self._start(worker)
        for key, _ in self._selector.select(self._seconds()):
            key.data()

    def _seconds(self) -> float | None:
        """Until something is to be done that no event tells of."""
        due = [self._give_up] if self._end_signal else [worker.due for worker in self._workers if worker.link is None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _start(self, worker: _Worker) -> None:
        try:
            link = worker.start(self._arguments, self._place.listener, self._scoreboard.descriptor)
        except (OSError, subprocess.SubprocessError) as error:
            self._failed(worker, f"a worker cannot be started: {error}")
        else:
            self._selector.register(link, selectors.EVENT_READ, lambda: self._on_message(worker))

    def _on_message(self, worker: _Worker) -> None:
        assert worker.link is not None
        message = worker.message()
        if message:
            worker.serves = message.endswith(SERVES)
            if worker.serves:
                worker.served, self._failures, self._most_tries = True, 0, _LATER_TRIES * len(self._workers)
                self._all_may_serve()
            return
        self._selector.unregister(worker.link)
        self._scoreboard.counts[worker.number] = 0
        how = worker.ended()
        if not self._end_signal:
            self._failed(worker, how)

    def _failed(self, worker: _Worker, how: str) -> None:
        pause = worker.back_off()
        report_problem(self._log, f"{how}; the next one starts in {pause:.1f} s")
        self._failures += not worker.served
        if self._failures >= self._most_tries and not any(each.served and each.link for each in self._workers):
            raise GatewayError(f"no worker comes up, after {self._failures} tries: {how}", "what they said stands above")

    def _all_may_serve(self) -> None:
        if self._is_ready or self._end_signal or not all(worker.serves for worker in self._workers):
            return
        self._is_ready = True
        if self._announce is not None:
            self._announce()
            self._announce = None
        self._tell("READY")

    def _on_signal(self) -> None:
        self._wake.recv(4096)
        while self._signals:
            number = self._signals.pop(0)
            if number != signal.SIGHUP:
                self._end(number)
            elif not self._end_signal:
                self._reload()

    def _reload(self) -> None:
        if self._is_ready:
            self._is_ready = False
            self._tell("RELOADING")
        self._order(RELOAD)

    def _end(self, number: int) -> None:
        if self._end_signal:
            self._give_up = time.monotonic() + _HURRY_SECONDS
            self._order(STOP_NOW)
            return
        self._end_signal = number
        self._give_up = time.monotonic() + _STOP_SECONDS
        self._tell("STOPPING")
        if not self._place.lasting:
            # No queue from now on: who comes later is not connected, and so is refused, not reset.
            self._place.listener.listen(0)
        self._order(STOP)
        self._place.listener.close()

    def _order(self, order: bytes) -> None:
        for worker in self._workers:
            worker.order(order)


class _Worker:
    """A place among the workers, and the process that has it, as long as there is a ``link`` to that. ``due`` is when to start one."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.link: socket.socket | None = None
        self.serves = self.served = False
        self.due = 0.0
        self._since = 0.0
        self._pause = _FIRST_PAUSE
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: list[str], listener: socket.socket, scoreboard: int) -> socket.socket:
        self.serves = self.served = False
        self._since = time.monotonic()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                role = role_of(theirs.fileno(), scoreboard, self.number)
                self._process = start_child(arguments, listener, role, theirs.fileno(), scoreboard)
            except BaseException:
                ours.close()
                raise
        self.link = ours
        return ours

    def message(self) -> bytes:
        """Nothing where the worker is gone."""
        assert self.link is not None
        try:
            return self.link.recv(64)
        except OSError:  # reset, for it left orders unread
            return b""

    def order(self, order: bytes) -> None:
        if self.link is not None:
            self.serves = False
            try:
                self.link.send(order)
            except OSError:
                pass  # it is gone, which its link tells next

    def ended(self) -> str:
        """How, of one whose link has ended."""
        assert self._process is not None
        code = self.kill(_HURRY_SECONDS)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
        return f"a worker (process {self._process.pid}) {how}"

    def kill(self, seconds: float = 0.0) -> int:
        """The exit code, of one that has ``seconds`` to end by itself."""
        if self.link is not None:
            self.link.close()
            self.link = None
        self.serves = False
        if self._process is None:
            return 0
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def back_off(self) -> float:
        now = time.monotonic()
        if now - self._since >= _LONG:
            self._pause = _FIRST_PAUSE
        pause = self._pause
        self._pause = min(2 * pause, _LONGEST_PAUSE)
        self.due = now + pause
        return pause
