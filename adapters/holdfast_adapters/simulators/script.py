"""A day of faults: which begins and ends when, counted from the start of a desk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeAlias

import attrs
import trio

from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.ports import WallClock

TURN_S: Final = 0.01
"""How often a flood goes on."""

End: TypeAlias = Callable[[], None]


@attrs.frozen(kw_only=True)
class ScriptedFault:
    """One fault, and its time in seconds after the start of the desk."""

    at_s: float
    kind: str
    of: str = ""
    """The operation that it strikes; empty for one of the whole venue."""

    until_s: float | None = None
    """When it ends; one without an end is over when it has struck ``count`` times."""

    count: int = 1
    value: float | None = None
    """What its kind says that it is; None for the kind's own."""

    @property
    def name(self) -> str:
        """What it is called."""
        value = "" if self.value is None else f" {self.value:g}"
        return f"{self.kind}{value}" + (f" of {self.of}" if self.of else "")


@attrs.frozen(kw_only=True)
class Kinds:
    """What can go wrong at a venue."""

    operations: Sequence[str]
    known_for: Callable[[str], Mapping[str, str]]
    """Which faults an operation may have; empty for one that is not known."""

    at_large: Mapping[str, str]
    """What may stand without an operation."""

    lasting: Collection[str]
    """Those of the whole venue that need an end."""

    momentary: Collection[str]
    """Those of the whole venue that have none."""

    measured: Collection[str]
    """Those of the whole venue that need a value."""


class Stage(Protocol):
    """A venue at which faults can be switched on and off."""

    async def visited(self) -> None:
        """Return when a client asks for something."""

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> End:
        """Switch a fault on, with what works beside it; return what switches it off."""


class SkewedClock:
    """A clock that can be wrong."""

    def __init__(self, clock: WallClock) -> None:
        """Go as ``clock`` does, until `ahead_s` is set."""
        self._clock = clock
        self.ahead_s = 0.0

    def now_us(self) -> int:
        """Return the time that it shows, in µs UTC."""
        return self._clock.now_us() + round(self.ahead_s * 1_000_000)

    def now(self) -> datetime:
        """Return the time that it shows."""
        return utc_from_us(self.now_us())


def nothing() -> None:
    """End what ends by itself."""


def flooded(
    trade: Callable[[], None], trades_per_s: float, nursery: trio.Nursery
) -> End:
    """Let ``trade`` be called so often from now on; return what ends that."""
    scope = trio.CancelScope()

    async def flood() -> None:
        owed = 0.0
        with scope:
            while True:
                await trio.sleep(TURN_S)
                owed += trades_per_s * TURN_S
                while owed >= 1:
                    trade()
                    owed -= 1

    nursery.start_soon(flood)
    return scope.cancel


async def play(
    script: Sequence[ScriptedFault],
    stage: Stage,
    speed: float,
    say: Callable[[str], None],
) -> None:
    """Play ``script`` at ``stage``, ``speed`` times faster; ends with its last fault.

    Its time begins when the first client asks for something.
    What begins and ends at one moment ends first, and goes by the order of the script.
    ``say`` is told of each beginning and end, and what is on then.
    """
    await stage.visited()
    began_s = trio.current_time()
    say("somebody is here: the script begins")
    moments = [(each.at_s, 1, number) for number, each in enumerate(script)]
    moments += [
        (each.until_s, 0, number)
        for number, each in enumerate(script)
        if each.until_s is not None
    ]
    ends: dict[int, End] = {}
    async with trio.open_nursery() as nursery:
        for at_s, begins, number in sorted(moments):
            await trio.sleep_until(began_s + at_s / speed)
            fault = script[number]
            if begins:
                end = stage.begin(fault, nursery)
                if fault.until_s is not None:
                    ends[number] = end
            else:
                ends.pop(number)()
            word = _word(fault) if begins else "ends"
            on = ", ".join(script[each].name for each in ends) or "nothing"
            say(f"{at_s:g} s: {fault.name} {word}; on: {on}")
    say("the script is over")


def _word(fault: ScriptedFault) -> str:
    if fault.until_s is not None:
        return "begins"
    return "strikes once" if fault.count == 1 else f"strikes {fault.count} times"
