"""What the API adds to the rules: routing, access in the right order, versions, pages, files, foreign pages."""

from __future__ import annotations

import io
import json
import os
from typing import Any
from unittest import mock

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.store.file import OpenFile
from secure_mcp_gateway.web.request import Limits, Source, read_request
from secure_mcp_gateway.web.response import Response
from tests import enkrypt_files, team
from tests.surfaces import send
from tests.test_every_operation import TableCase
from tests.web.raw import parse


def body(response: Response) -> Any:
    return json.loads(response.body)


def field(response: Response, name: str) -> str:
    return dict(response.headers)[name]


class Routing(TableCase):
    def setUp(self) -> None:
        self.app = ManagementApp(self.fresh())

    def test_names_and_ids_reach_the_same_thing(self) -> None:
        for identifier in ("alpha", team.ALPHA, "%61lpha"):
            self.assertEqual(body(send(self.app, "GET", f"/api/v1/configs/{identifier}"))["data"]["mcp_config_id"], team.ALPHA)

    def test_an_encoded_slash_belongs_to_the_name(self) -> None:
        self.assertEqual(send(self.app, "POST", "/api/v1/configs", {"config_name": "a/b %2F?"}).status, 201)
        found = body(send(self.app, "GET", "/api/v1/configs/a%2Fb%20%252F%3F"))
        self.assertEqual(found["data"]["mcp_config_name"], "a/b %2F?")
        self.assertEqual(send(self.app, "GET", "/api/v1/configs/a/b").status, 404)

    def test_one_trailing_slash_is_ignored(self) -> None:
        self.assertEqual(send(self.app, "GET", "/api/v1/configs/").status, 200)
        self.assertEqual(send(self.app, "GET", "/api/v1/configs//").status, 404)
        self.assertEqual(send(self.app, "GET", "/api/v1//configs").status, 404)

    def test_a_literal_segment_wins_only_for_its_own_methods(self) -> None:
        for name in ("copy", "search", "import"):
            send(self.app, "POST", "/api/v1/configs", {"config_name": name})
            self.assertEqual(body(send(self.app, "GET", f"/api/v1/configs/{name}"))["data"]["mcp_config_name"], name)
            refused = send(self.app, "PUT", f"/api/v1/configs/{name}", {})
            self.assertEqual((refused.status, field(refused, "Allow")), (405, "DELETE, GET, HEAD, OPTIONS, POST"))
            self.assertEqual(send(self.app, "DELETE", f"/api/v1/configs/{name}").status, 200)

    def test_the_file_that_a_write_replaces_is_let_go_with_the_request_once_it_is_answered(self) -> None:
        head = f"DELETE /api/v1/configs/gamma HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {team.ADMIN}\r\n\r\n"
        request = read_request(Source(io.BytesIO(head.encode()).read), Limits())
        let_go: list[OpenFile] = []
        with mock.patch.object(OpenFile, "__del__", lambda file: os.close(file._descriptor) or let_go.append(file)):
            status, replaced = self.app(request).status, id(getattr(request.held, "file", None))
            self.assertEqual((status, replaced in map(id, let_go)), (200, False))
            request.held = None
            self.assertIn(replaced, map(id, let_go))

    def test_a_row_that_takes_no_body_reads_no_large_one(self) -> None:
        large = b'{"a":[' + b"[]," * 40_000 + b"[]]}"
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(large), large)
        head = f"GET /api/v1/whoami HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {team.ADA}\r\nContent-Type: application/json\r\n"
        source = Source(io.BytesIO(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunked).read)
        with mock.patch("secure_mcp_gateway.api.inputs.strict_json", side_effect=AssertionError("it was parsed")):
            for answer in (
                send(self.app, "GET", "/api/v1/whoami", large, key=team.ADA),
                send(self.app, "DELETE", "/api/v1/configs/gamma", large),
                self.app(read_request(source, Limits())),
            ):
                self.assertEqual((answer.status, body(answer)["error"]), (413, "too_large"))
        self.assertEqual(send(self.app, "GET", "/api/v1/whoami", {}, key=team.ADA).status, 200)
        self.assertEqual(send(self.app, "GET", "/api/v1/whoami", {"a": []}, key=team.ADA).status, 400)

    def test_unknown_paths_need_a_key_first(self) -> None:
        self.assertEqual(send(self.app, "GET", "/api/v2/else", key=None).status, 401)
        self.assertEqual(send(self.app, "GET", "/nowhere", key="smg_wrong").status, 401)
        for path in ("/api/v2/else", "/nowhere", "/assets/x.js/y"):
            self.assertEqual((send(self.app, "GET", path).status, body(send(self.app, "GET", path))["error"]), (404, "not_found"))

    def test_head_is_get_and_options_lists_the_methods(self) -> None:
        self.assertEqual(send(self.app, "HEAD", "/api/v1/configs").status, 200)
        options = send(self.app, "OPTIONS", "/api/v1/users")
        self.assertEqual((options.status, options.body, field(options, "Allow")), (204, b"", "GET, HEAD, OPTIONS, POST"))
        self.assertEqual(send(self.app, "OPTIONS", "/api/v1/users", key=None).status, 401)

    def test_refusals_come_in_the_order_of_the_contract(self) -> None:
        junk = b"{"
        self.assertEqual(send(self.app, "POST", "/api/v1/nowhere", junk, key=None).status, 401)
        self.assertEqual(send(self.app, "POST", "/api/v1/nowhere", junk, key=team.ADA).status, 404)
        self.assertEqual(send(self.app, "PATCH", "/api/v1/users", junk, key=team.ADA).status, 405)
        self.assertEqual(send(self.app, "POST", "/api/v1/users", junk, key=team.ADA).status, 403)
        self.assertEqual(send(self.app, "POST", "/api/v1/configs/nowhere/servers", junk).status, 400)
        self.assertEqual(send(self.app, "POST", "/api/v1/configs/nowhere/servers", {"server_name": "x", "server_command": "y"}).status, 404)

    def test_the_word_bearer_has_any_case(self) -> None:
        for header in (f"bearer {team.ADMIN}", f"BEARER   {team.ADMIN}"):
            self.assertEqual(send(self.app, "GET", "/api/v1/whoami", key=None, Authorization=header).status, 200)
        for header in (team.ADMIN, f"Basic {team.ADMIN}", "Bearer", f"Bearer {team.ADMIN}x", f"Bearer \u00fc{team.ADMIN}"[:12]):
            self.assertEqual(send(self.app, "GET", "/api/v1/whoami", key=None, Authorization=header).status, 401)

    def test_a_key_in_a_wrong_place_is_not_said_again(self) -> None:
        key = team.ADMIN
        answers = [
            send(self.app, "GET", f"/api/v1/users?{key}=1"),
            send(self.app, "POST", "/api/v1/users", {key: 1}),
            send(self.app, "POST", "/api/v1/users", {"email": f"x{key}@"}),
            send(self.app, key, "/api/v1/users"),
            send(self.app, "GET", f"/api/v1/configs/of {key}".replace(" ", "%20")),
        ]
        self.assertEqual([answer.status for answer in answers], [400, 400, 400, 405, 404])
        for answer in answers:
            self.assertNotIn(key, answer.body.decode() + repr(answer.headers))

    def test_nothing_is_cut_off_a_key_but_blanks(self) -> None:
        self.assertEqual(send(self.app, "GET", "/api/v1/whoami", key=f"  {team.ADMIN}").status, 200)
        for more in ("\x85", "\xa0", " \xa0", "=", ","):
            for key in (team.ADMIN + more, more + team.ADMIN):
                raw = f"GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode("latin-1")
                response = self.app(read_request(Source(io.BytesIO(raw).read), Limits()))
                with self.subTest(key=key):
                    self.assertEqual(response.status, 401)


