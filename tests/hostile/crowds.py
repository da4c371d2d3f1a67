"""Slow and many: a thousand hostile connections at a server that holds 512 keep no honest client out, and leave nothing behind."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Callable

from tests.crash.report import Report, Scale
from tests.hostile import honest
from tests.hostile.crowd import Besieged, allow_many_files
from tests.hostile.honest import Served
from tests.hostile.target import Target, has_openssl, target, until

KINDS = ("slow_header", "slow_body", "never_reading", "idle")
MANY = 1000
SILENT = 100
# Seconds.
_P99 = 0.25
_ADDED = 0.05
# What a crowd may leave behind of memory, KiB, once others like it have been there.
_NEAR = 8 * 1024
# So many crowds may come until the allocator has what it keeps for the next; a leak grows with each.
_CROWDS = 5
# Somebody else may have needed the machine meanwhile.
_TRIES = 3
_OWN_THREADS = 3
# What each breaks, the crowd that it must fail beside, and whether the server speaks TLS.
VARIANTS = {
    "evicts_nobody": ("slow_header", False),
    "evicts_no_bodies": ("slow_body", False),
    "evicts_no_answers": ("never_reading", False),
    "handshakes_as_it_accepts": ("silent", True),
}


class Rest(dict[str, int]):
    """What the system says of the server while nobody is connected."""

    @classmethod
    def of(cls, attacked: Target) -> Rest:
        return cls(memory=attacked.memory, threads=attacked.threads, descriptors=attacked.descriptors)


def run(report: Report, scale: Scale) -> None:
    allow_many_files()
    for kind in KINDS:
        _beside(report, scale, kind)
    if has_openssl():
        _beside_silent_ones(report, scale)
    else:
        report.skip("silent TLS clients", "there is no openssl command to make a certificate with")
    _drops(report, scale)
    _dripping_ends(report)
    for variant, (kind, secure) in VARIANTS.items():
        if not secure or has_openssl():
            report.check(f"{variant} is caught", _is_caught(variant, kind, secure))


def _beside(report: Report, scale: Scale, kind: str) -> None:
    requests = scale.of(200, 100)
    with target() as attacked:
        cold = attacked.memory
        _come_and_go(kind, attacked)
        before = Rest.of(attacked)
        with _settled(kind, attacked) as crowd:
            fresh, kept = _swift(honest.fresh, attacked, requests), _swift(honest.kept, attacked, requests)
            full = Rest.of(attacked)
        gone = _is_at_rest(attacked, before["descriptors"])
        after = Rest.of(attacked)
        _tell(report, kind, crowd, fresh, kept)
        memory = [before["memory"], after["memory"]]
        while memory[-1] - memory[-2] >= _NEAR and len(memory) < _CROWDS:
            memory.append(_come_and_go(kind, attacked))
        report.figure(f"{kind}, memory", KiB_cold=cold, KiB_full=full["memory"], KiB_behind_each_crowd=" ".join(map(str, memory)))
        nobody = not fresh.failures and not kept.failures
        report.check(f"{kind}: no honest request fails", nobody, f"{fresh.failures[:5]} {kept.failures[:5]}")
        report.check(f"{kind}: the p99 of honest ones is under 250 ms", max(fresh.p99(), kept.p99()) < _P99)
        report.check(
            f"{kind}: no thread and no descriptor is left", gone and after["descriptors"] <= before["descriptors"], f"{before} {after}"
        )
        report.check(f"{kind}: the memory is back to within {_NEAR} KiB", memory[-1] - memory[-2] < _NEAR, str(memory))


def _come_and_go(kind: str, attacked: Target) -> int:
    """The memory behind it."""
    with _settled(kind, attacked):
        honest.fresh(attacked, 20)
    assert _is_at_rest(attacked), "the crowd does not go"
    return attacked.memory


def _tell(report: Report, kind: str, crowd: Besieged, fresh: Served, kept: Served) -> None:
    report.figure(
        f"beside {kind}",
        hostile_connections_opened=crowd.opened,
        honest_on_fresh_connections=len(fresh.times),
        failed=len(fresh.failures),
        ms_p99=round(fresh.p99() * 1000),
        on_kept_ones=len(kept.times),
        failed_there=len(kept.failures),
        ms_p99_there=round(kept.p99() * 1000),
        asked_again=kept.again,
    )


@contextlib.contextmanager
def _settled(kind: str, attacked: Target, count: int = MANY) -> Iterator[Besieged]:
    """The crowd, once the server has let in all who came at once."""
    with Besieged(kind, attacked.server.port, count, attacked.key) as crowd:
        until(lambda: not attacked.queue())
        yield crowd


def _swift(ask: Callable[[Target, int], Served], attacked: Target, requests: int, limit: float = _P99) -> Served:
    """The best of some tries; a failure of any counts."""
    served = ask(attacked, requests)
    for _ in range(_TRIES - 1):
        if served.failures or served.p99() < limit:
            break
        served = ask(attacked, requests)
    return served


def _is_at_rest(attacked: Target, descriptors: int = 1 << 30) -> bool:
    """Nobody is connected: the threads are the main one, the log's and the reaper."""
    return until(lambda: not attacked.queue() and attacked.threads <= _OWN_THREADS and attacked.descriptors <= descriptors)


