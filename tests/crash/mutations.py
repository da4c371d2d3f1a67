"""Files that can be restored, and ways to spoil them: each says what it touched, and whether a file with it must be refused or taken."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from tests import enkrypt_files as old
from tests.support import SAMPLES

if TYPE_CHECKING:
    from random import Random

Document = dict[str, Any]
Place = tuple[Any, ...]

REFUSED, TAKEN, EITHER = "refused", "taken", "either"
SECOND = "d1111111-2222-4333-8444-555555555555"
STRANGER = "eK-of-one-who-is-in-no-project-0123456789"

# Times in every form, with what the store makes of each; the others are none.
TIMES: dict[Any, str] = {
    "2026-01-02T03:04:05.678901+00:00": "2026-01-02T03:04:05.678901+00:00",
    "2026-01-02T03:04:05Z": "2026-01-02T03:04:05.000000+00:00",
    "2026-01-02 03:04:05": "2026-01-02T03:04:05.000000+00:00",
    "2026-01-02T03:04:05.1": "2026-01-02T03:04:05.100000+00:00",
    "2026-01-02T03:04:05,123456789Z": "2026-01-02T03:04:05.123456+00:00",
    "2026-01-02T03:04:05+02:00": "2026-01-02T01:04:05.000000+00:00",
    "2026-01-02T03:04:05-11:30": "2026-01-02T14:34:05.000000+00:00",
    "2026-01-02T03:04": "2026-01-02T03:04:00.000000+00:00",
    "2026-01-02": "2026-01-02T00:00:00.000000+00:00",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00.000000+00:00",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000000+00:00",
    "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999+00:00",
}
NO_TIMES = (
    *("yesterday", "", " ", "2026-13-01", "2026-02-30T00:00:00", "2026-01-02T25:00:00", "20260102T030405Z", "2026-W01-1", "2026-01-02T"),
    *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2026-01-02T03:04:05+25:00", "\uff12\uff10\uff12\uff16-01-02"),
    *("2026-01-02T03:04:05\n", "Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05.", "-026-01-02", 1767323045, 17.5, True, [], {}),
)
_TIME_FIELDS = ("created_at", "updated_at", "expires_at")
_JUNK = (None, True, 0, -1, 1e300, 10**400, "", "x" * 500, "\U0001f600", "../..", "a\u0000b", [], [[]], {}, {"a": {}}, old.USER_ID)
_RESTRICTIONS: dict[str, tuple[Any, ...]] = {
    "allowed_ips": (["10.0.0.1"], {"a": 1}, "x"),
    "read_only": (True, 1, "yes"),
    "blocked": (True,),
    "rate_limit": (5, {"calls": 5}),
    "excludedTools": (["rm"], {"rm": True}, "rm"),
    "require_approval": (True, ["rm"], "always"),
    "not_after": ("2025-01-01", 1767323045),
    "deleted": (True, 1),
    "status": ("Disabled", "revoked"),
    "enabled": (False,),
    "prompt_guardrails_config": ({"enabled": True}, {}, []),
}
_NAME_FIELDS = {"mcp_configs": "mcp_config_name", "projects": "project_name", "users": "email"}
# Each field that refers to another table's record.
REFERENCES = {"mcp_config_id": "mcp_configs", "project_id": "projects", "user_id": "users", "users": "users"}


class Sample(NamedTuple):
    """``of_enkrypt`` or of ours. ``secrets`` stand in it, or open it."""

    name: str
    document: Document
    of_enkrypt: bool
    secrets: tuple[str, ...]


class Done(NamedTuple):
    """What a mutation did: everything at ``places``, or what these refer to, is touched. A refusal must hold ``named``."""

    what: str
    places: tuple[Place, ...]
    verdict: str = EITHER
    named: str = ""


def enkrypt_samples() -> list[Sample]:
    """Those of both lines with more than one of everything, and the files in the folder ``$SECURE_MCP_GATEWAY_SAMPLES``."""
    found = [("the 2.1 line", _grown(old.line_2_1())), ("the 2.2 line", _grown(old.line_2_2()))]
    paths = sorted(Path(SAMPLES).glob("*.json")) if SAMPLES else []
    found += [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    # No two places share a value: what is changed at one is changed nowhere else.
    return [Sample(name, json.loads(json.dumps(document)), True, _secrets(document)) for name, document in found]


def _grown(document: Document) -> Document:
    """With further records: a project without config, a user in no project who has a key, a second server."""
    config = document["mcp_configs"][old.CONFIG_ID]
    config["mcp_config"].append({"server_name": "second", "config": {"command": "run"}, "tools": {"a": "b"}})
    document["mcp_configs"][SECOND] = {"mcp_config_name": "second", "mcp_config": [], "note": ["kept", 1.5]}
    document["projects"][SECOND] = {"project_name": "second", "mcp_config_id": None, "users": [old.USER_ID]}
    document["users"][SECOND] = {"email": "second@example.com", "created_at": "2025-07-16T17:02:00.406902", "phone": {"kept": True}}
    document["apikeys"][STRANGER] = {"project_id": SECOND, "user_id": SECOND, "created_at": "2025-07-16T17:02:00.406905", "note": "kept"}
    return document


def _secrets(document: Document) -> tuple[str, ...]:
    return (*document["apikeys"], document["admin_apikey"], old.SERVICE_KEY)


def mutated(sample: Sample, dice: Random, most: int = 5, swarms: bool = True) -> tuple[bytes, list[Done]]:
    """The sample's text with one to ``most`` mutations, and what was done. Every third is spared what must be refused."""
    gentle = dice.random() < 0.35
    weighted = [(kind, weight) for kind, weight in KINDS if swarms or kind is not swarm]
    kinds = dice.choices([kind for kind, _ in weighted], [weight for _, weight in weighted], k=dice.randint(1, most))
    data, done = mutated_by(kinds, sample, dice, gentle)
    if not gentle and dice.random() < 0.15:
        data, what = spoiled(data, dice)
        done.append(Done(what, ((),), REFUSED))
    return data, done