class Versions(TableCase):
    def setUp(self) -> None:
        self.store = self.fresh()
        self.app = ManagementApp(self.store)

    def test_answers_to_get_carry_the_generation_and_no_store(self) -> None:
        answer = send(self.app, "GET", "/api/v1/users")
        self.assertEqual((field(answer, "ETag"), field(answer, "Cache-Control")), ('"1"', "no-store"))
        send(self.app, "POST", "/api/v1/users", {"email": "new@example.com"})
        self.assertEqual(field(send(self.app, "GET", "/api/v1/configs"), "ETag"), '"2"')
        self.assertEqual(field(send(self.app, "GET", "/api/v1/configs/x"), "Cache-Control"), "no-store")

    def test_of_two_writes_with_the_same_version_one_fails(self) -> None:
        first = send(self.app, "POST", "/api/v1/users", {"email": "one@example.com"}, If_Match='"1"')
        second = send(self.app, "POST", "/api/v1/configs", {"config_name": "two"}, If_Match='"1"')
        self.assertEqual((first.status, second.status, body(second)["error"]), (201, 412, "precondition_failed"))
        for header in ("*", '"3"', '"x", "4"'):
            self.assertEqual(send(self.app, "POST", "/api/v1/projects", {"project_name": header}, If_Match=header).status, 201)
        for header in ('W/"5"', "5", '"4"'):
            self.assertEqual(send(self.app, "POST", "/api/v1/projects", {"project_name": header}, If_Match=header).status, 412)

    def test_a_version_is_judged_after_not_found_and_conflict(self) -> None:
        self.assertEqual(send(self.app, "DELETE", "/api/v1/configs/nowhere", If_Match='"9"').status, 404)
        self.assertEqual(send(self.app, "DELETE", "/api/v1/configs/alpha", If_Match='"9"').status, 409)
        self.assertEqual(send(self.app, "DELETE", "/api/v1/configs/gamma", If_Match='"9"').status, 412)
        self.assertEqual(send(self.app, "GET", "/api/v1/configs/gamma", If_Match='"9"').status, 200)

    def test_a_wrong_version_writes_no_file_and_is_told_by_a_dry_run(self) -> None:
        target = os.path.join(self.folder, "out.json")
        self.assertEqual(send(self.app, "POST", "/api/v1/system/backup", {"output_file": target}, If_Match='"9"').status, 412)
        self.assertFalse(os.path.exists(target))
        given = {"data": [{"server_name": "a", "config": {"command": "b"}}], "config_name": "new", "dry_run": True}
        self.assertEqual(send(self.app, "POST", "/api/v1/configs/import", given, If_Match='"9"').status, 412)
        self.assertEqual(send(self.app, "POST", "/api/v1/configs/import", given, If_Match='"1"').status, 200)

    def test_lists_say_how_many_there_are(self) -> None:
        whole = body(send(self.app, "GET", "/api/v1/users"))["data"]
        answer = send(self.app, "GET", "/api/v1/users?limit=2&offset=1")
        self.assertEqual((body(answer)["data"], field(answer, "X-Total-Count")), (whole[1:3], "4"))
        self.assertEqual(body(send(self.app, "GET", "/api/v1/users?limit=0&offset=9"))["data"], [])

    def test_writes_and_refused_writes_stand_in_the_audit(self) -> None:
        send(self.app, "POST", "/api/v1/users", {"email": "new@example.com"}, X_Request_Id="mine-1")
        send(self.app, "POST", "/api/v1/users", {"email": "new@example.com"})
        send(self.app, "POST", "/api/v1/users", {"email": 5})
        send(self.app, "DELETE", "/api/v1/users/bob@example.com", key=team.ADA)
        send(self.app, "GET", "/api/v1/users/nobody@example.com")
        lines = body(send(self.app, "GET", "/api/v1/system/audit"))["data"]
        deeds = [(line["operation"], line["result"], line["actor"]["id"]) for line in lines[:-1]]
        me, her = team.ADMIN_ID, team.ADA_KEY_ID
        refused = [("user delete", "forbidden", her), ("user create", "invalid_request", me), ("user create", "conflict", me)]
        self.assertEqual(deeds, [*refused, ("user create", "ok", me)])
        self.assertEqual((lines[3]["request_id"], lines[3]["generation"], lines[3]["named"]["email"]), ("mine-1", 2, "new@example.com"))


    def test_a_refusal_names_what_the_path_names_and_an_export_its_file(self) -> None:
        send(self.app, "DELETE", "/api/v1/configs/alpha", key=team.ADA)
        send(self.app, "POST", "/api/v1/configs/alpha/servers", b"{")
        send(self.app, "POST", f"/api/v1/api-keys/{team.ADA_KEY_ID}/disable", {"x": 1})
        send(self.app, "DELETE", f"/api/v1/users/{team.ADA}")
        send(self.app, "DELETE", "/api/v1/users/%20" + team.ADMIN)
        send(self.app, "POST", "/api/v1/system/backup", {"output_file": os.path.join(self.folder, "b.json")})
        lines = body(send(self.app, "GET", "/api/v1/system/audit?limit=6"))["data"][::-1]
        named = [line["named"] for line in lines]
        config = {"config_identifier": "alpha"}
        self.assertEqual(named[:3], [config, config, {"api_key": team.ADA_KEY_ID}])
        self.assertEqual(named[3:5], [{"user_identifier": "***"}] * 2)
        self.assertEqual(named[5]["output_file"], os.path.join(self.folder, "b.json"))

    def test_a_refusal_names_what_the_rule_found_and_the_file_that_was_not_there(self) -> None:
        send(self.app, "POST", "/api/v1/configs/import", {"input_file": "none.json", "config_name": "new"})
        send(self.app, "POST", "/api/v1/system/backup", {"output_file": "o.json", "overwrite": True})
        send(self.app, "POST", "/api/v1/admin-keys/spare/disable")
        send(self.app, "POST", "/api/v1/admin-keys/admin/disable")
        send(self.app, "DELETE", "/api/v1/configs/alpha", {"config_identifier": "other"})
        lines = body(send(self.app, "GET", "/api/v1/system/audit?limit=5"))["data"][::-1]
        named = [line["named"] for line in lines]
        self.assertEqual(named[:2], [{"config_name": "new"}, {"output_file": "o.json"}])
        self.assertEqual((lines[3]["result"], named[3]["admin_key_name"]), ("conflict", "admin"))
        self.assertEqual(named[4], {"config_identifier": "alpha"})

    def test_one_who_is_refused_all_the_time_hides_nobody_else(self) -> None:
        for number in range(60):
            send(self.app, "DELETE", f"/api/v1/configs/q{number}", key=team.ADA)
        send(self.app, "DELETE", "/api/v1/configs/mine")
        newest = body(send(self.app, "GET", "/api/v1/system/audit"))["data"]
        self.assertEqual((newest[0]["actor"]["name"], newest[0]["named"]), ("admin", {"config_identifier": "mine"}))
        self.assertLess(len(newest), 50)
        self.assertGreaterEqual(len(newest), 20)

    def test_a_key_as_a_request_id_is_neither_echoed_nor_kept(self) -> None:
        send(self.app, "POST", "/api/v1/system/restore", {"data": enkrypt_files.line_2_1()})
        for secret in (team.ADMIN, team.ADA, enkrypt_files.KEY):
            self.assertEqual(send(self.app, "DELETE", "/api/v1/configs/x", X_Request_Id=secret).status, 404)
        with open(os.path.join(self.store.folder, "audit.jsonl"), encoding="utf-8") as file:
            log = file.read()
        for secret in (team.ADMIN, team.ADA, enkrypt_files.KEY):
            self.assertNotIn(secret, log)

    def test_a_key_from_elsewhere_never_stands_in_the_audit(self) -> None:
        send(self.app, "POST", "/api/v1/system/restore", {"data": enkrypt_files.line_2_1(), "with_admin_keys": True})
        for secret in (enkrypt_files.KEY, enkrypt_files.ADMIN):
            self.assertEqual(send(self.app, "DELETE", f"/api/v1/projects/{secret}").status, 404)
        with open(os.path.join(self.store.folder, "audit.jsonl"), encoding="utf-8") as file:
            log = file.read()
        self.assertNotIn(enkrypt_files.KEY, log)
        self.assertNotIn(enkrypt_files.ADMIN[:60], log)


