"""Sweeps: the same check again and again, with a fault one opportunity later."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Literal

from holdfast_runtime.errors import SpecError
from holdfast_runtime.testing.fault import Fault
from holdfast_runtime.testing.faults import Faults, Place

How = Literal[
    "crash_on",
    "crash_start",
    "kill",
    "hang",
    "slow",
    "pause",
    "drop",
    "delay",
    "duplicate",
    "reorder",
]


def sweep(
    check: Callable[[Faults], object],
    how: How,
    place: Place,
    *args: Any,  # noqa: ANN401 - of the fault
    persistent: bool = False,
    every: int = 1,
    limit: int = 1_000,
    seed: int = 0,
    **more: Any,  # noqa: ANN401 - of the fault
) -> int:
    """Call ``check`` with a fault at the 1st, 2nd, 3rd … opportunity.

    It ends when a run gets by without meeting the fault; the number of faults that
    happened is returned. ``args`` and ``more`` are those of the method ``how`` of
    `Faults` (such as the class of the message), without ``nth`` and ``times``. A
    ``persistent`` fault strikes from then on, each time. ``every`` leaves out
    opportunities in between.

    Raises:
        AssertionError: the fault never had an opportunity, or had so in ``limit`` runs.
        Exception: whatever ``check`` raises, with a note that names the opportunity.
    """
    path = place if isinstance(place, str) else place.path
    times = inf if persistent else 1
    nth, happened = 1, 0
    while happened < limit:
        faults = Faults(seed=seed)
        fault = getattr(faults, how)(path, *args, nth=nth, times=times, **more)
        if not isinstance(fault, Fault):
            message = f"sweep of {how}: expected the class of a message, was none"
            raise SpecError(message)
        try:
            check(faults)
        except BaseException as error:
            error.add_note(f"in a sweep, with the fault {fault}")
            raise
        if not fault.happened:
            if not happened:
                message = f"expected an opportunity for a fault, was none: {fault}"
                raise AssertionError(message)
            return happened
        happened += 1
        nth += every
    message = f"expected a run to get by within {limit} faults, was not so: {fault}"
    raise AssertionError(message)
