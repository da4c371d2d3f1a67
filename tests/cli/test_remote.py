"""``--server``: every command does through a server what it does on the store, and says it in the same words."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.cli import apply
from secure_mcp_gateway.cli.listening import listening_socket
from secure_mcp_gateway.client import exchange
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import Operation
from secure_mcp_gateway.store.store import Store
from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from secure_mcp_gateway.web.server import WebServer
from tests import team
from tests.operation_cases import CASES
from tests.support import DEADLINE, MEMORY, PYTHON, Ran, environment, run
from tests.surfaces import argv_of, text_without_chance
from tests.web.raw import RunningServer

KEY, KEY_FILE = "SECURE_MCP_GATEWAY_API_KEY", "SECURE_MCP_GATEWAY_API_KEY_FILE"
SERVER, STORE = "SECURE_MCP_GATEWAY_SERVER", "SECURE_MCP_GATEWAY_STORE"


class RemoteCase(unittest.TestCase):
    """A server on the team's store; ``requests`` are those that it was sent, ``app`` may be put in another's place."""

    _template: str
    _running: RunningServer
    app: Any
    requests: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls._template = tempfile.mkdtemp(dir=MEMORY)
        cls.addClassCleanup(shutil.rmtree, cls._template)
        team.make_team(cls._template)
        cls._running = RunningServer(WebServer(listening_socket("127.0.0.1", 0), cls._answer))
        cls.url = f"http://127.0.0.1:{cls._running.__enter__().bound[1]}"
        cls.addClassCleanup(cls._running.__exit__)

    @classmethod
    def _answer(cls, request: Request) -> Response:
        cls.requests.append(f"{request.method} {request.raw_path}")
        return cls.app(request)

    def setUp(self) -> None:
        with_key = mock.patch.dict(os.environ, {KEY: team.ADMIN})
        with_key.start()
        self.addCleanup(with_key.stop)
        self.fresh()

    def fresh(self) -> str:
        """The team's store, untouched, in a folder of its own, behind the server; its path."""
        self.folder = os.path.realpath(tempfile.mkdtemp(dir=MEMORY))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(self._template, os.path.join(self.folder, "s"))
        path = os.path.join(self.folder, "s", "store.json")
        type(self).app, type(self).requests = ManagementApp(Store(path)), []
        return path

    def remote(self, *argv: str, given: bytes = b"") -> Ran:
        return run("--server", self.url, *argv, given=given)

    def refused(self, code: int, *argv: str) -> str:
        """What is said on standard error."""
        ran = self.remote(*argv)
        self.assertEqual((ran.code, ran.out), (code, ""), ran.err)
        return ran.err


class EveryRow(RemoteCase):
    def test_a_server_does_what_the_store_does_in_the_same_words(self) -> None:
        for operation in all_operations():
            if operation.name == "whoami":
                continue
            for values, _ in CASES[operation.name]:
                for form in ("json", "table"):
                    with self.subTest(operation=operation.name, values=values, form=form):
                        here = self._ran(operation, values, form, "--store")
                        there = self._ran(operation, values, form, "--server")
                        self.assertEqual(there, here)

    def _ran(self, operation: Operation, values: dict[str, Any], form: str, place: str) -> tuple[int, str, str]:
        store = self.fresh()
        ran = run(place, store if place == "--store" else self.url, "--format", form, *argv_of(operation, values, self.folder))
        err = re.sub(r" \(/[^)]*\)", "", ran.err) if place == "--store" else ran.err
        return ran.code, text_without_chance(ran.out, self.folder), text_without_chance(err, self.folder)

    def test_a_setup_is_applied_as_it_was_shown_or_not_at_all(self) -> None:
        wanted = os.path.join(self.folder, "desired.json")
        with open(wanted, "w", encoding="utf-8") as file:
            json.dump({"kind": "secure-mcp-gateway/desired", "version": 1, "users": ["new@example.com"]}, file)
        apply_it = ("--format=table", "apply", "--file", wanted)
        show = apply._show

        def meanwhile(*shown: Any) -> None:
            show(*shown)
            self.remote("config", "add", "--config-name=meanwhile")

        with mock.patch.object(apply, "_show", meanwhile):
            ran = self.remote(*apply_it)
        self.assertEqual((ran.code, ran.out), (4, "+ user new@example.com\n"))
        self.assertIn("the store was changed meanwhile", ran.err)
        self.assertEqual(self.remote("user", "get", "--email=new@example.com").code, 3)
        self.assertEqual(self.remote(*apply_it).code, 0)
        self.assertEqual(self.remote("user", "get", "--email=new@example.com").code, 0)

    def test_the_address_of_the_api_names_its_server(self) -> None:
        self.assertEqual(run("--server", f"{self.url}/api/v1/", "whoami").data["name"], "admin")

    def test_whoami_is_who_the_key_is(self) -> None:
        self.assertEqual(self.remote("whoami").data["name"], "admin")
        with mock.patch.dict(os.environ, {KEY: team.ADA}):
            self.assertEqual(self.remote("whoami").data["email"], "ada@example.com")