class PublicPages(TableCase):
    def test_they_need_no_key_and_name_no_other_host(self) -> None:
        app = ManagementApp(self.fresh())
        for path in ("/", "/docs", "/redoc", "/docs/"):
            page = send(app, "GET", path, key=None)
            self.assertEqual(page.status, 200)
            self.assertTrue(field(page, "Content-Type").startswith("text/html"))
            self.assertNotIn(b"//", page.body.replace(b"https://json-schema", b""))
        self.assertEqual(body(send(app, "GET", "/health", key=None))["data"]["status"], "ok")
        self.assertEqual(send(app, "POST", "/health", key=None).status, 401)
        refused = send(app, "POST", "/health")
        self.assertEqual((refused.status, field(refused, "Allow")), (405, "GET, HEAD, OPTIONS"))
        self.assertEqual(send(app, "OPTIONS", "/docs").status, 204)
        self.assertEqual(send(app, "GET", "/docs//", key=None).status, 401)
        self.assertEqual(send(app, "GET", "/assets/none.js", key=None).status, 404)

    def test_a_store_that_vanishes_after_the_last_look_is_no_fault_of_ours(self) -> None:
        store = self.fresh()
        app = ManagementApp(store)
        self.assertEqual(send(app, "GET", "/api/v1/whoami").status, 200)
        os.rename(store.path, store.path + ".away")
        self.assertEqual(send(app, "GET", "/api/v1/system/health").status, 503)

    def test_a_store_that_vanished_is_503_and_not_made_anew(self) -> None:
        store = self.fresh()
        app = ManagementApp(store)
        os.unlink(store.path)
        for path in ("/health", "/api/v1/users"):
            answer = send(app, "GET", path)
            self.assertEqual((answer.status, body(answer)["error"]), (503, "unavailable"))
            self.assertNotIn(self.folder, answer.body.decode())
        self.assertEqual(send(app, "POST", "/api/v1/users", {"email": "a@example.com"}).status, 503)
        self.assertFalse(os.path.exists(store.path))

    def test_a_damaged_store_is_503_without_its_path(self) -> None:
        store = self.fresh()
        with open(store.path, "ab") as file:
            file.write(b"}")
        answer = send(ManagementApp(store), "GET", "/api/v1/users")
        self.assertEqual(answer.status, 503)
        self.assertNotIn(self.folder, answer.body.decode())


