from __future__ import annotations

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.repository import settings
from tests.repository.fakes import RuleTest


class TheEnkryptKey(RuleTest):
    def test_is_shown_masked(self) -> None:
        self.assertEqual(self.run_rule(settings.get_enkrypt_api_key), {"api_key": None})
        masked = {"api_key": "****wxyz"}
        self.assertEqual(self.run_rule(settings.set_enkrypt_api_key, api_key="secret-key-wxyz"), masked)
        self.assertEqual(self.run_rule(settings.get_enkrypt_api_key), masked)
        self.assertEqual(self.draft.settings["enkrypt_api_key"], "secret-key-wxyz")
        self.assertEqual(self.draft.names, {})

    def test_that_is_short_is_not_given_away(self) -> None:
        self.assertEqual(self.run_rule(settings.set_enkrypt_api_key, api_key="abcd"), {"api_key": "****"})

    def test_is_refused_and_not_quoted(self) -> None:
        for bad in ("", "secret key", "secret\n", "secret\u00e9"):
            told = self.refused(InvalidRequest, settings.set_enkrypt_api_key, api_key=bad)
            self.assertIn("api_key must be", told)
            self.assertNotIn("secret", told)


class Telemetry(RuleTest):
    def test_is_off_by_default(self) -> None:
        expected = {"enabled": False, "url": "http://localhost:4317", "insecure": False}
        self.assertEqual(self.run_rule(settings.get_telemetry), expected)

    def test_keeps_what_is_not_named(self) -> None:
        self.draft.settings = {"imported": {"a": 1}}
        self.run_rule(settings.set_telemetry, url="https://otel.example:4317")
        made = self.run_rule(settings.set_telemetry, enabled=True)
        self.assertEqual(made, {"enabled": True, "url": "https://otel.example:4317", "insecure": False})
        self.assertEqual(self.run_rule(settings.get_telemetry), made)
        self.assertEqual(self.run_rule(settings.set_telemetry, enabled=False)["enabled"], False)
        self.assertEqual(self.draft.settings["imported"], {"a": 1})

    def test_is_refused(self) -> None:
        self.assertIn("enabled, url, insecure", self.refused(InvalidRequest, settings.set_telemetry))
        self.assertIn("url must be", self.refused(InvalidRequest, settings.set_telemetry, url="otel:4317", enabled=True))
