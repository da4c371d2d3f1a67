"""Walks the table: every operation, every case, on both surfaces."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import unittest
from typing import Any

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.api.openapi import openapi_document
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import USER, Operation
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.operation_cases import CASES
from tests.surfaces import on_command_line, on_rest, request_of, send, without_chance

STATUS = {"invalid_request": 400, "not_found": 404, "conflict": 409}
EXIT_CODE = {"invalid_request": 2, "not_found": 3, "conflict": 4}
# What names the caller or the moment, and so differs between the surfaces.
DIFFERS = {"whoami", "system audit", "system health-check"}


class TableCase(unittest.TestCase):
    folder: str
    _template: str

    @classmethod
    def setUpClass(cls) -> None:
        cls._template = tempfile.mkdtemp()
        team.make_team(cls._template)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls._template)

    def fresh(self) -> Store:
        """The team's store, untouched, in a folder of its own."""
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(self._template, os.path.join(self.folder, "s"))
        return Store(os.path.join(self.folder, "s", "store.json"))


class EveryOperation(TableCase):
    def test_each_row_has_cases_and_a_case_for_each_error_it_declares(self) -> None:
        self.assertEqual(sorted(operation.name for operation in all_operations()), sorted(CASES))
        for operation in all_operations():
            covered = {error for _, error in CASES[operation.name] if error}
            declared = set(operation.errors) - {"precondition_failed"}
            missing = declared - covered - ({"conflict"} if operation.name.startswith("admin-key") else set())
            self.assertEqual(missing, set(), operation.name)
            self.assertEqual(covered - declared - {"invalid_request"}, set(), f"{operation.name} raises what it does not declare")

    def test_both_surfaces_give_the_same_result(self) -> None:
        for operation, values in self._cases(lambda error: not error):
            rest, command = self._on_both(operation, values)
            with self.subTest(operation=operation.name, values=values):
                self.assertEqual(rest.code, operation.status(values), rest.detail)
                self.assertEqual(command.code, 0, command.detail)
                if operation.name not in DIFFERS and operation.document not in ("config", "desired"):
                    self.assertEqual(rest.data, command.data)

    def test_both_surfaces_refuse_the_same_and_leave_the_store_untouched(self) -> None:
        for operation, values in self._cases(bool):
            error = next(error for given, error in CASES[operation.name] if given is values)
            with self.subTest(operation=operation.name, values=values):
                store = self.fresh()
                before = _content(store)
                rest = on_rest(store, operation, values)
                command = on_command_line(store, operation, values, self.folder)
                self.assertEqual((rest.code, rest.error), (STATUS[error], error), rest.detail)
                self.assertEqual((command.code, command.error), (EXIT_CODE[error], error), command.detail)
                self.assertEqual(_content(store), before)

    def _cases(self, wanted: Any) -> list[tuple[Operation, dict[str, Any]]]:
        return [(operation, values) for operation in all_operations() for values, error in CASES[operation.name] if wanted(error)]

    def _on_both(self, operation: Operation, values: dict[str, Any]) -> Any:
        rest = on_rest(self.fresh(), operation, values)
        rest.data = without_chance(rest.data, self.folder)
        command = on_command_line(self.fresh(), operation, values, self.folder)
        command.data = without_chance(command.data, self.folder)
        return rest, command


