"""A whole setup as one document: what it makes of a store, and what it tells."""

from __future__ import annotations

import json

from secure_mcp_gateway.repository import configs, projects, restore, servers
from secure_mcp_gateway.store.document import Draft
from tests import enkrypt_files
from tests.repository.desired_case import ENV_SECRET, FILES, WEB, DesiredTest, document, whole


class MakingItSo(DesiredTest):
    def test_an_empty_store_becomes_the_document(self) -> None:
        result = self.apply(whole())
        self.assertEqual([result[field] for field in ("created", "changed", "removed", "api_keys_deleted")], [10, 0, 0, 0])
        self.assertEqual((result["safety_backup"], result["warnings"]), (None, []))
        made = self.run_rule(projects.get_project, project_identifier="research")
        self.assertEqual(made["mcp_config"]["mcp_config_name"], "tools")
        self.assertEqual([user["email"] for user in made["users"]], ["ada@example.com", "bob@example.com"])
        self.assertEqual([server["server_name"] for server in self.servers_of()], ["files", "web"])
        self.assertEqual(self.servers_of()[1]["input_guardrails_policy"], {"enabled": False})
        self.assertEqual(self.draft.names["changes"], "10 created, 0 changed, 0 removed, 0 API keys deleted")

    def test_twice_changes_nothing(self) -> None:
        self.apply(whole())
        before = self.content()
        for prune in (None, True):
            result = self.apply(whole(), prune=prune)
            self.assertEqual((result["changes"], result["safety_backup"], self.draft.is_idle), ([], None, True))
        self.assertEqual(self.content(), before)

    def test_what_it_does_not_name_stays_and_goes_with_prune(self) -> None:
        self.apply(whole())
        less = document(
            configs=[{"name": "tools", "servers": [WEB]}],
            projects=[{"name": "research", "users": ["bob@example.com"]}],
            users=["bob@example.com"],
        )
        self.assertEqual(self.told(less), [])
        self.assertEqual(
            self.told(less, prune=True),
            ["remove server files", "remove config spare", "remove project empty", "remove user ada@example.com"],
        )
        self.assertEqual(self.exported()["projects"], [{"name": "research", "config": "tools", "users": ["bob@example.com"]}])

    def test_prune_touches_no_list_that_is_left_out(self) -> None:
        self.apply(whole())
        for kept in (
            document(),
            document(configs=[{"name": "tools"}, {"name": "spare"}], projects=[{"name": "research"}, {"name": "empty"}]),
        ):
            self.assertEqual(self.told(kept, prune=True), [])
        self.assertEqual(self.told(document(users=[]), prune=True), ["remove user ada@example.com", "remove user bob@example.com"])

    def test_what_takes_keys_with_it_counts_each_once(self) -> None:
        self.apply(whole())
        for email, project in (("ada@example.com", "research"), ("bob@example.com", "research"), ("bob@example.com", "research")):
            self.key(email, project)
        members = document(projects=[{"name": "research", "users": ["ada@example.com"]}])
        self.assertEqual(self.told(members, prune=True, dry_run=True), ["remove member bob@example.com 2", "remove project empty"])
        everything = document(projects=[], users=["ada@example.com"])
        result = self.apply(everything, prune=True)
        told = {each["name"]: each["api_keys"] for each in result["changes"]}
        self.assertEqual((told, result["api_keys_deleted"]), ({"research": 3, "empty": 0, "bob@example.com": 0}, 3))
        self.assertEqual((result["safety_backup"], len(self.draft.table("apikeys"))), ("/backups/b.json", 0))
        self.assertEqual(self.draft.names["changes"], "0 created, 0 changed, 3 removed, 3 API keys deleted")
        self.assertEqual(self.draft.names["removed"], "project research, project empty, user bob@example.com")

    def test_a_run_dry_tells_the_same_and_changes_nothing(self) -> None:
        before = self.content()
        told = self.apply(whole(), dry_run=True)
        self.assertEqual(self.content(), before)
        self.assertEqual(told["changes"], self.apply(whole())["changes"])

    def test_a_config_is_taken_away_by_null_and_stays_where_none_is_given(self) -> None:
        self.apply(whole())
        self.assertEqual(self.told(document(projects=[{"name": "research"}])), [])
        (change,) = self.apply(document(projects=[{"name": "research", "config": None}]))["changes"]
        self.assertEqual((change["fields"], change["config"]), (["config"], None))
        self.assertIsNone(self.run_rule(projects.get_project, project_identifier="research")["mcp_config"])

    def test_servers_keep_their_order_whatever_the_documents_is(self) -> None:
        self.apply(whole())
        third = {"server_name": "a", "config": {"command": "x"}}
        self.assertEqual(self.told(document(configs=[{"name": "tools", "servers": [WEB, FILES]}])), [])
        self.assertEqual(self.told(document(configs=[{"name": "tools", "servers": [third, WEB, FILES]}])), ["create server a"])
        self.assertEqual([server["server_name"] for server in self.servers_of()], ["files", "web", "a"])

    def test_a_server_is_whole_a_field_left_out_has_its_default(self) -> None:
        self.apply(whole())
        bare = {"server_name": "files", "config": {"command": "run"}}
        told = self.told(document(configs=[{"name": "tools", "servers": [bare]}]))
        self.assertEqual(told, ["change server files tools.read args env.TOKEN"])
        self.assertEqual(self.servers_of()[0]["config"], {"command": "run", "args": [], "env": {}})

    def test_a_command_gives_way_to_a_url(self) -> None:
        self.apply(whole())
        moved = {**WEB, "server_name": "files"}
        (told,) = self.told(document(configs=[{"name": "tools", "servers": [moved]}]))
        self.assertEqual(set(told.split()[3:]), {"tools.read", "command", "args", "url", "env.TOKEN", "headers.Authorization"})
        self.assertEqual(self.servers_of()[0]["config"], WEB["config"])

    def test_only_what_changes_is_stamped(self) -> None:
        self.apply(whole())
        self.later("2026-04-01T00:00:00.000000+00:00")
        changed = {**FILES, "denied_tools": ["rm"]}
        self.assertEqual(
            self.told(document(configs=[{"name": "tools", "servers": [changed]}, {"name": "spare", "servers": []}])),
            ["change server files denied_tools"],
        )
        stamps = {name: self.run_rule(configs.get_config, config_identifier=name)["updated_at"][:7] for name in ("tools", "spare")}
        self.assertEqual(stamps, {"tools": "2026-04", "spare": "2026-03"})

    def test_no_value_of_an_environment_or_header_is_told(self) -> None:
        self.apply(whole())
        text = json.dumps(whole()).replace("marked", "remarked")
        result = self.apply(json.loads(text))
        self.assertEqual([each["fields"] for each in result["changes"]], [["env.TOKEN"], ["headers.Authorization"]])
        self.assertNotIn("marked", json.dumps(result) + json.dumps(self.draft.names))

    def test_of_guardrails_and_tools_the_fields_are_named(self) -> None:
        policy = {"enabled": True, "block": ["pii"]}
        guarded = {**FILES, "input_guardrails_policy": policy, "tool_guardrails_policy": policy}
        self.apply(document(configs=[{"name": "tools", "servers": [guarded]}]))
        other = {
            **guarded,
            "tools": {"read": "Reads", "write": {"enabled": False}},
            "input_guardrails_policy": {**policy, "block": ["pii", "toxicity"]},
            "tool_guardrails_policy": {**policy, "enabled": False},
        }
        told = self.told(document(configs=[{"name": "tools", "servers": [other]}]))
        fields = "tools.write input_guardrails_policy.block tool_guardrails_policy.enabled"
        self.assertEqual(told, [f"change server files {fields}"])

    def test_one_is_not_true_and_an_objects_order_is_none(self) -> None:
        server = {"server_name": "s", "config": {"command": "x"}, "tools": {"a": {"n": 1, "m": {}}, "b": "B"}}
        self.apply(document(configs=[{"name": "c", "servers": [server]}]))
        turned = {**server, "tools": {"b": "B", "a": {"m": {}, "n": 1}}}
        self.assertEqual(self.told(document(configs=[{"name": "c", "servers": [turned]}])), [])
        for value in (True, 1.0):
            other = {**server, "tools": {"a": {"n": value, "m": {}}, "b": "B"}}
            self.assertEqual(self.told(document(configs=[{"name": "c", "servers": [other]}])), ["change server s tools.a"])

    def test_names_are_found_in_any_form_that_means_them(self) -> None:
        self.apply(document(configs=[{"name": "caf\u00e9"}], users=["Ada@example.com"]))
        again = document(
            configs=[{"name": "cafe\u0301"}],
            projects=[{"name": "p", "config": "cafe\u0301", "users": ["ADA@example.com"]}],
            users=["ada@EXAMPLE.com"],
        )
        self.assertEqual(self.told(again, prune=True), ["create project p", "create member Ada@example.com"])

    def test_much_at_once_is_made_in_whole_tables_and_every_index_follows(self) -> None:
        many = [f"u{number:04}@example.com" for number in range(600)]
        self.apply(document(users=many, projects=[{"name": "p", "users": many}]))
        self.key("u0007@example.com", "p")
        self.assertEqual(self.apply(document(users=many[:300], projects=[{"name": "p", "users": many[:200]}]), prune=True)["removed"], 400)
        self.assertEqual(self.exported()["projects"], [{"name": "p", "config": None, "users": many[:200]}])
        self.assertEqual((self.exported()["users"], self.draft.count("user_emails", many[300])), (many[:300], 0))


