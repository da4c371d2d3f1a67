"""A team of writers on both surfaces that never pause, and note each deed before it is asked for and when it is acknowledged."""

from __future__ import annotations

import http.client
import os
import threading
from random import Random
from typing import Any, Callable

from tests.crash.deeds import COMMAND_LINE, REST, ROWS, Deed, Ledger, possible
from tests.crash.expected import State
from tests.crash.forge import Aim, Forge
from tests.crash.server import Client
from tests.surfaces import argv_of, request_of

# What came of a deed. UNKNOWN: it may have been done, or not.
DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"
Do = Callable[[Deed], "tuple[str, Any]"]
_SECONDS = 60.0


def over_rest(client: Client) -> Do:
    def do(deed: Deed) -> tuple[str, Any]:
        method, path, body = request_of(ROWS[deed.operation], _beside_the_store(deed.values))
        try:
            answer = client.send(method, path[len("/api/v1") :], body, X_Request_Id=deed.id)
        except (OSError, http.client.HTTPException, ValueError) as error:
            client.close()
            return UNKNOWN, repr(error)
        if answer.status < 300:
            return DONE, answer.data
        return UNKNOWN if answer.status == 503 else REFUSED, answer.body

    return do


def _beside_the_store(values: dict[str, Any]) -> dict[str, Any]:
    """A file without a folder goes into files/, which the server makes."""
    return {**values, "output_file": os.path.basename(values["output_file"])} if "output_file" in values else values


def words_of(deed: Deed, store: str) -> list[str]:
    return argv_of(ROWS[deed.operation], deed.values, os.path.dirname(store))


def by_command(forge: Forge, store: str, aim: Aim | None = None) -> Do:
    """What was printed whole was acknowledged, even where the process was killed before its end."""

    def do(deed: Deed) -> tuple[str, Any]:
        done = forge.run(store, *words_of(deed, store), aim=aim)
        if done.code == 0 or (done.code < 0 and done.data is not None):
            return DONE, done.data
        return UNKNOWN if done.code in (-9, 6) else REFUSED, done.err

    return do


class Writer:
    """Makes, changes and removes what nobody else knows of. After a deed whose outcome it was not told it starts anew."""

    def __init__(self, name: str, surface: str, do: Do, ledger: Ledger, folder: str, seed: str) -> None:
        self._name = name
        self._surface = surface
        self._do = do
        self._ledger = ledger
        self._folder = folder
        self._dice = Random(f"{seed} {name}")
        self._state = State()
        self._number = 0
        self._asked: set[str] = set()

    def step(self, do: Do | None = None) -> str:
        """One deed; what came of it. ``do`` does this one alone."""
        deed = self._chosen()
        self._ledger.ask(deed)
        outcome, answer = (do or self._do)(deed)
        if outcome == DONE:
            self._ledger.acknowledge(deed, answer)
            self._state.apply(deed.operation, deed.values, answer, deed.id)
        else:
            self._state = State()
            if outcome == REFUSED:
                self._ledger.refuse(deed, str(answer))
        return outcome

    def _chosen(self) -> Deed:
        self._number += 1
        name = f"{self._name}-{self._number}"
        options = list(possible(self._state, name, self._dice, self._folder))
        # Nothing is asked for twice: on the command line that is what tells one deed's line from another's.
        fresh = [each for each in options if str(each) not in self._asked]
        operation, values = self._dice.choice(fresh)
        self._asked.add(str((operation, values)))
        return Deed(name, self._surface, operation, values)


class Team:
    """Threads that write until ``stop``; of the command line one for each forge, of REST as many as there are clients."""

    def __init__(self, store: str, ledger: Ledger, seed: str, name: str) -> None:
        self._store = store
        self._ledger = ledger
        self._seed = seed
        self._name = name
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clients: list[Client] = []
        self.failures: list[BaseException] = []

    def clients(self, count: int, port: int, key: str) -> None:
        for _ in range(count):
            client = Client(port, key)
            self._clients.append(client)
            self._start(REST, over_rest(client))

    def commands(self, forge: Forge) -> None:
        self._start(COMMAND_LINE, by_command(forge, self._store))

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads), "a writer did not end in time"
        for client in self._clients:
            client.close()
        if self.failures:
            raise self.failures[0]

    def _start(self, surface: str, do: Do) -> None:
        name = f"{self._name}{'rc'[surface == COMMAND_LINE]}{len(self._threads)}"
        writer = Writer(name, surface, do, self._ledger, os.path.dirname(self._store), self._seed)
        thread = threading.Thread(target=self._write, args=(writer,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _write(self, writer: Writer) -> None:
        try:
            while not self._over.is_set():
                writer.step()
        except BaseException as error:
            self.failures.append(error)
