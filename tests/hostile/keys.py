"""Keys under attack: guessed, timed, used behind their end, and turned on what is not theirs."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from secure_mcp_gateway.errors import Unauthorized
from secure_mcp_gateway.repository import api_keys
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.store.document import Document
from secure_mcp_gateway.store.store import Store
from tests import team
from tests.crash.broken_records import caught_by
from tests.crash.report import Report, Scale
from tests.crash.server import Server, make_store
from tests.hostile import broken_keys, foreign, revoking
from tests.hostile.timing import Comparison, compare
from tests.hostile.wire import Heard, Wire, request

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_POOL = 64
_GROWTH = 4 << 20


def run(report: Report, scale: Scale) -> None:
    with tempfile.TemporaryDirectory(prefix="keys-") as folder:
        store = team.make_team(os.path.join(folder, "s"))
        with serving(store.path) as server:
            _guess(report, scale, server, store)
            _send_what_is_no_key(report, server, make_store(os.path.join(folder, "other", "store.json")))
            _time(report, scale, store, server)
            foreign.run(report, scale, store, server)
        _catch_variants(report, scale, store)
    revoking.run(report, scale)


@contextmanager
def serving(store: str, *flags: str, variant: str = "") -> Iterator[Server]:
    server = Server(store, *flags, variant=variant)
    try:
        yield server
    finally:
        server.kill()


def wrong_key(dice: Random, prefix: str = "smg_") -> str:
    return prefix + "".join(dice.choices(_ALPHABET, k=43))


def listing(folder: str) -> dict[str, str]:
    """Every file below with its digest; what a link leads to is not looked at."""
    found = {}
    for place, _, names in os.walk(folder):
        for path in (os.path.join(place, name) for name in names):
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def _guess(report: Report, scale: Scale, server: Server, store: Store) -> None:
    dice, wire, statuses = scale.dice("guesses"), Wire(server.port), set()
    before = listing(store.folder)
    for number in range(500 + scale.of(10_000, 2_000)):
        if number == 500:
            grown = _held(server)
        statuses.add(wire.ask(request("GET", "/api/v1/whoami", wrong_key(dice, dice.choice(("smg_", "smga_"))))).status)
    memory, files, threads = (now - then for now, then in zip(_held(server), grown))
    report.figure("wrong keys of the right form", tried=number + 1, bytes_more=memory, descriptors_more=files, threads_more=threads)
    report.check("each wrong key is answered 401", statuses == {401}, str(statuses))
    report.check("the store and its audit stay as they were", listing(store.folder) == before)
    report.check("nothing grows in the server", memory < _GROWTH and files <= 0 and threads <= 0)
    wire.close()


def _held(server: Server) -> tuple[int, int, int]:
    """Bytes of memory, descriptors and threads of the server; zeros where the system does not say."""
    proc = f"/proc/{server.process.pid}"
    if not os.path.isdir(proc):
        return 0, 0, 0
    with open(f"{proc}/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(f"{proc}/fd")), len(os.listdir(f"{proc}/task"))


def no_keys(of_another_store: str) -> dict[str, bytes]:
    """What must not authenticate, by what it is; all but the named ones in ``_OTHERWISE`` are 401."""
    ada, admin = team.ADA.encode(), team.ADMIN.encode()
    pieces = {
        "a user key's public id": team.ADA_KEY_ID,
        "an admin key's public id": team.ADMIN_ID,
        "its name": "admin",
        "its hint": team.ADMIN[-4:],
        "a digest": team.digest(team.ADA),
        "an admin key's digest": team.digest(team.ADMIN),
        "a disabled key": team.BOB_DISABLED,
        "an expired key": team.BOB_EXPIRED,
        "a key of nobody's membership": team.STRAY,
        "an id of a user": team.ADA_ID,
        "a key of another store": of_another_store,
    }
    return {
        **{name: text.encode() for name, text in pieces.items()},
        "a key in upper case": admin.upper(),
        "a key in lower case": admin.lower(),
        "a key without its prefix": admin[5:],
        "a user's key with an admin's prefix": b"smga_" + ada[4:],
        "a blank inside": admin[:9] + b" " + admin[10:],
        "a blank and more behind": admin + b" x",
        "two keys": ada + b" " + admin,
        "two keys with a comma": ada + b", " + admin,
        "quoted": b'"' + admin + b'"',
        "padded": admin + b"=",
        "percent-encoded": b"%73" + admin[1:],
        "a byte that is no ASCII behind": admin + b"\xe9",
        "a no-break space behind": admin + b"\xa0",
        "a next-line character behind": admin + b"\x85",
        "a wide blank before": "\u2003".encode() + admin,
        "a zero-width blank behind": admin + "\u200b".encode(),
        "a byte order mark before": "\ufeff".encode() + admin,
        "a NUL behind": admin + b"\0",
        "a NUL inside": admin[:9] + b"\0" + admin[9:],
        "a vertical tab behind": admin + b"\x0b",
        "one byte less": admin[:-1],
        "one byte more": admin + b"A",
        "nothing": b"",
        "7 KiB": admin + b"A" * 7000,
        "8 KiB": admin + b"A" * 8192,
    }


_OTHERWISE = {"a NUL behind": 400, "a NUL inside": 400, "a vertical tab behind": 400, "8 KiB": 431}


def _send_what_is_no_key(report: Report, server: Server, of_another_store: str) -> None:
    wire, wrong = Wire(server.port), []
    rows = no_keys(of_another_store)
    for name, raw in rows.items():
        heard = wire.ask(request("GET", "/api/v1/whoami", raw))
        if heard.status != _OTHERWISE.get(name, 401) or (heard.status == 401 and "www-authenticate: bearer" not in heard.head.lower()):
            wrong.append(f"{name}: {heard.status}")
    for path in (f"/api/v1/whoami?key={team.ADMIN}", f"/api/v1/whoami?access_token={team.ADMIN}"):
        heard = wire.ask(request("GET", path, "x"))
        wrong += [f"{path}: {heard.status}"] if heard.status != 401 else []
    for scheme in (b"Basic ", b"Token ", b"", b"Bearer\t", b"Bearer:", b"Digest "):
        head = b"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + scheme + team.ADMIN.encode() + b"\r\n\r\n"
        heard = wire.ask(head)
        wrong += [f"{scheme!r}: {heard.status}"] if heard.status != 401 else []
    is_fine = wire.ask(request("GET", "/api/v1/whoami", team.ADMIN)).status == 200
    report.figure("no keys", sent=len(rows) + 8, let_in_or_answered_otherwise=len(wrong))
    report.check("nothing but the secret itself authenticates", not wrong and is_fine, "\n".join(wrong))
    wire.close()


def _time(report: Report, scale: Scale, store: Store, server: Server) -> None:
    document, dice = store.snapshot(), scale.dice("timing")
    for name, (one, other) in _pools(dice).items():
        found = compare(_trying(document, one), _trying(document, other), scale.of(100_000, 10_000), dice)
        report.check(f"{name}, in the process: {found}", not found.tells)
        wire = Wire(server.port)
        over_http = compare(_sending(wire, one), _sending(wire, other), scale.of(100_000, 2_000), dice)
        report.check(f"{name}, over one connection: {over_http}", not over_http.tells)
        wire.close()


def _pools(dice: Random) -> dict[str, tuple[list[str], list[str]]]:
    """Wrong keys that are near to a good one, and as many that are as near to one that is none: keys alike are sent and read a
    little quicker than others, whatever they are like."""
    target, other = team.digest(team.ADA), wrong_key(dice)
    nowhere = next(digest for digest in map(team.digest, iter(lambda: wrong_key(dice), "")) if digest[0] != target[0])
    begins = "digests that begin like a stored one", "secrets that begin like a good one"
    digests = _beginning(dice, target[:3]), _beginning(dice, nowhere[:3])
    secrets = tuple([like[:-3] + "".join(dice.choices(_ALPHABET, k=3)) for _ in range(_POOL)] for like in (team.ADA, other))
    return {begins[0]: digests, begins[1]: (secrets[0], secrets[1])}


def _beginning(dice: Random, start: str) -> list[str]:
    """Keys whose digests begin so."""
    found: list[str] = []
    while len(found) < _POOL:
        key = wrong_key(dice)
        if team.digest(key).startswith(start):
            found.append(key)
    return found


def _trying(document: Document, keys: list[str]) -> Callable[[int], object]:
    now = now_text()

    def deed(number: int) -> None:
        try:
            api_keys.authenticate(document, keys[number % _POOL], now)
        except Unauthorized:
            return
        raise AssertionError("a wrong key was let in")

    return deed


def _sending(wire: Wire, keys: list[str]) -> Callable[[int], Heard]:
    requests = [request("GET", "/api/v1/whoami", key) for key in keys]
    return lambda number: wire.ask(requests[number % _POOL])


def _catch_variants(report: Report, scale: Scale, store: Store) -> None:
    document, pairs = store.snapshot(), 4_000

    def keys_take_the_same_time() -> list[str]:
        dice = scale.dice("variants")
        found: dict[str, Comparison] = {
            name: compare(_trying(document, one), _trying(document, other), pairs, dice) for name, (one, other) in _pools(dice).items()
        }
        return [f"{name}: {each}" for name, each in found.items() if each.tells]

    def keeps_secrets() -> None:
        """Compares with plain secrets up to the first difference."""
        broken_keys.keeps_secrets_to_compare(team.SECRETS)

    slow = (broken_keys.compares_digests_bit_by_bit, keeps_secrets)
    loose = (broken_keys.looks_at_no_end, broken_keys.takes_digests, broken_keys.forgets_members)
    caught_by(report, [(keys_take_the_same_time, slow), (_refusals(document), loose), (foreign.probe(store, scale), foreign.VARIANTS)])


def _refusals(document: Document) -> Callable[[], list[str]]:
    """A probe: what must be refused, with the moment it is tried at."""
    end = "2026-01-03T00:00:00.000000+00:00"

    def only_what_works_is_let_in() -> list[str]:
        gone = _without_ada(document)
        tries = {
            "at the very moment of its end": (document, team.BOB_EXPIRED, end),
            "a microsecond behind its end": (document, team.BOB_EXPIRED, end.replace("000000", "000001")),
            "a digest": (document, team.digest(team.ADA), end),
            "an admin key's digest": (document, team.digest(team.ADMIN), end),
            "not a member any more": (gone, team.ADA, end),
        }
        return [name for name, given in tries.items() if _is_let_in(*given)] + (
            [] if _is_let_in(document, team.BOB_EXPIRED, "2026-01-02T23:59:59.999999+00:00") else ["refused before its end"]
        )

    return only_what_works_is_let_in


def _is_let_in(document: Document, secret: str, now: str) -> bool:
    try:
        return bool(api_keys.authenticate(document, secret, now))
    except Unauthorized:
        return False


def _without_ada(document: Document) -> Document:
    from secure_mcp_gateway.store.document import Draft, member_key

    draft = Draft(document)
    draft.delete("members", member_key(team.RED, team.ADA_ID))
    return draft
