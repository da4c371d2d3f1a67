"""One file given to a restore, on one surface, and what is wrong with what became of it and of the store."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.store.store import Store
from tests import support, team
from tests.crash.mutations import REFUSED, TAKEN, Done, Sample, verdict_of
from tests.crash.restored import Record, depth, differences, digest, expected, strict
from tests.surfaces import send

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSAL = "this cannot be restored, nothing is changed: "
_TOKEN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_MOST_SIGN_INS = 4
_SURELY_READ = 60  # levels that are read on each surface; what is refused for its depth has no further problems


class Answer(NamedTuple):
    """``code`` is the exit code or the status, ``data`` what was answered where it went well, else ``detail`` says why not."""

    code: int
    data: Any
    error: str
    detail: str

    @property
    def problems(self) -> list[str]:
        return self.detail.partition(REFUSAL)[2].split("; ") if REFUSAL in self.detail else [self.detail]


class Restoring:
    """A store with a running server's app, into which files are restored one after the other."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.store = team.make_team(os.path.join(folder, "s"))
        self.app = ManagementApp(self.store)
        self._file = os.path.join(folder, "given.json")

    def on_command_line(self, data: bytes, *flags: str) -> Answer:
        return self._ran(support.run(*self._words(data, *flags)))

    def in_a_process(self, data: bytes, *flags: str) -> Answer:
        return self._ran(support.process(*self._words(data, *flags)))

    def over_rest(self, data: bytes, *flags: str) -> Answer:
        """The file stands in the body as it is."""
        begin = b'{"dry_run": true,  "data": ' if flags else b'{"dry_run": false, "data": '
        response = send(self.app, "POST", "/api/v1/system/restore", begin + data + b"}")
        answer = json.loads(response.body)
        if response.status == 200:
            return Answer(200, answer["data"], "", "")
        return Answer(response.status, None, answer["error"], answer["detail"])

    def _words(self, data: bytes, *flags: str) -> list[str]:
        with open(self._file, "wb") as file:
            file.write(data)
        return ["--store", self.store.path, "--format", "json", "system", "restore", f"--input-file={self._file}", *flags]

    def _ran(self, ran: support.Ran) -> Answer:
        if ran.code == 0:
            return Answer(0, ran.data, "", ran.err if "Traceback" in ran.err else "")
        refusal = json.loads(ran.err)
        return Answer(ran.code, None, refusal["error"], refusal["detail"])

    def document(self) -> bytes:
        with open(self.store.path, "rb") as file:
            return file.read()

    def log(self) -> bytes:
        with open(os.path.join(self.store.folder, "audit.jsonl"), "rb") as file:
            return file.read()


class Tried(NamedTuple):
    """``wrong`` is everything that should not be."""

    taken: bool
    problems: list[str]
    wrong: list[str]


def tried(place: Restoring, surface: Callable[..., Answer], sample: Sample, data: bytes, done: list[Done]) -> Tried:
    """A dry run, then the deed, both judged."""
    before, log = place.document(), place.log()
    rehearsed = surface(data, "--dry-run")
    wrong = [] if place.document() == before else ["the dry run changed the store"]
    answer = surface(data)
    if answer.data is None:
        wrong += _wrong_refusal(place, sample, answer, before, log)
        wrong += [] if rehearsed[1:] == answer[1:] else [f"the dry run said {rehearsed.detail[:300]}"]
    else:
        wrong += _wrong_taking(place, answer, rehearsed, data, before)
    return Tried(answer.data is not None, [] if answer.data else answer.problems, [*wrong, *_against(done, answer, data)])


def _against(done: list[Done], answer: Answer, data: bytes) -> Iterator[str]:
    """Was the right thing done with a file of these mutations?"""
    verdict, named = verdict_of(done)
    taken = answer.data is not None
    try:
        if depth(strict(data)) > _SURELY_READ:
            named = []
    except (ValueError, RecursionError):
        verdict, named = REFUSED, []
    if verdict == REFUSED and taken:
        yield "it was taken, and must be refused"
    if verdict == TAKEN and not taken:
        yield f"it was refused, and must be taken: {answer.detail[:500]}"
    yield from (f"the refusal does not say {each!r}: {answer.detail[:500]}" for each in named if each not in answer.detail)


def _wrong_refusal(place: Restoring, sample: Sample, answer: Answer, before: bytes, log: bytes) -> list[str]:
    said = (answer.code, answer.error) in ((2, "invalid_request"), (400, "invalid_request"))
    wrong = [] if said else [f"{answer.code} {answer.error}: {answer.detail[:500]}"]
    if place.document() != before:
        wrong.append("refused, and the store is another")
    added = place.log()[len(log) :]
    if not place.log().startswith(log) or added.count(b"\n") > 2 or b'"ok"' in added:
        wrong.append(f"refused, and the audit says {added[:500]!r}")
    told = answer.detail + added.decode()
    wrong += [f"a secret is told: {secret}" for secret in sample.secrets if secret in told]
    if len(set(answer.problems)) < len(answer.problems):
        wrong.append("a problem is said twice")
    return wrong