class AnExport(DesiredTest):
    def test_of_an_import_of_another_make_comes_back_unchanged_with_old_names_and_kept_fields(self) -> None:
        for source in (enkrypt_files.line_2_1(), enkrypt_files.line_2_2()):
            source["projects"][enkrypt_files.PROJECT_ID]["note"] = "kept"
            source["users"][enkrypt_files.USER_ID]["further"] = {"kept": None}
            source["mcp_configs"][enkrypt_files.CONFIG_ID]["mcp_config"][0]["config"]["cwd"] = "/srv"
            self.run_rule(restore.restore_store, data=source)
            before, shown = self.content(), self.exported()
            self.assertEqual(shown["users"], [{"email": "old@example.com", "further": {"further": {"kept": None}}}])
            self.assertEqual(shown["projects"][0]["further"], {"note": "kept"})
            self.assertEqual(shown["configs"][0]["servers"][0]["config"]["further"], {"cwd": "/srv"})
            for prune in (None, True):
                self.assertEqual(self.told(shown, prune=prune), [])
            self.assertEqual(self.content(), before)

    def test_keeps_old_names_that_no_new_thing_could_have(self) -> None:
        self.apply(whole())
        names = (("mcp_configs", "mcp_config_name", " tools\u200b"), ("projects", "project_name", ".."), ("users", "email", "nobody"))
        for table, field, name in names:
            key, record = next(iter(self.draft.table(table).items()))
            self.draft.put(table, key, {**record, field: name})
        shown, before = self.exported(), self.content()
        self.assertEqual(self.told(shown, prune=True), [])
        self.assertEqual(self.content(), before)
        self.draft = Draft(type(self.draft.sealed(0))())
        self.assertIn("configs[0].name must not begin or end with a blank", self.refusal(shown))

    def test_fits_another_store_and_is_the_same_there(self) -> None:
        self.apply(whole())
        shown = self.exported()
        self.draft = Draft(type(self.draft.sealed(0))())
        shuffled = {**shown, **{section: shown[section][::-1] for section in ("configs", "projects", "users")}}
        self.apply(shuffled)
        self.assertEqual(json.dumps(self.exported()), json.dumps(shown))

    def test_holds_no_key_and_no_setting(self) -> None:
        self.apply(whole())
        made = self.key("ada@example.com", "research")
        self.admin_key("laptop")
        self.draft.settings = {"enkrypt_api_key": "marked-key"}
        text = json.dumps(self.exported())
        for part in ("marked-key", "laptop", made["api_key"], made["api_key_id"], "hint"):
            self.assertNotIn(part, text)
        self.assertIn(ENV_SECRET, text)

    def test_as_it_was_answered_is_a_document_too(self) -> None:
        answer = {"output_file": None, "desired": whole()}
        self.apply({"message": "m", "data": answer, "timestamp": "t"})
        self.assertEqual(self.told(answer), [])

    def test_a_server_that_lacks_what_has_a_default_is_not_changed(self) -> None:
        self.apply(document(configs=[{"name": "c"}]))
        key, record = next(iter(self.draft.table("mcp_configs").items()))
        server = {"server_name": "s", "config": {"command": "x"}, "input_guardrails_policy": {"enabled": False, "block": None}}
        self.draft.put("mcp_configs", key, {**record, "mcp_config": [server]})
        self.assertEqual(self.exported()["configs"], [{"name": "c", "servers": [{"server_name": "s", "config": {"command": "x"}}]}])
        self.assertEqual(self.told(self.exported()), [])


