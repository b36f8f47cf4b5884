"""Which faults of a history did it: the shortest list that still shows a violation."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def shrink(count: int, fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return the numbers, of 0 to ``count``, that are still needed to fail.

    Delta debugging: it drops ever smaller parts until no single one can be dropped.
    ``fails`` is asked with the numbers that are kept; with all of them it fails.

    >>> shrink(8, lambda kept: {2, 5} <= set(kept))
    [2, 5]
    """
    kept = list(range(count))
    parts = 2
    while kept:
        size = max(1, len(kept) // parts)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return kept
            parts *= 2
    return kept
