"""Seeded random operations: the indexes must say what a walk over the plain tables says, and refusals change nothing."""

from __future__ import annotations

import json
import random
from typing import Any

from secure_mcp_gateway.errors import GatewayError
from secure_mcp_gateway.repository import admin_keys, api_keys, configs, projects, system, users
from secure_mcp_gateway.store.document import INDEXES, Draft
from tests.repository.fakes import NOW, RuleTest

SEEDS = range(6)
STEPS = 250


class Steps:
    """Draws a rule and its values; some of what is drawn does not exist, or is taken already."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def name(self) -> str:
        return self.chance.choice("abcd")

    def email(self) -> str:
        return self.chance.choice(("{}@example.com", "{}@EXAMPLE.com")).format(self.name())

    def key_id(self, draft: Draft) -> str:
        ids = [record["api_key_id"] for _, record in draft.table("apikeys").items()]
        return str(self.chance.choice([*ids, "key_0000000000000000"]))

    def draw(self, draft: Draft) -> tuple[Any, dict[str, Any]]:
        config, project, user = self.name(), self.name(), self.email()
        return self.chance.choice(
            (
                (configs.add_config, {"config_name": config}),
                (configs.rename_config, {"config_identifier": config, "new_name": self.name()}),
                (configs.copy_config, {"source_config": config, "target_config": self.name()}),
                (configs.remove_config, {"config_identifier": config}),
                (projects.create_project, {"project_name": project}),
                (projects.remove_project, {"project_identifier": project}),
                (projects.assign_config, {"project_identifier": project, "config_identifier": config}),
                (projects.unassign_config, {"project_identifier": project}),
                (projects.remove_user, {"project_identifier": project, "user_identifier": user}),
                (users.update_user, {"user_identifier": user, "new_email": self.email()}),
                (users.delete_user, {"user_identifier": user, "force": self.chance.random() < 0.3}),
                (api_keys.rotate_api_key, {"api_key": self.key_id(draft)}),
                (api_keys.disable_api_key, {"api_key": self.key_id(draft)}),
                (api_keys.enable_api_key, {"api_key": self.key_id(draft)}),
                (admin_keys.create_admin_key, {"name": self.name()}),
                (admin_keys.delete_admin_key, {"admin_key": self.name()}),
                *((users.create_user, {"email": user}),) * 3,
                *((projects.add_user, {"project_identifier": project, "user_identifier": user}),) * 6,
                *((api_keys.generate_api_key, {"project_identifier": project, "user_identifier": user}),) * 6,
            )
        )


class RandomOperations(RuleTest):
    def test_keep_every_index_true(self) -> None:
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.setUp()
                done = self.run_steps(Steps(random.Random(seed)))
                self.assertGreater(done, STEPS // 8)

    def run_steps(self, steps: Steps) -> int:
        done = 0
        for step in range(STEPS):
            before = self.content()
            rule, values = steps.draw(self.draft)
            try:
                rule(self.draft, self.call, **values)
                done += 1
            except GatewayError as error:
                self.assertEqual(self.content(), before, (rule, values, error))
            if step % 10 == 0:
                # Another moment, and the document that this draft becomes: what was built goes on being followed.
                self.later(NOW.replace("000008", f"{step:06d}"))
                self.draft = Draft(self.draft.sealed(step))
            self.check_indexes()
        self.assertEqual(self.run_rule(system.check_health)["issues"], [])
        return done

    def check_indexes(self) -> None:
        tables = json.loads(json.dumps(system.tables_of(self.draft)))
        for index, (table, value_of) in INDEXES.items():
            model: dict[str, set[str]] = {}
            for key, record in tables[table].items():
                value = value_of(record)
                if value is not None:
                    model.setdefault(value, set()).add(key)
            for value, keys in model.items():
                self.assertEqual({key for key, _ in self.draft.related(index, value)}, keys, index)
                self.assertEqual(self.draft.count(index, value), len(keys))
                self.assertIn(self.draft.found(index, value), keys)
            self.assertEqual(self.draft.count(index, "nobody"), 0)
