"""Random stores and random documents against a plain model: what is applied is there, twice is once, and a refusal changes nothing."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from secure_mcp_gateway.api.openapi import openapi_document
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.repository import system
from secure_mcp_gateway.repository.desired import apply_desired, export_desired
from secure_mcp_gateway.store.document import Draft
from tests.api.json_schema import Validator
from tests.repository.fakes import RuleTest

SEEDS = range(12)
ROUNDS = 40
CONFIGS, PROJECTS = ("red", "blue", "grün"), ("p", "q", "r")
SERVERS, EMAILS = ("files", "web", "db"), tuple(f"{name}@example.com" for name in "abcd")

Entry = dict[str, Any]


class Model:
    """Configs as servers by name, projects as (config, members), users, and a set of (email, project) for the keys that there are."""

    def __init__(self) -> None:
        self.configs: dict[str, dict[str, Entry]] = {}
        self.projects: dict[str, tuple[str | None, frozenset[str]]] = {}
        self.users: set[str] = set()
        self.keys: set[tuple[str, str]] = set()

    def document(self) -> Entry:
        by_name = sorted(self.projects.items())
        return {
            "kind": "secure-mcp-gateway/desired",
            "version": 1,
            "configs": [{"name": name, "servers": [found[each] for each in sorted(found)]} for name, found in sorted(self.configs.items())],
            "projects": [{"name": name, "config": config, "users": sorted(members)} for name, (config, members) in by_name],
            "users": sorted(self.users),
        }

    def after(self, asked: Entry, prune: bool) -> Model | None:
        """The model that applying this makes; None where it must be refused."""
        made = Model()
        configs, users = asked.get("configs"), asked.get("users")
        made.configs = {name: dict(found) for name, found in self.configs.items() if not (prune and configs is not None)}
        for entry in configs or ():
            given = {server["server_name"]: server for server in entry.get("servers", ())}
            stays = {} if prune and "servers" in entry else self.configs.get(entry["name"], {})
            made.configs[entry["name"]] = {**stays, **given}
        made.users = set(users or ()) | (set() if prune and users is not None else self.users)
        if not self.assign(made, asked.get("projects"), prune):
            return None
        made.keys = {(email, project) for email, project in self.keys if email in made.projects.get(project, (None, ()))[1]}
        return made

    def assign(self, made: Model, projects: list[Entry] | None, prune: bool) -> bool:
        entries = {entry["name"]: entry for entry in projects or ()}
        stay = [] if prune and projects is not None else list(self.projects)
        for name in dict.fromkeys([*stay, *entries]):
            config, members = self.projects.get(name, (None, frozenset()))
            entry = entries.get(name, {})
            config = entry.get("config", config)
            asked = set(entry.get("users", ()))
            left = set() if prune and "users" in entry else set(members) & made.users
            made.projects[name] = (config, frozenset(asked | left))
            if (config is not None and config not in made.configs) or not asked <= made.users:
                return False
        return True


class Draws:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def some(self, items: Any) -> list[Any]:
        found = [item for item in items if self.chance.random() < 0.6]
        self.chance.shuffle(found)
        return found

    def server(self, name: str) -> Entry:
        """As an export writes it: nothing that is a default."""
        if self.chance.random() < 0.5:
            config: Entry = {"command": self.chance.choice("xy"), "env": {"K": self.chance.choice("12")}}
        else:
            config = {"url": "https://x.example.com/" + self.chance.choice("12"), "headers": {"A": self.chance.choice("12")}}
        tools = {"tools": {"t": self.chance.choice(("T", {"enabled": False}))}} if self.chance.random() < 0.4 else {}
        return {"server_name": name, "config": config, **tools}

    def document(self) -> Entry:
        asked: Entry = {"kind": "secure-mcp-gateway/desired", "version": 1}
        if self.chance.random() < 0.8:
            asked["configs"] = [self.config(name) for name in self.some(CONFIGS)]
        if self.chance.random() < 0.8:
            asked["projects"] = [self.project(name) for name in self.some(PROJECTS)]
        if self.chance.random() < 0.8:
            asked["users"] = self.some(EMAILS)
        return asked

    def config(self, name: str) -> Entry:
        servers = {"servers": [self.server(each) for each in self.some(SERVERS)]} if self.chance.random() < 0.8 else {}
        return {"name": name, **servers}

    def project(self, name: str) -> Entry:
        config = {"config": self.chance.choice((None, *CONFIGS))} if self.chance.random() < 0.6 else {}
        users = {"users": self.some(EMAILS)} if self.chance.random() < 0.6 else {}
        return {"name": name, **config, **users}


JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1.5, 10**400, "", " ", "red", "p", "A@example.com", "a\u0000b", "..", "e\u0301" * 60, "x" * 300),
    *([], [[]], {}, {"a": {"b": [1]}}, [{}], {"name": "red"}, {"email": "c@example.com"}, {"server_name": "s", "config": {"command": "x"}}),
)
FIELDS = (
    "name",
    "servers",
    "config",
    "users",
    "email",
    "further",
    "server_name",
    "command",
    "url",
    "args",
    "env",
    "tools",
    "created_at",
    "x",
)


def spoiled(document: Entry, chance: random.Random) -> Entry:
    """With a few of its values replaced, added under some field, or left out."""
    made: Entry = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 2)):
        holder = chance.choice([each for each in holders(made) if each])
        step = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        what = chance.random()
        if what < 0.2:
            del holder[step]
        elif what < 0.5 and isinstance(holder, dict):
            holder[chance.choice(FIELDS)] = copy.deepcopy(chance.choice(JUNK))
        elif step not in ("kind", "version"):
            holder[step] = copy.deepcopy(chance.choice(JUNK))
    return made


def holders(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, (dict, list)) else []) + [each for item in inner for each in holders(item)]


class SpoiledDocuments(RuleTest):
    def setUp(self) -> None:
        super().setUp()
        self.described = openapi_document()
        body = self.described["paths"]["/api/v1/system/apply"]["post"]["requestBody"]
        self.schema = body["content"]["application/json"]["schema"]

    def test_are_refused_whole_or_taken_whole_and_what_was_taken_can_be_written_and_applied_again(self) -> None:
        taken, refused = 0, 0
        for seed in range(400):
            draws = Draws(seed)
            self.draft = Draft(self.draft.sealed(seed))
            asked, prune, before = spoiled(draws.document(), draws.chance), draws.chance.random() < 0.3, self.content()
            with self.subTest(seed=seed, asked=asked):
                try:
                    self.run_rule(apply_desired, data=asked, prune=prune)
                except InvalidRequest:
                    refused += 1
                    self.assertEqual(self.content(), before)
                    continue
                taken += 1
                self.judge(asked, prune)
        self.assertGreater(min(taken, refused), 50)

    def judge(self, asked: Entry, prune: bool) -> None:
        before, shown = self.content(), json.loads(json.dumps(self.run_rule(export_desired)))
        self.assertEqual(Validator(self.described).problems(self.schema, {"data": asked}), [], "the API's description refuses it")
        self.assertEqual(self.run_rule(system.check_health)["issues"], [])
        for again, how in ((asked, prune), (shown, True)):
            self.draft = Draft(self.draft.sealed(1))
            self.assertEqual(self.run_rule(apply_desired, data=again, prune=how)["changes"], [])
        self.assertEqual(self.content(), before)


class RandomDocuments(RuleTest):
    def test_are_applied_as_a_plain_model_says(self) -> None:
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.setUp()
                applied, refused, lost = self.rounds(Draws(seed))
                self.assertGreater(min(applied, refused), 3)
                self.assertGreater(lost, 0)

    def rounds(self, draws: Draws) -> tuple[int, int, int]:
        model, counts = Model(), [0, 0, 0]
        for _ in range(ROUNDS):
            asked, prune = draws.document(), draws.chance.random() < 0.5
            after = model.after(asked, prune)
            if after is None:
                self.refused(InvalidRequest, apply_desired, data=asked, prune=prune)
                counts[1] += 1
                continue
            result = self.apply(asked, prune)
            self.assertEqual(result["api_keys_deleted"], len(model.keys) - len(after.keys), asked)
            self.assertEqual(sum(change["api_keys"] for change in result["changes"]), result["api_keys_deleted"])
            self.assertEqual(bool(result["changes"]), after.document() != model.document())
            self.judge(after, asked, prune)
            counts[0] += 1
            counts[2] += result["api_keys_deleted"]
            model = after
            self.give_keys(draws, model)
        return counts[0], counts[1], counts[2]

    def apply(self, asked: Entry, prune: bool) -> Any:
        self.draft = Draft(self.draft.sealed(self.draft.generation + 1))
        return self.run_rule(apply_desired, data=asked, prune=prune)

    def judge(self, model: Model, asked: Entry, prune: bool) -> None:
        self.assertEqual(json.loads(json.dumps(self.run_rule(export_desired))), model.document())
        before = self.content()
        for again in (asked, model.document()):
            for how in {prune, again is not asked}:
                self.assertEqual((self.apply(again, how)["changes"], self.draft.is_idle), ([], True))
        self.assertEqual(self.content(), before)
        self.assertEqual(self.run_rule(system.check_health)["issues"], [])

    def give_keys(self, draws: Draws, model: Model) -> None:
        for project, (_, members) in model.projects.items():
            for email in sorted(members):
                if (email, project) not in model.keys and draws.chance.random() < 0.5:
                    self.key(email, project)
                    model.keys.add((email, project))
