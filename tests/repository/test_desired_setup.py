"""What is wrong with a desired document, or may not be meant."""

from __future__ import annotations

import json

from secure_mcp_gateway.repository import servers
from tests.repository.desired_case import FILES, DesiredTest, document, whole
from tests.repository.fakes import NOW


class ARefusal(DesiredTest):
    def test_lists_every_problem_at_once_by_its_path_and_quotes_no_value(self) -> None:
        both = {"server_name": "x", "config": {"command": "marked", "url": "marked", "argz": []}, "tool": {}}
        told = self.refusal(
            document(
                confgs=[],
                configs=[{"name": "a", "servers": [both, {"server_name": "no blank"}, FILES, FILES]}, {"nme": 1}, {"name": "a"}, 7],
                projects=[{"name": "p", "config": "nix", "users": ["no@example.com", 3, "a@example.com", "A@example.com"]}, {"name": "."}],
                users=["a@example.com", 1, {"mail": "x"}, "a", "A@EXAMPLE.com"],
            )
        )
        for part in (
            "confgs is not known: did you mean configs?",
            "configs[0].servers[0].tool is not known: did you mean tools?",
            "configs[0].servers[0].config.argz is not known: did you mean args?",
            "configs[0].servers[0].config must have a command or a url, not both",
            "configs[0].servers[1].server_name must be 1 to 64",
            "configs[0].servers[1].config must be an object",
            "configs[0].servers[3].server_name is the name of configs[0].servers[2] too",
            "configs[1].nme is not known: did you mean name?",
            "configs[1].name is missing",
            "configs[2].name names the same as configs[0].name",
            "configs[3] must be an object",
            "users[1] must be an e-mail address, or an object with one",
            "users[2].email is missing",
            "users[3] must have one @",
            "users[4] names the same as users[0]",
            "projects[0].config: there is no config 'nix', neither in `configs` nor in the store",
            "projects[0].users[0]: there is no user 'no@example.com'",
            "projects[0].users[1] must be a string",
            "projects[0].users[3] names the same as projects[0].users[2]",
            "projects[1].name must not be . or ..",
        ):
            self.assertIn(part, told)
        self.assertNotIn("marked", told)

    def test_of_prune_that_would_take_what_the_document_or_the_store_still_needs(self) -> None:
        self.apply(whole())
        told = self.refusal(document(configs=[{"name": "spare"}]), prune=True)
        self.assertIn("configs: 'tools' is not there, so it goes with prune, but it is the config of 'research'", told)
        for given in ({"config": None}, {"config": "spare"}):
            asked = document(configs=[{"name": "spare"}], projects=[{"name": "research", **given}, {"name": "empty"}])
            self.assertEqual(self.apply(asked, prune=True, dry_run=True)["removed"], 1)
        research = {"name": "research", "config": "tools", "users": ["bob@example.com"]}
        told = self.refusal(document(users=[], configs=[], projects=[research]), prune=True)
        self.assertIn("projects[0].config: the config 'tools' is not in `configs`, so it goes with prune", told)
        self.assertIn("projects[0].users[0]: the user 'bob@example.com' is not in `users`, so it goes with prune", told)

    def test_of_what_is_no_such_document_says_where_it_belongs(self) -> None:
        for data in ([], {}, {"configs": []}, {"kind": "secure-mcp-gateway/backup", "version": 1}, {"kind": "secure-mcp-gateway/config"}):
            told = self.refusal(data)
            self.assertIn("no desired setup", told)
            self.assertIn("system restore", told)
        for version in (2, True, None, "1"):
            self.assertIn("version must be 1", self.refusal({**document(), "version": version}))
        for section in (None, {}, "x"):
            self.assertIn("users must be a list", self.refusal(document(users=section)))

    def test_of_very_much_is_told_within_bounds(self) -> None:
        told = self.refusal(document(users=[0] * 1234, configs=[{str(number): 0 for number in range(500)}]))
        self.assertIn("users[400] must be", told)
        self.assertIn("and 735 more", told)
        self.assertLess(len(told), 120_000)

    def test_of_a_name_that_is_not_there_says_which_may_be_meant(self) -> None:
        self.apply(whole())
        users = ["ada@exmaple.com", "carol@example.com", "newman@exampel.com"]
        told = self.refusal(document(projects=[{"name": "p", "config": "tool", "users": users}], users=["newman@example.com"]))
        for part in (
            "no config 'tool', neither in `configs` nor in the store: did you mean 'tools'?",
            "no user 'ada@exmaple.com', neither in `users` nor in the store: did you mean 'ada@example.com'?",
            "no user 'carol@example.com', neither in `users` nor in the store;",
            "no user 'newman@exampel.com', neither in `users` nor in the store: did you mean 'newman@example.com'?",
        ):
            self.assertIn(part, f"{told};")

    def test_of_what_is_too_deep_to_be_kept(self) -> None:
        deep = json.loads("[" * 49 + "1" + "]" * 49)
        for sections in (
            {"users": [{"email": "a@example.com", "further": {"x": deep}}]},
            {"configs": [{"name": "c", "servers": [{**FILES, "further": {"x": deep}}]}]},
        ):
            self.assertIn("nested deeper than", self.refusal(document(**sections)))

    def test_of_a_tool_that_is_not_denied_as_it_was_meant_to_be(self) -> None:
        mistyped = {**FILES, "tools": {"rm": {"enable": False}}}
        self.assertIn("configs[0].servers[0].tools.rm.enable", self.refusal(document(configs=[{"name": "c", "servers": [mistyped]}])))

    def test_but_what_the_store_has_already_may_be_said_again(self) -> None:
        old = {**FILES, "tools": {"rm": {"enable": False}}}
        record = {"mcp_config_name": "tools", "mcp_config": [servers.import_server(old)], "created_at": NOW, "updated_at": NOW}
        self.draft.put("mcp_configs", self.config("tools"), record)
        result = self.apply(self.exported())
        self.assertEqual(result["changes"], [])
        self.assertIn("tools.rm.enable has no meaning here", "; ".join(result["warnings"]))

    def test_warns_of_a_new_name_that_differs_only_in_case(self) -> None:
        self.apply(whole())
        named = [{"name": name} for name in ("Tools", "new", "NEW")]
        asked = document(configs=named, projects=[{"name": "RESEARCH"}], users=["ADA@example.com"])
        result = self.apply(asked)
        self.assertEqual(
            result["warnings"],
            [
                "configs[0].name: 'Tools' is another config than 'tools': they differ in case",
                "configs[2].name: 'NEW' is another config than 'new': they differ in case",
                "projects[0].name: 'RESEARCH' is another project than 'research': they differ in case",
            ],
        )
        self.assertEqual(result["created"], 4)
        self.assertEqual(self.apply(asked)["warnings"], [])

    def test_warns_of_what_may_not_be_meant(self) -> None:
        server = {
            **FILES,
            "denied_tools": ["read"],
            "further": {"disabled": True, "note": 1},
            "input_guardrails_policy": {"enabled": True, "blok": ["pii"], "owner": "ada"},
        }
        warnings = "; ".join(self.apply(document(configs=[{"name": "c", "servers": [server]}]))["warnings"])
        self.assertIn("configs[0].servers[0].tools.read is allowed and denied", warnings)
        self.assertIn("input_guardrails_policy.blok has no meaning here: did you mean block?", warnings)
        self.assertIn("input_guardrails_policy.owner is kept, but has no meaning here", warnings)
        self.assertEqual(warnings.count("blok"), 1)
        self.assertIn("names no policy and nothing to block", warnings)
        self.assertIn("configs[0].servers[0].further.disabled is a restriction that cannot be kept here", warnings)
        self.assertNotIn("note", warnings)