class ForeignPages(TableCase):
    def test_another_origin_is_refused(self) -> None:
        app = ManagementApp(self.fresh())
        for origin in ("", "https://evil.example", "null", "http://localhost:9999", "http://localhost", "file://localhost:8001"):
            self.assertEqual(send(app, "GET", "/api/v1/whoami", Origin=origin).status, 403, origin)
        answer = send(app, "GET", "/api/v1/whoami", Origin="http://localhost:8001")
        self.assertEqual(answer.status, 200)
        self.assertFalse([name for name, _ in answer.headers if name.startswith("Access-Control")])

    def test_a_named_origin_is_let_in_and_preflighted_without_a_key(self) -> None:
        app = ManagementApp(self.fresh(), allow_origins=("https://console.example",))
        answer = send(app, "GET", "/api/v1/whoami", Origin="https://console.example")
        self.assertEqual((answer.status, field(answer, "Access-Control-Allow-Origin")), (200, "https://console.example"))
        self.assertEqual(field(answer, "Vary"), "Origin")
        asked = {"Origin": "https://console.example", "Access-Control-Request-Method": "POST"}
        preflight = send(app, "OPTIONS", "/api/v1/users", key=None, **asked)
        self.assertEqual((preflight.status, field(preflight, "Vary")), (204, "Origin"))
        self.assertIn("POST", field(preflight, "Access-Control-Allow-Methods"))
        self.assertEqual(send(app, "OPTIONS", "/health", key=None, **asked).status, 204)
        asked["Origin"] = "https://evil.example"
        self.assertEqual(send(app, "OPTIONS", "/api/v1/users", key=None, **asked).status, 401)
        self.assertEqual(send(app, "OPTIONS", "/api/v1/users", **asked).status, 403)

    def test_only_named_hosts_are_served(self) -> None:
        store = self.fresh()
        self.assertEqual(send(ManagementApp(store, allow_hosts=("localhost",)), "GET", "/api/v1/whoami").status, 200)
        self.assertEqual(send(ManagementApp(store, allow_hosts=("localhost:8001",)), "GET", "/api/v1/whoami").status, 200)
        for path in ("/api/v1/whoami", "/health"):
            answer = send(ManagementApp(store, allow_hosts=("gateway.internal",)), "GET", path)
            self.assertEqual((answer.status, body(answer)["error"]), (403, "forbidden"))

    def test_a_preflight_for_another_host_is_refused(self) -> None:
        app = ManagementApp(self.fresh(), allow_hosts=("gateway.internal",), allow_origins=("https://console.example",))
        asked = {"Origin": "https://console.example", "Access-Control-Request-Method": "POST"}
        self.assertEqual(send(app, "OPTIONS", "/api/v1/users", key=None, **asked).status, 403)