class Files(RemoteCase):
    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, content: Any) -> str:
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(content, file)
        return self.path(name)

    def read(self, name: str) -> Any:
        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file)

    def test_a_document_is_written_here_and_nothing_there(self) -> None:
        for argv, kind in (
            (["config", "export", "--config-name", "alpha"], "config"),
            (["project", "export", "--project-name", "red"], "project"),
            (["system", "backup"], "backup"),
        ):
            ran = self.remote(*argv, "--output-file", self.path(kind))
            self.assertEqual((ran.code, ran.data), (0, {"output_file": self.path(kind), kind: None}))
            self.assertEqual(self.read(kind)["kind"], f"secure-mcp-gateway/{kind}")
            self.assertEqual(os.stat(self.path(kind)).st_mode & 0o777, 0o600)
            self.assertEqual(self.remote(*argv, "--output-file", "-").data, self.read(kind) if kind != "backup" else mock.ANY)
        self.assertFalse(os.path.exists(self.path("s/files")))

    def test_a_relative_one_lies_in_the_current_folder(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        self.assertEqual(self.remote("system", "backup", "--output-file", "b.json").data["output_file"], self.path("b.json"))

    def test_a_file_is_never_written_over_nor_through_a_link_nor_into_a_store(self) -> None:
        own = self.write("own", {"mine": True})
        os.symlink(own, self.path("link"))
        backup = ("system", "backup", "--output-file")
        self.assertIn("is no earlier export of ours", self.refused(4, *backup, own))
        self.assertIn("symbolic link", self.refused(2, *backup, self.path("link")))
        self.assertIn("folder of --output-file does not exist", self.refused(2, *backup, self.path("none/b")))
        with mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_STORE=self.path("s/store.json")):
            self.assertIn("the store's own folder", self.refused(5, *backup, self.path("s/b")))
        self.assertEqual(self.read("own"), {"mine": True})
        self.assertEqual(self.remote(*backup, own, "--overwrite").code, 0)

    def test_documents_and_json_are_read_here(self) -> None:
        exported = self.remote("config", "export", "--config-name", "alpha").out.encode()
        self.assertEqual(self.remote("config", "import", "--config-name", "one", "--input-file", "-", given=exported).code, 0)
        policy = self.write("policy", {"enabled": True, "policy_name": "here"})
        place = ("--config-name", "one", "--server-name", "local")
        for given in (("--policy-file", policy), ("--policy", f"@{policy}")):
            ran = self.remote("config", "update-server-input-guardrails", *place, *given)
            self.assertEqual(ran.data["policy_name"], "here", ran.err)
        self.assertIn("no such file", self.refused(2, "config", "import", "--config-name", "two", "--input-file", self.path("none")))

    def test_a_backup_is_restored(self) -> None:
        self.remote("system", "backup", "--output-file", self.path("b"))
        self.remote("config", "add", "--config-name", "later")
        self.assertEqual(self.remote("system", "restore", "--input-file", self.path("b"), "--dry-run").code, 0)
        self.assertEqual(self.remote("config", "get", "--config-name", "later").code, 0)
        self.assertEqual(self.remote("system", "restore", "--input-file", self.path("b")).code, 0)
        self.assertEqual(self.remote("config", "get", "--config-name", "later").code, 3)

    def test_a_document_that_waits_for_the_servers_word_and_one_that_is_too_long_for_it(self) -> None:
        servers = [{"server_name": f"s{at}", "config": {"command": "run", "args": ["x" * 1000]}} for at in range(100)]
        given = self.write("long", {"mcp_config": servers})
        self.assertEqual(self.remote("config", "import", "--config-name", "long", "--input-file", given).data["servers"], 100)
        self.write("long", {"mcp_config": [*servers, {"server_name": "z", "config": {"command": "x" * (17 << 20)}}]})
        said = self.refused(2, "config", "import", "--config-name", "longer", "--input-file", given)
        self.assertIn("the body is longer than 16777216 bytes; start the server with a larger --max-body", said)

    def test_a_secret_comes_by_standard_input(self) -> None:
        ran = self.remote("user", "rotate-api-key", "--api-key", "-", given=team.ADA.encode() + b"\n")
        self.assertEqual(ran.data["api_key_id"], team.ADA_KEY_ID)


