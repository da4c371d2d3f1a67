"""One operation done on each surface, from the same values: what a request and a command line make of them is the table's own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from typing import Any
from urllib.parse import quote, urlencode

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.operations.operation import Operation
from secure_mcp_gateway.params import BODY, BODY_OR_QUERY, BOOLEAN, DOCUMENT, MAPPING, OBJECT, PATH, QUERY, STRINGS, Param
from secure_mcp_gateway.store.store import Store
from secure_mcp_gateway.web.request import Limits, Source, read_request
from secure_mcp_gateway.web.response import Response
from tests.team import ADMIN

_MADE_ANEW = (
    (re.compile(r"smga?_[A-Za-z0-9_-]{43}"), "<secret>"),
    (re.compile(r"(key|adm)_[0-9a-f]{16}"), "<key id>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d((\.\d+)?\+00:00|Z)"), "<time>"),
    (re.compile(r"\d{8}T\d{6}\.\d{9}Z"), "<moment>"),
    (re.compile(r'("hint": )"[^"]*"'), r'\1"<hint>"'),
)


def without_chance(value: Any, folder: str) -> Any:
    """The value with everything that differs from run to run replaced by what it is."""
    return json.loads(text_without_chance(json.dumps(value, sort_keys=True, ensure_ascii=False), folder))


def text_without_chance(text: str, folder: str) -> str:
    text = text.replace(folder, "<folder>")
    for pattern, name in _MADE_ANEW:
        text = pattern.sub(name, text)
    return text


def send(app: ManagementApp, method: str, path: str, body: Any = None, key: str | None = ADMIN, **fields: str) -> Response:
    """A request to the app, without a socket."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost:8001"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    return app(read_request(Source(io.BytesIO(head + data).read), Limits()))


def request_of(operation: Operation, values: dict[str, Any]) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path with query, and body (None where nothing is in it)."""
    path, query, body = operation.path, {}, {}
    for param in operation.params:
        if param.name not in values:
            continue
        value = values[param.name]
        if param.place == PATH:
            path = path.replace("{" + param.name + "}", quote(value, safe=""))
        elif param.place == QUERY:
            query[param.names[0]] = str(value).lower() if param.kind == BOOLEAN else str(value)
        elif param.place in (BODY, BODY_OR_QUERY):
            body[param.names[0]] = value
    return operation.method, path + ("?" + urlencode(query) if query else ""), body or None


def argv_of(operation: Operation, values: dict[str, Any], folder: str) -> list[str]:
    """The command line's words for the same values; a document goes through a file."""
    words = operation.name.split(" ")
    for param in operation.params:
        if param.name in values:
            words.append(_flag(param, values[param.name], folder))
    return words


def _flag(param: Param, value: Any, folder: str) -> str:
    if param.kind == DOCUMENT:
        path = os.path.join(folder, "given.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(value, file)
        return f"--{param.file_flag}={path}"
    if param.kind in (STRINGS, MAPPING, OBJECT):
        return f"--{param.flags[0]}={json.dumps(value)}"
    return f"--{param.flags[0]}={str(value).lower() if param.kind == BOOLEAN else value}"


class Outcome:
    """``data`` of a success, or the ``error`` word and the detail of a refusal; ``code`` is the status or the exit code."""

    def __init__(self, code: int, data: Any, error: str, detail: str) -> None:
        self.code = code
        self.data = data
        self.error = error
        self.detail = detail


def on_rest(store: Store, operation: Operation, values: dict[str, Any], key: str | None = ADMIN, files_root: str | None = None) -> Outcome:
    method, path, body = request_of(operation, values)
    response = send(ManagementApp(store, files_root=files_root), method, path, body, key)
    answer = json.loads(response.body)
    return Outcome(response.status, answer.get("data"), answer.get("error", ""), answer.get("detail", ""))


def on_command_line(store: Store, operation: Operation, values: dict[str, Any], folder: str) -> Outcome:
    code, out, err = run_command("--store", store.path, "--format", "json", *argv_of(operation, values, folder))
    if code == 0 or out:
        return Outcome(code, json.loads(out), "", err)
    refusal = json.loads(err)
    return Outcome(code, None, refusal["error"], refusal["detail"])


def run_command(*argv: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command run in this process."""
    from secure_mcp_gateway.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(argv))
    return code, out.getvalue(), err.getvalue()
