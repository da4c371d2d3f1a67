"""Restoring what was spoiled: each file is taken whole or refused whole with every problem, on either surface, and in the store's place.

A thousand mutations of files of Enkrypt's gateway and of backups of ours. An oracle that knows the files' form and no code of the package
says what must be in the store afterwards. A text that is no JSON, and a document of an unknown kind, are refused for that alone.
"""

from __future__ import annotations

import copy
import json
import os
import re
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from secure_mcp_gateway.store.store import Store
from tests import team
from tests.crash import broken_records
from tests.crash.broken_records import caught_by
from tests.crash.mutations import (
    KINDS,
    TAKEN,
    Done,
    Sample,
    add_restriction,
    at,
    dangle,
    double_record,
    drop_one,
    empty_name,
    enkrypt_samples,
    mutated,
    mutated_by,
    put_junk,
    related,
    set_time,
    swarm,
)
from tests.crash.restoring import Answer, Restoring, Tried, in_the_stores_place, problems_of, tried
from tests.support import in_memory
from tests.surfaces import send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.crash.report import Report, Scale

_PAIRED = (put_junk, drop_one, add_restriction, dangle, double_record, set_time, empty_name)
_PROCESSES = 20


class Case(NamedTuple):
    """A file that was tried, with what was done to it and where."""

    what: str
    tried: Tried


def run(report: Report, scale: Scale) -> None:
    with in_memory() as folder:
        _report(report, "one fault in a file", list(of_each_kind(folder, scale.dice("kinds"), scale.of(4, 1))))
    with in_memory() as folder:
        cases = list(many(folder, scale.dice("mutations"), scale.of(1000, 200), processes=scale.of(_PROCESSES, 4)))
    _report(report, "one to five faults in a file", cases)
    _in_place(report, scale)
    with in_memory() as folder:
        _pairs(report, team.make_team(folder), scale)
    _variants(report, scale)


def samples(place: Restoring) -> list[Sample]:
    """Files of Enkrypt's gateway, a backup of ours, and the store's own file."""
    backup = json.loads(send(place.app, "POST", "/api/v1/system/backup", {}).body)["data"]["backup"]
    own = json.loads(place.document())
    digests = tuple(own["apikeys"])
    return [*enkrypt_samples(), Sample("a backup of ours", backup, False, digests), Sample("a store's own file", own, False, digests)]


