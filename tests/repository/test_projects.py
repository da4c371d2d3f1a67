from __future__ import annotations

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound
from secure_mcp_gateway.repository import api_keys, projects
from tests.repository.fakes import NOBODY, NOW, RuleTest


class AProject(RuleTest):
    def test_is_made_under_a_free_name(self) -> None:
        made = self.run_rule(projects.create_project, project_name="research")
        self.assertEqual(made, {"project_id": made["project_id"], "project_name": "research"})
        self.assertEqual(self.draft.names, made)
        shown = self.run_rule(projects.get_project, project_identifier="research")
        self.assertEqual(shown, {**made, "mcp_config": None, "users": [], "api_keys": 0, "created_at": NOW})
        self.refused(Conflict, projects.create_project, project_name="research")
        self.assertIn("project_name", self.refused(InvalidRequest, projects.create_project, project_name=NOBODY))

    def test_shows_its_config_users_and_counts(self) -> None:
        config = self.config()
        project = self.project("research", config)
        user = self.user("ada@example.com", project)
        self.key(user, project)
        shown = self.run_rule(projects.get_project, project_identifier=project)
        named = {"mcp_config_id": config, "mcp_config_name": "tools"}
        self.assertEqual((shown["mcp_config"], shown["api_keys"]), (named, 1))
        self.assertEqual(shown["users"], [{"user_id": user, "email": "ada@example.com", "created_at": NOW}])
        (row,) = self.run_rule(projects.list_projects).rows
        self.assertEqual(row, {**shown, "users": 1})

    def test_is_removed_with_its_memberships_unless_keys_belong_to_it(self) -> None:
        project = self.project()
        user = self.user("ada@example.com", project)
        key = self.key(user, project)
        told = self.refused(Conflict, projects.remove_project, project_identifier="research")
        self.assertIn("'research' has 1 API key", told)
        self.run_rule(api_keys.delete_api_key, api_key=key["api_key_id"])
        self.assertIsNone(self.run_rule(projects.remove_project, project_identifier="research"))
        self.assertEqual(len(self.draft.table("members")), 0)
        self.refused(NotFound, projects.remove_project, project_identifier=project)

    def test_search_finds_names_and_addresses(self) -> None:
        first, second, third = self.project("Ada's"), self.project("two"), self.project("three")
        self.user("ada@example.com", second)
        self.user("bob@example.com", third)
        rows = self.run_rule(projects.search_projects, search_term="ADA").rows
        expected = [(first, "project_name", 0), (second, "user_email", 1)]
        self.assertEqual([(row["project_id"], row["match_type"], row["users"]) for row in rows], expected)
        self.refused(InvalidRequest, projects.search_projects, search_term="")

    def test_is_exported_without_keys(self) -> None:
        config = self.config()
        self.server(config)
        project = self.project("research", config)
        user = self.user("ada@example.com", project)
        key = self.key(user, project)
        exported = self.run_rule(projects.export_project, project_identifier="research")
        self.assertEqual((exported["kind"], exported["version"]), ("secure-mcp-gateway/project", 1))
        self.assertEqual((exported["project_id"], exported["mcp_config"]["mcp_config_id"]), (project, config))
        self.assertEqual([each["email"] for each in exported["users"]], ["ada@example.com"])
        self.assertNotIn(key["api_key_id"], str(exported))
        self.refused(NotFound, projects.export_project, project_identifier="other")


class ItsConfig(RuleTest):
    def test_is_assigned_in_place_of_an_earlier_one(self) -> None:
        project = self.project()
        first, second = self.config("one"), self.config("two")
        for config, name in ((first, "one"), (second, "two")):
            made = self.run_rule(projects.assign_config, project_identifier="research", config_identifier=name)
            self.assertEqual(made, {"project_id": project, "mcp_config_id": config, "mcp_config_name": name})
        self.assertEqual(self.run_rule(projects.get_project_config, project_identifier=project)["mcp_config_id"], second)

    def test_is_unassigned_once(self) -> None:
        self.project("research", self.config())
        self.assertIsNone(self.run_rule(projects.unassign_config, project_identifier="research"))
        self.refused(Conflict, projects.unassign_config, project_identifier="research")
        self.assertIn("no config assigned", self.refused(NotFound, projects.get_project_config, project_identifier="research"))

    def test_refusals(self) -> None:
        self.project()
        self.config()
        self.refused(NotFound, projects.assign_config, project_identifier="research", config_identifier="other")
        self.refused(NotFound, projects.assign_config, project_identifier="other", config_identifier="tools")
        self.refused(NotFound, projects.unassign_config, project_identifier="other")
        self.refused(NotFound, projects.get_project_config, project_identifier="other")


class ItsUsers(RuleTest):
    def test_join_once(self) -> None:
        project, user = self.project(), self.user()
        given = {"project_identifier": "research", "user_identifier": "ADA@example.com"}
        made = self.run_rule(projects.add_user, **given)
        self.assertEqual(made, {"project_id": project, "user_id": user, "email": "ada@example.com"})
        self.refused(Conflict, projects.add_user, **given)
        self.refused(NotFound, projects.add_user, project_identifier="other", user_identifier=user)
        self.refused(NotFound, projects.add_user, project_identifier="research", user_identifier="bob@example.com")

    def test_are_listed_with_their_keys_for_this_project(self) -> None:
        one, two = self.project("one"), self.project("two")
        users = [self.user(f"{name}@example.com", one, two) for name in "abc"]
        self.key(users[0], one)
        self.key(users[0], two)
        listing = self.run_rule(projects.list_project_users, project_identifier="one", limit=2)
        expected = [(users[0], "a@example.com", 1), (users[1], "b@example.com", 0)]
        self.assertEqual([(row["user_id"], row["email"], row["api_keys"]) for row in listing.rows], expected)
        self.assertEqual((listing.total, listing.rows[0]["created_at"]), (3, NOW))
        self.refused(NotFound, projects.list_project_users, project_identifier="other")

    def test_leave_with_their_keys_for_this_project_alone(self) -> None:
        one, two = self.project("one"), self.project("two")
        user = self.user("ada@example.com", one, two)
        self.key(user, one)
        kept = self.key(user, two)
        given = {"project_identifier": "one", "user_identifier": user}
        self.assertEqual(self.run_rule(projects.remove_user, **given), {"api_keys_deleted": 1})
        self.assertEqual([record["api_key_id"] for _, record in self.draft.table("apikeys").items()], [kept["api_key_id"]])
        self.refused(NotFound, projects.remove_user, **given)
        self.refused(NotFound, projects.remove_user, project_identifier="other", user_identifier=user)
        self.refused(NotFound, projects.remove_user, project_identifier="two", user_identifier="bob@example.com")

    def test_leave_all_at_once(self) -> None:
        one, two = self.project("one"), self.project("two")
        for name in "abc":
            user = self.user(f"{name}@example.com", one, two)
            self.key(user, one)
            self.key(user, two)
        self.assertEqual(self.run_rule(projects.remove_all_users, project_identifier="one"), {"removed": 3, "api_keys_deleted": 3})
        self.assertEqual(self.run_rule(projects.remove_all_users, project_identifier="one"), {"removed": 0, "api_keys_deleted": 0})
        self.assertEqual(self.draft.count("project_members", two), 3)
        self.refused(NotFound, projects.remove_all_users, project_identifier="other")
