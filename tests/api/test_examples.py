"""The examples in the API's description are what the API takes and answers, and everything that it answers fits its schema."""

from __future__ import annotations

import json
import unittest
from typing import Any

from secure_mcp_gateway.api.answers import ERROR
from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.api.openapi import openapi_document, recorded
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import USER, Operation
from secure_mcp_gateway.web.response import Response
from tests import team
from tests.api.examples import FILE, as_text, record
from tests.api.json_schema import Validator
from tests.operation_cases import CASES
from tests.surfaces import request_of, send
from tests.test_every_operation import TableCase

Schema = dict[str, Any]
JSON = "application/json"


class DescribedCase(TableCase):
    def setUp(self) -> None:
        self.document = openapi_document()
        self.validator = Validator(self.document)

    def described(self, operation: Operation) -> Schema:
        found: Schema = self.document["paths"][operation.path][operation.method.lower()]
        return found

    def content(self, operation: Operation, status: int) -> Schema:
        response = self.validator.resolved(self.described(operation)["responses"][str(status)])
        found: Schema = response["content"][JSON]
        return found

    def assert_fits(self, operation: Operation, response: Response) -> None:
        schema = self.content(operation, response.status)["schema"]
        self.assertEqual(self.validator.problems(schema, json.loads(response.body)), [], (operation.name, response.body))


class Examples(DescribedCase):
    def test_the_recorded_ones_are_what_is_asked_and_answered_now(self) -> None:
        self.assertEqual(FILE.read_text(encoding="utf-8"), as_text(record()), "record them again: python3 -m tests.api.examples")

    def test_each_operation_has_one_of_its_request_and_one_of_its_answer(self) -> None:
        for operation in all_operations():
            described = self.described(operation)
            status = operation.status(recorded()[operation.name].get("body", {}))
            self.assertEqual(self.content(operation, status)["example"], recorded()[operation.name]["answer"])
            if "requestBody" in described:
                self.assertEqual(described["requestBody"]["content"][JSON]["example"], recorded()[operation.name]["body"])
            for parameter in described["parameters"]:
                if parameter["in"] == "path":
                    self.assertIn("example", parameter)

    def test_each_fits_its_schema(self) -> None:
        for methods in self.document["paths"].values():
            for described in methods.values():
                contents = [self.validator.resolved(each).get("content", {}) for each in described["responses"].values()]
                contents.append(described.get("requestBody", {}).get("content", {}))
                pairs = [(content[JSON]["schema"], content[JSON]["example"]) for content in contents if content]
                for parameter in described.get("parameters", ()):
                    own = [parameter["example"]] if "example" in parameter else []
                    pairs += [(parameter["schema"], example) for example in (*parameter["schema"].get("examples", ()), *own)]
                for schema, example in pairs:
                    self.assertEqual(self.validator.problems(schema, example), [], (described["operationId"], example))

    def test_those_of_refusals_are_in_the_words_of_the_refusals(self) -> None:
        app = ManagementApp(self.fresh())
        asked = {
            "401": send(app, "GET", "/api/v1/users", key=None),
            "403": send(app, "GET", "/api/v1/users", key=team.ADA),
            "415": send(app, "POST", "/api/v1/users", Content_Length="1", Content_Type="text/plain"),
        }
        for status, response in asked.items():
            example = self.document["components"]["responses"][f"Refused{status}"]["content"][JSON]["example"]
            answer = json.loads(response.body)
            self.assertEqual((response.status, answer["error"], answer["detail"]), (int(status), example["error"], example["detail"]))


class Answers(DescribedCase):
    def test_every_answer_to_an_admin_fits_its_schema(self) -> None:
        for operation in all_operations():
            for values, _ in CASES[operation.name]:
                response = self.answer(operation, values, team.ADMIN)
                self.assert_fits(operation, response)
                if response.status < 400:
                    names = {name for name, _ in response.headers}
                    headers = self.validator.resolved(self.described(operation)["responses"][str(response.status)]).get("headers", {})
                    made = operation.writes and not values.get("dry_run")
                    self.assertEqual(set() if made else set(headers), names & {"ETag", "X-Total-Count"}, operation.name)

    def test_every_answer_to_a_users_key_fits_its_schema(self) -> None:
        for operation in all_operations():
            for values, _ in CASES[operation.name]:
                response = self.answer(operation, values, team.ADA)
                self.assert_fits(operation, response)
                self.assertTrue(operation.access == USER or response.status == 403)

    def answer(self, operation: Operation, values: dict[str, Any], key: str) -> Response:
        method, path, body = request_of(operation, values)
        return send(ManagementApp(self.fresh()), method, path, body, key)

    def test_a_value_that_does_not_fit_is_found(self) -> None:
        schema = {"$ref": "#/components/schemas/User"}
        user = recorded()["user get"]["answer"]["data"]
        self.assertEqual(self.validator.problems(schema, user), [])
        for wrong in ({**user, "email": None}, {**user, "more": 1}, {name: user[name] for name in ("user_id", "email")}, [user], None):
            self.assertNotEqual(self.validator.problems(schema, wrong), [])
        (key,) = user["api_keys"]
        (problem,) = self.validator.problems(schema, {**user, "api_keys": [{**key, "created_at": "now"}]})
        self.assertEqual(problem, "$.api_keys.0.created_at: is no time")

    def test_every_word_of_a_refusal_stands_in_its_schema(self) -> None:
        from secure_mcp_gateway import errors

        words = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.GatewayError)}
        self.assertEqual(words, set(ERROR["properties"]["error"]["enum"]))


class Order(DescribedCase):
    def test_tags_come_in_the_order_of_reading_each_once_with_what_it_is(self) -> None:
        names = [tag["name"] for tag in self.document["tags"]]
        self.assertEqual(names, ["Configs", "Servers", "Projects", "Users", "API keys", "System", "Admin keys", "Settings"])
        self.assertTrue(all(tag["description"].endswith(".") for tag in self.document["tags"]))
        used = {tag for methods in self.document["paths"].values() for described in methods.values() for tag in described["tags"]}
        self.assertEqual(used, set(names))

    def test_every_operation_and_parameter_says_what_it_is(self) -> None:
        for methods in self.document["paths"].values():
            for described in methods.values():
                self.assertTrue(described["summary"] and described["description"])
                self.assertEqual([each["name"] for each in described.get("parameters", ()) if not each["description"]], [])


if __name__ == "__main__":
    unittest.main()
