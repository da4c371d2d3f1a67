"""The API server as a process: how it starts, what it says, how it ends."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import unittest
import unittest.mock
import urllib.error
from pathlib import Path
from typing import Any

from secure_mcp_gateway import __version__
from secure_mcp_gateway.cli.commands import Invocation
from secure_mcp_gateway.cli.first_store import make_first_store
from secure_mcp_gateway.cli.output import Output
from secure_mcp_gateway.cli.server_flags import PARAMS, server_values
from secure_mcp_gateway.store.store import Store
from tests.cli.server_process import Server, ServerCase, entries, until
from tests.store.boundaries import Boundaries
from tests.support import DEADLINE, FolderCase, process, run


class Starting(ServerCase):
    def test_it_says_where_it_listens_answers_and_ends_with_0(self) -> None:
        server = self.start()
        self.assertRegex(server.line, r"\Ahttp://127\.0\.0\.1:[1-9]\d*\Z")
        self.assertEqual(server.get(), {"status": "ok", "version": __version__})
        code, err = server.stop()
        self.assertEqual(code, 0)
        self.assertEqual([json.loads(line)["status"] for line in err.splitlines()], [200])
        self.assertEqual(entries(self.store), [])

    def test_ctrl_c_ends_it_the_same_way_but_with_130(self) -> None:
        server = self.start("--no-access-log")
        server.get()
        server.signal(signal.SIGINT)
        self.assertEqual(server.ended(), (130, ""))

    def test_an_address_that_others_reach_is_warned_of_and_shown_as_one_can_open_it(self) -> None:
        server = self.start("--host=127.0.0.1")
        self.assertNotIn("warning", server.stop()[1])
        server = Server(["--store", self.store, "system", "start-api", "--port=0"])
        self.addCleanup(server.kill)
        self.assertIn("http://127.0.0.1:", server.line)
        self.assertIn("warning: without --tls-cert", server.stop()[1])

    def test_where_it_cannot_be_noted_beside_the_store_it_warns_and_serves_all_the_same(self) -> None:
        self.write("s/servers", "in the way")
        server = self.start("--no-access-log")
        self.assertEqual(server.get()["status"], "ok")
        code, err = server.stop()
        self.assertEqual(code, 0)
        reason = "servers beside the store is in the way: it is no folder"
        self.assertEqual(err, f"warning: this server cannot be noted beside the store ({reason}), so stop-api will not find it\n")

    def test_flags_come_from_the_environment_too_and_the_typed_one_wins(self) -> None:
        more = {"NO_ACCESS_LOG": "1", "PORT": "1", "ALLOW_HOST": "other.example"}
        server = self.start(**{f"SECURE_MCP_GATEWAY_{name}": value for name, value in more.items()})
        with self.assertRaises(urllib.error.HTTPError) as caught:
            server.get()
        caught.exception.close()
        self.assertEqual(caught.exception.code, 403)
        self.assertEqual(server.stop(), (0, ""))

    def test_without_a_store_it_exits_6_and_says_how_to_make_one(self) -> None:
        ran = process("--store", self.path("none", "store.json"), "system", "start-api", "--port=0")
        self.assertEqual((ran.code, ran.out), (6, ""))
        self.assertIn("generate-config", ran.refusal["detail"])

    def test_a_port_in_use_is_a_conflict(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ran = process("--store", self.store, "system", "start-api", "--host=127.0.0.1", f"--port={port}")
        self.assertEqual(ran.code, 4)
        self.assertIn(str(port), ran.refusal["detail"])

    def test_flags_that_cannot_be_meant_are_wrong_usage(self) -> None:
        for flags in (
            ["--host=192.0.2.1"],
            ["--host=no such host"],
            ["--port=65536"],
            ["--files-root", self.path("none")],
            ["--tls-cert", self.store],
            ["--tls-cert", self.store, "--tls-key", self.store],
            ["--allow-origin=admin.example.com"],
            ["--allow-origin=https://a.example/path"],
            ["--max-body=0"],
            *([flag] for flag in ("--host=", "--files-root=", "--tls-cert=", "--allow-host=", "--allow-host=[]", "--allow-origin=")),
            *([f"--allow-host={host}"] for host in ("a b", "a,,b", "https://a", "a:b", "a/b", "[::1", "[1::2::3]", "a:65536")),
            *([f"--allow-origin={origin}"] for origin in ("https://", "null", "https://a?b", "https://a,", "https://a:65536")),
        ):
            with self.subTest(flags=flags):
                self.refused(2, "system", "start-api", "--port=0", *flags)

    def test_an_address_in_brackets_is_a_host_and_no_json(self) -> None:
        for given, hosts in (
            (["[::1]"], ["[::1]"]),
            (["[::1]:8001,localhost"], ["[::1]:8001", "localhost"]),
            (['["[::1]", "a"]'], ["[::1]", "a"]),
            (["[::1]", "[::2]"], ["[::1]", "[::2]"]),
        ):
            self.assertEqual(server_values(Invocation(PARAMS, {"allow-host": given}, [], Output("json", False)))["allow_host"], hosts)
        with unittest.mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_ALLOW_HOST="[::1]"):
            self.assertEqual(server_values(Invocation(PARAMS, {}, [], Output("json", False)))["allow_host"], ["[::1]"])

    def test_environment_values_are_checked_too(self) -> None:
        with unittest.mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_PORT="many"):
            self.assertIn("--port", self.refused(2, "system", "start-api"))


class FirstStore(ServerCase):
    def test_init_makes_a_store_and_leaves_its_key_in_a_file(self) -> None:
        store, key = self.path("new", "store.json"), self.path("new", "admin-key.txt")
        server = self.start("--init", "--no-access-log", store=store)
        self.assertEqual(server.get()["status"], "ok")
        code, err = server.stop()
        self.assertEqual((code, err), (0, f"the admin key is in {key}\n"))
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        keys = run("--store", store, "admin-key", "list").data
        self.assertTrue(Path(key).read_text().rstrip("\n").endswith(keys[0]["hint"]))
        self.assertEqual(run("--store", store, "user", "list-all-api-keys").data, [])

    def test_init_on_a_port_in_use_leaves_no_store_behind(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            flags = ("--init", "--host=127.0.0.1", f"--port={taken.getsockname()[1]}")
            ran = process("--store", self.path("new", "store.json"), "system", "start-api", *flags)
        self.assertEqual((ran.code, os.path.exists(self.path("new"))), (4, False))

    def test_init_leaves_a_store_that_is_there_alone(self) -> None:
        before = Path(self.store).read_bytes()
        self.assertEqual(self.start("--init", "--no-access-log").stop(), (0, ""))
        self.assertEqual(Path(self.store).read_bytes(), before)

    def test_the_key_of_an_older_store_is_not_written_over(self) -> None:
        old = self.write("admin-key.txt", "old\n")
        server = self.start("--init", "--no-access-log", store=self.path("store.json"))
        self.assertIn(self.path("admin-key-2.txt"), server.stop()[1])
        self.assertEqual(Path(old).read_text(), "old\n")


class FirstKey(FolderCase):
    def test_it_is_on_the_disk_before_it_is_spoken_of(self) -> None:
        if not os.path.exists("/proc/self/fd"):
            self.skipTest("this system does not say which file a descriptor stands for")
        calls: list[str] = []

        def at(number: int, name: str, go_on: Any, arguments: tuple[Any, ...]) -> Any:
            if name in ("writev", "fsync"):
                calls.append(f"{name} {os.path.basename(os.readlink(f'/proc/self/fd/{arguments[0]}'))}")
            return go_on()

        class Told(Output):
            def say(self, text: str) -> None:
                calls.append("said")

        with Boundaries(at), unittest.mock.patch.object(sys, "stderr", io.StringIO()):
            make_first_store(Store(self.path("s", "store.json")), Told("json", False))
        self.assertEqual(calls[-4:], ["writev admin-key.txt", "fsync admin-key.txt", "fsync s", "said"])


class Ending(ServerCase):
    def test_a_request_under_way_is_answered_before_it_ends(self) -> None:
        server = self.start("--no-access-log")
        with self.half_a_request(server) as slow:
            self.signal_and_wait_for_the_socket(server)
            slow.sendall(b'{"config_name": "late"}')
            self.assertIn(b" 201 ", slow.recv(4096))
            self.assertEqual(server.ended()[0], 0)
        self.assertEqual(len(self.done("config", "list")), 2)

    def test_a_second_signal_ends_it_at_once(self) -> None:
        server = self.start("--no-access-log")
        with self.half_a_request(server):
            self.signal_and_wait_for_the_socket(server)
            started = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.ended()[0], 0)
            self.assertLess(time.monotonic() - started, 8)

    def half_a_request(self, server: Server) -> socket.socket:
        """One that the server has begun to take: it asked for the body."""
        slow = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
        lines = ["POST /api/v1/configs HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.keys['admin_api_key']}"]
        lines += ["Content-Type: application/json", "Content-Length: 23", "Expect: 100-continue", "", ""]
        slow.sendall("\r\n".join(lines).encode())
        self.assertIn(b"100", slow.recv(4096))
        return slow

    def signal_and_wait_for_the_socket(self, server: Server) -> None:
        server.signal(signal.SIGTERM)
        self.assertTrue(until(lambda: not is_listened_to(server.port)))

    def test_a_store_that_vanishes_is_not_made_anew(self) -> None:
        server = self.start("--init", "--no-access-log")
        shutil.rmtree(self.path("s"))
        with self.assertRaises(urllib.error.HTTPError) as caught:
            server.get()
        caught.exception.close()
        self.assertEqual(caught.exception.code, 503)
        server.stop()
        self.assertFalse(os.path.exists(self.path("s")))


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl to make a certificate with")
class Tls(ServerCase):
    def certificate(self, name: str) -> list[str]:
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        paths = [self.path("cert.pem"), self.path("key.pem")]
        more = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]]
        subprocess.run([*command, *more], check=True, capture_output=True)
        return paths

    def name_of(self, server: Server) -> object:
        context = ssl.create_default_context(cafile=self.path("cert.pem"))
        plain = socket.create_connection(("127.0.0.1", server.port))
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            return (secured.getpeercert() or {})["subject"]

    def test_it_speaks_tls_and_reads_its_files_again_on_sighup(self) -> None:
        certificate, key = self.certificate("first")
        server = self.start("--tls-cert", certificate, "--tls-key", key, "--no-access-log")
        self.assertTrue(server.line.startswith("https://127.0.0.1:"))
        self.assertEqual(server.get(context=ssl.create_default_context(cafile=certificate))["status"], "ok")
        self.assertIn("first", str(self.name_of(server)))
        self.certificate("second")
        server.signal(signal.SIGHUP)
        for _ in range(1000):
            try:
                if "second" in str(self.name_of(server)):
                    break
            except ssl.SSLError:
                continue  # the old certificate still
        self.assertIn("second", str(self.name_of(server)))
        self.assertEqual(server.stop(), (0, ""))


def is_listened_to(port: int) -> bool:
    """Does the server still take connections?"""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    unittest.main()
