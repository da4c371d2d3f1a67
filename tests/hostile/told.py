"""Secrets: a whole life on each surface, then everything that anybody else can read is searched for each of them."""

from __future__ import annotations

import http.client
import json
import os
import pty
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from urllib.parse import quote

from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.params import DOCUMENT, MAPPING, SECRET
from tests import enkrypt_files
from tests.crash.report import Report, Scale
from tests.crash.server import Server
from tests.crash.server import argv_of as process_argv
from tests.hostile.evidence import ELSEWHERE, FIRST, KEPT, NEVER, ONCE, OPEN, Evidence, Watch
from tests.hostile.keys import wrong_key
from tests.hostile.target import _certificate, has_openssl
from tests.life import EK, ENV, live
from tests.support import DEADLINE, ROOT, environment
from tests.support import run as command
from tests.surfaces import argv_of, request_of
from tests.web.test_tls import client_context

_ROWS = {row.name: row for row in all_operations()}
_MADE = ("api_key", "admin_key_secret", "admin_api_key")
_SHOWN = 5
# Each with what the search must say of it.
_VARIANTS = {
    "logs_the_header": "on standard error or in the log",
    "audits_secrets": "audit.jsonl",
    "keeps_plain_keys": "plain in",
    "keeps_keys_in_hexadecimal": "hexadecimal in",
    "quotes_everything": "answers",
    "leaves_a_copy": "/tmp/tmp",
}


def run(report: Report, scale: Scale) -> None:
    for secure in (False, True):
        if secure and not has_openssl():
            report.skip("a life over TLS", "no openssl command to make a certificate with")
            continue
        _report(report, "over TLS" if secure else "over REST", *lived_over_rest(scale.dice("told"), secure))
    evidence, watch, seen = lived_by_commands(scale.dice("told"))
    _report(report, "by commands", evidence, watch)
    report.check("a secret in the arguments of a command is seen, each of five times", seen == _SHOWN, f"{seen} times")
    for variant, expected in _VARIANTS.items():
        evidence, watch = lived_over_rest(scale.dice("told"), False, f"tests.hostile.broken_secrets:{variant}")
        leaks = evidence.leaks(watch)
        report.figure(variant, leaks=len(leaks))
        report.check(f"a variant that {variant.replace('_', ' ')} is caught", any(expected in leak for leak in leaks), "\n".join(leaks[:5]))


def _report(report: Report, where: str, evidence: Evidence, watch: Watch) -> None:
    leaks = evidence.leaks(watch)
    report.figure(
        f"a life {where}",
        secrets=len(evidence.secrets),
        answers=len(evidence.answers),
        processes=len(watch.arguments),
        temporary_files=len(watch.temporary),
        looks=watch.looks,
        leaks=len(leaks),
    )
    report.check(f"no secret shows where it must not, {where}", not leaks and len(evidence.secrets) > 9, "\n".join(leaks[:12]))
    report.check(f"processes were looked at, {where}", bool(watch.arguments) or not os.path.isdir("/proc"))


@contextmanager
def _place() -> Iterator[tuple[str, Evidence, Watch]]:
    """A folder with ``s`` for the store, ``out`` for files, ``tmp`` for what programs take for temporary files."""
    base = os.path.realpath(tempfile.mkdtemp(prefix="told-"))
    before = os.environ.get("TMPDIR")
    try:
        for name in ("out", "tmp"):
            os.mkdir(os.path.join(base, name))
        os.environ["TMPDIR"] = os.path.join(base, "tmp")
        with Watch(base, os.path.join(base, "tmp")) as watch:
            yield base, Evidence(base), watch
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        shutil.rmtree(base)


