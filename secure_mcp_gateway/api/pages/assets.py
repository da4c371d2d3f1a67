"""The files of the pages, read once: scripts, styles and pictures are served under names that hold their digest.

In a file, ``/assets/NAME.EXT`` names another one; it is served with the other's digest in that place, so that a change of any file
gives a new address to all that name it. What only readers of the source need is left out: indentation, comments that have their lines
to themselves or end one of a script, and the blanks around signs: in styles all, in scripts where a line has no template in it. Lines
of scripts and pages stay lines, so nothing but text that runs over several of them could change; the tests find such text.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from functools import cache

FOLDER = os.path.join(os.path.dirname(__file__), "files")
_NAMED = re.compile(r"/assets/([a-z0-9-]+\.[a-z]+)")
_DIGITS = 16
_BLANK = r"^[ \t]+|^\n"
_FOR_READERS = {
    ".css": re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n|" + _BLANK, re.MULTILINE | re.DOTALL),
    ".html": re.compile(r"^[ \t]*<!--(?:(?!-->).)*-->[ \t]*\n|" + _BLANK, re.MULTILINE | re.DOTALL),
    ".js": re.compile(r"^[ \t]*//.*\n|[ \t]+// .*$|" + _BLANK, re.MULTILINE),
}
# In a style: texts, which stay as they are, and blanks that no browser needs. One before a colon it does.
_SPARE = re.compile(r'("[^"\n]*")|(?<=[:;,{}])\s+|\s+(?=[{}])')
# In a script: lines in which no template or regular expression begins, and texts and spare blanks in those.
_PLAIN_LINE = re.compile(r"^[^'`/\n]+$", re.MULTILINE)
_SPARE_THERE = re.compile(r'("(?:[^"\\\n]|\\.)*")|(?<=[,;:?(){}=>&|]) | (?=[(){}=?:&|])')
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Asset:
    """``digest`` is of the content as it is served, in 16 hexadecimal digits."""

    __slots__ = ("content", "digest", "media_type", "packed")

    def __init__(self, content: bytes, media_type: str) -> None:
        self.content = content
        self.media_type = media_type
        self.digest = hashlib.sha256(content).hexdigest()[:_DIGITS]
        self.packed = gzip.compress(content, mtime=0)


class Assets:
    """``pages`` maps the names of HTML files to them, ``files`` the paths of all others."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._made: dict[str, Asset] = {}
        self._under_way: list[str] = []
        for name in texts:
            self._make(name)
        self.pages = {name: asset for name, asset in self._made.items() if name.endswith(".html")}
        self.files = {self._path(name): asset for name, asset in self._made.items() if name not in self.pages}

    def _make(self, name: str) -> Asset:
        if name in self._made:
            return self._made[name]
        if name in self._under_way:
            raise ValueError(f"files that name each other have no digest: {', '.join([*self._under_way, name])}")
        self._under_way.append(name)
        text = _NAMED.sub(lambda found: self._path(found[1]), as_served(name, self._texts[name]))
        self._under_way.pop()
        self._made[name] = Asset(text.encode(), _TYPES[os.path.splitext(name)[1]])
        return self._made[name]

    def _path(self, name: str) -> str:
        stem, ending = os.path.splitext(name)
        return f"/assets/{stem}-{self._make(name).digest}{ending}"


def read_texts(folder: str = FOLDER) -> dict[str, str]:
    texts = {}
    for name in sorted(os.listdir(folder)):
        if os.path.splitext(name)[1] in _TYPES:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts[name] = file.read()
    return texts


def as_served(name: str, text: str) -> str:
    ending = os.path.splitext(name)[1]
    for_readers = _FOR_READERS.get(ending)
    text = for_readers.sub("", text) if for_readers else text
    if ending == ".js":
        return _PLAIN_LINE.sub(lambda line: _without(_SPARE_THERE, line[0]), text)
    return _without(_SPARE, text) if ending == ".css" else text


def _without(spare: re.Pattern[str], text: str) -> str:
    return spare.sub(lambda found: found[1] or "", text)


def accepts_gzip(accepted: str) -> bool:
    """Does this Accept-Encoding field (RFC 9110 §12.5.3) let gzip be sent? The name itself outdoes the asterisk."""
    weights = dict(_weighed(part) for part in accepted.lower().split(",") if part.strip())
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighed(part: str) -> tuple[str, float]:
    coding, _, rest = part.partition(";")
    name, _, weight = rest.partition("=")
    try:
        return coding.strip(), float(weight) if name.strip() == "q" else 1.0
    except ValueError:
        return coding.strip(), 0.0


@cache
def our_assets() -> Assets:
    return Assets(read_texts())
