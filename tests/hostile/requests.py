"""Malformed, ambiguous and smuggled requests: each is refused as the contract says, once, and harms nobody behind it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.crash.report import Report, Scale
from tests.hostile import contents, corpus, malformed, smuggled
from tests.hostile.case import KEY, Case, asked
from tests.hostile.judge import wrong_lines, wrong_with
from tests.hostile.target import Target, has_openssl, target
from tests.web.raw import RawClient

OWN = [
    *malformed.REQUEST_LINES,
    *malformed.TARGETS,
    *malformed.FIELDS,
    *malformed.TOO_MUCH,
    *smuggled.FRAMINGS,
    *smuggled.CHUNKS,
    *smuggled.STRANGERS,
    *contents.BODIES,
    *contents.NAMES,
]
CASES = [*OWN, *malformed.OF_THE_PARSER]
BEFORE = asked("X-Request-Id: before")
AFTER = asked("X-Request-Id: after", "Connection: close")
# At most so many connections at once, so that none is evicted.
_AT_ONCE = 200
# Longer requests are cut at some places only, and not sent byte by byte.
_LONG = 2000
# What each breaks: words of the names of the cases to send, and words of what must be found.
VARIANTS = {
    "lenient_framing": ("CL.TE", "'smuggled', 'after'"),
    "lenient_line_ends": ("LF", "instead of 400"),
    "a_lenient_version": ("HTTP/1.9", "200 instead of 505"),
    "lenient_chunks": ("a size with", "'smuggled', 'after'"),
    "lenient_json": ("JSON: ", "JSON: NaN"),
    "keeps_refused": ("CL.TE", "smuggled"),
    "logs_as_text": ("path: ", "a line that is no JSON"),
}


class Sent(NamedTuple):
    """A case on a connection of its own: its bytes in these pieces, between good requests. In two pieces each is read by itself."""

    case: Case
    pieces: list[bytes]
    before: bool
    after: bool


class Attack:
    """Sends to one target; ``wrong`` has a sentence for whatever was not as it must be."""

    def __init__(self, attacked: Target) -> None:
        self.target = attacked
        self.wrong: list[str] = []
        self.answered: Counter[str] = Counter()
        self.sent = 0

    def sending(self, case: Case, cuts: tuple[int, ...] = (), before: bool = False) -> Sent:
        """``cuts`` are where the case's own bytes are cut."""
        data, after = case.data_with(self.target.key), not case.ends
        edges = (0, *cuts, len(data))
        pieces = [data[start:end] for start, end in zip(edges, edges[1:])]
        if before:
            pieces[0] = self._good(BEFORE) + pieces[0]
        if after:
            pieces[-1] += self._good(AFTER)
        return Sent(case, pieces, before, after)

    def _good(self, request: bytes) -> bytes:
        return request.replace(KEY, self.target.key.encode())

    def send(self, all_sent: list[Sent]) -> None:
        for start in range(0, len(all_sent), _AT_ONCE):
            self._send_together(all_sent[start : start + _AT_ONCE])

    def _send_together(self, group: list[Sent]) -> None:
        """The first pieces of all, then their next ones."""
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.target.connect()) for _ in group]
            for client in clients:
                client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # Whoever closes leaves nothing behind: the system's table of connections stays short.
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for number in range(max(len(sent.pieces) for sent in group)):
                if number == 1:
                    self.target.wait_until_read()
                for client, sent in zip(clients, group):
                    for piece in sent.pieces[number : number + 1]:
                        client.send_what_goes(piece)
            for client, sent in zip(clients, group):
                if sent.case.ends:
                    _stop_sending(client)
            for client, sent in zip(clients, group):
                self._judge(client, sent)

    def _judge(self, client: RawClient, sent: Sent) -> None:
        self.sent += 1
        try:
            said = client.read_to_end()
        except OSError as error:
            self.wrong.append(f"{sent.case.name}: no end of the connection: {error!r}")
            return
        finally:
            client.sock.close()
        wrong, answers = wrong_with(sent.case, said, sent.before, sent.after)
        self.answered.update(answer.headers["x-request-id"] for answer in answers)
        self.wrong += [f"{sent.case.name}, in {len(sent.pieces)} pieces, the first {sent.pieces[0][-40:]!r}: {each}" for each in wrong]

    def bytewise(self, case: Case) -> Sent:
        return self.sending(case, tuple(range(1, len(case.data_with(self.target.key)))))

    def generation(self) -> str:
        with self.target.connect() as client:
            client.send(self._good(asked("Connection: close", target="/api/v1/users")))
            answer = client.read()
        self.answered[answer.headers["x-request-id"]] += 1
        return answer.headers["etag"]

    def wrong_in_log(self) -> list[str]:
        code = self.target.server.stop()
        wrong = [f"the server ended with {code}"] if code else []
        return wrong + wrong_lines(self.target.server.said.encode(), self.answered, (self.target.key,))


