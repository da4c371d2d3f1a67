"""A user's key turned on another project: every row, every method, every spelling of a path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from secure_mcp_gateway.errors import NotFound
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import USER
from secure_mcp_gateway.repository import configs, projects, users
from secure_mcp_gateway.repository.api_keys import authenticate
from secure_mcp_gateway.repository.call import new_call
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.crash.report import Report, Scale
from tests.crash.server import Server
from tests.hostile import broken_keys
from tests.hostile.timing import compare
from tests.hostile.wire import Heard, Wire, request
from tests.operation_cases import CASES
from tests.surfaces import request_of

# What is foreign to Ada's red key, with something of the same length and form that is not there.
_THERE = {
    "config": (("beta cobalt", "zeta fobalt"), (team.BETA, team.BETA[:-1] + "9")),
    "project": (("blue cobalt", "blau fobalt"), (team.BLUE, team.BLUE[:-1] + "9")),
    "user": (("eve@cobalt.example", "efe@fobalt.example"), (team.EVE_ID, team.EVE_ID[:-1] + "9")),
    "api_key": ((team.EVE_KEY_ID, team.EVE_KEY_ID[:-1] + "9"), (team.EVE, team.EVE[:-1] + "9")),
    "admin_key": ((team.SPARE_ID, team.SPARE_ID[:-1] + "9"), ("spare", "spire")),
    "server": (("cobalt-server", "fobalt-server"), ("cobalt-server", "fobalt-server")),
}
_IDENTIFIERS = {
    "config_identifier": "config",
    "source_config": "config",
    "project_identifier": "project",
    "user_identifier": "user",
    "api_key": "api_key",
    "admin_key": "admin_key",
    "server_name": "server",
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
_CHANCE = re.compile(r'"timestamp": ?"[^"]*"|X-Request-Id: [^\r]*|Date: [^\r]*', re.IGNORECASE)
_SECRET = ("hidden", *team.SECRETS)
VARIANTS: tuple[Callable[[], None], ...] = (broken_keys.looks_at_everything_first,)


def run(report: Report, scale: Scale, store: Store, server: Server) -> None:
    wire = Wire(server.port)
    _every_row(report, wire)
    _every_spelling(report, scale, wire)
    wire.close()
    for name, found in _compared(store, scale, scale.of(100_000, 5_000)).items():
        report.check(f"{name}, foreign or not there, in the process: {found}", not found.tells)
    _over_http(report, scale, server)


def probe(store: Store, scale: Scale) -> Callable[[], list[str]]:
    def what_is_foreign_takes_no_other_time() -> list[str]:
        return [f"{name}: {found}" for name, found in _compared(store, scale, 4_000).items() if found.tells]

    return what_is_foreign_takes_no_other_time


def _values(given: dict[str, Any], by: int, which: int) -> dict[str, Any]:
    """The case's values with what they name made foreign (``which`` 0), or not there (1); by name (``by`` 0) or id (1)."""
    return {name: _THERE[_IDENTIFIERS[name]][by][which] if name in _IDENTIFIERS else value for name, value in given.items()}


def _every_row(report: Report, wire: Wire) -> None:
    asked, wrong = 0, []
    for row in all_operations():
        for given, by in ((given, by) for given, _ in CASES[row.name] for by in (0, 1)):
            there, missing = (_sent(wire, *request_of(row, _values(given, by, which))) for which in (0, 1))
            asked += 2
            if row.access != USER and there.status != 403:
                wrong.append(f"{row.name} {given}: {there.status}")
            wrong += _told(f"{row.name} {_values(given, by, 0)}", there, missing)
    report.figure("a user's key on every row", rows=len(all_operations()), requests=asked, wrong=len(wrong))
    report.check("each row tells a user's key the same of what is foreign and of what is not there", not wrong, "\n".join(wrong[:9]))


def _sent(wire: Wire, method: str, path: str, body: Any) -> Heard:
    return wire.ask(request(method, path, team.ADA, b"" if body is None else json.dumps(body).encode()))


def _told(name: str, there: Heard, missing: Heard) -> list[str]:
    """What the two answers tell, beside what was asked."""
    one, other = _without_chance(there), _without_chance(missing)
    wrong = [f"{name}: {one!r} or {other!r}"] if one != other else []
    return wrong + [f"{name}: shows {word}" for word in (team.FOREIGN, *_SECRET) if word in one]


