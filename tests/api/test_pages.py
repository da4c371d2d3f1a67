"""The pages and their files: what each answer says of itself, and that nothing in them needs another host."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import unittest

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.api.pages.assets import FOLDER, Assets, accepts_gzip, our_assets, read_texts
from secure_mcp_gateway.web.response import Response, body_to_send
from tests import team
from tests.support import PYTHON, ROOT, FolderCase, environment
from tests.surfaces import send

PAGES = ("/", "/docs", "/redoc")
MOST_BYTES = 150 * 1000
MOST_LINES = 400
LONGEST_LINE = 140
NAMED = re.compile(r"/assets/[a-z0-9-]+\.[a-z]+")
MAKES_CODE = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|@import")
# Names of formats, which nothing is loaded from; and addresses that stand in examples.
NO_LOADS = ("http://www.w3.org/2000/svg",)


def field(response: Response, name: str) -> str:
    found = [value for each, value in response.headers if each == name]
    return ", ".join(found)


class PagesCase(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.app = ManagementApp(team.make_team(self.folder))

    def get(self, path: str, method: str = "GET", **headers: str) -> Response:
        return send(self.app, method, path, key=None, **headers)

    def named(self) -> list[str]:
        """The paths of all files that the pages name, and those name."""
        found: list[str] = []
        left = [path for page in PAGES for path in NAMED.findall(self.get(page).body.decode())]
        while left:
            path = left.pop()
            if path not in found:
                found.append(path)
                left += NAMED.findall(self.get(path).body.decode())
        return sorted(found)


class ThePages(PagesCase):
    def test_a_link_into_the_documentation_holds_the_id_itself_so_that_one_that_is_cut_off_leads_nowhere_and_breaks_nothing(self) -> None:
        paths = json.loads(self.get("/openapi.json").body)["paths"]
        for operation in (each for methods in paths.values() for each in methods.values() if isinstance(each, dict)):
            self.assertRegex(operation["operationId"], r"\A[A-Za-z0-9_-]+\Z")
        for path in self.named():
            self.assertNotIn(b"decodeURIComponent(location.hash", self.get(path).body, path)

    def test_a_page_lets_nothing_in_but_our_own_files(self) -> None:
        for path in PAGES:
            page = self.get(path)
            self.assertEqual((page.status, field(page, "Content-Type")), (200, "text/html; charset=utf-8"))
            self.assertEqual(field(page, "Cache-Control"), "no-cache")
            self.assertEqual(field(page, "X-Content-Type-Options"), "nosniff")
            policy = dict(part.split(" ", 1) for part in field(page, "Content-Security-Policy").split("; "))
            self.assertEqual(policy["default-src"], "'none'")
            self.assertEqual({value for name, value in policy.items() if name.endswith("-src")}, {"'none'", "'self'"})
            for name in ("frame-ancestors", "base-uri", "form-action", "trusted-types"):
                self.assertEqual(policy[name], "'none'")

    def test_nothing_is_inline(self) -> None:
        for path in PAGES:
            text = self.get(path).body.decode()
            self.assertEqual(re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text), [])
            self.assertEqual(re.findall(r"<script[^>]*>(?!</script>)", text), [])

    def test_no_file_names_another_host_or_makes_code_or_markup_of_text(self) -> None:
        for name, text in read_texts().items():
            for known in NO_LOADS:
                text = text.replace(known, "")
            self.assertEqual(re.findall(r"(?:https?:|[\"'(=])//[\w.-]+", text), [], name)
            self.assertEqual(MAKES_CODE.findall(text), [], name)

    def test_a_browser_keeps_the_theme_and_nothing_else(self) -> None:
        for name, text in read_texts().items():
            self.assertEqual(re.findall(r"sessionStorage|indexedDB|document\.cookie|serviceWorker|\bcaches\b", text), [], name)
            for use in re.findall(r"localStorage.*", text):
                self.assertRegex(use, r'^localStorage\.(getItem\("theme"\)|setItem\("theme", )', name)

    def test_all_files_together_are_small_and_each_is_short(self) -> None:
        ours = our_assets()
        sizes = {name: len(asset.content) for name, asset in (*ours.pages.items(), *ours.files.items())}
        self.assertLess(sum(sizes.values()), MOST_BYTES, sizes)
        lengths = {name: len(text.splitlines()) for name, text in read_texts().items()}
        self.assertEqual({name: length for name, length in lengths.items() if length > MOST_LINES}, {})

    def test_no_line_is_long(self) -> None:
        lines = [(name, line) for name, text in read_texts().items() if not name.endswith(".svg") for line in text.splitlines()]
        self.assertEqual([each for each in lines if len(each[1]) > LONGEST_LINE], [])

    def test_a_page_names_all_modules_that_its_script_comes_to_so_that_none_waits_for_another(self) -> None:
        texts = read_texts()
        for page in ("console.html", "docs.html", "redoc.html"):
            (script,) = re.findall(r'<script type="module" src="/assets/([a-z-]+\.js)">', texts[page])
            needed: list[str] = [script]
            # A list that grows is walked to its end.
            for name in needed:
                needed += [each for each in re.findall(r'from "/assets/([a-z-]+\.js)"', texts[name]) if each not in needed]
            named = re.findall(r'<link rel="modulepreload" href="/assets/([a-z-]+\.js)">', texts[page])
            self.assertEqual(sorted(named), sorted(needed[1:]), page)

    def test_no_file_lies_there_that_no_page_needs(self) -> None:
        names = {re.sub(r"-[0-9a-f]{16}\.", ".", os.path.basename(path)) for path in self.named()}
        self.assertEqual(set(os.listdir(FOLDER)), names | {"console.html", "docs.html", "redoc.html"})


class TheirFiles(PagesCase):
    def test_each_named_file_is_there_under_its_digest_for_good(self) -> None:
        types = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
        paths = self.named()
        self.assertGreater(len(paths), 8)
        for path in paths:
            stem, ending = os.path.splitext(path)
            answer = self.get(path)
            self.assertEqual((answer.status, field(answer, "Content-Type")), (200, types[ending]), path)
            self.assertEqual(stem.rpartition("-")[2], hashlib.sha256(answer.body).hexdigest()[:16])
            self.assertEqual(field(answer, "Cache-Control"), "public, max-age=31536000, immutable")
            self.assertEqual(field(answer, "X-Content-Type-Options"), "nosniff")

    def test_another_digest_or_none_is_not_found_even_without_a_key(self) -> None:
        for path in ("/assets/common.js", f"/assets/common-{'0' * 16}.js", "/assets/docs.html", "/assets/../assets.py"):
            refused = self.get(path)
            self.assertEqual((refused.status, json.loads(refused.body)["error"]), (404, "not_found"), path)

    def test_what_is_sent_is_packed_for_who_takes_it(self) -> None:
        for path in (*PAGES, "/openapi.json", *self.named()):
            plain, packed = self.get(path), self.get(path, accept_encoding="br, gzip;q=0.5")
            self.assertEqual((field(plain, "Content-Encoding"), field(packed, "Content-Encoding")), ("", "gzip"))
            self.assertEqual((field(plain, "Vary"), field(packed, "Vary")), ("Accept-Encoding", "Accept-Encoding"))
            self.assertEqual(gzip.decompress(packed.body), plain.body)

    def test_gzip_is_sent_only_where_it_is_named_with_a_weight(self) -> None:
        for accepted in ("gzip", "GZIP", "br,gzip", "gzip;q=0.1", "*", "*;q=0, gzip", "gzip ; q=1"):
            self.assertTrue(accepts_gzip(accepted), accepted)
        for refused in ("", "br", "identity", "gzip;q=0", "*, gzip;q=0", "gzip;q=x", "*;q=0.0", "gzipped"):
            self.assertFalse(accepts_gzip(refused), refused)

    def test_head_options_and_other_methods_are_answered_as_on_other_paths(self) -> None:
        for path in (*PAGES, self.named()[0]):
            head = self.get(path, "HEAD")
            self.assertEqual((head.status, body_to_send(head, "HEAD")), (200, b""))
            self.assertEqual(head.headers, self.get(path).headers)
            self.assertEqual(self.get(path, "POST").status, 401)
            for method, status in (("OPTIONS", 204), ("DELETE", 405)):
                answer = send(self.app, method, path)
                self.assertEqual((answer.status, field(answer, "Allow")), (status, "GET, HEAD, OPTIONS"))

    def test_they_go_to_no_host_that_is_not_let_in(self) -> None:
        path = self.named()[0]
        self.app = ManagementApp(team.make_team(self.path("other")), allow_hosts=("gateway.example.com",))
        for each in (*PAGES, path):
            self.assertEqual(self.get(f"http://evil.example.com{each}").status, 403)
            self.assertEqual(self.get(f"http://gateway.example.com{each}").status, 200)
        self.assertEqual(self.get(f"http://gateway.example.com{path}", origin="http://evil.example.com").status, 403)


class Digests(unittest.TestCase):
    def test_a_change_gives_a_new_address_to_the_file_and_to_all_that_name_it(self) -> None:
        texts = {"a.html": "/assets/b.js", "b.js": 'import "/assets/c-d.js"', "c-d.js": "1", "e.css": "x"}
        before, after = Assets(texts), Assets({**texts, "c-d.js": "2"})
        self.assertEqual(len(set(before.files) & set(after.files)), 1)
        self.assertNotEqual(before.pages["a.html"].digest, after.pages["a.html"].digest)
        self.assertIn(before.pages["a.html"].content.decode(), before.files)

    def test_files_that_name_each_other_or_none_are_a_mistake(self) -> None:
        with self.assertRaisesRegex(ValueError, r"b\.js, a\.js, b\.js|a\.js, b\.js, a\.js"):
            Assets({"a.js": "/assets/b.js", "b.js": "/assets/a.js"})
        with self.assertRaises(KeyError):
            Assets({"a.js": "/assets/none.js"})

    def test_no_file_is_read_before_one_is_asked_for(self) -> None:
        code = (
            "import builtins, sys; names = []; opened = builtins.open\n"
            "def spy(name, *more, **named): names.append(str(name)); return opened(name, *more, **named)\n"
            "builtins.open = spy\n"
            "import secure_mcp_gateway.cli.main; assert not [name for name in sys.modules if name.startswith('secure_mcp_gateway.api')]\n"
            "import secure_mcp_gateway.api.app; print([name for name in names if 'pages' in name])"
        )
        done = subprocess.run([*PYTHON, "-c", code], cwd=ROOT, env=environment(), capture_output=True, encoding="utf-8", check=True)
        self.assertEqual(done.stdout.strip(), "[]")


if __name__ == "__main__":
    unittest.main()
