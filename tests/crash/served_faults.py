"""Failing system calls under a running server: it refuses the write, serves reads all along, and takes writes again."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, NamedTuple

from secure_mcp_gateway.store.store import FRESH_SECONDS
from tests.crash.fault_cases import (
    HERE_BEFORE,
    NEW,
    Case,
    Found,
    Ground,
    Said,
    after_next_write,
    answer_said,
    content,
    judge,
    places,
    refusal_of_next,
)
from tests.crash.server import Answer, Client, Server
from tests.crash.tracing import KILL, Attached, Call, Fault, Tracer
from tests.support import DEADLINE

AT_ONCE = 2
_TRIES = 8
_BROKEN = (OSError, http.client.HTTPException)


class Written(NamedTuple):
    """The answer, the calls of its thread, how many reads went beside it, and what is wrong with them."""

    said: Said | None
    calls: list[Call]
    reads: int
    wrong: list[str]


class Served:
    """A server on a store laid anew, whose reader keeps its connection while writers come and go."""

    def __init__(self, ground: Ground, variant: str = "") -> None:
        self.ground = ground
        self.store = ground.lay()
        self.server = Server(self.store, variant=variant)
        self.reader = self.server.client(ground.key)
        self._traces = 0
        assert self.read().status == 200

    @property
    def runs(self) -> bool:
        return self.server.process.poll() is None

    def close(self) -> list[str]:
        """What is wrong with how it ended, or with what it said meanwhile."""
        self.reader.close()
        code = self.server.stop() if self.runs else 0
        self.ground.clear(self.store)
        wrong = [f"the server ended with {code}"] if code else []
        return wrong + ([self.server.said] if "Traceback" in self.server.said or "incident" in self.server.said else [])

    def read(self) -> Answer:
        return self.reader.send("GET", "/users")

    def send(self, method: str, path: str, body: object = None) -> Answer:
        client = self.server.client(self.ground.key)
        try:
            return client.send(method, path, body)
        finally:
            client.close()

    def warm(self) -> None:
        """All is as before the first write, but for what a server that has written keeps open."""
        emails = {user["email"] for user in content(self.store)["users"].values()}
        if NEW in emails:
            answer = self.send("DELETE", f"/users/{NEW}")
        elif HERE_BEFORE not in emails:
            answer = self.send("POST", "/users", {"email": HERE_BEFORE})
        else:
            answer = self.send("PUT", "/settings/telemetry", {"enabled": True})
        assert answer.status in (200, 201), answer.body
        self.ground.lay_backups(self.store)

    def write(self, fault: Fault | None) -> Written:
        """The write with this fault, beside reads; without one the reads come behind it, so that its calls are the same each time."""
        writer = self.server.client(self.ground.key)
        assert writer.send("GET", "/whoami").status == 200
        before = self._threads()
        self._traces += 1
        folder = os.path.join(os.path.dirname(os.path.dirname(self.store)), f"trace{self._traces}")
        os.mkdir(folder)
        tracer, reads = Tracer(folder, places(self.store), fault), list[Answer]()
        with Attached(self.server.process.pid, tracer) as attached:
            # The write looks at the file anew once what was read before is not taken for fresh any more.
            time.sleep(2 * FRESH_SECONDS)
            said = self._answered(writer, reads, (lambda: any(map(tracer.calls, tracer.threads() - before))) if fault else None)
            if said is None:
                attached.await_death()
        writer.close()
        # It is carried out by a thread of its own.
        thread = tracer.busiest(tracer.threads() - before)
        wrong = _wrong_reads(reads, sum(call.injected for call in tracer.others(thread)))
        if said is not None and reads[-1].status == 200:
            shown = self.ground.write.is_done({user["email"] for user in reads[-1].data})
            wrong += [] if shown == (said.unknown or not said.error) else [f"said {said.all}, and a read right behind it shows otherwise"]
        return Written(said, tracer.calls(thread), len(reads), wrong)

    def next_refusal(self) -> str:
        """What the same server says against the next write, now that the fault is gone."""
        if self.ground.write.backs_up:
            answer = self.send("POST", "/system/reset", {"confirm": True})
        else:
            answer = self.send("PUT", "/settings/telemetry", {"enabled": False})
        return "" if answer.status == 200 else f"{answer.status} {answer.body}"

    def _answered(self, writer: Client, reads: list[Answer], is_begun: Callable[[], bool] | None) -> Said | None:
        """With reads beside, once the write ``is_begun``: before that they would look at the file in its place."""
        try:
            writer.ask("POST", self.ground.write.path, self.ground.write.body)
            deadline = time.monotonic() + DEADLINE
            while is_begun and not is_begun() and not writer.is_answered() and time.monotonic() < deadline:
                pass
            while is_begun and not writer.is_answered() and time.monotonic() < deadline:
                reads.append(self.read())
            answer = writer.answer()
            reads.append(self.read())
        except _BROKEN:
            return None
        return answer_said(answer)

    def _threads(self) -> set[int]:
        return {int(name) for name in os.listdir(f"/proc/{self.server.process.pid}/task")}


def _wrong_reads(reads: list[Answer], failing: int) -> list[str]:
    """``failing`` is how many calls of the reader's own failed: so many reads may be refused."""
    refused = [read for read in reads if read.status != 200]
    bad = [f"a read was answered {read.status} {read.body}" for read in refused if read.status != 503]
    return bad + ([f"{len(refused)} reads were refused, {failing} had a call that failed"] if len(refused) > failing else [])


def in_a_server(ground: Ground, choose: Callable[[list[Call]], Iterator[Case]], variant: str = "") -> list[Found]:
    served = Served(ground, variant)
    served.warm()
    whole = served.write(None)
    assert whole.said is not None and not whole.said.error and whole.calls and not whole.wrong, whole
    served.close()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = pool.map(lambda cases: _one_after_the_other(ground, cases, variant), list(_up_to_deaths(choose(whole.calls))))
        return [found for part in parts for found in part]


def _up_to_deaths(cases: Iterator[Case]) -> Iterator[list[Case]]:
    """Cases that one server can go through: the last one kills it."""
    part: list[Case] = []
    for case in cases:
        part.append(case)
        if case.fault.error == KILL:
            yield part
            part = []
    if part:
        yield part


def _one_after_the_other(ground: Ground, cases: list[Case], variant: str) -> list[Found]:
    found, served = [], Served(ground, variant)
    for case in cases:
        for _ in range(_TRIES):
            each, was_hit = _served(served, case, variant)
            if not served.runs:
                each.wrong.extend(served.close())
                served = Served(ground, variant)
            if was_hit or each.wrong:
                break
        if not was_hit:
            each.wrong.append("the fault did not hit the call that was meant")
        found.append(each)
    found[-1].wrong.extend(served.close())
    return found


def _served(served: Served, case: Case, variant: str) -> tuple[Found, bool]:
    served.warm()
    before = content(served.store)
    done = served.write(case.fault)
    found = judge(str(case), served.store, before, served.ground.write, case.fault, done.said, done.calls)
    if done.said is None and served.server.process.wait(DEADLINE) != -9:
        found.wrong.append("the connection broke, and the server was not killed")
    refusal = served.next_refusal() if done.said else refusal_of_next(served.store, served.ground.write, variant)
    found.wrong.extend(done.wrong + after_next_write(served.store, refusal))
    return found._replace(reads=done.reads), case.was_hit(done.calls)