def _without_chance(heard: Heard) -> str:
    text = _CHANCE.sub("", heard.head + "\n" + heard.body.decode())
    for kind in _THERE.values():
        for pair in kind:
            for asked in pair:
                text = text.replace(asked, "<asked>").replace(quote(asked, safe=""), "<asked>")
    return text


def _spellings(path: str) -> list[str]:
    """The path, and what a proxy or a lax server might make the same of."""
    head, _, last = path.rpartition("/")
    return [
        path,
        path + "/",
        path + "//",
        head + "//" + last,
        head + "/./" + last,
        head + "/%2e/" + last,
        head + "/red/../" + last,
        head + "/red/%2e%2e/" + last,
        head + "/red/..%2f" + last,
        head + "%2f" + last,
        path.upper(),
        path.replace("/api/v1", "/API/V1"),
        path.replace("/api/v1", "/api/v1/."),
        path.replace("/api/v1", "//api/v1"),
        path.replace("/api", "/docs/../api"),
        path.replace("/api", "/assets/..%2fapi"),
        path.replace("o", "%6f"),
        path.replace("o", "%6F").replace("%20", "+"),
        path + ";x=1",
        path + "?limit=1",
        path + "?project_identifier=" + quote("blue cobalt"),
        path + "%00",
        path + "%20",
        "http://localhost" + path,
    ]


def _every_spelling(report: Report, scale: Scale, wire: Wire) -> None:
    templates = sorted({row.path for row in all_operations() if "{" in row.path})
    pairs = [(template, by) for template in templates for by in (0, 1)]
    pairs = scale.dice("paths").sample(pairs, scale.of(len(pairs), 8))
    asked, wrong = 0, []
    for template, by in pairs:
        there, missing = (_spellings(_filled(template, by, which)) for which in (0, 1))
        for method in _METHODS:
            for one, other in zip(there, missing):
                heard, unheard = (wire.ask(request(method, path, team.ADA)) for path in (one, other))
                asked += 2
                wrong += _told(f"{method} {one}", heard, unheard)
                if heard.status < 400 and method != "OPTIONS":
                    wrong.append(f"{method} {one}: {heard.status}")
    report.figure("paths of what is foreign", templates=len(pairs), requests=asked, wrong=len(wrong))
    report.check("no method and no spelling of a path shows what is foreign", not wrong, "\n".join(wrong[:9]))


def _filled(template: str, by: int, which: int) -> str:
    for name, kind in _IDENTIFIERS.items():
        template = template.replace("{" + name + "}", quote(_THERE[kind][by][which], safe=""))
    return template


def _compared(store: Store, scale: Scale, pairs: int) -> dict[str, Any]:
    document, dice = store.snapshot(), scale.dice("foreign")
    call = new_call(authenticate(document, team.ADA, now_text()), store)

    def asking(find: Callable[..., object], identifier: str) -> Callable[[int], object]:
        def deed(_: int) -> None:
            try:
                find(document, call, identifier)
            except NotFound:
                return
            raise AssertionError(f"{identifier} was found")

        return deed

    finds = {"config": configs.find_config, "project": projects.find_project, "user": users.find_user}
    return {
        f"{kind} by {('name', 'id')[by]}": compare(*(asking(find, each) for each in _THERE[kind][by]), pairs=pairs, dice=dice)
        for kind, find in finds.items()
        for by in (0, 1)
    }


def _over_http(report: Report, scale: Scale, server: Server) -> None:
    dice, wire = scale.dice("foreign over http"), Wire(server.port)
    for kind in ("config", "project", "user"):
        for by in (0, 1):
            there, missing = (request("GET", f"/api/v1/{kind}s/{quote(each, safe='')}", team.ADA) for each in _THERE[kind][by])
            deeds = [lambda _, each=each: wire.ask(each) for each in (there, missing)]
            found = compare(*deeds, pairs=scale.of(20_000, 1_000), dice=dice)
            report.check(f"{kind} by {('name', 'id')[by]}, foreign or not there, over one connection: {found}", not found.tells)
    wire.close()