class KeptFields(DesiredTest):
    def setUp(self) -> None:
        super().setUp()
        further = {"further": {"note": 1}}
        server = {**FILES, "config": {**FILES["config"], "further": {"cwd": "/srv"}}, "further": {"oauth": False}}  # type: ignore[dict-item]
        self.given = document(
            configs=[{"name": "c", "servers": [server], **further}],
            projects=[{"name": "p", **further}],
            users=[{"email": "a@example.com", **further}],
        )
        self.apply(self.given)

    def test_stay_where_the_document_gives_none(self) -> None:
        bare = document(configs=[{"name": "c", "servers": [FILES]}], projects=[{"name": "p"}], users=["a@example.com"])
        self.assertEqual(self.told(bare, prune=True), [])
        server = servers.get_server(self.draft, self.call, config_identifier="c", server_name="files")
        self.assertEqual((server["oauth"], server["config"]["cwd"]), (False, "/srv"))

    def test_are_those_that_it_gives(self) -> None:
        changed = json.loads(json.dumps(self.given).replace('"note"', '"other"').replace('{"cwd": "/srv"}', "{}").replace("false", "true"))
        self.assertEqual(
            self.told(changed),
            [
                "change config c further.note further.other",
                "change server files config.further.cwd further.oauth",
                "change project p further.note further.other",
                "change user a@example.com further.note further.other",
            ],
        )
        self.assertEqual([each["further"] for each in self.exported()["users"]], [{"other": 1}])

    def test_with_a_meaning_do_not_belong_there(self) -> None:
        wrong = document(
            configs=[{"name": "d", "further": {"created_at": "x"}, "servers": [{**FILES, "further": {"tools": {}}}]}],
            users=[{"email": "b@example.com", "further": {"email": "x"}}, {"email": "c@example.com", "further": []}],
        )
        told = self.refusal(wrong)
        for part in ("configs[0].further.created_at has a meaning", "servers[0].further.tools has", "users[0].further.email has"):
            self.assertIn(part, told)
        self.assertIn("users[1].further must be an object", told)