def _beside_silent_ones(report: Report, scale: Scale) -> None:
    requests = scale.of(400, 200)
    with target(secure=True) as attacked:
        honest.fresh(attacked, 20)
        alone = _swift(honest.fresh, attacked, requests, _ADDED)
        with _settled("silent", attacked, SILENT):
            beside = _swift(honest.fresh, attacked, requests, alone.p99() + _ADDED)
        added = beside.p99() - alone.p99()
        report.figure(f"beside {SILENT} silent TLS clients", ms_p99=round(beside.p99() * 1000), ms_p99_alone=round(alone.p99() * 1000))
        report.check("silent TLS clients: no honest request fails", not beside.failures, str(beside.failures[:5]))
        report.check("silent TLS clients add under 50 ms to the p99", added < _ADDED, f"{added:.3f} s")


def _drops(report: Report, scale: Scale) -> None:
    """Opened and dropped in a row, some with a part of a request, some with a reset."""
    count = scale.of(10_000, 2_000)
    with target() as attacked:
        honest.fresh(attacked, 20)
        _drop(attacked, count // 10)
        assert _is_at_rest(attacked), "the first connections do not go"
        before = Rest.of(attacked)
        _drop(attacked, count)
        gone = _is_at_rest(attacked, before["descriptors"])
        served, after = _swift(honest.fresh, attacked, 100), Rest.of(attacked)
        report.figure("opened and dropped", connections=count, honest_behind_them=len(served.times), ms_p99=round(served.p99() * 1000))
        report.figure("opened and dropped, memory", KiB_before=before["memory"], KiB_after=after["memory"])
        report.check(
            "all is well behind connections that were dropped", not served.failures and served.p99() < _P99, str(served.failures[:5])
        )
        light = after["memory"] - before["memory"] < _NEAR
        report.check("they leave no thread, no descriptor and no memory", gone and light, f"{before} {after}")


def _drop(attacked: Target, count: int) -> None:
    for number in range(count):
        with socket.create_connection(("127.0.0.1", attacked.server.port), timeout=honest.PATIENCE) as sock:
            if number % 2:
                sock.send(b"GET /health HT")
            if number % 3:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _dripping_ends(report: Report) -> None:
    """The deadline of a head is that of the whole head: a byte now and then does not put it off."""
    with target(variant="broken_crowds:quick") as attacked:
        seconds = honest.seconds_until_408(attacked)
    report.figure("a head that drips, with a deadline of 1 s", seconds=round(seconds, 1))
    report.check("a head that drips is ended at its deadline", seconds < honest.DRIP_LIMIT, f"{seconds:.1f} s")
    with target(variant="broken_crowds:starts_anew") as attacked:
        seconds = honest.seconds_until_408(attacked)
    report.check("starts_anew is caught", seconds >= honest.DRIP_LIMIT, f"{seconds:.1f} s")


def _is_caught(variant: str, kind: str, secure: bool) -> bool:
    """It fails an honest request, or is too late with it."""
    with target(secure, f"broken_crowds:{variant}") as attacked:
        with Besieged(kind, attacked.server.port, SILENT if secure else MANY, attacked.key):
            served = honest.fresh(attacked, honest.CLIENTS, patience=1.0)
        return bool(served.failures) or served.p99() > _P99