class NamedFiles(TableCase):
    def test_relative_files_stand_in_files_beside_the_store(self) -> None:
        store = self.fresh()
        app = ManagementApp(store)
        made = body(send(app, "POST", "/api/v1/configs/alpha/export", {"output_file": "out.json"}))["data"]
        self.assertEqual(made, {"output_file": os.path.join(store.folder, "files", "out.json"), "config": None})
        answer = send(app, "POST", "/api/v1/configs/import", {"input_file": "out.json", "config_name": "again"})
        self.assertEqual(answer.status, 201)

    def test_the_stores_own_files_are_never_a_target(self) -> None:
        store = self.fresh()
        app = ManagementApp(store)
        for name in ("store.json", "audit.jsonl", "new.json", "backups/x.json", "store.json.lock", "files/../new.json"):
            answer = send(app, "POST", "/api/v1/system/backup", {"output_file": os.path.join(store.folder, name)})
            self.assertIn(answer.status, (400, 403), name)
        self.assertFalse(os.path.exists(os.path.join(store.folder, "new.json")))

    def test_files_root_confines_and_allows_overwriting(self) -> None:
        store, root = self.fresh(), os.path.join(self.folder, "root")
        os.mkdir(root)
        os.symlink(self.folder, os.path.join(root, "out"))
        app = ManagementApp(store, files_root=root)
        path = "/api/v1/system/backup"
        for name in ("../x.json", os.path.join(self.folder, "x.json"), "out/x.json"):
            self.assertEqual(send(app, "POST", path, {"output_file": name}).status, 403, name)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "x.json")))
        for _ in range(2):
            self.assertEqual(send(app, "POST", path, {"output_file": "x.json", "overwrite": True}).status, 200)
        free = ManagementApp(store)
        self.assertEqual(send(free, "POST", path, {"output_file": "x.json", "overwrite": True}).status, 403)
        self.assertEqual(send(app, "POST", "/api/v1/system/restore", {"input_file": "../s/store.json"}).status, 403)

    def test_a_files_root_may_be_a_link_and_stays_where_it_led_when_the_server_started(self) -> None:
        store, root, out = self.fresh(), os.path.join(self.folder, "root"), os.path.join(self.folder, "out")
        link = os.path.join(self.folder, "link")
        for folder in (root, out):
            os.mkdir(folder)
        os.symlink("root", link)
        app, given = ManagementApp(store, files_root=link), {"output_file": "x.json", "overwrite": True}
        for name in ("x.json", os.path.join(link, "x.json"), os.path.join(root, "x.json")):
            made = send(app, "POST", "/api/v1/system/backup", {"output_file": name, "overwrite": True})
            self.assertEqual((made.status, body(made)["data"]["output_file"]), (200, os.path.join(root, "x.json")))
        os.unlink(link)
        os.symlink("out", link)
        self.assertEqual(send(app, "POST", "/api/v1/system/backup", given).status, 200)
        os.rename(root, root + ".old")
        os.symlink("out", root)
        self.assertEqual(send(app, "POST", "/api/v1/system/backup", given).status, 403)
        answer = send(app, "POST", "/api/v1/system/restore", {"input_file": os.path.join(out, "x.json")})
        self.assertEqual((answer.status, os.listdir(out)), (403, []))

    def test_the_inline_field_wins_and_the_file_is_not_read(self) -> None:
        app = ManagementApp(self.fresh())
        path = "/api/v1/configs/alpha/servers/local/input-guardrails"
        answer = send(app, "PUT", path, {"policy": {"enabled": False}, "policy_file": "/nowhere/at/all"})
        self.assertEqual((answer.status, body(answer)["data"]), (200, {"enabled": False}))
        refused = send(app, "PUT", path, {"policy": {"enabled": False}, "policy_file": {}})
        self.assertEqual((refused.status, "policy_file must be a string" in body(refused)["detail"]), (400, True))


class Routes(TableCase):
    def test_each_path_that_exists_is_logged_by_its_template_whatever_the_answer(self) -> None:
        app = ManagementApp(self.fresh())
        cases = (
            ("GET /api/v1/configs/alpha", "/api/v1/configs/{config_identifier}"),
            ("PATCH /api/v1/configs/alpha", "/api/v1/configs/{config_identifier}"),
            ("GET /api/v1/configs/alpha/rename", "/api/v1/configs/{config_identifier}/rename"),
            ("GET /health", "/health"),
            ("POST /docs/", "/docs"),
            ("GET /api/v1/nowhere", ""),
        )
        for line, route in cases:
            for key in ("", f"Authorization: Bearer {team.ADMIN}\r\n"):
                request = parse(f"{line} HTTP/1.1\r\nHost: localhost\r\n{key}\r\n".encode())
                app(request)
                if key or not line.startswith("POST"):
                    self.assertEqual(request.route, route, line)

    def test_a_request_id_in_the_form_of_a_key_is_replaced(self) -> None:
        for given in (team.ADMIN, "x" + team.ADA, "smg_"):
            self.assertNotEqual(parse(f"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: {given}\r\n\r\n".encode()).request_id, given)
