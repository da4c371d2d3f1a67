"""Secrets in clients' files: pointed out, or kept out of the store."""

from __future__ import annotations

import json
import unittest

from tests.cli.client_files.reading_case import TOKEN, one, read, warnings


class Secrets(unittest.TestCase):
    ENTRY = {"command": "x", "env": {"GITHUB_TOKEN": TOKEN, "LEVEL": "info"}, "args": ["--api-key", "s3cret", "--name", "x"]}
    AT_A_URL = {"url": "https://u:pw@h.example/?token=abc", "headers": {"Authorization": f"Bearer {TOKEN}", "Accept": "text/plain"}}

    def test_they_are_pointed_out_by_place_and_never_quoted(self) -> None:
        said = warnings(self.ENTRY) + warnings(self.AT_A_URL)
        text = json.dumps(said)
        for place in (
            "mcpServers.one.env.GITHUB_TOKEN looks",
            "mcpServers.one.args[1] seems",
            "its URL seems",
            "one.headers.Authorization looks",
        ):
            self.assertIn(place, text)
        self.assertEqual([secret for secret in (TOKEN, "s3cret", "pw@", "abc") if secret in text], [])
        self.assertEqual(len(said), 4)
        self.assertIn("${env:GITHUB_TOKEN} or ${file:PATH}", text)

    def test_what_is_kept_out_already_is_none(self) -> None:
        env = {"API_KEY": "${env:API_KEY}", "TOKEN": "${file:/run/token}", "KEY_FILE": "/run/key", "TOKEN_LIMIT": "4096", "EMPTY_KEY": ""}
        said = warnings({"command": "x", "env": env}, "/h/.cursor/mcp.json")
        self.assertEqual([each for each in said if "secret" in each], [])

    def test_variables_in_their_place_when_asked(self) -> None:
        self.assertEqual(one(self.ENTRY, secrets_as_env=True)["config"]["env"], {"GITHUB_TOKEN": "${env:GITHUB_TOKEN}", "LEVEL": "info"})
        headers = one(self.AT_A_URL, secrets_as_env=True)["config"]["headers"]
        self.assertEqual(headers, {"Authorization": "Bearer ${env:ONE_AUTHORIZATION}", "Accept": "text/plain"})
        self.assertIn("${env:GITHUB_TOKEN} instead", json.dumps(warnings(self.ENTRY, secrets_as_env=True)))

    def test_two_secrets_never_share_a_variable(self) -> None:
        servers = {
            "a": {"command": "x", "env": {"API_KEY": "first"}},
            "b-b": {"command": "x", "env": {"API_KEY": "second"}},
            "c": {"command": "x", "env": {"API_KEY": "first"}},
            "d": {"command": "x", "env": {"OTHER": "${env:TOKEN}", "TOKEN": "third"}},
        }
        found = read("x.json", {"mcpServers": servers}, secrets_as_env=True).servers
        names = [server["config"]["env"].get("API_KEY") or server["config"]["env"]["TOKEN"] for server in found]
        self.assertEqual(names, ["${env:API_KEY}", "${env:B_B_API_KEY}", "${env:API_KEY}", "${env:D_TOKEN}"])


if __name__ == "__main__":
    unittest.main()
