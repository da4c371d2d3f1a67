"""``start-api --workers``: several processes that look like one server from outside."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import time
import unittest

from tests.cli.server_process import entries, until
from tests.cli.workers_case import WorkersCase, children_of, connections_of, is_alive
from tests.support import DEADLINE, in_memory


class Serving(WorkersCase):
    def test_they_answer_as_one_and_end_with_0(self) -> None:
        server = self.start_workers()
        workers = children_of(server.process.pid)
        for caller in self.one_for_each(server).values():
            self.call(server, caller)
        code, err = server.stop()
        self.assertEqual(code, 0)
        self.assertEqual({json.loads(line)["status"] for line in err.splitlines()}, {200})
        self.assertEqual(entries(self.store), [])
        self.assert_gone(*workers)

    def test_ctrl_c_ends_them_the_same_way_but_with_130(self) -> None:
        server = self.start_workers("--no-access-log")
        server.signal(signal.SIGINT)
        self.assertEqual(server.ended(), (130, ""))

    def test_what_was_written_through_one_is_read_through_another_at_once(self) -> None:
        # Where a sync takes longer than a document may be old, it would be read again anyway.
        with in_memory() as folder:
            self.store = os.path.join(folder, "store.json")
            self.keys = self.done("generate-config")
            server = self.start_workers("--no-access-log")
            writer, reader = self.one_for_each(server).values()
            for number in range(20):
                path = f"/api/v1/configs/c{number}"
                self.assertEqual(self.ask(reader, "GET", path)[0], 404)
                self.assertEqual(self.ask(writer, "POST", "/api/v1/configs", {"config_name": f"c{number}"})[0], 201)
                self.assertEqual(self.ask(reader, "GET", path)[0], 200, number)
            server.stop()

    def test_each_has_its_own_cap_of_connections_and_evicts_by_itself(self) -> None:
        server = self.start_workers("--no-access-log", "--max-connections=1")
        held = [self.call(server), self.call(server)]
        # A busy machine may have let one worker take both.
        while any(map(self.is_closed, held)):
            held = [self.call(server), self.call(server)]
        for caller in held:
            self.call(server, caller)
        self.call(server)
        self.assertTrue(until(lambda: any(map(self.is_closed, held))))

    def is_closed(self, caller: http.client.HTTPConnection) -> bool:
        caller.sock.setblocking(False)
        try:
            return caller.sock.recv(1) == b""
        except BlockingIOError:
            return False
        finally:
            caller.sock.settimeout(DEADLINE)

    def test_who_has_fewer_connections_takes_the_next_ones(self) -> None:
        server = self.start_workers("--no-access-log")
        few, many = children_of(server.process.pid)
        # A busy machine may give one of them no time at all for a while.
        for _ in range(5):
            callers = [self.call(server) for _ in range(16)]
            for caller in callers:
                if caller.sock.getsockname()[1] in connections_of(few, server.port):
                    caller.close()
            self.assertTrue(until(lambda: not connections_of(few, server.port)))
            before = len(connections_of(many, server.port))
            for _ in range(before):
                self.call(server)
            taken = len(connections_of(few, server.port))
            if before and taken >= 0.75 * before:
                return
        self.fail(f"of {before} new connections it took {taken}, with the other one at {before} before")

    def test_without_it_nothing_of_it_is_loaded(self) -> None:
        code, err = self.start("--workers=1", "--no-access-log", PYTHONPROFILEIMPORTTIME="1").stop()
        self.assertEqual(code, 0)
        self.assertIn("secure_mcp_gateway.cli.listening", err)
        self.assertEqual(re.findall(r"cli\.(workers?|children|whole_lines)\b|(subprocess)$", err, re.MULTILINE), [])


class Flags(WorkersCase):
    def test_a_number_that_cannot_be_meant_is_refused_by_name(self) -> None:
        for value in ("0", "65", "-1", "two", "1.5", ""):
            with self.subTest(value=value):
                self.assertIn("--workers", self.refused(2, "system", "start-api", "--port=0", f"--workers={value}"))

    def test_it_does_not_go_with_reload(self) -> None:
        self.assertIn("--reload and --workers", self.refused(2, "system", "start-api", "--port=0", "--reload", "--workers=2"))

    def test_it_comes_from_the_environment_too(self) -> None:
        server = self.start("--no-access-log", SECURE_MCP_GATEWAY_WORKERS="3")
        self.assertEqual(len(children_of(server.process.pid)), 3)

    def test_a_first_store_is_made_once_and_before_they_start(self) -> None:
        store = self.path("new", "store.json")
        server = self.start("--workers=3", "--init", "--no-access-log", store=store)
        self.assertEqual(server.get()["status"], "ok")
        self.assertEqual(server.stop(), (0, f"the admin key is in {self.path('new', 'admin-key.txt')}\n"))
        self.assertEqual([name for name in os.listdir(self.path("new")) if name.startswith("admin-key")], ["admin-key.txt"])

    def test_with_read_only_none_writes_anything(self) -> None:
        before = sorted(os.listdir(self.path("s")))
        server = self.start_workers("--read-only", "--no-access-log")
        for caller in self.one_for_each(server).values():
            self.assertEqual(self.ask(caller, "POST", "/api/v1/configs", {"config_name": "x"})[0], 403)
        self.assertEqual(server.stop(), (0, ""))
        self.assertEqual(sorted(os.listdir(self.path("s"))), before)

    def test_with_paranoid_each_confines_itself_and_one_that_dies_is_replaced_all_the_same(self) -> None:
        server = self.start_workers("--paranoid")
        outside = self.path("outside.json")
        for caller in self.one_for_each(server).values():
            self.assertEqual(self.ask(caller, "POST", "/api/v1/system/backup", {"output_file": outside})[0], 403)
        before = children_of(server.process.pid)
        os.kill(min(before), signal.SIGKILL)
        self.assertTrue(until(lambda: len(children_of(server.process.pid) - before) == 1))
        self.assertEqual(server.get()["status"], "ok")
        code, err = server.stop()
        self.assertEqual((code, err.count("was ended by signal 9")), (0, 1), err)
        self.assertFalse(os.path.exists(outside))


class Ending(WorkersCase):
    def test_requests_under_way_are_answered_by_each_before_it_ends(self) -> None:
        for whom in ("the parent", "all, as a service manager does"):
            with self.subTest(signalled=whom):
                server = self.start_workers("--no-access-log")
                workers, slow = children_of(server.process.pid), []
                while not all(connections_of(pid, server.port) for pid in workers):
                    slow.append(self.half_a_request(server))
                server.signal(signal.SIGTERM)
                for pid in workers if whom != "the parent" else ():
                    os.kill(pid, signal.SIGTERM)
                self.assertTrue(until(lambda server=server: self.is_refused(server)))
                for each in slow:
                    with each:
                        self.finish(each)
                self.assertEqual(server.ended(), (0, ""))

    def test_a_second_signal_ends_them_at_once(self) -> None:
        server = self.start_workers("--no-access-log")
        slow = [self.half_a_request(server) for _ in range(4)]
        server.signal(signal.SIGTERM)
        self.assertTrue(until(lambda: self.is_refused(server)))
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assertEqual(server.ended(), (0, ""))
        self.assertLess(time.monotonic() - started, 8)
        for each in slow:
            each.close()

    def test_one_that_hangs_is_killed(self) -> None:
        server = self.start_workers("--no-access-log")
        workers = children_of(server.process.pid)
        os.kill(min(workers), signal.SIGSTOP)
        server.signal(signal.SIGTERM)
        self.assertTrue(until(lambda: not is_alive(max(workers))))
        server.signal(signal.SIGTERM)
        code, err = server.ended()
        self.assertEqual((code, json.loads(err)["problem"]), (0, "1 workers did not end in time and are killed"))
        self.assert_gone(*workers)

    def test_stop_api_finds_the_whole_as_one_and_stops_it(self) -> None:
        server = self.start_workers("--no-access-log")
        workers = children_of(server.process.pid)
        self.assertEqual(len(entries(self.store)), 1)
        self.assertEqual(self.done("system", "stop-api"), {"port": server.port, "pid": server.process.pid})
        self.assertEqual(server.ended(), (0, ""))
        self.assert_gone(*workers)


if __name__ == "__main__":
    unittest.main()
