"""What is taken for a secret, and what is not."""

from __future__ import annotations

import unittest

from secure_mcp_gateway.cli.client_files.secret_signs import has_shape, in_url, is_secret, is_secret_name, secret_args


class Signs(unittest.TestCase):
    def test_names_that_mean_a_secret(self) -> None:
        names = (
            "TOKEN",
            "GITHUB_TOKEN",
            "apiKey",
            "OPENAI_API_KEY",
            "X-Api-Key",
            "client_secret",
            "DB_PASSWORD",
            "Authorization",
            "PGPASSWD",
            "DB_PASS",
            "PGPASS",
            "Cookie",
        )
        names += ("PGPASSWORD", "ACCESSTOKEN", "clientsecret", "MYAPIKEY", "JWT")
        self.assertEqual([name for name in names if not is_secret_name(name)], [])

    def test_names_that_do_not(self) -> None:
        names = ("KEYBOARD", "MONKEY", "LOG_LEVEL", "AUTHOR", "TOKENIZER", "PATH", "PORT", "Accept", "X-Team", "HOME", "BYPASS")
        names += ("SECRETARY", "TOKENIZER_PATH", "COMPASS")
        self.assertEqual([name for name in names if is_secret_name(name)], [])

    def test_connection_strings_whatever_their_name(self) -> None:
        for text in ("postgres://u:hunter2@h/db", "Server=h;Password=hunter2;"):
            self.assertTrue(is_secret("DB", text), text)
        for text in ("postgres://h/db", "postgres://u:${env:DB_SECRET}@h/db", "Server=h;Timeout=30"):
            self.assertFalse(is_secret("DB", text), text)

    def test_a_url_that_is_a_secret_whatever_its_name(self) -> None:
        for text in ("https://hooks.example.com/services/T0/B0/aB3dE5gH7jK9mN1pQ3rS5tU7", "https://h.example/?api_key=hunter2"):
            self.assertTrue(is_secret("WEBHOOK_URL", text), text)
        self.assertFalse(is_secret("WEBHOOK_URL", "https://h.example/services/list?limit=20"))

    def test_shapes_of_secrets(self) -> None:
        random = "aB3dE5gH7jK9mN1pQ3rS5tU7"
        texts = (
            f"sk-proj-{random}",
            f"ghp_{random}",
            f"github_pat_{random}",
            f"xoxb-12345-{random}",
            "AKIAIOSFODNN7EXAMPLE",
            f"glpat-{random}",
        )
        texts += (random + random, "0123456789abcdef" * 2, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", f"smg_{random}")
        self.assertEqual([text for text in texts if not has_shape(text)], [])

    def test_shapes_that_are_none(self) -> None:
        texts = (
            "@modelcontextprotocol/server-filesystem",
            "/usr/local/lib/node_modules/some-server/dist/index.js",
            "https://mcp.example.com/v1/mcp",
        )
        texts += (
            "postgres-server",
            "3d25b00c-947c-491c-9aa7-86441732c4b4",
            "claude-3-7-sonnet-20250219",
            "some_long_name_without_digits_in_it",
            "C:\\Users\\a",
        )
        self.assertEqual([text for text in texts if has_shape(text)], [])

    def test_a_value_that_tells_nothing_is_none_whatever_its_name(self) -> None:
        values = (
            "",
            "true",
            "4096",
            "/run/secrets/key",
            "./key.pem",
            "service.json",
            "<your key>",
            "${env:X}",
            "Bearer ${env:X}",
            "${file:/x}",
        )
        self.assertEqual([value for value in values if is_secret("API_KEY", value)], [])
        self.assertTrue(is_secret("API_KEY", "prefix-${env:X}"))

    def test_arguments_by_flag_by_pair_and_by_shape(self) -> None:
        args = ["-y", "--token", "one", "--api-key=two", "--name", "x", "API_KEY=three", "Authorization: Bearer four", "--key", "${env:K}"]
        self.assertEqual(list(secret_args(args)), [2, 3, 6, 7])
        self.assertEqual(list(secret_args(["postgres://u:pw@h/db", "https://h/x", "--token", "--verbose"])), [0])

    def test_urls(self) -> None:
        for url, where in (
            ("https://u:pw@h/", "password"),
            ("https://u:${env:PW}@h/", ""),
            ("https://h/?api_key=abc&x=1", "api_key"),
            ("https://h/?x=1&key=${env:K}", ""),
            ("https://h/aB3dE5gH7jK9mN1pQ3rS5tU7/mcp", "path"),
            ("https://h/v1/mcp", ""),
            ("http://[", ""),
        ):
            self.assertEqual(in_url(url), where, url)


if __name__ == "__main__":
    unittest.main()