def mutated_by(kinds: list[Kind], sample: Sample, dice: Random, gentle: bool = False) -> tuple[bytes, list[Done]]:
    """Of these kinds; where ``gentle`` without those that must be refused, or that nobody can tell."""
    document, done = copy.deepcopy(sample.document), []
    for kind in kinds:
        former = copy.deepcopy(document) if gentle else document
        made = kind(document, sample, dice)
        if gentle and made is not None and (made.verdict == REFUSED or kind in (put_junk, drop_one, other_head)):
            document = former
        elif made is not None:
            done.append(made)
    indent = dice.choice((None, 1))
    return json.dumps(document, ensure_ascii=dice.random() < 0.3, indent=indent).encode("utf-8", "surrogatepass"), done


def verdict_of(done: list[Done]) -> tuple[str, list[str]]:
    """What must become of a file with all of these, and what a refusal must hold: of those that no other one may have undone."""
    alone = [each for at, each in enumerate(done) if not any(related(each, other) for other in done[:at] + done[at + 1 :])]
    refused = [each for each in alone if each.verdict == REFUSED]
    if refused:
        return REFUSED, [each.named for each in refused]
    return (TAKEN if len(alone) == len(done) and all(each.verdict == TAKEN for each in done) else EITHER), []


def related(one: Done, other: Done) -> bool:
    """Is a place of one inside a place of the other?"""
    return any(a[: len(b)] == b or b[: len(a)] == a for a in one.places for b in other.places)


def at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def _places(node: Any, here: Place = ()) -> list[Place]:
    """Of everything below."""
    steps = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    found: list[Place] = []
    for step in steps:
        found += [(*here, step), *_places(node[step], (*here, step))]
    return found


def _records(document: Document, *tables: str) -> list[Place]:
    """The places of records in these tables, and of servers for ``mcp_config``."""
    found: list[Place] = []
    for table in tables:
        if table == "servers":
            found += [server for place in _records(document, "mcp_configs") for server in _servers(document, place)]
        elif isinstance(document.get(table), dict):
            found += [(table, key) for key, record in document[table].items() if isinstance(record, dict)]
    return found


def _servers(document: Document, config: Place) -> list[Place]:
    servers = at(document, config).get("mcp_config")
    return [(*config, "mcp_config", n) for n, each in enumerate(servers if isinstance(servers, list) else ()) if isinstance(each, dict)]


def _referring(document: Document, place: Place) -> tuple[Place, ...]:
    """The fields that refer to what stands at this place: a record, or a whole table."""
    if len(place) > 2:
        return ()
    table = place[0]
    found = [each for each in _places(document) if REFERENCES.get(str(each[-1])) == table and len(each) == 3]
    if len(place) == 1:
        return tuple(found)
    named = ((each, at(document, each)) for each in found)
    return tuple(each for each, value in named if value == place[1] or (isinstance(value, list) and place[1] in value))


