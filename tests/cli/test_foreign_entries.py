"""What other users, or the owner of a store that root works on, put among the entries of running servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import unittest
from typing import Any
from unittest import mock

from secure_mcp_gateway.cli.running import Registration, machine
from secure_mcp_gateway.store.store import Store
from tests.store.processes import Channel, Child
from tests.support import DEADLINE, StoreCase, run

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
OWNER, STRANGER = 65534, 65533


class EntryCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.servers = self.path("s", "servers")
        os.mkdir(self.servers, 0o700)

    def forge(self, name: str, owner: int, **content: Any) -> str:
        """An entry that says this, and is held as one of a server that runs."""
        path = os.path.join(self.servers, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"pid": os.getpid(), "port": 8001, "machine": machine(), **content}, file)
        os.chown(path, owner, owner)
        held = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, held)
        flock(held, LOCK_EX | LOCK_NB)
        return path

    def stopping_as(self, user: int, *flags: str) -> tuple[int, str]:
        """Exit code and standard error, of a process that may change its user for good."""

        def stop(_: Channel) -> list[Any]:
            os.setuid(user)
            ran = run("--store", self.store, "--format", "json", "system", "stop-api", *flags)
            return [ran.code, ran.err]

        code, said = Child(stop).result()
        return code, said


@unittest.skipIf(sys.platform == "win32", "servers are not noted on Windows")
class AmongOnesOwn(EntryCase):
    def test_only_what_has_the_name_of_an_entry_is_swept(self) -> None:
        for name in ("keys.json", "8001-1.json", "8001-1.json.bak", "8001-.json", "x8001-1.json"):
            self.write(os.path.join("s", "servers", name), "{}")
        self.refused(3, "system", "stop-api")
        self.assertEqual(sorted(os.listdir(self.servers)), ["8001-.json", "8001-1.json.bak", "keys.json", "x8001-1.json"])

    def test_an_entry_that_names_no_process_or_many_signals_nobody(self) -> None:
        for number, pid in enumerate((0, -1, -os.getpid(), True, 1.5, "1", None, 2**31, 10**400)):
            with self.subTest(pid=str(pid)[:20]), mock.patch("os.kill") as kill:
                self.forge(f"8001-{number}.json", os.geteuid(), pid=pid)
                self.refused(3, "system", "stop-api", "--force")
                kill.assert_not_called()

    def test_an_entry_that_is_nonsense_hides_no_other(self) -> None:
        for number, content in enumerate((b"", b"\xff", b"[]", b"[" * 4000, b'{"pid": 1}', b'{"pid": 1, "port": "x", "machine": ""}')):
            path = self.forge(f"1-{number}.json", os.geteuid())
            with open(path, "wb") as file:
                file.write(content)
        self.forge("8001-1.json", os.geteuid(), machine="elsewhere")
        self.assertIn("container", self.refused(5, "system", "stop-api"))

    def test_a_pipe_with_the_name_of_an_entry_is_not_waited_for(self) -> None:
        os.mkfifo(os.path.join(self.servers, "8001-1.json"))
        self.refused(3, "system", "stop-api")


@unittest.skipUnless(ROOT, "only root can act as other users")
class OfOthers(EntryCase):
    def setUp(self) -> None:
        super().setUp()
        os.chmod(self.folder, 0o755)
        for place, folders, names in os.walk(self.path("s")):
            for name in (".", *folders, *names):
                os.chown(os.path.join(place, name), OWNER, OWNER)

    def bystander(self, user: int) -> subprocess.Popen[bytes]:
        """A process of this user that is no server."""
        process = subprocess.Popen(["sleep", str(DEADLINE)], preexec_fn=lambda: os.setuid(user))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_the_owner_of_a_store_makes_root_end_no_process_but_the_owner_s(self) -> None:
        for user in (0, STRANGER):
            process = self.bystander(user)
            path = self.forge("8001-1.json", OWNER, pid=process.pid)
            code, said = self.stopping_as(0, "--force")
            self.assertEqual((code, "belongs to somebody else" in said, process.poll()), (5, True, None))
            os.unlink(path)

    def test_nor_delete_files_elsewhere(self) -> None:
        elsewhere = self.path("elsewhere")
        os.mkdir(elsewhere)
        self.write("elsewhere/8001-1.json", "{}")
        os.rmdir(self.servers)
        os.symlink(elsewhere, self.servers)
        for store_is_there in (True, False):
            self.assertIn("link", self.stopping_as(0)[1])
            self.assertEqual(os.listdir(elsewhere), ["8001-1.json"])
            if store_is_there:
                os.unlink(self.store)

    def test_a_stranger_makes_the_owner_end_no_process_of_the_owner_s(self) -> None:
        process = self.bystander(OWNER)
        os.chmod(self.forge("8001-1.json", STRANGER, pid=process.pid), 0o666)
        code, said = self.stopping_as(OWNER, "--force")
        self.assertEqual((code, "somebody else" in said, process.poll()), (5, True, None))

    def test_what_is_somebody_else_s_hides_none_of_one_s_own(self) -> None:
        self.forge("8001-1.json", 0, port=1)
        self.forge("8002-1.json", OWNER, port=8002)
        code, said = self.stopping_as(OWNER, "--port=1")
        self.assertEqual((code, "servers run on 8002" in said), (3, True), said)

    def test_root_stops_the_owner_s_server_and_its_own(self) -> None:
        for user in (OWNER, 0):
            server = Child(lambda channel, user=user: self.serve(channel, user))  # type: ignore[misc]
            self.assertEqual(server.hear(), "serves")
            self.assertEqual(os.stat(os.path.join(self.servers, f"8001-{server.pid}.json")).st_uid, user)
            code, said = self.stopping_as(0)
            self.assertEqual((code, server.result()), (0, "stopped"), said)

    def serve(self, channel: Channel, user: int) -> str:
        os.setuid(user)
        registration = Registration(Store(self.store), 8001)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        channel.say("serves")
        signal.sigtimedwait({signal.SIGTERM}, DEADLINE)
        registration.remove()
        return "stopped"


if __name__ == "__main__":
    unittest.main()
