"""One reader of the product as a fuzzer sees it."""

from __future__ import annotations

from typing import Callable, NamedTuple


class Target(NamedTuple):
    """``attempt`` gives whether the reader took the bytes; what it raises is a finding. ``words`` are those that a fuzzer would
    guess late. ``mutate`` makes other bytes of a seed, where bytes alone lead nowhere. ``longest`` in bytes."""

    attempt: Callable[[bytes], bool]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    mutate: Callable[[bytes, int], bytes] | None = None
    longest: int = 4096
