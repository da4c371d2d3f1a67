"""``python -m tests.fuzz.drive TARGET RUNS SECONDS SEED FOLDER [VARIANT]``: atheris on one target, in a process of its own.

It ends after so many runs or seconds, or with the first finding, and writes FOLDER/result.json: {"runs", "taken", "slowest" (seconds
of CPU), "seconds", "finding", "input" (hexadecimal)}.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import atheris

from tests.crash.variant import break_it

with atheris.instrument_imports(include=["secure_mcp_gateway"]):
    from tests.fuzz.target import Target

    TARGETS: dict[str, Target] = {}
    for name in ("web_targets", "data_targets"):
        TARGETS.update(importlib.import_module(f"tests.fuzz.{name}").TARGETS)

# No input of this size may cost more.
SLOW = 0.050
_TRIES = 4


class Drive:
    def __init__(self, target: Target, runs: int, seconds: float, folder: str) -> None:
        self._target = target
        self._limit = runs
        self._begin = time.monotonic()
        self._seconds = seconds
        self._folder = Path(folder)
        self._runs = self._taken = 0
        self._slowest = 0.0

    def __call__(self, data: bytes) -> None:
        spent = self._attempt(data)
        # The machine does other things, too: only what is slow each time is slow.
        for _ in range(_TRIES):
            if spent > SLOW:
                spent = min(spent, self._attempt(data))
        self._slowest = max(self._slowest, spent)
        if spent > SLOW:
            self._end(f"takes {spent * 1000:.0f} ms of CPU", data)
        self._runs += 1
        if self._runs >= self._limit or time.monotonic() - self._begin > self._seconds:
            self._end()

    def _attempt(self, data: bytes) -> float:
        start = time.thread_time()
        try:
            self._taken += self._target.attempt(data)
        except Exception:
            self._end(traceback.format_exc(), data)
        return time.thread_time() - start

    def _end(self, finding: str = "", data: bytes = b"") -> None:
        seconds = time.monotonic() - self._begin
        told = {"runs": self._runs, "taken": self._taken, "slowest": self._slowest, "seconds": seconds, "finding": finding}
        (self._folder / "result.json").write_text(json.dumps({**told, "input": data.hex()}), encoding="utf-8")
        os._exit(0)


def _quoted(word: bytes) -> str:
    return '"' + "".join(f"\\x{code:02x}" for code in word) + '"\n'


def main(words: list[str]) -> None:
    name, runs, seconds, seed, folder, *variant = words
    if variant:
        break_it(variant[0])
    target = TARGETS[name]
    corpus, dictionary = Path(folder, "corpus"), Path(folder, "words")
    corpus.mkdir()
    for at, sample in enumerate(target.seeds):
        (corpus / f"seed-{at}").write_bytes(sample)
    dictionary.write_text("".join(map(_quoted, target.words)), encoding="ascii")
    flags = [f"-seed={seed}", f"-max_len={target.longest}", f"-dict={dictionary}", f"-artifact_prefix={folder}/", "-timeout=10"]
    mutate = target.mutate

    def mutated(data: bytes, most: int, chance: int) -> bytes:
        assert mutate is not None
        return bytes(atheris.Mutate(data, most)) if chance % 3 else mutate(data, chance)[:most]

    custom = {"custom_mutator": mutated} if mutate else {}
    atheris.Setup([sys.argv[0], *flags, str(corpus)], Drive(target, int(runs), float(seconds), folder), **custom)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
