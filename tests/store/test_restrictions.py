"""A field of another make's file that restricts is known by the words of its name; what only describes is let through."""

from __future__ import annotations

import time
import unittest
from typing import Any

from secure_mcp_gateway.store.restrictions import lost_restrictions, restricts

_OF_SERVERS = (
    *("disabled_tools", "disallowed_tools", "excluded_tools", "exclude_tools", "include_tools", "enabled_tools", "tool_allowlist"),
    *("tool_denylist", "allowlist", "whitelist", "blacklist", "deny", "allow", "blocklist", "require_approval", "requires_approval"),
    *("available_tools", "toolFilter", "max_calls", "rateLimit", "input_guardrail_config", "hidden_tools", "access_control", "ip_ranges"),
)
_OF_KEYS = (
    *("expiry", "expiration", "expires_in", "not_after", "not_before", "valid_until", "ttl", "scopes", "scope", "permissions", "roles"),
    *("ip_allowlist", "allowed_ips", "IPWhitelist", "denied-ips", "disabled_at", "notAfter", "enabled_methods", "quota"),
)
_STATES = ("deleted", "expired", "disabled", "isDisabled", "read_only", "readOnly", "suspended", "approval_required", "require_mfa")


class ByTheWordsOfTheName(unittest.TestCase):
    def test_what_is_not_empty_restricts_and_what_is_empty_null_or_switched_off_does_not(self) -> None:
        for field in (*_OF_SERVERS, *_OF_KEYS):
            with self.subTest(field=field):
                for value in (["x"], {"x": 1}, {"enabled": True}):
                    self.assertTrue(restricts(field, value), value)
                for value in (None, {"enabled": False, "x": 1}):
                    self.assertFalse(restricts(field, value), value)
                if "guardrail" not in field:
                    self.assertEqual([restricts(field, empty) for empty in ([], {}, "")], [False, False, False])

    def test_states_restrict_where_they_are_true(self) -> None:
        for field in _STATES:
            self.assertEqual((field, restricts(field, True), restricts(field, False)), (field, True, False))

    def test_what_permits_restricts_where_it_is_false(self) -> None:
        for field in ("enabled", "is_active", "allowed", "isAllowed", "allow_all", "tools_enabled"):
            self.assertEqual((field, restricts(field, False), restricts(field, None)), (field, True, False))
        self.assertFalse(restricts("enabled", True))
        self.assertTrue(restricts("enabled", "false"))

    def test_a_state_is_read_in_words_too(self) -> None:
        for value, wrong in (("Disabled", True), ("read-only", True), ("active", False), (3, False)):
            self.assertEqual((value, restricts("account_status", value)), (value, wrong))

    def test_what_only_describes_is_let_through(self) -> None:
        times = ("created_at", "updated_at", "enabled_at", "last_active_at", "last_used_at")
        texts = ("description", "name", "note", "created_by", "hint", "version", "transport", "access_token")
        facts: dict[str, Any] = dict.fromkeys(times, "2025-07-16T17:02:00")
        facts.update(dict.fromkeys(texts, "only what is allowed"))
        facts.update(oauth_config={"enabled": False}, oauth={"enabled": True, "OAUTH_SCOPE": "x"}, is_remote=True)
        facts.update(enable_server_info_validation=False, input_guardrail_config={"enabled": False}, guardrails_enabled=False)
        facts.update(required=["path"], requires=["node"], readOnlyHint=True, alwaysAllow=["echo"], require_approval="never")
        facts.update(inputSchema={"type": "object"}, tool_count=3, tool_cache_expiration=4, timeout=30, status="active", tools_enabled=True)
        self.assertEqual(lost_restrictions("here", facts, ()), [])

    def test_a_long_name_is_looked_through_in_time_that_grows_with_it(self) -> None:
        for word in ("a_", "max_", "required_", "aB", "__", "not_"):
            started = time.process_time()
            restricts(word * 100_000, ["x"])
            self.assertLess(time.process_time() - started, 5, word)

    def test_each_is_named_with_a_way_out(self) -> None:
        (problem,) = lost_restrictions("apikeys[0]", {"roles": ["x"], "disabled": True, "note": "x"}, ("disabled",))
        self.assertIn("apikeys[0].roles is a restriction that cannot be kept here: take it out", problem)


if __name__ == "__main__":
    unittest.main()
