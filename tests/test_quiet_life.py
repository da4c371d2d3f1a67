"""A whole team life over the API, while all that the server's process does is recorded: it calls nobody and starts nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

from tests import test_life_of_a_team
from tests.cli.recording import Event, events_in

_CALLS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.get", "urllib.", "http.client.")
_STARTS = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.", "ctypes.")
# What starts processes or calls into C goes through these; neither is even loaded.
_MEANS = ("_posixsubprocess", "subprocess", "_ctypes", "ctypes", "multiprocessing", "urllib.request", "asyncio")


class Recorded(test_life_of_a_team.OverSockets):
    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.record = os.path.join(folder, "record")
        self.launcher = ("-m", "tests.cli.recording", self.record)
        with mock.patch.dict(os.environ, PYTHONDONTWRITEBYTECODE="1"):
            super().setUp()

    def test_a_team_lives_from_its_first_user_to_the_last_key(self) -> None:
        super().test_a_team_lives_from_its_first_user_to_the_last_key()
        events = events_in(self.record)
        self.assertEqual([event for event in events if event.name.startswith((*_CALLS, *_STARTS))], [])
        self.assertEqual(self.imported(events) & set(_MEANS), set())
        self.assertEqual([event.arguments[1] for event in events if event.name == "socket.bind"], ["('127.0.0.1', 0)"])
        # The record is one of the whole life: each of its writes moved a file, after the last module was loaded lazily.
        self.assertGreater(len([event for event in events if event.name == "os.rename"]), 50)
        self.assertIn("secure_mcp_gateway.store.commit", self.imported(events))

    def imported(self, events: list[Event]) -> set[str]:
        return {event.arguments[0].strip("'") for event in events if event.name == "import"}


class UnderParanoia(test_life_of_a_team.OverSockets):
    def flags(self) -> list[str]:
        return ["--paranoid", "--files-root", self.folder]

    def test_a_team_lives_from_its_first_user_to_the_last_key(self) -> None:
        super().test_a_team_lives_from_its_first_user_to_the_last_key()
        with open(self.log.name, encoding="utf-8") as file:
            self.assertEqual([line for line in file if "attempt" in json.loads(line)], [])


if __name__ == "__main__":
    unittest.main()
