"""What becomes of a client's file: its servers as ours, and all that is said about it."""

from __future__ import annotations

import json
import random
import time
import unittest
from typing import Any

from secure_mcp_gateway.cli.client_files import clients
from secure_mcp_gateway.cli.client_files.reading import read_client_file, valid_name
from secure_mcp_gateway.errors import GatewayError, InvalidRequest
from tests.cli.client_files.reading_case import TOKEN, one, problems, read, warnings


class WhoseFileItIs(unittest.TestCase):
    def test_it_is_told_by_content_and_name(self) -> None:
        command = {"one": {"command": "x"}}
        for path, content, client in (
            ("/h/Claude/claude_desktop_config.json", {"mcpServers": command}, "claude-desktop"),
            (".mcp.json", {"mcpServers": command}, "claude-code"),
            ("copy.json", {"projects": {"/p": {"mcpServers": command}}}, "claude-code"),
            ("C:\\Users\\a\\.cursor\\mcp.json", {"mcpServers": command}, "cursor"),
            ("mcp.json", {"servers": command, "inputs": []}, "vscode"),
            ("settings.json", {"mcp": {"servers": command}, "editor.fontSize": 12}, "vscode"),
            ("/h/.codeium/windsurf/mcp_config.json", {"mcpServers": command}, "windsurf"),
            ("copy.json", {"mcpServers": {"one": {"serverUrl": "https://h.example/"}}}, "windsurf"),
            ("settings.json", {"context_servers": command}, "zed"),
            ("/h/.gemini/settings.json", {"mcpServers": command}, "gemini"),
            ("copy.json", {"mcpServers": {"one": {"httpUrl": "https://h.example/"}}}, "gemini"),
            ("copy.json", {"mcpServers": command}, "mcpServers"),
            ("config.toml", "[mcp_servers.one]\ncommand = 'x'", "codex"),
            ("copy", "# ours\n[mcp_servers.one]\ncommand = 'x'", "codex"),
        ):
            with self.subTest(path=path, client=client):
                found = read(path, content)
                self.assertEqual((found.client.name, [server["server_name"] for server in found.servers]), (client, ["one"]))

    def test_it_may_be_said_instead(self) -> None:
        text = '{"mcpServers": {"one": {"command": "x", "args": ["$A", "${B}"]}} /* mine */}'
        found = read("-", text, client=clients.GEMINI)
        self.assertEqual((found.client, found.servers[0]["config"]["args"]), (clients.GEMINI, ["${env:A}", "${env:B}"]))
        with self.assertRaises(InvalidRequest) as caught:
            read("-", text)
        self.assertIn("say whose file it is with --client", caught.exception.hint)
        self.assertEqual(read("x.json", "[mcp_servers.one]\ncommand = 'x'", client=clients.CODEX).client, clients.CODEX)
        self.assertRaisesRegex(InvalidRequest, "--from is not TOML", read, "-", text, client=clients.CODEX)

    def test_comments_and_last_commas_are_taken_where_the_client_takes_them(self) -> None:
        entry, comment, comma = '"one": {"command": "x"}', "/* why */", ","
        for path, key, allowed in (
            ("mcp.json", "servers", (comment, comma)),
            ("settings.json", "context_servers", (comment, comma)),
            ("/h/.gemini/settings.json", "mcpServers", (comment,)),
            ("/h/.cursor/mcp.json", "mcpServers", ()),
            (".mcp.json", "mcpServers", ()),
            ("claude_desktop_config.json", "mcpServers", ()),
            ("mcp_config.json", "mcpServers", ()),
        ):
            for extra in (comment, comma):
                text = f'{{"{key}": {{{entry}{extra}}}}}'
                with self.subTest(path=path, extra=extra):
                    if extra in allowed:
                        self.assertEqual(len(read(path, text).servers), 1)
                    else:
                        self.assertRaisesRegex(InvalidRequest, r"--from is not JSON: a com.* at line 1, column \d+", read, path, text)

    def test_a_file_without_servers_is_none(self) -> None:
        for path, text in (
            ("settings.json", '{"editor.fontSize": 12} // mine'),
            ("config.toml", 'model = "x"'),
            ("a", ""),
            ("a.json", "[1]"),
        ):
            self.assertIsNone(read_client_file(text.encode(), path, "--from"))

    def test_what_is_no_text_at_all_is_refused_by_the_field(self) -> None:
        for data in (b"\xff\xfe", b'{"a": }', b'{"a": 1, "a": 2}', b"a = nothing", b"\x80"):
            with self.assertRaisesRegex(InvalidRequest, "^--from is (not (JSON|TOML|UTF-8)|UTF-16)"):
                read_client_file(data, "x", "--from")

    def test_a_byte_order_mark_before_it_is_passed_over(self) -> None:
        for path, text in (("x.json", '{"mcpServers": {"one": {"command": "x"}}}'), ("config.toml", "[mcp_servers.one]\ncommand = 'x'")):
            self.assertEqual([server["server_name"] for server in read(path, f"\ufeff{text}").servers], ["one"])
            self.assertRaises(InvalidRequest, read, path, f"\ufeff\ufeff{text}")