def drop_one(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = [each for each in _places(document) if len(each) > 1 and isinstance(each[-1], str)]
    if not places:
        return None
    place = dice.choice(places)
    touched = _touched(document, place)
    del at(document, place[:-1])[place[-1]]
    return Done(f"dropped {place}", touched)


def put_junk(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = [each for each in _places(document) if len(each) > 1] + [(table,) for table in _NAME_FIELDS if table in document]
    if not places:
        return None
    place = dice.choice(places)
    touched = _touched(document, place)
    at(document, place[:-1])[place[-1]] = copy.deepcopy(dice.choice(_JUNK))
    return Done(f"junk at {place}", touched)


def _touched(document: Document, place: Place) -> tuple[Place, ...]:
    """A place with what is judged together with it: who refers to it, the keys of a member, a config's policies for all its servers."""
    touched = (place, *_referring(document, place))
    if place[0] == "mcp_configs" and "common_overrides" in place:
        return (*touched, place[:2])
    if place[0] in ("projects", "users", "members"):
        return (*touched, ("apikeys",)) if len(place) < 3 or place[2] in REFERENCES else touched
    return touched


def add_restriction(document: Document, sample: Sample, dice: Random) -> Done | None:
    """One that nobody here can keep."""
    places = _records(document, "servers", "projects", "users", "apikeys")
    if not sample.of_enkrypt or not places:
        return None
    field = dice.choice(list(_RESTRICTIONS))
    place = (*dice.choice(places), field)
    at(document, place[:-1])[field] = copy.deepcopy(dice.choice(_RESTRICTIONS[field]))
    return Done(f"restricted {place}", (place,), REFUSED, f".{field} is a restriction")


def dangle(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = [(*each, field) for each in _records(document, "projects", "apikeys") for field in REFERENCES if field in at(document, each)]
    if not places:
        return None
    place = dice.choice(places)
    gone = dice.choice(("nowhere", old.USER_ID[::-1], ""))
    if place[-1] == "users":
        if not isinstance(at(document, place), list):
            return None
        at(document, place).append(gone)
        return Done(f"{gone!r} in {place}", (place,), REFUSED, "user_id names a user that does not exist")
    at(document, place[:-1])[place[-1]] = gone
    if place[0] == "projects":
        return Done(f"{gone!r} at {place}", (place, ("mcp_configs",)), REFUSED, "mcp_config_id names a config that does not exist")
    return Done(f"{gone!r} at {place}", (place, ("projects",), ("users",)), TAKEN)


def double_record(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = _records(document, "mcp_configs", "projects", "users", "apikeys")
    if not places:
        return None
    place = dice.choice(places)
    key = "f" * 64 if place[0] == "apikeys" else f"{dice.randrange(16**8):08x}-2222-4333-8444-555555555555"
    document[place[0]][key] = copy.deepcopy(at(document, place))
    touched = (place, (place[0], key))
    if place[0] == "apikeys":
        return Done(f"{place} again", touched, TAKEN if sample.of_enkrypt else EITHER)
    field = _NAME_FIELDS[place[0]]
    clear = isinstance(at(document, place).get(field), str) and at(document, place)[field]
    return Done(f"{place} again", touched, *((REFUSED, "is the name of another one too") if clear else ()))


def set_time(document: Document, sample: Sample, dice: Random) -> Done | None:
    records = _records(document, *_NAME_FIELDS, "apikeys")
    places = [(*each, field) for each in records for field in _TIME_FIELDS if field in at(document, each)]
    if not places:
        return None
    place = dice.choice(places)
    good = dice.random() < 0.5
    at(document, place[:-1])[place[-1]] = value = dice.choice(list(TIMES)) if good else copy.deepcopy(dice.choice(NO_TIMES))
    return Done(f"{value!r} at {place}", (place,), *((TAKEN,) if good else (REFUSED, f".{place[-1]}")))


def empty_name(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = [(*each, _NAME_FIELDS[each[0]]) for each in _records(document, *_NAME_FIELDS)]
    if not places:
        return None
    place = dice.choice(places)
    at(document, place[:-1])[place[-1]] = ""
    return Done(f"no name at {place}", (place,), REFUSED, f".{place[-1]} must not be empty")


def other_case(document: Document, sample: Sample, dice: Random) -> Done | None:
    """Of a field's name, or of a text."""
    places = [each for each in _places(document) if len(each) > 2 and isinstance(each[-1], str)]
    if not places:
        return None
    place = dice.choice(places)
    holder, value = at(document, place[:-1]), at(document, place)
    if isinstance(value, str) and dice.random() < 0.5:
        holder[place[-1]] = value.upper()
        return Done(f"upper case at {place}", _touched(document, place))
    touched = (place, (*place[:-1], place[-1].upper()), *_touched(document, place))
    holder[place[-1].upper()] = holder.pop(place[-1])
    return Done(f"upper case of {place}", touched)


def add_unknown(document: Document, sample: Sample, dice: Random) -> Done | None:
    """A field without a meaning, of any value: a long or deep one now and then."""
    places = [*_records(document, "servers", "mcp_configs", "projects", "users", "apikeys"), ()]
    deep = [json.loads('{"a":' * depth + "1" + "}" * depth) for depth in (60, 92)]
    values = [*_JUNK, "x" * 5_000_000, json.loads("[" * 30 + "]" * 30), *deep]
    number = dice.choices(range(len(values)), [8] * len(_JUNK) + [1, 8, 4, 4])[0]
    place = (*dice.choice(places), "x-unknown") if sample.of_enkrypt else (*dice.choice(places[:-1] or [()]), "x-unknown")
    at(document, place[:-1])["x-unknown"] = copy.deepcopy(values[number])
    verdict = EITHER if values[number] in deep or len(place) == 1 else TAKEN
    return Done(f"unknown at {place}: value {number}", (place,), verdict)


def leave_project(document: Document, sample: Sample, dice: Random) -> Done | None:
    if "members" in document:
        places = _records(document, "members")
        if not places:
            return None
        place = dice.choice(places)
        del document["members"][place[1]]
        return Done(f"no {place}", (place, ("apikeys",)))
    places = [each for each in _records(document, "projects") if isinstance(at(document, each).get("users"), list)]
    if not places:
        return None
    place = dice.choice(places)
    at(document, place)["users"] = []
    return Done(f"nobody in {place}", ((*place, "users"), ("apikeys",)), TAKEN)


def swarm(document: Document, sample: Sample, dice: Random) -> Done | None:
    """20,000 records."""
    table = dice.choice(("users", "apikeys"))
    models = _records(document, table)
    if not models:
        return None
    model = at(document, dice.choice(models))
    field, form = ("email", "s{}@example.com") if table == "users" else ("api_key_id", "key_{:016x}")
    for number in range(20_000):
        document[table][f"{number:064x}"] = {**model, field: form.format(number)}
    return Done(f"20,000 {table}", ((table,),))


def surrogate(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = [each for each in _places(document) if len(each) > 1 and isinstance(at(document, each), str)]
    if not places:
        return None
    place = dice.choice(places)
    at(document, place[:-1])[place[-1]] = "a\ud800b"
    return Done(f"half a character at {place}", ((),), REFUSED)


def no_number(document: Document, sample: Sample, dice: Random) -> Done | None:
    places = _records(document, "servers", "users")
    if not places:
        return None
    place = (*dice.choice(places), "x-number")
    at(document, place[:-1])["x-number"] = dice.choice((float("nan"), float("inf"), float("-inf")))
    return Done(f"no number at {place}", ((),), REFUSED)


def other_head(document: Document, sample: Sample, dice: Random) -> Done | None:
    """What says what the document is, and everything that stands beside the tables."""
    fields = [field for field in document if field not in ("mcp_configs", "projects", "users", "members", "apikeys")]
    if not fields:
        return None
    field = dice.choice(fields)
    if dice.random() < 0.5:
        del document[field]
    else:
        document[field] = copy.deepcopy(dice.choice(_JUNK))
    return Done(f"{field} changed", ((),))


Kind = Callable[[Document, Sample, "Random"], "Done | None"]
KINDS: list[tuple[Kind, float]] = [
    *((kind, 8) for kind in (put_junk, drop_one, add_restriction, dangle, double_record, set_time, empty_name, add_unknown)),
    *((kind, 4) for kind in (other_case, leave_project, other_head)),
    *((kind, 1) for kind in (surrogate, no_number)),
    (swarm, 0.3),
]


def spoiled(data: bytes, dice: Random) -> tuple[bytes, str]:
    """A text that is no strict JSON any more."""
    ways = ("bytes that are no UTF-8", "a byte order mark", "cut", "a name twice", "more behind", "UTF-16", "nothing", "1e999", "digits")
    way, place = dice.choice(ways), dice.randrange(1, len(data) - 1)
    names = list(re.finditer(rb'"[A-Za-z_@.-]+": ', data))
    if way == "a name twice" and names:
        found = dice.choice(names)
        return data[: found.start()] + found[0] + b"null, " + data[found.start() :], way
    made = {
        "bytes that are no UTF-8": data[:place] + dice.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80")) + data[place:],
        "a byte order mark": b"\xef\xbb\xbf" + data,
        "more behind": data + b" {}",
        "UTF-16": data.decode("utf-8", "replace").encode("utf-16"),
        "nothing": b"",
        "1e999": data.rstrip()[:-1] + b', "x": 1e999}',
        "digits": data.rstrip()[:-1] + b', "x": ' + b"9" * 1001 + b"}",
    }
    return made.get(way, data[:place]), way
