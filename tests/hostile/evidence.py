"""What a run leaves for others to read, and which secret of it stands where it must not."""

from __future__ import annotations

import base64
import os
import threading
from typing import NamedTuple
from urllib.parse import quote

from tests.support import DEADLINE

# ONCE: made by the product, told in the answer that made it. FIRST: the same, told in a file. NEVER: given, and only its digest is
# kept. ELSEWHERE: as NEVER, but of no form that tells it from a name, so that an answer may name it to who sent it. KEPT: a setting,
# readable in the store. OPEN: part of a config, readable there and in answers.
ONCE, FIRST, NEVER, ELSEWHERE, KEPT, OPEN = "once", "first", "never", "elsewhere", "kept", "open"
_LARGEST = 1 << 22


class Secret(NamedTuple):
    text: str
    kind: str
    name: str


class Evidence:
    """``answers`` are what was answered or printed, ``errors`` what came to standard error and the access log."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.answers: list[str] = []
        self.errors: list[str] = []
        self.secrets: dict[str, Secret] = {}

    def add(self, text: str, kind: str, name: str) -> str:
        if text not in self.secrets:
            self.secrets[text] = Secret(text, kind, name)
        return text

    def leaks(self, watch: Watch) -> list[str]:
        files = _files_below(self.base)
        return [f"{secret.name}: {where}" for secret in self.secrets.values() for where in self._places(secret, watch, files)]

    def _places(self, secret: Secret, watch: Watch, files: dict[str, str]) -> list[str]:
        wrong = []
        for form, text in forms(secret.text).items():
            shown = [_around(answer, text) for answer in self.answers if text in answer]
            if len(shown) > {ONCE: 1, OPEN: len(shown), ELSEWHERE: len(shown)}.get(secret.kind, 0):
                wrong.append(f"{form} in {len(shown)} answers: {' | '.join(shown)}")
            wrong += [f"{form} on standard error or in the log: {_around(each, text)}" for each in self.errors if text in each]
            wrong += [f"{form} in the arguments of a process" for each in watch.arguments if text in each]
            wrong += [f"{form} in the environment of a process" for each in watch.environments if text in each]
            kept = {**files, **{f"{path} (while it was there)": content for path, content in watch.temporary.items()}}
            wrong += [f"{form} in {path}" for path, content in kept.items() if text in content and not _may_stand(secret.kind, path)]
        return wrong


def _may_stand(kind: str, path: str) -> bool:
    if path.endswith("admin-key.txt"):
        return kind == FIRST
    return kind in (KEPT, OPEN) and "audit" not in os.path.basename(path)


def forms(text: str) -> dict[str, str]:
    """The secret as it is, and as it could be hidden from a plain search."""
    raw = text.encode()
    found = {"plain": text, "hexadecimal": raw.hex(), "upper-case hexadecimal": raw.hex().upper()}
    found["percent-encoded"] = "".join(f"%{byte:02X}" for byte in raw)
    if quote(text, safe="") != text:
        found["quoted"] = quote(text, safe="")
    found["backwards"] = text[::-1]
    for at in range(3):
        # Whatever stands before it, these characters are the secret's own.
        inner = base64.b64encode(b"\0" * at + raw).decode()[4 if at else 0 : -4]
        found[f"base64 from byte {at}"] = inner
        found[f"base64url from byte {at}"] = inner.replace("+", "-").replace("/", "_")
    return found


def _around(text: str, secret: str) -> str:
    at = text.index(secret)
    return text[max(0, at - 90) : at + 130].replace(secret, "<here>").replace("\n", " ")


def _files_below(base: str) -> dict[str, str]:
    found = {}
    for place, _, names in os.walk(base):
        for path in (os.path.join(place, name) for name in names):
            found[path] = path + "\n" + _content(path)
    return found


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LARGEST)
    except OSError:
        return ""


class Watch:
    """A thread that looks, without a pause, at all processes' arguments and environments and at files while they are written."""

    def __init__(self, base: str, temporary: str) -> None:
        """``temporary`` is the folder that commands take for files that nobody shall see: nothing may come there."""
        self.arguments: set[str] = set()
        self.environments: set[str] = set()
        self.temporary: dict[str, str] = {}
        self.looks = 0
        self._base = base
        self._private = temporary
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(DEADLINE)

    def _look(self) -> None:
        own = str(os.getpid())
        while not self._over.is_set():
            for process in os.listdir("/proc") if os.path.isdir("/proc") else ():
                if process.isdigit() and process != own:
                    arguments = _content(f"/proc/{process}/cmdline")
                    if self._base in arguments and arguments not in self.arguments:
                        self.arguments.add(arguments)
                        self.environments.add(_content(f"/proc/{process}/environ"))
            self._look_at_files()
            self.looks += 1

    def _look_at_files(self) -> None:
        for place, _, names in os.walk(self._base):
            for name in names:
                if name.endswith(".tmp") or place == self._private:
                    path = os.path.join(place, name)
                    content = _content(path)
                    if content:
                        self.temporary[path] = content