def many(folder: str, dice: Random, count: int, processes: int = 0, swarms: bool = True) -> Iterator[Case]:
    """That many mutated files, one after the other into one store: over REST and on the command line, some of them as processes."""
    place = Restoring(folder)
    given = samples(place)
    for sample in given:
        data = json.dumps(sample.document).encode()
        yield Case(f"{sample.name} as it is", tried(place, place.on_command_line, sample, data, [Done("nothing", (), TAKEN)]))
    apart = {number * count // processes for number in range(processes)} if processes else set()
    for number in range(count):
        sample = dice.choice(given)
        surface = place.in_a_process if number in apart else dice.choice((place.on_command_line, place.on_command_line, place.over_rest))
        yield _case(place, surface, sample, *mutated(sample, dice, swarms=swarms))


def of_each_kind(folder: str, dice: Random, times: int) -> Iterator[Case]:
    """Each mutation alone, so many times on each sample and surface."""
    place = Restoring(folder)
    for sample in samples(place):
        for kind in (kind for kind, _ in KINDS if kind is not swarm):
            for surface in (place.on_command_line, place.over_rest) * times:
                yield _case(place, surface, sample, *mutated_by([kind], sample, dice))


def _case(place: Restoring, surface: Callable[..., Answer], sample: Sample, data: bytes, done: list[Done]) -> Case:
    what = f"{sample.name} {surface.__name__}: {'; '.join(each.what for each in done)}"
    try:
        return Case(what, tried(place, surface, sample, data, done))
    except Exception as error:
        return Case(what, Tried(False, [], [f"it ended in {error!r}"]))


def _report(report: Report, name: str, cases: list[Case]) -> None:
    refused = [case for case in cases if not case.tried.taken]
    wrong = wrong_of(cases)
    report.figure(
        name,
        files=len(cases),
        restored=len(cases) - len(refused),
        refused=len(refused),
        problems_listed=sum(len(case.tried.problems) for case in refused),
        most_problems_in_one=max(len(case.tried.problems) for case in refused),
        half=sum("the store is another" in text or "the safety backup" in text for text in wrong),
        tracebacks=sum("internal_error" in text or "Traceback" in text or "ended in" in text for text in wrong),
        otherwise_wrong=len(wrong),
    )
    both = len(refused) > len(cases) // 10 < len(cases) - len(refused)
    report.check(f"{name}: each is taken whole or refused whole", both and not wrong, _shown(wrong))


def wrong_of(cases: list[Case]) -> list[str]:
    return [f"{case.what}: {each}" for case in cases for each in case.tried.wrong]


def _shown(wrong: list[str]) -> str:
    return "\n".join(each[:900] for each in wrong[:8])


def _in_place(report: Report, scale: Scale) -> None:
    """The same files as the store itself: taken by its first write where a restore would take them, else not touched."""
    dice, count, cases = scale.dice("in place"), scale.of(200, 40), []
    with in_memory() as folder:
        store, given = team.make_team(os.path.join(folder, "team")), enkrypt_samples()
        for number in range(count):
            sample = dice.choice(given)
            data, done = mutated(sample, dice)
            found = in_the_stores_place(os.path.join(folder, str(number)), data)
            wrong = found.wrong + ([] if found.taken == _is_taken(store, data) else [f"taken: {found.taken}, unlike by a restore"])
            cases.append(Case(f"{sample.name}: {'; '.join(each.what for each in done)}", Tried(found.taken, [], wrong)))
    taken, wrong = sum(case.tried.taken for case in cases), wrong_of(cases)
    report.figure("in the store's place", files=count, taken_over=taken, refused=count - taken, wrong=len(wrong))
    whole = 0 < taken < count and not wrong
    report.check("a file in the store's place is taken over whole by the first write, or left alone", whole, _shown(wrong))


def _is_taken(store: Store, data: bytes) -> bool:
    from secure_mcp_gateway.errors import InvalidRequest
    from secure_mcp_gateway.operations.files import json_of

    try:
        return not problems_of(store, json_of(data, "data"))
    except InvalidRequest:
        return False


def _pairs(report: Report, store: Store, scale: Scale) -> None:
    count = scale.of(600, 150)
    pairs, missing = paired(store, scale.dice("pairs"), count)
    report.figure("two faults in one file", pairs=pairs, tried=count, problems_left_out=len(missing))
    report.check("a file with two faults is refused with every problem of each", pairs > count // 10 and not missing, _shown(missing))


def paired(store: Store, dice: Random, count: int) -> tuple[int, list[str]]:
    """Two mutations that have nothing to do with each other, each refused alone: how many, and what a file with both did not say."""
    folder = os.path.dirname(store.path)
    given = samples(Restoring(os.path.join(folder, "samples")))
    pairs, missing = 0, []
    for _ in range(count):
        sample = dice.choice(given)
        one, other = dice.choice(_PAIRED), dice.choice(_PAIRED)
        seeds = dice.random(), dice.random()
        first, second, both = (copy.deepcopy(sample.document) for _ in range(3))
        done = _mutate(one, first, sample, seeds[0]), _mutate(other, second, sample, seeds[1])
        if done[0] is None or done[1] is None or related(*done) or _shifts(sample, *done):
            continue
        alone = problems_of(store, first), problems_of(store, second)
        if not all(alone):
            continue
        pairs += 1
        _apply(both, first, sample.document, done[0])
        _apply(both, second, sample.document, done[1])
        found = set(problems_of(store, both))
        left_out = [problem for problems in alone for problem in problems if problem not in found]
        missing += [f"{sample.name}: {done[0].what} and {done[1].what}: not said: {problem}; said: {sorted(found)}" for problem in left_out]
    return pairs, missing


def _mutate(kind: Any, document: dict[str, Any], sample: Sample, seed: float) -> Done | None:
    from random import Random

    made: Done | None = kind(document, sample, Random(seed))
    return made


def _apply(both: dict[str, Any], changed: dict[str, Any], former: dict[str, Any], done: Done) -> None:
    """Make the places of ``both`` that the mutation touched what they are in ``changed``."""
    for place in done.places:
        holder, step = at(both, place[:-1]), place[-1]
        there = at(changed, place[:-1])
        if isinstance(there, dict) and step not in there:
            holder.pop(step, None)
        # As texts: 0 and 1 are the same as False and True otherwise.
        elif not _has(former, place) or json.dumps(at(changed, place)) != json.dumps(at(former, place)):
            holder[step] = copy.deepcopy(at(changed, place))


def _has(document: dict[str, Any], place: tuple[Any, ...]) -> bool:
    try:
        at(document, place)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _shifts(sample: Sample, *done: Done) -> bool:
    """Would another record's position in a message change?"""
    keys = (each for each in done if each.places[0][0] in ("apikeys", "admin_keys") and len(each.places[0]) == 2)
    return any(re.match("dropped", each.what) for each in keys)


def _variants(report: Report, scale: Scale) -> None:
    def mutations() -> list[str]:
        with in_memory() as folder:
            return wrong_of(list(of_each_kind(folder, scale.dice("variants"), 2)))

    def pairs() -> list[str]:
        with in_memory() as folder:
            return paired(team.make_team(folder), scale.dice("variants"), 100)[1]

    halves = (broken_records.table_by_table, broken_records.restrictions_dropped, broken_records.no_safety_backup)
    caught_by(report, [(mutations, (*halves, broken_records.strangers_enabled)), (pairs, (broken_records.first_problem_only,))])
