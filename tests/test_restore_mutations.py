"""Changed files given to a restore: taken whole, or refused whole with everything that is wrong with them."""

from __future__ import annotations

import json
import os
import random
import unittest
from typing import Any

from secure_mcp_gateway.errors import InvalidRequest, StoreDamaged, Unauthorized
from secure_mcp_gateway.params import DEPTH, is_deeper
from secure_mcp_gateway.repository.api_keys import authenticate
from secure_mcp_gateway.repository.call import Call
from secure_mcp_gateway.repository.restore import restore_store
from secure_mcp_gateway.repository.system import backup
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.document import Draft
from secure_mcp_gateway.store.store import Store
from tests import enkrypt_files as old
from tests import team
from tests.crash.mutations import enkrypt_samples, mutated
from tests.crash.restores import many, paired, wrong_of
from tests.crash.restoring import in_the_stores_place
from tests.support import in_memory
from tests.test_coming_from_enkrypt import RestoreCase


class AllProblemsAtOnce(RestoreCase):
    def saved(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(json.dumps(backup(Draft(self.store.snapshot()), self.call)))
        return made

    def test_problems_of_type_of_reference_and_of_names_are_said_together(self) -> None:
        document = self.saved()
        document["users"][team.ADA_ID]["created_at"] = 5
        document["projects"][team.RED]["mcp_config_id"] = "nowhere"
        document["projects"][team.GREEN]["project_name"] = "red"
        document["mcp_configs"][team.ALPHA]["mcp_config"][0]["config"]["args"] = "x"
        document["apikeys"][team.digest(team.ADA)]["api_key_id"] = "x"
        document["settings"] = {"telemetry": 3}
        said = self.assert_refused(document, "created_at must be a string", "names a config that does not exist", "'red' is the name of")
        for problem in ("config.args must be a list", "api_key_id must be key_", "settings.telemetry must be an object"):
            self.assertIn(problem, said)

    def test_also_where_a_part_could_not_be_converted(self) -> None:
        document = old.line_2_1()
        document["users"]["other"] = {"email": "OLD@example.com", "created_at": "yesterday"}
        document["projects"][old.PROJECT_ID]["mcp_config_id"] = "nowhere"
        document["projects"][old.PROJECT_ID]["users"] += [7, "nobody"]
        document["apikeys"] = {"first": 3, **document["apikeys"], "last": {"user_id": 5, "project_id": old.PROJECT_ID}}
        said = self.assert_refused(
            document,
            "users['other'].created_at must be an ISO 8601 time",
            "users['other']: 'old@example.com' is the name of another one too",
            ".mcp_config_id names a config that does not exist",
            ".users[1] must be a string",
            ".user_id names a user that does not exist",
            "apikeys[0] must be an object",
            "apikeys[3].user_id must be a string",
        )
        self.assertEqual(said.count("; "), 6, said)

    def test_a_field_of_a_server_is_blamed_once_for_its_type(self) -> None:
        kinds = ("denied_tools", "config", "tools", "server_name", "description", "input_guardrails_policy")
        for make, field in ((make, field) for make in (old.line_2_1, self.saved) for field in kinds):
            for wrong in ("rm", 5, None, ...):
                document = make()
                (config, *_) = document["mcp_configs"].values()
                server = config["mcp_config"][0]
                server[field] = wrong
                if wrong is ...:
                    del server[field]
                with self.subTest(field=field, wrong=wrong, make=make):
                    problems = _refused_for(self.store, self.call, document)
                    self.assertLessEqual(len(problems), 1, problems)
                    if wrong == 5:
                        self.assertIn(f".{field} must be ", problems[0])

    def test_what_refers_to_something_broken_is_not_blamed_for_it(self) -> None:
        for make in (old.line_2_1, self.saved):
            for table in ("mcp_configs", "projects", "users"):
                document = make()
                document[table] = []
                self.assertEqual(_problems(self.assert_refused(document)), [f"{table} must be an object"])
                document = make()
                key = next(iter(document[table]))
                document[table][key] = "x"
                self.assertEqual(_problems(self.assert_refused(document)), [f"{table}[{key!r}] must be an object"])

    def test_a_server_that_is_too_deep_does_not_hide_its_other_problems(self) -> None:
        document = old.line_2_1()
        server = document["mcp_configs"][old.CONFIG_ID]["mcp_config"][0]
        server.update(tools=5, further=json.loads("[" * 55 + "]" * 55))
        self.assert_refused(document, "nested deeper", "tools must be an object")

    def test_two_servers_of_one_name_are_found_where_one_of_them_is_broken(self) -> None:
        document = old.line_2_1()
        servers = document["mcp_configs"][old.CONFIG_ID]["mcp_config"]
        servers += [{**servers[0], "tools": 5}, {**servers[0], "server_name": 6}]
        self.assert_refused(document, "mcp_config[1].server_name 'old server!' is there twice", "[1].tools must", "[2].server_name must")


class DeepValues(RestoreCase):
    def test_what_could_not_be_read_back_is_refused_wherever_it_stands(self) -> None:
        deep, fine = (json.loads("[" * depth + "1" + "]" * depth) for depth in (49, 48))
        saved = json.loads(json.dumps(backup(Draft(self.store.snapshot()), self.call)))
        places: list[tuple[Any, str, str]] = [
            (old.line_2_1(), "settings.imported.plugins", "plugins"),
            (old.line_2_1(), f"users[{old.USER_ID!r}].note", f"users {old.USER_ID} note"),
            (old.line_2_1(), f"mcp_configs[{old.CONFIG_ID!r}].note", f"mcp_configs {old.CONFIG_ID} note"),
            (old.line_2_1(), "apikeys[0].note", f"apikeys {old.KEY} note"),
            (saved, f"projects[{team.RED!r}].note", f"projects {team.RED} note"),
            (saved, "settings.note", "settings note"),
        ]
        for document, place, way in places:
            *steps, last = way.split(" ")
            holder = document
            for step in steps:
                holder = holder[step]
            holder[last] = deep
            with self.subTest(place=place):
                self.assertEqual(_problems(self.assert_refused(document)), [f"{place} is nested deeper than 48 levels"])
                holder[last] = fine
                self.restore(document)
                again = json.loads(json.dumps({"data": {"backup": backup(Draft(Store(self.store.path).snapshot()), self.call)}}))
                self.assertFalse(is_deeper(again, DEPTH))


class Mutations(unittest.TestCase):
    """A share of what `python3 -m tests.crash restores` does, without the largest files."""

    def setUp(self) -> None:
        seed = random.randrange(1 << 30)
        self.dice = random.Random(seed)
        print(f"{self.id()}: seed {seed}")

    def test_each_file_is_taken_whole_or_refused_whole(self) -> None:
        with in_memory() as folder:
            cases = list(many(folder, self.dice, 140, swarms=False))
        self.assertEqual(wrong_of(cases), [])
        taken = sum(case.tried.taken for case in cases)
        self.assertIn(taken, range(20, 120))

    def test_two_faults_are_both_said(self) -> None:
        with in_memory() as folder:
            pairs, left_out = paired(team.make_team(folder), self.dice, 60)
        self.assertEqual(left_out, [])
        self.assertGreater(pairs, 5)

    def test_a_file_in_the_stores_place_is_taken_over_or_left_alone(self) -> None:
        with in_memory() as folder:
            for number in range(20):
                sample = self.dice.choice(enkrypt_samples())
                data, done = mutated(sample, self.dice, swarms=False)
                found = in_the_stores_place(os.path.join(folder, str(number)), data)
                self.assertEqual(found.wrong, [], done)


class LosingItsHead(RestoreCase):
    def test_a_document_of_ours_that_lost_what_says_so_is_not_taken_for_another_makes(self) -> None:
        own = json.loads(_read(self.store.path))
        saved = json.loads(json.dumps(backup(Draft(self.store.snapshot()), self.call)))
        for document, lost in ((own, ("format",)), (own, ("format", "audit", "generation")), (saved, ("kind", "format"))):
            self.assert_refused({name: value for name, value in document.items() if name not in lost}, "neither a backup of ours")


class InTheStoresPlace(RestoreCase):
    def store_of(self, document: Any) -> Store:
        path = os.path.join(self.folder, "elsewhere", "store.json")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return Store(path)

    def test_all_that_is_wrong_is_said_at_once_and_it_is_held_to_the_rules_of_a_restore(self) -> None:
        document = old.line_2_1()
        document["users"][old.USER_ID]["email"] = 5
        document["projects"][old.PROJECT_ID]["mcp_config_id"] = "nowhere"
        document["mcp_configs"][old.CONFIG_ID]["mcp_config"][0]["input_guardrails_policy"]["enabled"] = "yes"
        with self.assertRaises(StoreDamaged) as caught:
            self.store_of(document).snapshot()
        for problem in ("email must be a string", "names a config that does not exist", "policy.enabled must be true or false"):
            self.assertIn(problem, caught.exception.private)
        self.assertNotIn(old.KEY, caught.exception.private)

    def test_a_store_of_ours_that_lost_its_head_is_damaged_not_older(self) -> None:
        own = json.loads(_read(self.store.path))
        with self.assertRaises(StoreDamaged) as caught:
            self.store_of({name: value for name, value in own.items() if name not in ("format", "audit", "generation")}).snapshot()
        self.assertIn("`format` is missing", caught.exception.private)

    def test_a_backup_there_is_called_one_and_is_not_taken_over(self) -> None:
        saved = json.loads(json.dumps(backup(Draft(self.store.snapshot()), self.call)))
        torn = {name: value for name, value in saved.items() if name in ("kind", "mcp_configs", "projects", "users", "apikeys")}
        answer = {"output_file": None, "backup": saved}
        for document in (saved, torn, {**saved, "format": 2, "version": 2}, answer, {"message": "m", "data": answer, "timestamp": "t"}):
            store = self.store_of(document)
            before = _read(store.path)
            with self.assertRaises(StoreDamaged) as caught:
                store.snapshot()
            self.assertIn("a backup stands in the store's place", caught.exception.message)
            self.assertIn("system restore --input-file", caught.exception.hint)
            self.assertIn(f"{store.path}: it is a backup", caught.exception.private)
            self.assertEqual(_read(store.path), before)

    def test_keys_of_strangers_are_disabled_and_keys_of_nobody_dropped_as_by_a_restore(self) -> None:
        document = old.line_2_1()
        document["projects"][old.PROJECT_ID]["users"] = []
        document["apikeys"]["of nobody"] = {"project_id": old.PROJECT_ID, "user_id": "gone"}
        migrated = self.store_of(document).snapshot()
        self.assertEqual([key["disabled"] for _, key in migrated.table("apikeys").items()], [True, True])
        with self.assertRaises(Unauthorized):
            authenticate(migrated, old.KEY, now_text())


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _refused_for(store: Store, call: Call, data: Any) -> list[str]:
    try:
        restore_store(Draft(store.snapshot()), call, data=data)
    except InvalidRequest as error:
        return _problems(error.detail)
    return []


def _problems(detail: str) -> list[str]:
    return detail.partition("nothing is changed: ")[2].split("; ")


if __name__ == "__main__":
    unittest.main()