def _stop_sending(client: RawClient) -> None:
    """Below TLS: its own goodbye would close both ways."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(client.sock, socket.SHUT_WR)


def run(report: Report, scale: Scale) -> None:
    report.check("the table holds at least 100 requests of its own, each once", _is_a_table())
    for secure in (False, True):
        if secure and not has_openssl():
            report.skip("requests over TLS", "there is no openssl command to make a certificate with")
            continue
        _attack(report, scale, secure)
    corpus.run(report)
    for variant, (names, words) in VARIANTS.items():
        wrong = _wrong_of(variant, names)
        report.check(f"{variant} is caught", any(words in each for each in wrong), f"{len(wrong)} found: {wrong[:3]}")


def _is_a_table() -> bool:
    return len(OWN) >= 100 and len({case.name for case in CASES}) == len({case.data for case in CASES}) == len(CASES)


def _attack(report: Report, scale: Scale, secure: bool) -> None:
    over = "over TLS" if secure else "over TCP"
    with target(secure) as attacked:
        attack = Attack(attacked)
        generation = attack.generation()
        for name, group in _ways(attack, scale):
            before, wrong = attack.sent, len(attack.wrong)
            attack.send(group)
            report.figure(f"{over}, {name}", requests=attack.sent - before, wrong=len(attack.wrong) - wrong)
        kept = attack.generation()
        report.check(f"{over}, each is answered once, as the contract says", not attack.wrong, _shown(attack.wrong))
        report.check(f"{over}, the store is as it was", kept == generation, f"generation {generation} became {kept}")
        wrong = attack.wrong_in_log()
        report.check(f"{over}, the log has one line for each answer and no other", not wrong, _shown(wrong))


def _ways(attack: Attack, scale: Scale) -> Iterator[tuple[str, list[Sent]]]:
    cases, dice = _askable(attack.target), scale.dice("cuts")
    yield "one at a time", [attack.sending(case) for case in cases]
    yield "between two good ones", [attack.sending(case, before=True) for case in cases]
    cuts = []
    for case in cases:
        size = len(case.data_with(attack.target.key))
        places = range(1, size)
        share = scale.of(size, 2 if attack.target.secure else 8) if size < _LONG else 16
        chosen = places if share >= len(places) else sorted(dice.sample(places, share))
        cuts += [attack.sending(case, (at,)) for at in chosen]
    yield "cut in two", cuts
    bytewise = [case for case in cases if len(case.data) < _LONG]
    yield "byte by byte", [attack.bytewise(case) for case in (dice.sample(bytewise, 40) if scale.quick else bytewise)]


def _askable(attacked: Target) -> list[Case]:
    """Where Python cannot have OpenSSL take a bare end for an end, the end of a request over TLS breaks the connection."""
    bare_end = not attacked.secure or hasattr(ssl, "OP_IGNORE_UNEXPECTED_EOF")
    return [case for case in CASES if bare_end or not case.ends]


def _wrong_of(variant: str, names: str) -> list[str]:
    with target(variant=f"broken_requests:{variant}") as attacked:
        attack = Attack(attacked)
        attack.send([attack.sending(case) for case in CASES if names in case.name])
        return attack.wrong + attack.wrong_in_log()


def _shown(wrong: list[str]) -> str:
    return "\n".join([*wrong[:40], f"... {len(wrong)} in all" if len(wrong) > 40 else ""])
