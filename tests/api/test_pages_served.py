"""What is left out of the pages' files as they are served says nothing to a browser: scripts, styles and pages mean the same without it."""

from __future__ import annotations

import re
import unittest
from collections.abc import Iterator
from html.parser import HTMLParser

from secure_mcp_gateway.api.pages.assets import as_served, read_texts

_SIMPLE = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<line>\s*\n\s*)|(?P<space>[ \t]+)|(?P<word>[\w$]+)|(?P<sign>.)""",
    re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
# After these a slash begins a regular expression, elsewhere it divides.
_BEFORE_REGEX = {"", "return", "typeof", "case", "of", "in", *"(,=:[!&|?{};+-*%<>~^"}


class Script:
    """The tokens of a script; a template is one, whatever stands in it. Line breaks count, as they may end a statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.last = ""

    def tokens(self) -> list[str]:
        found: list[str] = []
        for token in self._some():
            if token != "\n" or (found and found[-1] != "\n"):
                found.append(token)
        return found

    def _some(self, nested: bool = False) -> Iterator[str]:
        depth = 0
        while self.at < len(self.text):
            kind, token = self._next()
            depth += {"{": 1, "}": -1}.get(token, 0)
            if nested and depth < 0:
                return
            if kind == "line":
                yield "\n"
            elif kind not in ("comment", "space"):
                self.last = token
                yield token

    def _next(self) -> tuple[str, str]:
        if self.text[self.at] == "`":
            return "template", self._template()
        found = _SIMPLE.match(self.text, self.at)
        if self.text[self.at] == "/" and self.last in _BEFORE_REGEX and found and found.lastgroup != "comment":
            found = _REGEX.match(self.text, self.at) or found
        assert found, self.text[self.at : self.at + 60]
        self.at = found.end()
        return found.lastgroup or "regex", found[0]

    def _template(self) -> str:
        start = self.at
        self.at += 1
        while self.text[self.at] != "`":
            if self.text.startswith("${", self.at):
                self.at += 2
                self.last = ""
                list(self._some(nested=True))
            else:
                self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1
        return self.text[start : self.at]


def style_tokens(text: str) -> list[str]:
    """Blanks count, but beside what ends a part, and after a colon."""
    found = re.findall(r"""/\*.*?\*/\s*|"[^"]*"|'[^']*'|\s*[{}]\s*|[:;,]\s*|\s+|[^\s"'/{}:;,]+|/""", text, re.DOTALL)
    return [token if token[0] in "\"'" else token.strip() or " " for token in found if not token.startswith("/*")]


class Page(HTMLParser):
    """Its elements and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        self.found += data.split()


def means(name: str, text: str) -> list[object]:
    if name.endswith(".html"):
        return Page(text).found
    return [*(Script(text).tokens() if name.endswith(".js") else style_tokens(text))]


class AsServed(unittest.TestCase):
    def test_each_file_means_the_same_without_what_is_left_out(self) -> None:
        for name, text in read_texts().items():
            if not name.endswith(".svg"):
                self.assertEqual(means(name, as_served(name, text)), means(name, text), name)

    def test_text_over_several_lines_would_be_found(self) -> None:
        for name, text in (
            ("a.js", "x = `one\n\ttwo`;\n"),
            ("a.js", "x = `one${y(`\n\n`)}`;\n"),
            ("a.js", 'x = "one\\\n  two";\n'),
            ("a.js", "/*\n// */\nx();\n"),
            ("a.js", "x = \"one // two\";\n"),
            ("a.js", "x = `one\na , b\n`;\n"),
            ("a.css", 'a { content: "/*\n  */"; }\n'),
            ("a.css", 'a { content: "one\\\n  two"; }\n'),
            ("a.css", "a { content: 'b { c }'; }\n"),
        ):
            self.assertNotEqual(means(name, as_served(name, text)), means(name, text), text)

    def test_only_indentation_empty_lines_comments_and_spare_blanks_are_left_out(self) -> None:
        for name, text, left in (
            ("a.js", "// One\n\n\tx(); // two\n\t\t// three\n  y(`// four`);\n", "x();\ny(`// four`);\n"),
            ("a.js", "const { a, b } = c ? d : e;\nreturn (a) => { b - -c; };\n", "const{a,b}=c?d:e;\nreturn(a)=>{b - -c;};\n"),
            ("a.js", 'x = { a: "b , \\" = c", d };\n', 'x={a:"b , \\" = c",d};\n'),
            ("a.js", "x({ a, b: 'c , d' });\ny = a / b / c;\n", "x({ a, b: 'c , d' });\ny = a / b / c;\n"),
            ("a.css", "/* One\n   two */\na {\n  b: c; /* three */\n}\n\n", "a{b:c;/* three */}"),
            ("a.css", 'a :is(b, c) > d {\n  e: calc(1px + 2px) "f: g, { h";\n}\n', 'a :is(b,c) > d{e:calc(1px + 2px) "f: g, { h";}'),
            ("a.html", "<!-- One\n two -->\n  <p>\n  a <!-- three -->\n</p>\n", "<p>\na <!-- three -->\n</p>\n"),
            ("a.svg", "<svg>\n  <!-- One -->\n</svg>\n", "<svg>\n  <!-- One -->\n</svg>\n"),
        ):
            self.assertEqual(as_served(name, text), left)

    def test_no_page_has_an_element_whose_blanks_are_seen(self) -> None:
        for name, text in read_texts().items():
            if name.endswith(".html"):
                self.assertNotRegex(text, r"<(?:pre|textarea)\b", name)


class TheScanner(unittest.TestCase):
    def test_it_tells_what_a_slash_and_a_backtick_begin(self) -> None:
        for text, tokens in (
            ("a / b / c", ["a", "/", "b", "/", "c"]),
            ("x(/[/`]/g, `a${b + `c`}d`)", ["x", "(", "/[/`]/g", ",", "`a${b + `c`}d`", ")"]),
            ("\"//\" + '`' // x", ['"//"', "+", "'`'"]),
            ("a\n\n// b\nc", ["a", "\n", "c"]),
        ):
            self.assertEqual(Script(text).tokens(), tokens)


if __name__ == "__main__":
    unittest.main()