class EveryRoute(TableCase):
    def test_nothing_is_answered_without_a_key_or_with_a_wrong_one(self) -> None:
        app = ManagementApp(self.fresh())
        wrong = [None, "x", team.ADA_KEY_ID, team.ADMIN_ID, team.digest(team.ADMIN), team.BOB_DISABLED, team.BOB_EXPIRED]
        for operation in all_operations():
            method, path, body = request_of(operation, CASES[operation.name][0][0])
            for key in wrong:
                with self.subTest(operation=operation.name, key=key):
                    response = send(app, method, path, body, key)
                    self.assertEqual(response.status, 401)
                    self.assertIn(("WWW-Authenticate", "Bearer"), response.headers)

    def test_a_users_key_may_do_nothing_but_read_its_own(self) -> None:
        for operation in all_operations():
            with self.subTest(operation=operation.name):
                store = self.fresh()
                before = _content(store)
                for values, _ in CASES[operation.name]:
                    outcome = on_rest(store, operation, values, team.ADA)
                    if operation.access != USER:
                        self.assertEqual(outcome.code, 403, outcome.detail)
                self.assertEqual(_content(store), before)

    def test_what_a_users_key_sees_names_nothing_foreign(self) -> None:
        foreign = [team.FOREIGN, "hidden", team.BETA, team.BLUE, team.EVE_ID, team.BOB_ID, "bob@", *team.SECRETS]
        owned = {"config_identifier": ("alpha", "beta cobalt", "gamma"), "project_identifier": ("red", "blue cobalt", "green")}
        owned["user_identifier"] = ("ada@example.com", "eve@cobalt.example", "bob@example.com")
        for operation in all_operations():
            if operation.access != USER:
                continue
            names = [param.name for param in operation.params if param.name in owned]
            for place in range(3 if names else 1):
                values = {name: owned[name][place] for name in names}
                if any(param.name == "server_name" for param in operation.params):
                    values["server_name"] = ("remote", "cobalt-server", "x")[place]
                self._sees_nothing(operation, values, foreign, own=place == 0)

    def _sees_nothing(self, operation: Operation, values: dict[str, Any], foreign: list[str], own: bool) -> None:
        method, path, body = request_of(operation, values)
        response = send(ManagementApp(self.fresh()), method, path, body, team.ADA)
        text = response.body.decode() + repr(response.headers)
        asked_for = set(values.values())
        with self.subTest(operation=operation.name, values=values):
            self.assertEqual(response.status, 200 if own else 404, text)
            for marker in foreign:
                if not any(marker in asked for asked in asked_for):
                    self.assertNotIn(marker, text)

    def test_every_path_refuses_another_method_with_allow(self) -> None:
        app = ManagementApp(self.fresh())
        for operation in all_operations():
            _, path, _ = request_of(operation, CASES[operation.name][0][0])
            response = send(app, "PATCH", path.partition("?")[0])
            allow = dict(response.headers)["Allow"].split(", ")
            self.assertEqual(response.status, 405)
            self.assertIn(operation.method, allow)
            options = send(app, "OPTIONS", path.partition("?")[0])
            self.assertEqual((options.status, dict(options.headers)["Allow"].split(", ")), (204, allow))

    def test_a_number_without_a_fraction_is_whole_as_json_schema_has_it(self) -> None:
        app = ManagementApp(self.fresh())
        made = send(app, "POST", "/api/v1/admin-keys", {"name": "new", "expires_in_days": 90.0})
        self.assertEqual(made.status, 201, made.body)
        for number in (90.5, 1e300, 0.0, True):
            refused = send(app, "POST", "/api/v1/admin-keys", {"name": "other", "expires_in_days": number})
            self.assertEqual((refused.status, b"expires_in_days must be" in refused.body), (400, True), refused.body)

    def test_openapi_has_every_row_with_its_own_errors(self) -> None:
        document = json.loads(send(ManagementApp(self.fresh()), "GET", "/openapi.json", key=None).body)
        found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
        self.assertEqual(found, {(row.method, row.path) for row in all_operations()} | {("GET", "/health")})
        for row in all_operations():
            responses = document["paths"][row.path][row.method.lower()]["responses"]
            for _, error in CASES[row.name]:
                self.assertIn(str(STATUS[error]) if error else str(row.status({})), responses, row.name)

    def test_openapi_leads_from_what_makes_a_thing_to_what_takes_it(self) -> None:
        described = {row["operationId"]: row for methods in openapi_document()["paths"].values() for row in methods.values()}
        linked = {name: self._links(row) for name, row in described.items()}
        self.assertEqual(linked["project_create"]["project_get"], {"path.project_identifier": "$response.body#/data/project_name"})
        server = {"path.config_identifier": "$request.path.config_identifier", "path.server_name": "$response.body#/data/server_name"}
        self.assertEqual(linked["config_add_server"]["config_remove_server"], server)
        self.assertEqual(linked["user_generate_api_key"]["user_get_api_key"], {"path.api_key": "$response.body#/data/api_key_id"})
        self.assertEqual(linked["project_get"], {})
        for name, links in linked.items():
            for target, given in links.items():
                path = [param for param in described[target]["parameters"] if param["in"] == "path"]
                self.assertEqual(set(given), {f"path.{param['name']}" for param in path}, (name, target))
            self.assertFalse(any("secret" in value for given in links.values() for value in given.values()))

    def _links(self, row: dict[str, Any]) -> dict[str, Any]:
        links = row["responses"].get("201", {}).get("links", {})
        return {link["operationId"]: link["parameters"] for link in links.values()}

    def test_openapi_says_that_names_of_one_input_exclude_each_other_and_null_is_none(self) -> None:
        document = openapi_document()["paths"]
        for path, method, one_of, names in (
            ("/api/v1/users/{user_identifier}/api-keys", "post", "oneOf", ["project_name", "project_id"]),
            ("/api/v1/configs/{config_identifier}/servers/{server_name}/input-guardrails", "put", "anyOf", ["policy", "policy_file"]),
        ):
            (choice,) = document[path][method]["requestBody"]["content"]["application/json"]["schema"]["allOf"]
            self.assertEqual([each["required"] for each in choice[one_of]], [[name] for name in names])
            self.assertTrue(all(each["properties"] == {each["required"][0]: {"not": {"type": "null"}}} for each in choice[one_of]))

    def test_openapi_says_of_new_names_what_a_schema_can(self) -> None:
        paths = openapi_document()["paths"]

        def schema(path: str, field: str) -> dict[str, Any]:
            content = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
            return dict(content[field])

        name, email = schema("/api/v1/projects", "project_name"), schema("/api/v1/users", "email")
        server = schema("/api/v1/configs/{config_identifier}/servers", "server_name")
        self.assertEqual((name["minLength"], name["maxLength"], email["maxLength"]), (1, 100, 254))
        self.assertEqual(schema("/api/v1/users/search", "search_term")["minLength"], 1)
        for found, fine, wrong in (
            (name, ("a", "team é", "两 of"), ("", " a", "a ", "a\nb", "a\x85", "\u3000a")),
            (email, ("ada@example.com", "a.b+c@x.y.z"), ("a", "a@b", "@b.c", "a@b@c.d", "a b@c.d", "a@.c", "a@b.", "a\x00@b.c")),
            (server, ("files", "0-._"), ("", "-a", "a b", "a" * 65, "é")),
        ):
            judge = re.compile(found["pattern"]).search
            self.assertEqual([text for text in fine if not judge(text)] + [text for text in wrong if judge(text)], [])


def _content(store: Store) -> bytes:
    with open(store.path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
