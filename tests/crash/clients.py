"""The clients of a random history: what a move is on each surface, timed and put down."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple
from unittest import mock

from secure_mcp_gateway.cli import rows as command_rows
from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import RECORD, perform
from secure_mcp_gateway.repository.call import ADMIN, Call, Caller, Listing, new_call, new_uuid
from secure_mcp_gateway.store.store import Store
from tests.crash import history_check
from tests.crash.history_check import Event, shown
from tests.crash.moves import Known, Move, Moves
from tests.crash.server import Client
from tests.store.processes import Child
from tests.surfaces import argv_of, request_of, run_command

ROWS = {row.name: row for row in all_operations()}
SERVER = "server"


class Done(NamedTuple):
    """``result`` is what was answered, or the word of the error. ``process`` is the one that did it, ``begin`` when that was asked."""

    process: str
    begin: int
    end: int
    code: str
    result: Any
    generation: int = -1
    made: tuple[str, ...] = ()


class InProcess:
    """The product's own code on a store that the threads of this process share."""

    def __init__(self, store: Store, process: str, thread: int) -> None:
        self._store = store
        self._process = process
        self._caller = Caller(ADMIN, f"{process}/{thread}", "histories")
        self._backup: tuple[str, Any] | None = None

    def do(self, move: Move, id: str) -> Done:
        made: list[str] = []
        begin = time.monotonic_ns()
        call = new_call(self._caller, self._store, id)
        if move.operation == "system reset":
            call.new_id = lambda: made.append(new_uuid()) or made[-1]
        code, result, generation = self._performed(move, call)
        end = time.monotonic_ns()
        if move.operation == "system backup" and not code:
            self._backup, generation = (id, result), result["generation"]
        data = result.rows if isinstance(result, Listing) else result
        return Done(self._process, begin, end, code, data, generation, tuple(made))

    def _performed(self, move: Move, call: Call) -> tuple[str, Any, int]:
        """Code, result, and the generation that a read saw."""
        row, generation, document = ROWS[move.operation], -1, None
        try:
            if not row.writes:
                document = self._store.snapshot()
                generation = document.generation
            return "", perform(row, self._store, call, self._given(move), document=document, if_match=move.if_match), generation
        except GatewayError as error:
            return error.code, None, generation
        except Exception as error:
            # A fault of the product is a finding, and no end of the history.
            return repr(error), None, generation

    def whole(self, dice: Random) -> Move:
        """A move of the store as a whole: a backup, or a restore of the last one, or starting over."""
        if self._backup is None or dice.random() < 0.4:
            return Move("system backup", {})
        if dice.random() < 0.5:
            return Move("system restore", {"backup": self._backup[0]})
        return Move("system reset", {"confirm": True})

    def _given(self, move: Move) -> dict[str, Any]:
        if move.operation == "system restore":
            assert self._backup is not None
            return {"data": self._backup[1]}
        return move.values


class OverHttp:
    """Through the server, on one connection."""

    def __init__(self, port: int, key: str) -> None:
        self._client = Client(port, key)

    def do(self, move: Move, id: str) -> Done:
        method, path, body = request_of(ROWS[move.operation], move.values)
        fields = {} if move.if_match is None else {"If_Match": move.if_match}
        begin = time.monotonic_ns()
        answer = self._client.send(method, path[len("/api/v1") :], body, X_Request_Id=id, **fields)
        end = time.monotonic_ns()
        if answer.status < 300:
            return Done(SERVER, begin, end, "", answer.data, answer.etag)
        return Done(SERVER, begin, end, answer.body["error"], None)


class ByCommand:
    """Each move as a command in a process of its own."""

    def __init__(self, store: str, folder: str) -> None:
        self._store = store
        self._folder = folder

    def do(self, move: Move, id: str) -> Done:
        words = ["--store", self._store, "--format", "json", *argv_of(ROWS[move.operation], move.values, self._folder)]
        begin = time.monotonic_ns()
        code, out, err = Child(lambda _: _commanded(words, id)).result()
        end = time.monotonic_ns()
        if code == 0:
            return Done(id, begin, end, "", json.loads(out))
        return Done(id, begin, end, json.loads(err)["error"], None)


def _commanded(words: list[str], id: str) -> tuple[int, str, str]:
    """The command with a request id that is known outside; it is the only thing of it that is ours."""
    with mock.patch.object(command_rows, "new_call", lambda caller, store: new_call(caller, store, id)):
        return run_command(*words)


class Player:
    """One thread: moves one after the other on its surface, each put down in a file as soon as it is done."""

    def __init__(self, name: str, surface: Any, dice: Random, moves: Moves, known: Known, path: str) -> None:
        self._name = name
        self._surface = surface
        self._dice = dice
        self._known = known
        self._path = path
        self._moves = moves

    def play(self, count: int, deadline: float, whole: float, pause: float, pulse: Callable[[], None]) -> None:
        """``whole`` is how likely each move is one of the store as a whole; ``pause`` is how long this client thinks at most;
        ``pulse`` is called behind each move."""
        with open(self._path, "w", encoding="utf-8") as file:
            for number in range(count):
                if time.monotonic() > deadline:
                    break
                is_whole = isinstance(self._surface, InProcess) and self._dice.random() < whole
                move = self._surface.whole(self._dice) if is_whole else self._moves.next()
                id = f"{self._name}-{number}"
                self._put_down(file, id, move, self._surface.do(move, id))
                pulse()
                if pause:
                    time.sleep(self._dice.random() ** 2 * pause)

    def _put_down(self, file: Any, id: str, move: Move, done: Done) -> None:
        row = ROWS[move.operation]
        kind = history_check.READ if not row.writes else history_check.RECORD if row.effect == RECORD else history_check.WRITE
        if not done.code:
            self._known.learn(move.operation, move.values, done.result)
        if done.code == "not_found" or (not done.code and "delete" in move.operation):
            self._known.forget(move.values)
        if kind == history_check.READ:
            self._moves.generation = max(self._moves.generation, done.generation)
        result = done.result if kind == history_check.WRITE or done.code else shown(done.result)
        moved = (move.operation, move.values, move.if_match)
        event = Event(id, done.process, done.begin, done.end, kind, *moved, done.code, done.generation, result, done.made)
        file.write(json.dumps(event) + "\n")


def at_once(players: list[Player], play: Callable[[Player], None]) -> None:
    """Each in a thread, but one alone in this one: it may fork. The first failure is raised."""
    if len(players) == 1:
        play(players[0])
        return
    failures: list[BaseException] = []

    def run(player: Player) -> None:
        try:
            play(player)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(player,), daemon=True) for player in players]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