def _wrong_taking(place: Restoring, answer: Answer, rehearsed: Answer, data: bytes, before: bytes) -> list[str]:
    source, former, now = strict(data), json.loads(before), json.loads(place.document())
    try:
        wanted = expected(source)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return [f"taken, and there is no telling what it means: {error!r}"]
    wrong = differences({**wanted, "admin_keys": former["admin_keys"]}, now)
    counts = {"projects": "projects", "users": "users", "configs": "mcp_configs", "api_keys": "apikeys"}
    for name, table in counts.items():
        if not answer.data[name] == len(now[table]) == (rehearsed.data or {}).get(name):
            wrong.append(f"{name}: {answer.data[name]} said, {len(now[table])} there, {rehearsed} in the dry run")
    if answer.data["warnings"] != (rehearsed.data or {}).get("warnings"):
        wrong.append(f"warned of {answer.data['warnings']}, the dry run of {rehearsed}")
    wrong += [] if now["generation"] == former["generation"] + 1 else [f"generation {now['generation']} after {former['generation']}"]
    wrong += _wrong_backup(answer.data["safety_backup"], before)
    wrong += [answer.detail] if answer.detail else []
    return [*wrong, *_wrong_keys(place, source, wanted), *_wrong_afterwards(place)]


def _wrong_backup(path: str, before: bytes) -> list[str]:
    try:
        with open(path, "rb") as file:
            return [] if file.read() == before else ["the safety backup is not the former store"]
    except OSError as error:
        return [f"the safety backup: {error}"]


def _wrong_keys(place: Restoring, source: Record, wanted: Record) -> Iterator[str]:
    """Do the secrets open what they opened, and nothing else?"""
    app = ManagementApp(Store(place.store.path))
    secrets = [*(() if "members" in source else source["apikeys"]), *team.SECRETS]
    known = [each for each in secrets if set(each) <= _TOKEN and digest(each) in wanted["apikeys"]][:_MOST_SIGN_INS]
    for secret in known:
        key = wanted["apikeys"][digest(secret)]
        response = send(app, "GET", "/api/v1/whoami", None, secret)
        opens = not key["disabled"] and not _is_over(key["expires_at"])
        if (response.status == 200) != opens:
            yield f"a key that is {key} was answered {response.status}"
        elif opens and json.loads(response.body)["data"]["email"] != wanted["users"][key["user_id"]]["email"]:
            yield f"a key of {key['user_id']} opens another's"
    if send(app, "GET", "/api/v1/whoami").status != 200:
        yield "the running store's admin key does not work any more"


def _is_over(expires_at: str | None) -> bool:
    from datetime import datetime, timezone

    return expires_at is not None and datetime.fromisoformat(expires_at) <= datetime.now(timezone.utc)


def _wrong_afterwards(place: Restoring) -> Iterator[str]:
    """Is what was made sound, and can it be saved and restored again?"""
    health = json.loads(send(place.app, "GET", "/api/v1/system/health").body)["data"]
    if health["issues"]:
        yield f"health-check finds {health['issues'][:3]}"
    saved = send(place.app, "POST", "/api/v1/system/backup", {})
    again = send(place.app, "POST", "/api/v1/system/restore", b'{"dry_run": true, "data": ' + saved.body + b"}")
    if again.status != 200:
        yield f"its backup cannot be restored: {again.body[:300]!r}"


def in_the_stores_place(folder: str, data: bytes) -> Tried:
    """A file of Enkrypt's as the store itself: the first write takes it over after a backup, or nothing is touched."""
    path = os.path.join(folder, "store.json")
    os.mkdir(folder)
    with open(path, "wb") as file:
        file.write(data)
    ran = support.run("--store", path, "--format", "json", "user", "create", "--email=first@write.example")
    with open(path, "rb") as file:
        now = file.read()
    backups = os.path.join(folder, "backups")
    saved = [os.path.join(backups, name) for name in os.listdir(backups)] if os.path.isdir(backups) else []
    if ran.code:
        refusal = json.loads(ran.err)
        fine = (ran.code, refusal["error"], now == data, saved) == (6, "unavailable", True, [])
        return Tried(False, [refusal["detail"]], [] if fine else [f"refused with {ran.code} {refusal}, {len(saved)} backups"])
    document = json.loads(now)
    (added,) = (key for key, user in document["users"].items() if user["email"] == "first@write.example")
    del document["users"][added]
    source = strict(data)
    wrong = [*differences(expected(source), document), *_wrong_backup((saved or ["none"])[0], data)]
    admins = [digest(source["admin_apikey"])] if source.get("admin_apikey") is not None else []
    wrong += [] if list(document["admin_keys"]) == admins else ["its admin key is another"]
    return Tried(True, [], wrong)


def problems_of(store: Store, document: Record) -> list[str]:
    """What a dry run of the rule itself has against a document; nothing where it would be taken."""
    from secure_mcp_gateway.errors import InvalidRequest
    from secure_mcp_gateway.repository.call import ADMIN, Caller, new_call
    from secure_mcp_gateway.repository.restore import restore_store
    from secure_mcp_gateway.store.document import Draft

    try:
        restore_store(Draft(store.snapshot()), new_call(Caller(ADMIN, "", "tests"), store), data=json.loads(json.dumps(document)))
    except InvalidRequest as error:
        return Answer(2, None, error.code, error.message).problems
    return []
