"""What a server said on a connection, and in its log, held against what it had to say."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from tests.hostile.case import MARK, Case
from tests.web.raw import Answer

FIELDS = {"time", "request_id", "key_id", "method", "route", "status", "bytes", "ms"}
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
_PAST = (b"Traceback", b'File "', b".py", b"<html")


def answers_in(data: bytes) -> list[Answer]:
    """Raises ``ValueError`` where the bytes are anything but whole answers, one behind the other."""
    answers = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        if not end or not head.startswith(b"HTTP/1.1 "):
            raise ValueError(f"this is no answer: {head[:200]!r}")
        answer = Answer(head, b"")
        size = int(answer.headers["content-length"])
        if len(data) < size:
            raise ValueError(f"the answer ends early: {data[:200]!r}")
        answer.body, data = data[:size], data[size:]
        answers.append(answer)
    return answers


def wrong_with(case: Case, said: bytes, before: bool, after: bool) -> tuple[list[str], list[Answer]]:
    """What is wrong, and the answers. ``before``, ``after``: a good request went before it, and one behind it."""
    try:
        answers = answers_in(said)
    except ValueError as error:
        return [str(error)], []
    expected = ["before"] * before + [""] + ["after"] * (after and not case.closes)
    named = [answer.headers.get("x-request-id", "") for answer in answers]
    if len(answers) != len(expected):
        return [f"{len(answers)} answers where {len(expected)} were due: {[answer.status for answer in answers]} {named}"], answers
    wrong = [f"the answer to the good request is {name} {answer.status}" for answer, name, due in zip(answers, named, expected)
             if due and (name, answer.status) != (due, 200)]
    return wrong + _wrong_answer(case, answers[before], said), answers


def _wrong_answer(case: Case, answer: Answer, said: bytes) -> list[str]:
    wrong = []
    if answer.status != case.status:
        wrong.append(f"{answer.status} instead of {case.status}: {answer.body[:200]!r}")
    if case.closes != (answer.headers.get("connection") == "close"):
        wrong.append(f"Connection: {answer.headers.get('connection')}")
    if not _ID(answer.headers.get("x-request-id", "")):
        wrong.append(f"X-Request-Id: {answer.headers.get('x-request-id')!r}")
    if case.error:
        wrong += _wrong_refusal(case, answer)
        wrong += [f"{words!r} stands in the answer" for words in (*_PAST, MARK) if words in said]
    return wrong


def _wrong_refusal(case: Case, answer: Answer) -> list[str]:
    if answer.headers.get("content-type") != "application/json":
        return [f"Content-Type: {answer.headers.get('content-type')}"]
    document: Any = json.loads(answer.body)
    if sorted(document) != ["detail", "error", "timestamp"]:
        return [f"the fields of the answer are {sorted(document)}"]
    wrong = [] if document["error"] == case.error else [f"{document['error']} instead of {case.error}"]
    return wrong + ([] if case.says in document["detail"] else [f"{case.says!r} is not in {document['detail']!r}"])


def wrong_lines(log: bytes, answered: Counter[str], secrets: tuple[str, ...]) -> list[str]:
    """``answered`` counts the request ids of all answers: each has its line in the log, and no other line is there."""
    wrong, logged = [], Counter[str]()
    for line in log.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            return [f"a line that is no JSON: {line[:200]!r}"]
        if set(record) != FIELDS:
            wrong.append(f"a line of other fields: {line[:2000]!r}")
        logged[str(record.get("request_id"))] += 1
    wrong += [f"{count} answers without a line for {name!r}" for name, count in (answered - logged).items()]
    wrong += [f"{count} lines without an answer for {name!r}" for name, count in (logged - answered).items()]
    return wrong + [f"{secret!r} stands in the log" for secret in (*secrets, MARK.decode()) if secret.encode() in log]