class Choices(RemoteCase):
    """Which place is meant, with which key."""

    def test_what_is_typed_goes_before_the_environment(self) -> None:
        store = os.path.join(self.folder, "s", "store.json")
        nowhere = "http://127.0.0.1:1"
        for settings, argv, through in (
            ({SERVER: self.url, STORE: ""}, [], True),
            ({SERVER: nowhere, STORE: store}, ["--server", self.url], True),
            ({SERVER: self.url, STORE: "/dev/null/x"}, ["--store", store], False),
            ({SERVER: "", STORE: store}, [], False),
        ):
            with mock.patch.dict(os.environ, settings):
                self.requests.clear()
                ran = run("config", "list", *argv)
            self.assertEqual((ran.code, len(ran.data), self.requests), (0, 3, ["GET /api/v1/configs"] if through else []), ran.err)

    def test_two_places_at_once_are_refused(self) -> None:
        store = os.path.join(self.folder, "s", "store.json")
        ran = run("config", "list", "--server", self.url, "--store", store)
        self.assertEqual((ran.code, ran.refusal["detail"]), (2, "--server and --store exclude each other; give one of them"))
        with mock.patch.dict(os.environ, {SERVER: self.url, STORE: store}):
            ran = run("config", "list")
        self.assertEqual(ran.code, 2)
        self.assertIn("are both set; say which is meant with --server URL or --store FILE", ran.refusal["detail"])
        for flag in ("--ca-file", "--api-key-file", "--client-cert", "--client-key"):
            ran = run("config", "list", "--store", store, flag, "x")
            self.assertEqual((ran.code, ran.refusal["detail"]), (2, f"{flag} goes with a server; name one with --server URL"))
        for flags in (["--ca-file", "x"], ["--client-cert", "x"], ["--client-key", "x", "--client-cert", "x"]):
            self.assertIn("goes with an https URL", self.refused(2, "config", "list", *flags))
        # To go on with what the system trusts would let in what the CA was to keep out.
        ran = run("config", "list", "--server", "https://127.0.0.1:1", "--ca-file", "")
        self.assertIn("--ca-file is empty", ran.err)
        self.assertIn("--server is empty", run("config", "list", "--server", "").err)

    def test_a_key_out_of_a_file(self) -> None:
        path = os.path.join(self.folder, "key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(team.ADA + "\n")
        for settings, argv, kind in (
            ({}, ["--api-key-file", path], "user"),
            ({KEY: "", KEY_FILE: path}, [], "user"),
            ({KEY_FILE: path}, [], "admin"),
        ):
            with mock.patch.dict(os.environ, settings):
                self.assertEqual(self.remote("whoami", *argv).data["kind"], kind)
        os.chmod(path, 0o644)
        self.assertIn("--api-key-file can be read by others (mode 0644)", self.refused(2, "whoami", "--api-key-file", path))
        self.assertEqual(len(self.requests), 3)

    def test_a_key_that_is_missing_wrong_or_a_users(self) -> None:
        for key, code, words in (
            ("", 5, "no key for the server is given; set $SECURE_MCP_GATEWAY_API_KEY"),
            ("smga_" + "n" * 43, 5, "the key is not known; the key was taken from $SECURE_MCP_GATEWAY_API_KEY"),
            (team.BOB_EXPIRED, 5, "the key has expired"),
            (team.ADA, 5, "this key is a user's: it may not do this; use an admin key"),
            ("two words", 2, "$SECURE_MCP_GATEWAY_API_KEY holds no API key"),
        ):
            with self.subTest(key=key), mock.patch.dict(os.environ, {KEY: key}):
                said = self.refused(code, "user", "list")
                self.assertIn(words, said)
                self.assertNotIn(key or "smga_", said)

    def test_a_key_in_the_clear_to_another_host_is_warned_of(self) -> None:
        warning = "warning: the key goes to 127.0.0.1 in the clear"
        self.assertEqual(self.remote("config", "list").err, "")
        with mock.patch("secure_mcp_gateway.client.address.Server.is_loopback", return_value=False):
            self.assertIn(warning, self.remote("config", "list").err)
            self.assertEqual(self.remote("config", "list", "--quiet").err, "")

    def test_what_needs_the_store_itself_is_refused(self) -> None:
        for argv in (["generate-config"], ["system", "start-api", "--port=0"], ["system", "stop-api"], ["system", "audit", "--verify"]):
            with self.subTest(argv=argv):
                self.assertIn("it needs the store itself; run ", self.refused(2, *argv))
        with mock.patch.dict(os.environ, {SERVER: self.url, STORE: ""}):
            self.assertIn("it needs the store itself", run("system", "stop-api").err)
        self.assertEqual(self.requests, [])

    def test_a_write_that_is_interrupted_says_what_is_not_known(self) -> None:
        write, said = ("config", "add", "--config-name", "new"), "whether the change was made is not known"
        for place, argv, may_have_changed in (
            ("_exchanged", write, True),
            ("tls_context", write, False),
            ("_exchanged", ("config", "list"), False),
        ):
            with self.subTest(place=place, argv=argv), mock.patch.object(exchange, place, side_effect=KeyboardInterrupt):
                ran = run("--server", self.url if place == "_exchanged" else "https://127.0.0.1:1", *argv)
            self.assertEqual((ran.code, said in ran.err), (130, may_have_changed), ran.err)

    def test_the_environments_proxies_are_not_asked(self) -> None:
        with mock.patch.dict(os.environ, http_proxy="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1"):
            self.assertEqual(self.remote("config", "list").code, 0)

    def test_a_command_without_a_server_loads_nothing_for_one(self) -> None:
        store = os.path.join(self.folder, "s", "store.json")
        code = "import sys; from secure_mcp_gateway.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
        argv = [*PYTHON, "-c", code, "--store", store, "config", "list"]
        done = subprocess.run(argv, env=environment(), capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True)
        loaded = set(done.stderr.split())
        self.assertIn("secure_mcp_gateway.cli.rows", loaded)
        self.assertEqual(loaded & {"http.client", "ssl", "socket", "secure_mcp_gateway.cli.remote"}, set())


if __name__ == "__main__":
    unittest.main()
