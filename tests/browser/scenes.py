"""Servers to look at: stores of ten and of two thousand users, one whose names are hard to set, one where every text holds markup."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.document import Draft, member_key
from secure_mcp_gateway.store.store import Store
from tests.api import examples
from tests.browser import markup_scene, names_scene
from tests.crash.server import Client, Server
from tests.support import in_memory
from tests.team import ADMIN, ADMIN_ID, digest, make_team

_NOW = datetime.datetime.now(datetime.timezone.utc)
_FIRST = (
    "ada", "ben", "cleo", "dana", "eli", "finn", "greta", "hugo", "ines",
    "jonas", "kira", "leo", "mara", "nils", "olga", "paul", "rosa", "zoe",
)
_LAST = (
    "abel", "berg", "dorn", "ernst", "falk", "gross", "hahn", "jung",
    "koch", "lang", "noll", "ott", "peters", "roth", "thoma", "vogt", "winter",
)
_TEAMS = ("Research", "Support", "Finance", "Platform", "Security", "Sales", "Design", "Legal", "Logistics", "People")
_CITIES = ("Berlin", "Oslo", "Porto", "Lyon")
_CONFIGS = ("Engineering tools", "Office tools", "Customer data", "Read only", "Reporting", "Incident response", "Archive", "Trial")
_SERVERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("github", "Issues and pull requests", ("search_issues", "get_issue", "create_issue", "list_pull_requests", "merge_pull_request")),
    ("postgres", "The warehouse, read only", ("query", "list_tables", "describe_table")),
    ("files", "The team's shared folder", ()),
    ("calendar", "Meetings and rooms", ("list_events", "create_event", "find_room")),
    ("tickets", "The customers' tickets", ("search", "read_ticket", "answer_ticket", "close_ticket")),
    ("mail", "Drafts only", ("search_mail", "draft")),
    ("browser", "Pages of the intranet", ("open", "read", "screenshot")),
    ("metrics", "Dashboards", ("range_query", "alerts")),
)


class Place(NamedTuple):
    """A server that runs: its port and a key that may do everything."""

    port: int
    key: str


@contextlib.contextmanager
def served(scene: str, variant: str = "") -> Iterator[Place]:
    """``scene`` is a word of ``_MAKERS``, ``variant`` a function of ``broken_pages``."""
    with in_memory() as folder:
        _MAKERS[scene](folder)
        broken = f"tests.browser.broken_pages:{variant}" if variant else ""
        server = Server(os.path.join(folder, "store.json"), variant=broken)
        try:
            key = examples.ADMIN if scene == "examples" else ADMIN
            client = server.client(key)
            _BEFORE.get(scene, lambda _: None)(client)
            client.close()
            yield Place(server.port, key)
        finally:
            server.kill()


def _sized(people: int, teams: int, configs: int, change: Callable[[Draft], None] = lambda draft: None) -> Any:
    def fill(draft: Draft) -> None:
        _fill(draft, people, teams, configs)
        change(draft)

    def make(folder: str) -> None:
        entry = AuditEntry(_time(90), "admin", "", "command line", "r", "generate-config", {})
        Store(os.path.join(folder, "store.json")).create(fill, entry)

    return make


def _time(days_ago: float) -> str:
    return (_NOW - datetime.timedelta(days=days_ago)).isoformat(timespec="microseconds")


def _id(kind: str, number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000000{kind}"


def _fill(draft: Draft, people: int, teams: int, configs: int) -> None:
    dice = Random(people)
    dates = {"created_at": _time(90), "expires_at": None, "disabled": False, "rotated_at": None}
    draft.replace("admin_keys", {digest(ADMIN): {"admin_key": ADMIN_ID, "name": "admin", "hint": ADMIN[-4:], **dates}})
    draft.replace("mcp_configs", {_id("c", each): _config(each) for each in range(configs)})
    # The last project has no config, and the last config no project.
    used = [_id("c", each % (configs - 1)) for each in range(teams - 1)]
    projects = {_id("b", each): {"project_name": _team(each), "mcp_config_id": config} for each, config in enumerate([*used, None])}
    draft.replace("projects", {key: {**project, "created_at": _time(80)} for key, project in projects.items()})
    users = {_id("a", each): {"email": _email(each), "created_at": _time(70 - 60 * each / people)} for each in range(people)}
    draft.replace("users", users)
    # Of a hundred the last two are in no project; a quarter is in two.
    pairs = [(each * teams // people, each) for each in range(people) if each % 100 < 98]
    pairs += [((each * teams // people + 1) % teams, each) for each in range(0, people, 4)]
    members = {member_key(_id("b", team), _id("a", user)): (team, user) for team, user in pairs}
    draft.replace("members", {key: _member(*pair) for key, pair in members.items()})
    keys = {hashlib.sha256(b"%d %d" % pair).hexdigest(): _key(at, *pair, dice) for at, pair in enumerate(members.values())}
    draft.replace("apikeys", keys)


def _team(number: int) -> str:
    name = _TEAMS[number % len(_TEAMS)]
    return name if number < len(_TEAMS) else f"{name} {_CITIES[(number // len(_TEAMS) - 1) % len(_CITIES)]}"


def _email(number: int) -> str:
    first, last = _FIRST[number % len(_FIRST)], _LAST[number * 7 % len(_LAST)]
    return f"{first}.{last}{number // 306 or ''}@example.com"


def _config(number: int) -> dict[str, Any]:
    servers = [_server(*_SERVERS[(number + each) % len(_SERVERS)]) for each in range(1 + number % 3)]
    name = _CONFIGS[number] if number < len(_CONFIGS) else f"{_CONFIGS[number % len(_CONFIGS)]} {number // len(_CONFIGS) + 1}"
    return {"mcp_config_name": name, "mcp_config": servers, "created_at": _time(85), "updated_at": _time(20)}


def _server(name: str, description: str, tools: tuple[str, ...]) -> dict[str, Any]:
    policies: dict[str, Any] = {f"{kind}_guardrails_policy": {"enabled": False} for kind in ("output", "tool")}
    policies["input_guardrails_policy"] = {"enabled": True, "policy_name": "strict", "block": ["pii"]}
    local = {"command": "python3", "args": ["-m", f"servers.{name}"], "env": {}}
    remote = {"url": f"https://{name}.example.com/mcp", "headers": {}}
    lists = {"tools": dict.fromkeys(tools, ""), "denied_tools": list(tools[-1:]) if len(tools) > 4 else []}
    return {"server_name": name, "description": description, "config": local if tools else remote, **lists, **policies}


def _member(project: int, user: int) -> dict[str, str]:
    return {"project_id": _id("b", project), "user_id": _id("a", user), "created_at": _time(60)}


def _key(number: int, project: int, user: int, dice: Random) -> dict[str, Any]:
    expires = None if number % 3 else _time(-dice.choice((-2, 1.5, 5, 12, 40, 200, 300)))
    whose = {"user_id": _id("a", user), "project_id": _id("b", project)}
    record = {"api_key_id": f"key_{number:016x}", "hint": f"{dice.randrange(1 << 16):04x}", **whose}
    return {**record, "created_at": _time(50), "expires_at": expires, "disabled": number % 9 == 4, "rotated_at": None}


def _some_changes(client: Client) -> None:
    """So that the audit has lines to show."""
    for method, path, body in (
        ("POST", "/users", {"email": "new.colleague@example.com"}),
        ("POST", "/projects/Research/users", {"email": "new.colleague@example.com"}),
        ("POST", "/users/new.colleague@example.com/api-keys", {"project_name": "Research", "expires_in_days": 5}),
        ("PUT", "/configs/Office tools/rename".replace(" ", "%20"), {"new_name": "Office tools"}),
        ("POST", "/users", {"email": "new.colleague@example.com"}),
        ("POST", "/api-keys/key_0000000000000001/disable", {}),
        ("POST", "/api-keys/key_0000000000000001/enable", {}),
    ):
        client.send(method, path, body)


def _for_examples(folder: str) -> None:
    """Where each example of the API's description succeeds."""
    entry = AuditEntry(_time(90), "admin", "", "command line", "r", "generate-config", {})
    Store(os.path.join(folder, "store.json")).create(examples.fill, entry)


_MAKERS = {
    "examples": _for_examples,
    "small": _sized(10, 4, 4),
    "large": _sized(2000, 40, 12),
    "names": _sized(10, 6, 6, names_scene.rename),
    "team": make_team,
    "markup": make_team,
}
_BEFORE = {"small": _some_changes, "large": _some_changes, "markup": markup_scene.fill}
