"""The malformed and the unusual requests that gunicorn's own tests hold: others thought of what we did not."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tarfile

from tests.crash.report import Report
from tests.hostile.judge import answers_in
from tests.hostile.target import Target, target
from tests.support import ROOT
from tests.web.raw import Answer

_NAME = "gunicorn"
_VERSION = "23.0.0"
_PLACE = ROOT / ".tools" / "hostile"
_SECONDS = 180
_SIZES = {"invalid": 56, "valid": 42}
# The statuses of requests that are not HTTP, or too much of it.
_MALFORMED = frozenset((400, 413, 414, 417, 431, 501, 505))
# Requests of HTTP/1.1 that lack a Host; each is sent with one, too.
_NO_HOST = "the field Host is missing"
# Valid there and refused here: the rule, in the words of the refusal.
STRICTER = {
    "002": "Host is not a host",
    "003": "Host is not a host",
    "005": "a fragment is never sent",
    "009": "a fragment is never sent",
    "025": "the only transfer coding taken is chunked",
    "025_line": "the only transfer coding taken is chunked",
    "027": "visible characters",
    "028": "a blank stands before the colon",
    "029": "the only transfer coding taken is chunked",
    "030": "the only transfer coding taken is chunked",
    "040": "could be taken for another one",
    "040_compat": "could be taken for another one",
    "024": "longer than 8192 bytes",
    "026": "longer than 8192 bytes",
    "compat_obs_fold": "obs-fold",
    "compat_obs_fold_huge": "obs-fold",
    "pp_01": "the request line is not",
    "pp_02": "the request line is not",
}
# Refused there by a limit that is lower than the contract's, or by a rule that HTTP does not have; with a Host and a key taken here.
FINE = {
    "003c": "a method in small letters",
    "006": "a request line over 4,094 bytes",
    "008": "a field over 8,190 bytes",
    "010": "a field over 10 bytes",
    "017": "a field over 8,190 bytes",
    "019": "two fields of a proxy that name different schemes",
}


def run(report: Report) -> None:
    archive = _PLACE / f"{_NAME}-{_VERSION}.tar.gz"
    said = "" if archive.exists() else _download()
    if not archive.exists():
        report.skip(f"{_NAME}'s corpus", f"pip cannot fetch {_NAME} {_VERSION}: {said.strip()[-300:]}")
        return
    with tarfile.open(archive) as opened, target() as attacked:
        invalid, valid = _files(opened, "invalid"), _files(opened, "valid")
        for files, name in ((invalid, "invalid"), (valid, "valid")):
            report.check(f"the corpus holds {_SIZES[name]} {name} files", len(files) == _SIZES[name], f"{len(files)}")
        wrong = _wrong_with_invalid(attacked, invalid)
        report.figure("the invalid files, as they are and with a Host and a key", files=len(invalid), wrong=len(wrong), fine_here=len(FINE))
        report.check("each invalid file is refused and its connection closed", not wrong, "\n".join(wrong))
        wrong = _wrong_with_valid(attacked, valid)
        report.figure(
            "the valid files, with a Host and a key", files=len(valid), wrong=len(wrong), refused_by_a_stricter_rule=len(STRICTER)
        )
        report.check("each valid file is answered, or refused by the stricter rule named for it", not wrong, "\n".join(wrong))
        attacked.server.stop()
        said = attacked.server.said
        report.check("no fault of ours is in the log", "traceback" not in said.lower() and "incident" not in said, said[:3000])


def _download() -> str:
    words = ["--quiet", "--no-binary", ":all:", "--no-deps", "--dest", str(_PLACE), f"{_NAME}=={_VERSION}"]
    _PLACE.mkdir(parents=True, exist_ok=True)
    # The tests' own environment has no home; pip's settings and its cache are in the user's.
    settings = {**os.environ, "HOME": pwd.getpwuid(os.getuid()).pw_dir}
    argv = [sys.executable, "-m", "pip", "download", *words]
    try:
        done = subprocess.run(argv, env=settings, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr.decode()


def _files(opened: tarfile.TarFile, kind: str) -> dict[str, bytes]:
    """The requests by their files' names; ``\\r\\n`` and its like stand in the files as text, and their own line ends mean nothing."""
    found, start = {}, f"{_NAME}-{_VERSION}/tests/requests/{kind}/"
    for member in opened.getmembers():
        file = opened.extractfile(member) if member.name.startswith(start) and member.name.endswith(".http") else None
        if file:
            data = file.read().replace(b"\n", b"")
            for escape, code in ((rb"\r", b"\r"), (rb"\n", b"\n"), (rb"\t", b"\t"), (rb"\0", b"\0")):
                data = data.replace(escape, code)
            found[member.name[len(start) : -len(".http")]] = data
    return found


def _dressed(data: bytes, key: str) -> bytes:
    """With what this server needs: a Host, a key, and for a body a path that takes one, so that the request's own fault is what is left."""
    line, end, rest = data.partition(b"\r\n")
    words, head = line.split(b" "), rest.partition(b"\r\n\r\n")[0].lower()
    if words[0] == b"POST" and b"#" not in line:
        words[1] = b"/api/v1/users"
    added = [b"Authorization: Bearer " + key.encode()]
    added += [] if b"host:" in head else [b"Host: localhost"]
    added += [] if b"content-type:" in head else [b"Content-Type: application/json"]
    return b" ".join(words) + end + b"".join(field + b"\r\n" for field in added) + rest if end else data


def _first_answer(attacked: Target, data: bytes) -> Answer:
    """The peer ends behind the data. Raises ``ValueError`` or ``IndexError`` where that is no answer."""
    with attacked.connect() as client:
        client.send_what_goes(data).finish_sending()
        return answers_in(client.read_to_end())[0]


def _wrong_with_invalid(attacked: Target, files: dict[str, bytes]) -> list[str]:
    wrong = []
    for name, data in sorted(files.items()):
        for form in (data, _dressed(data, attacked.key)):
            answer = _first_answer(attacked, form)
            statuses = _MALFORMED if form != data else range(400, 506)
            refused = answer.status in statuses and answer.headers.get("connection") == "close"
            if refused == (name in FINE and form != data):
                wrong.append(f"{name}: {answer.status} {answer.headers.get('connection')} to {form[:200]!r}: {answer.body[:200]!r}")
    return wrong


def _wrong_with_valid(attacked: Target, files: dict[str, bytes]) -> list[str]:
    wrong = [f"{name} is named, and there is no such file" for name in STRICTER if name not in files]
    for name, data in sorted(files.items()):
        rule = STRICTER.get(name, "")
        bare, dressed = (_first_answer(attacked, form) for form in (data, _dressed(data, attacked.key)))
        if _rule(dressed) if not rule else rule not in _rule(dressed):
            wrong.append(f"{name}: {dressed.status} {dressed.body[:200]!r} where {rule or 'an answer'} was due")
        # Where it had no Host of its own, that is the one other reason.
        if _rule(bare) not in (_rule(dressed), _NO_HOST):
            wrong.append(f"{name}: {bare.status} {bare.body[:200]!r} as it is")
    return wrong


def _rule(answer: Answer) -> str:
    """By which rule of HTTP it is refused; none where it is taken for a request, whatever becomes of that."""
    if answer.status not in _MALFORMED or "not JSON" in answer.json()["detail"]:
        return ""
    return str(answer.json()["detail"])
