from __future__ import annotations

from unittest import mock

from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound
from secure_mcp_gateway.repository import projects, users
from secure_mcp_gateway.store.document import Draft
from secure_mcp_gateway.store.table import Table
from tests.repository.fakes import NOW, RuleTest


class AUser(RuleTest):
    def test_is_made_under_a_free_address(self) -> None:
        made = self.run_rule(users.create_user, email="Ada@Example.com")
        self.assertEqual(made, {"user_id": made["user_id"], "email": "Ada@Example.com"})
        self.assertEqual(self.draft.names, made)
        shown = self.run_rule(users.get_user, user_identifier="ada@example.com")
        self.assertEqual(shown, {**made, "created_at": NOW, "projects": [], "api_keys": []})
        self.refused(Conflict, users.create_user, email="ADA@EXAMPLE.COM")
        self.assertIn("email", self.refused(InvalidRequest, users.create_user, email="ada"))
        self.refused(NotFound, users.get_user, user_identifier="bob@example.com")

    def test_is_shown_with_projects_and_keys(self) -> None:
        project = self.project()
        user = self.user("ada@example.com", project)
        key = self.key(user, project)
        shown = self.run_rule(users.get_user, user_identifier=user)
        named = {"project_id": project, "project_name": "research"}
        self.assertEqual(shown["projects"], [named])
        self.assertEqual([each["api_key"] for each in shown["api_keys"]], [key["api_key_id"]])
        (row,) = self.run_rule(users.list_users).rows
        self.assertEqual(row, {**shown, "api_keys": 1})
        (joined,) = self.run_rule(users.list_user_projects, user_identifier=user).rows
        self.assertEqual(joined, {**named, "api_keys": 1, "created_at": NOW})
        self.refused(NotFound, users.list_user_projects, user_identifier="bob@example.com")

    def test_gets_another_address(self) -> None:
        user = self.user()
        self.user("bob@example.com")
        for address in ("Ada@Example.com", "new@example.com"):
            made = self.run_rule(users.update_user, user_identifier=user, new_email=address)
            self.assertEqual(made, {"user_id": user, "email": address})
        self.refused(NotFound, users.get_user, user_identifier="ada@example.com")
        self.refused(Conflict, users.update_user, user_identifier=user, new_email="BOB@example.com")
        self.refused(NotFound, users.update_user, user_identifier="ada@example.com", new_email="x@example.com")
        self.assertIn("new_email", self.refused(InvalidRequest, users.update_user, user_identifier=user, new_email="x"))

    def test_is_deleted_where_nothing_is_held(self) -> None:
        user = self.user()
        self.assertEqual(self.run_rule(users.delete_user, user_identifier=user), {"api_keys_deleted": 0, "projects_left": 0})
        self.refused(NotFound, users.delete_user, user_identifier=user)

    def test_is_deleted_by_force_with_all_that_is_held(self) -> None:
        one, two = self.project("one"), self.project("two")
        user, other = self.user("ada@example.com", one, two), self.user("bob@example.com", one)
        for project in (one, two):
            self.key(user, project)
        kept = self.key(other, one)
        told = self.refused(Conflict, users.delete_user, user_identifier=user)
        self.assertIn("is in 'one', 'two' and holds 2 API keys", told)
        self.refused(Conflict, users.delete_user, user_identifier=user, force=False)
        gone = self.run_rule(users.delete_user, user_identifier=user, force=True)
        self.assertEqual(gone, {"api_keys_deleted": 2, "projects_left": 2})
        self.assertEqual([record["api_key_id"] for _, record in self.draft.table("apikeys").items()], [kept["api_key_id"]])
        self.assertEqual([record["user_id"] for _, record in self.draft.table("members").items()], [other])

    def test_search_finds_addresses_and_project_names(self) -> None:
        project = self.project("Ada's")
        first, second = self.user("ada@example.com"), self.user("bob@example.com", project)
        self.user("eve@example.com")
        self.key(second, project)
        rows = self.run_rule(users.search_users, search_term="aDA").rows
        expected = [(first, "email", 0), (second, "project_name", 1)]
        self.assertEqual([(row["user_id"], row["match_type"], row["api_keys"]) for row in rows], expected)
        self.refused(InvalidRequest, users.search_users, search_term="")


class NothingIsWalked(RuleTest):
    def test_to_make_or_find_a_user_or_to_add_a_member(self) -> None:
        project = self.project()
        self.user("ada@example.com", project)
        self.user("bob@example.com")
        # An index is built by the first who asks for it, and followed from then on.
        self.run_rule(users.get_user, user_identifier="bob@example.com")
        with mock.patch.object(Table, "items", side_effect=AssertionError("a list was walked")):
            user = self.user("eve@example.com")
            self.run_rule(projects.add_user, project_identifier="research", user_identifier="bob@example.com")
            key = self.key("bob@example.com", "research")
            self.call_with(key["api_key"])
            self.assertEqual(self.run_rule(users.get_user, user_identifier="eve@example.com")["user_id"], user)

    def test_again_after_a_refusal(self) -> None:
        self.user("ada@example.com")
        document = self.draft.sealed(1)
        document._indexes.clear()
        with self.assertRaises(Conflict):
            users.create_user(Draft(document), self.call, email="ada@example.com")
        with mock.patch.object(Table, "items", side_effect=AssertionError("a list was walked")):
            users.create_user(Draft(document), self.call, email="bob@example.com")
        self.assertEqual(document.count("user_emails", "bob@example.com"), 0)

    def test_beyond_the_page_of_a_list(self) -> None:
        for at in range(100):
            self.user(f"u{at}@example.com")
        with mock.patch.object(users, "user_row", wraps=users.user_row) as viewed:
            listing = self.run_rule(users.list_users, limit=3, offset=50)
        self.assertEqual([row["email"] for row in listing.rows], [f"u{at}@example.com" for at in (50, 51, 52)])
        self.assertEqual((listing.total, viewed.call_count), (100, 3))