class OverRest:
    """One connection, with the admin key that the server put down when it made the store."""

    def __init__(self, evidence: Evidence, port: int, key: str, context: ssl.SSLContext | None) -> None:
        self._evidence = evidence
        self.key = key
        secure = http.client.HTTPSConnection("127.0.0.1", port, timeout=DEADLINE, context=context) if context else None
        self._connection = secure or http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)

    def send(self, method: str, path: str, body: Any = None, **fields: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        headers.update({name.replace("_", "-"): value for name, value in fields.items()})
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        self._evidence.answers.append(str(response.headers) + text)
        return response.status, json.loads(text) if text else None

    def do(self, name: str, /, refused: str = "", **values: Any) -> Any:
        status, answer = self.send(*request_of(_ROWS[name], values))
        if bool(refused) != (status >= 300):
            raise AssertionError(f"{name} {values}: {answer}")
        if refused:
            return answer["detail"]
        _learn(self._evidence, name, answer["data"])
        return answer["data"]


def _learn(evidence: Evidence, name: str, data: Any) -> None:
    for field in _MADE if isinstance(data, dict) else ():
        if str(data.get(field, "")).startswith(("smg_", "smga_")):
            evidence.add(data[field], ONCE, f"the {field} of {name}")


def lived_over_rest(dice: Random, secure: bool, variant: str = "") -> tuple[Evidence, Watch]:
    with _place() as (base, evidence, watch):
        tls = _certificate(os.path.join(base, "out")) if secure else None
        store, log = os.path.join(base, "s", "store.json"), os.path.join(base, "log")
        flags = ("--init", *((f"--tls-cert={tls[0]}", f"--tls-key={tls[1]}") if tls else ()))
        server = Server(store, *flags, variant=variant, log=log)
        try:
            with open(os.path.join(base, "s", "admin-key.txt"), encoding="utf-8") as file:
                key = evidence.add(next(word for word in file.read().split() if word.startswith("smga_")), FIRST, "the first key")
            client = OverRest(evidence, server.port, key, client_context() if secure else None)
            try:
                _live(evidence, client, os.path.join(base, "out"))
                _restore_from_elsewhere(evidence, client)
                _misplace(evidence, client, dice)
                client.key = client.do("admin-key rotate", admin_key="admin")["admin_key_secret"]
                client.do("whoami")
            except AssertionError:
                if not variant:
                    raise
        finally:
            server.stop()
        _put_down(evidence, log)
        return _looked(evidence, watch)


def _put_down(evidence: Evidence, log: str) -> None:
    """The log is searched as what came to standard error, not as a file."""
    with open(log, encoding="utf-8", errors="replace") as file:
        evidence.errors.append(file.read())
    os.unlink(log)


def _looked(evidence: Evidence, watch: Watch) -> tuple[Evidence, Watch]:
    """The evidence with the files read now, for the folder goes."""
    leaks = evidence.leaks(watch)
    evidence.leaks = lambda _: leaks  # type: ignore[method-assign]
    return evidence, watch


def _live(evidence: Evidence, client: OverRest | ByCommands, folder: str) -> None:
    evidence.add(EK, KEPT, "the guardrail service's key")
    evidence.add(ENV, OPEN, "a secret in a server's env")
    live(unittest.TestCase(), client.do, folder)


def _restore_from_elsewhere(evidence: Evidence, client: OverRest | ByCommands) -> None:
    for text, name in ((enkrypt_files.KEY, "key"), (enkrypt_files.DISABLED_KEY, "disabled key"), (enkrypt_files.ADMIN, "admin key")):
        evidence.add(text, ELSEWHERE, f"the {name} of another gateway's file")
    evidence.add(enkrypt_files.SERVICE_KEY, KEPT, "the service's key of another gateway's file")
    for document in (enkrypt_files.line_2_2(), enkrypt_files.line_2_1()):
        client.do("system restore", data=document, dry_run=True)
        client.do("system restore", data=document)
    client.do("user list-all-api-keys")
    client.do("config get-enkrypt-api-key")
    client.do("user get-api-key", api_key=enkrypt_files.KEY)


def _misplace(evidence: Evidence, client: OverRest, dice: Random) -> None:
    """Keys in every place of a request where they do not belong: good ones, one that nobody made, and those of the old file."""
    made = client.do("user generate-api-key", user_identifier="old@example.com", project_identifier="old_project")["api_key"]
    for secret in (made, client.key, evidence.add(wrong_key(dice), NEVER, "a key that nobody made"), enkrypt_files.KEY, EK):
        if secret == EK:
            client.do("config set-enkrypt-api-key", api_key=EK)
            continue
        _in_paths(client, secret)
        _in_bodies(client, secret)
        good, client.key = client.key, secret + "x"
        client.send("GET", "/api/v1/whoami")
        client.send("POST", "/api/v1/users", {"email": "x@example.com"})
        client.key = good


def _in_paths(client: OverRest, secret: str) -> None:
    word = quote(secret, safe="")
    for place in ("configs", "projects", "users", "api-keys", "admin-keys", "nowhere", "configs/old_config/servers"):
        client.send("GET", f"/api/v1/{place}/{word}")
    client.send("GET", f"/{word}")
    client.send("PATCH", f"/api/v1/configs/{word}")
    client.send("DELETE", f"/api/v1/users/{word}")
    client.send("DELETE", f"/api/v1/configs/{word}/servers/{word}")
    client.send("POST", f"/api/v1/projects/{word}/users", {"email": secret})
    for query in ("limit", "offset", "actor", "since", "operation", "api_key", word):
        client.send("GET", f"/api/v1/system/audit?{query}={word}")
    for field in ("If_Match", "X_Request_Id", "Origin", "Content_Type", "Accept", "Cookie", "User_Agent", "Expect"):
        client.send("POST", "/api/v1/configs/search", {"search_term": "x"}, **{field: secret})
    client.send(secret, "/api/v1/configs")


def _in_bodies(client: OverRest, secret: str) -> None:
    for path, field in (
        ("users", "email"),
        ("configs/copy", "source_config"),
        ("configs/search", "search_term"),
        ("users/search", "search_term"),
        ("api-keys/rotate", "admin_key"),
        ("api-keys/rotate", secret),
        ("system/restore", "input_file"),
        ("system/restore", "data"),
        ("system/reset", "confirm"),
        ("users/old@example.com/api-keys", "project_name"),
        ("users/old@example.com/api-keys", "expires_in_days"),
        ("configs/import", "input_file"),
        ("admin-keys", "expires_in_days"),
    ):
        more = {"target_config": "x"} if field == "source_config" else {"config_name": "x"} if path == "configs/import" else {}
        client.send("POST", f"/api/v1/{path}", {field: secret, **more})
    client.send("POST", "/api/v1/users", f'{{"email": {secret}}}'.encode())
    client.send("POST", "/api/v1/users", f'{{"{secret}": 1, "{secret}": 2}}'.encode())
    client.send("POST", "/api/v1/users", json.dumps(secret).encode())
    client.send("PUT", "/api/v1/configs/old_config/servers/x", {"env": {"A": [secret]}})


class ByCommands:
    """Each in a process of its own; secrets come on standard input, and what has one in it in a file."""

    def __init__(self, evidence: Evidence, store: str, scratch: str) -> None:
        self._evidence = evidence
        self._store = store
        self._scratch = scratch

    def run(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        argv = process_argv(self._store, list(words))
        done = subprocess.run(argv, input=given, capture_output=True, env=environment(), cwd=ROOT, timeout=DEADLINE, check=False)
        self._evidence.answers.append(done.stdout.decode())
        self._evidence.errors.append(done.stderr.decode())
        return done

    def do(self, name: str, /, refused: str = "", **values: Any) -> Any:
        done = self.run(*self._words(name, values), given=self._secret_of(name, values))
        if bool(refused) != (done.returncode != 0):
            raise AssertionError(f"{name} {values}: {done.stderr.decode()}")
        if refused:
            return json.loads(done.stderr)["detail"]
        data = json.loads(done.stdout)
        _learn(self._evidence, name, data)
        return data

    def _words(self, name: str, values: dict[str, Any]) -> list[str]:
        params = {param.name: param for param in _ROWS[name].params}
        plain = {each: "-" if params[each].kind == SECRET and value in self._evidence.secrets else value for each, value in values.items()}
        words = argv_of(_ROWS[name], plain, self._scratch)
        for each, value in values.items():
            if params[each].kind == MAPPING and params[each].kind != DOCUMENT:
                path = os.path.join(self._scratch, f"{each}.json")
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(value, file)
                flag = f"--{params[each].flags[0]}="
                words = [f"{flag}@{path}" if word.startswith(flag) else word for word in words]
        return words

    def _secret_of(self, name: str, values: dict[str, Any]) -> bytes:
        secrets = [values[param.name] for param in _ROWS[name].params if param.kind == SECRET and param.name in values]
        return "".join(secret + "\n" for secret in secrets if secret in self._evidence.secrets).encode()


def lived_by_commands(dice: Random) -> tuple[Evidence, Watch, int]:
    """Also how many of the commands that did have a secret in their arguments were seen."""
    with _place() as (base, evidence, watch), tempfile.TemporaryDirectory(prefix="given-", dir="/tmp") as scratch:
        store = os.path.join(base, "s", "store.json")
        client = ByCommands(evidence, store, scratch)
        made = json.loads(client.run("generate-config").stdout)
        for field in ("admin_api_key", "api_key"):
            evidence.add(made[field], ONCE, f"the {field} of generate-config")
        _live(evidence, client, os.path.join(base, "out"))
        _restore_from_elsewhere(evidence, client)
        client.do("admin-key rotate", admin_key=made["admin_api_key"])
        _type(evidence, store, "user get-api-key --api-key=-", made["api_key"])
        _type(evidence, store, "config set-enkrypt-api-key --api-key=-", EK)
        known = set(watch.arguments)
        shown = [wrong_key(dice) for _ in range(_SHOWN)]
        for secret in shown:
            client.run("user", "get-api-key", f"--api-key={secret}")
        seen = sum(any(secret in arguments for arguments in set(watch.arguments)) for secret in shown)
        # From here on the arguments are the user's own fault; what the command makes of them is not.
        for secret in (made["api_key"], evidence.add(wrong_key(dice), NEVER, "a key that nobody made")):
            _misplace_in_words(evidence, store, secret)
        watch.arguments.intersection_update(known)
        return (*_looked(evidence, watch), seen)


def _type(evidence: Evidence, store: str, words: str, secret: str) -> None:
    """The command on a terminal, with the secret typed when it is asked for."""
    argv = [sys.executable, "-m", "secure_mcp_gateway", "--store", store, *words.split(" ")]
    child, terminal = pty.fork()
    if not child:
        os.chdir(ROOT)
        os.execve(argv[0], argv, environment())
    said = b""
    while b": " not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, secret.encode() + b"\n")
    try:
        while part := os.read(terminal, 1024):
            said += part
    except OSError:  # its end, on Linux
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    evidence.errors.append(said.decode())


def _misplace_in_words(evidence: Evidence, store: str, secret: str) -> None:
    for words in (
        ["config", "get", f"--config-name={secret}"],
        ["config", "get", f"--{secret}"],
        ["config", "get", f"--{secret}=1"],
        ["config", secret],
        [secret],
        [secret, secret],
        ["user", "get", f"--email={secret}"],
        ["user", "get", f"--user-id={secret}"],
        ["user", "create", f"--email={secret}"],
        ["user", "list", f"--limit={secret}"],
        ["user", "get-api-key", f"--api-key={secret}"],
        ["user", "get-api-key", f"--api-key={secret}x"],
        ["user", "rotate-api-key", f"--api-key={secret}x"],
        ["admin-key", "rotate", f"--admin-key={secret}"],
        ["project", "add-user", f"--project-name={secret}", f"--email={secret}"],
        ["config", "add-server", "--config-name=old_config", "--server-name=x", "--server-command=x", f"--env={secret}"],
        ["config", "add-server", "--config-name=old_config", f"--server-name={secret}!", "--server-command=x"],
        ["config", "import", f"--input-file=/nowhere/{secret}", "--config-name=x"],
        ["config", "import", "--input-file=-", "--config-name=x"],
        ["system", "audit", f"--since={secret}"],
        ["system", "restore", "--input-file=-"],
        ["help", secret],
    ):
        done = command("--store", store, "--format", "json", *words, given=secret.encode())
        evidence.answers.append(done.out)
        evidence.errors.append(done.err)
