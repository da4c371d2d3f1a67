"""Places that fail a store: full, read-only, locked for ever, or with something else in the store's or the audit's place.

Each is met by a running server and by the command line: what is answered, that nothing is written over what stands there, and that
all is well again without a restart once it is put right.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, NamedTuple

from tests.crash import damaged_places, full_places
from tests.crash.damaged_places import AUDIT_AWAY, AUDIT_GAPS, LOCKED_STORE, STORE, NobodysScene
from tests.crash.report import Report, Scale
from tests.crash.scenes import Scene
from tests.support import MEMORY

AT_ONCE = 2


class Situation(NamedTuple):
    """``count`` is of how many things that are done; ``disk`` is the size of the disk it needs, ``scene`` says who is on it."""

    name: str
    count: int
    do: Callable[[Scene], None]
    disk: str = ""
    scene: Callable[..., Scene] = Scene


class Seen(NamedTuple):
    requests: int
    wrong: list[str]


def run(report: Report, scale: Scale) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plain = _plain()
        mounted = _on_mounts(scale)
        why = full_places.missing()
        if why:
            for situation in mounted:
                report.skip(situation.name, why)
            mounted = []
        situations = plain + mounted
        for situation, seen in zip(situations, pool.map(seen_in, situations)):
            report.figure(situation.name, situations=situation.count, requests=seen.requests, wrong_answers=len(seen.wrong))
            report.check(f"{situation.name}: what is answered is right", not seen.wrong and seen.requests > 0, "\n".join(seen.wrong[:20]))
    for variant, situation, words in _broken():
        wrong = seen_in(situation, f"broken_places:{variant}").wrong
        report.check(f"{variant} is caught", any(words in sentence for sentence in wrong), "\n".join(wrong))


def _plain() -> list[Situation]:
    gaps = [
        Situation(f"audit log {each.name}", 1, lambda scene, each=each: damaged_places.audit_has_a_gap(scene, each))  # type: ignore[misc]
        for each in AUDIT_GAPS
    ]
    return [
        Situation("lock held for ever", 1, full_places.lock_is_held),
        Situation("store damaged", len(STORE), _damaged),
        Situation("store edited", 1, damaged_places.store_is_edited),
        Situation("store replaced", 2, damaged_places.store_is_replaced),
        Situation("audit log in the way", len(AUDIT_AWAY), lambda scene: damaged_places.audit_is_away(scene, AUDIT_AWAY)),
        *gaps,
    ]


def _damaged(scene: Scene) -> None:
    damaged_places.store_is_damaged(scene, STORE)
    scene.stop()
    damaged_places.damage_is_told(scene)
    scene.start()


def _on_mounts(scale: Scale) -> list[Situation]:
    """And what else only root can arrange."""
    most = scale.of(8, 3)
    return [
        Situation("full disk", 1, full_places.disk_is_full, "64k"),
        Situation("nearly full disk", most + 1, lambda scene: full_places.room_is_little(scene, most), "512k"),
        Situation("read-only mount", 2, full_places.mount_is_read_only, "1m"),
        Situation(
            "store locked away", len(LOCKED_STORE), lambda scene: damaged_places.store_is_damaged(scene, LOCKED_STORE), "", NobodysScene
        ),
    ]


def _broken() -> list[tuple[str, Situation, str]]:
    """Each variant, the situation that must catch it, and words of what is wrong then."""
    vanished, scribbled = STORE[0], STORE[2]
    return [
        ("makes_anew", Situation("", 1, lambda scene: damaged_places.store_is_damaged(scene, (vanished,))), "what stood there"),
        ("writes_over_damage", Situation("", 1, lambda scene: damaged_places.store_is_damaged(scene, (scribbled,))), "what stood there"),
        ("locks_readers", Situation("", 1, full_places.readers_pass), "beside a held lock, a read"),
    ]


def seen_in(situation: Situation, variant: str = "") -> Seen:
    with _place(situation.disk) as folder, situation.scene(folder, variant) as scene:
        situation.do(scene)
    return Seen(scene.requests, scene.wrong)


@contextlib.contextmanager
def _place(disk: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, full_places.small_disk(folder, disk) if disk else contextlib.nullcontext():
        yield folder