class Servers(unittest.TestCase):
    def test_a_command_with_its_arguments_and_environment(self) -> None:
        server = one({"type": "stdio", "command": "npx", "args": ["-y", "x"], "env": {"LEVEL": "info", "PORT": 80}})
        self.assertEqual(server["config"], {"command": "npx", "args": ["-y", "x"], "env": {"LEVEL": "info", "PORT": "80"}})

    def test_a_url_under_each_of_its_names(self) -> None:
        for field in ("url", "serverUrl", "httpUrl"):
            server = one({"type": "http", field: "https://h.example/mcp", "headers": {"X-Team": "a"}})
            self.assertEqual(server["config"], {"url": "https://h.example/mcp", "headers": {"X-Team": "a"}})

    def test_both_forms_of_zed(self) -> None:
        config = {"command": "x", "args": ["1"], "env": {"A": "b"}}
        self.assertEqual(one({"command": {"path": "x", "args": ["1"], "env": {"A": "b"}}}, key="context_servers")["config"], config)
        self.assertEqual(one({"source": "custom", **config}, key="context_servers")["config"], config)

    def test_a_login_of_the_client_and_a_file_of_variables_are_missed_and_said(self) -> None:
        for field, value in (("oauth", {"scopes": ["a"]}), ("auth", {"CLIENT_ID": "x"}), ("headersHelper", "/x.sh"), ("scopes", ["read"])):
            said = warnings({"url": "https://h.example/", field: value})
            self.assertEqual(len(said), 1, said)
            self.assertIn(f"mcpServers.one: {field} left out: the gateway does not log in", said[0])
        self.assertIn("mcpServers.one: envFile left out", warnings({"command": "x", "envFile": ".env"})[0])

    def test_what_stands_in_the_older_command_of_zed_is_said_too(self) -> None:
        self.assertIn("command.timeout", warnings({"command": {"path": "x", "timeout": 10}})[0])
        self.assertIn('one."command.readOnly" is a restriction', problems({"command": {"path": "x", "readOnly": True}})[0])

    def test_a_url_whose_beginning_is_a_variable_is_refused_for_that(self) -> None:
        (problem,) = read(".mcp.json", {"mcpServers": {"one": {"url": "${BASE:-https://h.example}/mcp"}}}).problems
        self.assertIn("mcpServers.one.url must be an http or https URL with a host: its beginning cannot be a reference", problem)

    def test_variables_that_codex_hands_over_may_be_objects(self) -> None:
        server = one({"command": "x", "env_vars": ["A", {"name": "B"}, {"name": "C", "source": "local"}]})
        self.assertEqual(server["config"]["env"], {name: f"${{env:{name}}}" for name in "ABC"})
        for wrong in ("A", [1], [{"name": "A", "source": "remote"}], [{"name": "A", "else": 1}], [{}]):
            self.assertIn("mcpServers.one.env_vars", problems({"command": "x", "env_vars": wrong})[0], wrong)

    def test_a_command_is_local_to_github_copilot(self) -> None:
        self.assertEqual(one({"type": "local", "command": "x", "tools": ["*"]})["config"]["command"], "x")

    def test_the_same_is_said_once(self) -> None:
        said = warnings({"command": "x", "env": {"A": "${userHome}${/}x"}}, "/h/.cursor/mcp.json")
        self.assertEqual(len(said), 1, said)

    def test_codex_names_variables_in_fields_of_their_own(self) -> None:
        text = """
            [mcp_servers.a]
            command = "x"
            env_vars = ["HOME"]
            env = { LEVEL = "info" }
            [mcp_servers.b]
            url = "https://h.example/mcp"
            bearer_token_env_var = "B_TOKEN"
            http_headers = { "X-Team" = "a", "x-key" = "old" }
            env_http_headers = { "X-Key" = "B_KEY" }
        """
        first, second = read("config.toml", text).servers
        self.assertEqual(first["config"]["env"], {"LEVEL": "info", "HOME": "${env:HOME}"})
        headers = {"X-Team": "a", "X-Key": "${env:B_KEY}", "Authorization": "Bearer ${env:B_TOKEN}"}
        self.assertEqual(second["config"]["headers"], headers)

    def test_a_date_beside_the_servers_is_none_of_our_business(self) -> None:
        beside = "[notice]\nseen = 2026-03-04T05:06:07Z\n[mcp_servers.a]\ncommand = 'x'\nadded = 2026-03-04\n"
        found = read("config.toml", beside)
        self.assertEqual((found.problems, found.servers[0]["config"]["command"]), ([], "x"))
        self.assertIn("mcp_servers.a: left out, for it has no meaning here: added", found.warnings)
        for field in ("env = {A = 2026-03-04}", "args = [05:06:07]", "enabled = 2026-03-04", "enabled_tools = 2026-03-04"):
            self.assertEqual(len(read("config.toml", beside + field).problems), 1, field)

    def test_claude_code_has_servers_for_each_folder_too(self) -> None:
        content = {
            "mcpServers": {"a": {"command": "x"}},
            "projects": {
                "/p": {"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}, "c": {"command": "z"}}, "disabledMcpServers": ["c"]}
            },
        }
        found = read(".claude.json", content)
        self.assertEqual(([server["server_name"] for server in found.servers], found.left_out), (["a", "b"], ["c"]))

    def test_a_server_that_claude_code_switches_off_in_one_folder_is_brought_and_said(self) -> None:
        content = {
            "mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}},
            "projects": {
                "/p": {"disabledMcpServers": ["a", "claude.ai Gmail"]},
                "/q": {"disabledMcpServers": ["b"], "mcpServers": {"b": {"command": "x"}}},
                "/r": {"disabledMcpServers": [], "mcpServers": {}},
            },
        }
        found = read(".claude.json", content)
        self.assertEqual(([server["server_name"] for server in found.servers], found.left_out), (["a", "b"], ["b"]))
        (said,) = [each for each in found.warnings if "there alone" in each]
        self.assertTrue(said.startswith('projects["/p"].disabledMcpServers switches a off there alone'), said)

    def test_what_is_switched_off_is_left_out_and_said(self) -> None:
        entries = {
            "a": {"command": "x", "disabled": True},
            "b": {"command": "x", "enabled": False},
            "c": {"source": "extension", "settings": {}},
        }
        found = read("x.json", {"mcpServers": {**entries, "d": {"command": "x", "disabled": False}}})
        self.assertEqual(([server["server_name"] for server in found.servers], found.left_out), (["d"], ["a", "b", "c"]))
        self.assertEqual([name for name in "abc" if not any(f"mcpServers.{name} is left out" in each for each in found.warnings)], [])

    def test_gemini_says_beside_its_servers_which_it_may_use(self) -> None:
        servers = {"a": {"httpUrl": "https://h.example/"}, "b": {"command": "x"}, "c": {"command": "x"}}
        found = read("x.json", {"mcpServers": servers, "mcp": {"allowed": ["a", "b"], "excluded": ["b"]}})
        self.assertEqual(([server["server_name"] for server in found.servers], found.left_out), (["a"], ["b", "c"]))
        found = read("x.json", {"mcpServers": servers, "allowMCPServers": ["a", "b"], "excludeMCPServers": ["b"]})
        self.assertEqual(([server["server_name"] for server in found.servers], found.left_out), (["a"], ["b", "c"]))

    def test_what_only_saves_asking_is_a_warning(self) -> None:
        said = warnings({"command": "x", "alwaysAllow": ["a"], "trust": True, "tools": {"a": {"approval_mode": "approve"}}, "cwd": "/x"})
        self.assertTrue(any("alwaysAllow, trust, cwd" in each for each in said), said)
        self.assertTrue(any("mcpServers.one.tools: left out" in each for each in said), said)

    def test_a_restriction_that_cannot_be_kept_is_refused_by_name(self) -> None:
        for field, value in (
            ("includeTools", ["run(ls)"]),
            ("excludeTools", ["rm*"]),
            ("tools", {"a": {"enabled": False}}),
            ("sandboxEnabled", True),
            ("sandbox", {"network": {}}),
            ("allowedTools", ["a"]),
            ("readOnly", True),
            ("permissions", {"network": False}),
        ):
            with self.subTest(field=field, value=value):
                found = problems({"command": "x", field: value})
                self.assertEqual([each.startswith(f"mcpServers.one.{field} ") for each in found], [True], found)

    def test_what_is_forbidden_beside_the_servers_is_not_dropped_in_silence(self) -> None:
        servers = {"a": {"command": "x"}}
        denied = {"mcpServers": servers, "permissions": {"deny": ["mcp__a__foo", "Bash(rm:*)"]}}
        ruled = {"context_servers": servers, "agent": {"tool_permissions": {"tools": {"mcp:a:foo": {"default": "deny"}}}}}
        for document, place in ((denied, "permissions.deny"), (ruled, "agent.tool_permissions.tools")):
            found = read("settings.json", document)
            self.assertEqual(found.servers, [])
            self.assertIn(f"{place} forbids one of the servers' tools", found.problems[0])
        self.assertEqual(read("x.json", {"mcpServers": servers, "permissions": {"deny": ["Bash(rm:*)"]}}).problems, [])
        warned = read(".gemini/settings.json", {"mcpServers": servers, "excludeTools": ["shell"], "tools": {"exclude": ["zz"]}}).warnings
        self.assertEqual([each.partition(" ")[0] for each in warned], ["excludeTools", "tools.exclude"])

    def test_what_chooses_tools_or_starts_servers_beside_them_is_said(self) -> None:
        profiles = {"write": {"context_servers": {"a": {"tools": {"x": True}}}}, "ask": {"context_servers": {}}, "odd": 1}
        said = read("settings.json", {"context_servers": {"a": {"command": "x"}}, "agent": {"profiles": profiles}}).warnings
        self.assertEqual(said, ["agent.profiles: which tools write may use is left out, allow tools server by server"])
        servers = {"mcpServers": {"a": {"command": "x"}}}
        for document in ({"mcp": {"serverCommand": "node x"}}, {"mcpServerCommand": "node x"}):
            self.assertIn("erverCommand is left out", read(".gemini/settings.json", {**servers, **document}).warnings[0])

    def test_all_problems_come_at_once_each_with_its_place(self) -> None:
        servers = {
            "none": {},
            "both": {"command": "x", "url": "https://h.example/"},
            "text": "npx",
            "type": {"type": "ws", "url": "https://h.example/"},
            "other": {"type": "stdio", "url": "https://h.example/"},
            "bad one": {"command": "", "args": ["a", 1], "env": {"A=": "x", "B": True}, "disabled": "yes"},
            "url": {"url": "ftp://h/", "headers": {"a b": "x"}, "args": ["x"]},
            "\u0436": {"command": "x"},
        }
        found = read("x.json", {"mcpServers": servers, "context_servers": []}).problems
        for place in (
            "none has neither",
            "both has command and url",
            "text must be an object",
            "type.type is none of",
            "other.type goes with",
        ):
            self.assertTrue(any(each.startswith(f"mcpServers.{place}") for each in found), (place, found))
        for place in (
            'mcpServers."bad one".disabled',
            "mcpServers.url.url",
            "mcpServers.url.headers",
            'mcpServers."\u0436"',
            "context_servers",
        ):
            self.assertTrue(any(each.startswith(place) for each in found), (place, found))

    def test_the_parts_of_a_command_are_named_by_their_place(self) -> None:
        found = problems({"command": "", "args": ["a", 1], "env": {"A=": "x", "B": True}})
        self.assertEqual(
            [each.split(" must")[0] for each in found], [f"mcpServers.one.{x}" for x in ("command", "args[1]", "env", "env.B")]
        )

    def test_no_problem_and_no_warning_quotes_a_value(self) -> None:
        entry = {
            "command": TOKEN,
            "args": [TOKEN, 1],
            "env": {"A": [TOKEN]},
            "type": TOKEN,
            "disabledTools": [TOKEN + "("],
            "cwd": TOKEN,
            "url": 1,
        }
        self.assertNotIn(TOKEN, json.dumps([problems(entry), warnings({**entry, "disabled": True})]))


class Names(unittest.TestCase):
    def test_names_are_made_valid_by_one_rule(self) -> None:
        for name, ours in (
            ("a b", "a-b"),
            ("@scope/pkg", "scope-pkg"),
            ("-x-", "x"),
            ("a" * 70, "a" * 64),
            ("\u0436", ""),
            ("a.b_c-d", "a.b_c-d"),
        ):
            self.assertEqual(valid_name(name), ours)

    def test_another_name_is_said(self) -> None:
        self.assertIn('mcpServers."a b" is called a-b here', read("x.json", {"mcpServers": {"a b": {"command": "x"}}}).warnings[0])

    def test_two_that_would_become_one_are_refused_with_both_names(self) -> None:
        (problem,) = read("x.json", {"mcpServers": {"a b": {"command": "x"}, "a/b": {"command": "x"}}}).problems
        self.assertIn('mcpServers."a b" and mcpServers."a/b" would both be called a-b', problem)

    def test_two_servers_of_one_name_are_refused_with_both_places(self) -> None:
        content = {"mcpServers": {"a": {"command": "x"}}, "projects": {"/p": {"mcpServers": {"a": {"command": "y"}}}}}
        (problem,) = read(".claude.json", content).problems
        self.assertIn('mcpServers.a and projects["/p"].mcpServers.a are two servers', problem)


class Hostile(unittest.TestCase):
    def test_random_files_raise_nothing_but_our_own_error(self) -> None:
        fields = (
            "command",
            "args",
            "env",
            "url",
            "headers",
            "type",
            "disabled",
            "tools",
            "includeTools",
            "source",
            "env_vars",
            "mcpServers",
        )
        keys = ("mcpServers", "servers", "context_servers", "mcp", "projects", "mcp_servers")
        for seed in range(3000):
            chance = random.Random(seed)

            def value(depth: int = 0, chance: random.Random = chance) -> Any:
                kind = chance.randrange(9 if depth < 4 else 6)
                if kind < 6:
                    return chance.choice(
                        (None, True, 1, 1.5, "", "x", "${env:A}", "${input:}", "$", "https://[::1", "http://a:b", "\x1b[31m", "*")
                    )
                if kind == 6:
                    return [value(depth + 1) for _ in range(chance.randrange(3))]
                return {chance.choice((*fields, "", "a b", "\x00")): value(depth + 1) for _ in range(chance.randrange(4))}

            document = {chance.choice(keys): value() for _ in range(2)}
            path = chance.choice(("x.json", ".mcp.json", "mcp_config.json", "/h/.gemini/settings.json"))
            try:
                found = read_client_file(json.dumps(document).encode(), path, "--from", secrets_as_env=chance.random() < 0.5)
            except GatewayError:
                continue
            self.assertFalse(found and found.problems and found.servers, f"seed {seed}")

    def test_a_flood_of_names_takes_time_that_grows_with_it(self) -> None:
        names = [f"s{number}" for number in range(30_000)]
        wanted = "".join(f"${{input:{name}}}" for name in names)
        off = {"mcpServers": {name: {} for name in names}, "mcp": {"allowed": [*names, "x"], "excluded": names}}
        asking = {"servers": {"one": {"command": "x", "args": [wanted]}}}
        started = time.process_time()
        self.assertEqual(len(read("x.json", off).left_out), len(names))
        self.assertEqual(read("mcp.json", asking).problems, [])
        self.assertLess(time.process_time() - started, 5)

    def test_a_name_without_end_is_shortened_where_it_is_said(self) -> None:
        found = read("x.json", {"mcpServers": {"a" * 100_000: {"command": 1, "b" * 100_000: 1}}})
        self.assertLess(max(map(len, [*found.problems, *found.warnings])), 400)


if __name__ == "__main__":
    unittest.main()
