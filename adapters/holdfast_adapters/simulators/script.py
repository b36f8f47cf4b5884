"""A day of faults: which begins and ends when, counted from the start of a desk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeAlias, TypeVar

import attrs
import trio

from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.ports import WallClock

TURN_S: Final = 0.01
"""How often a flood goes on, and a connection is waited for."""

LOOK_S: Final = 0.1
"""How often it is looked whether what waits has struck."""

End: TypeAlias = Callable[[], None]
T = TypeVar("T")


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


class On:
    """A fault that was switched on, and what it has struck since."""

    def __init__(self, met: Callable[[], int], end: End | None = None) -> None:
        """``met`` counts what such a fault strikes; ``end`` switches it off."""
        self._met = met
        self._end = end
        self._from = met()
        self._struck: int | None = None

    @property
    def struck(self) -> int:
        """How many messages, answers or connections have met it; 0 if nobody has."""
        return self._met() - self._from if self._struck is None else self._struck

    def end(self) -> None:
        """Switch it off; what comes from now on does not count."""
        self._struck = self.struck
        if self._end is not None:
            self._end()


class Silent(Protocol):
    """A connection that can be half-open."""

    is_mute: bool
    unsent: int
    """What would have been sent, were it not."""


class Stage(Protocol):
    """A venue at which faults can be switched on and off."""

    async def visited(self) -> None:
        """Return when a client hears the market, or places an order."""

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> On:
        """Switch a fault on, with what works beside it."""


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


def flooded(trade: Callable[[], int], trades_per_s: float, nursery: trio.Nursery) -> On:
    """Let ``trade`` be called so often from now on; it returns how many heard of it."""
    scope, heard = trio.CancelScope(), 0

    async def flood() -> None:
        nonlocal heard
        owed = 0.0
        with scope:
            while True:
                await trio.sleep(TURN_S)
                owed += trades_per_s * TURN_S
                while owed >= 1:
                    heard += trade()
                    owed -= 1

    nursery.start_soon(flood)
    return On(lambda: heard, scope.cancel)


def struck_at_once(
    connected: Callable[[], Sequence[T]],
    strike: Callable[[T], None],
    nursery: trio.Nursery,
) -> On:
    """Strike all that is connected, now, or as soon as somebody is."""
    struck = 0

    def all_struck() -> bool:
        nonlocal struck
        for each in connected():
            strike(each)
            struck += 1
        return bool(struck)

    async def wait() -> None:
        while not all_struck():  # noqa: ASYNC110 - no one tells
            await trio.sleep(TURN_S)

    met = On(lambda: struck)
    if not all_struck():
        nursery.start_soon(wait)
    return met


def silenced(peers: Callable[[], Sequence[Silent]], nursery: trio.Nursery) -> On:
    """Let nothing more be sent to whom is connected, and count what is not."""
    silent: list[Silent] = []

    def silence(peer: Silent) -> None:
        peer.is_mute = True
        silent.append(peer)

    struck_at_once(peers, silence, nursery)
    return On(lambda: sum(each.unsent for each in silent))


async def play(
    script: Sequence[ScriptedFault],
    stage: Stage,
    speed: float,
    say: Callable[[str], None],
) -> None:
    """Play ``script`` at ``stage``, ``speed`` times faster.

    Its time begins when the first client hears the market, or places an order: one that
    starts asks for much before it trades.
    What begins and ends at one moment ends first, and goes by the order of the script.
    It is over when what has an end has ended, and the rest has struck as often as it
    says; that may be never. ``say`` is told of each beginning and end, and what is on
    then; and at last, or where it is cut short, of how often each fault has struck.
    """
    await stage.visited()
    say("somebody is here: the script begins")
    begun: dict[int, On] = {}
    try:
        async with trio.open_nursery() as nursery:
            await _begin_and_end(script, stage, speed, say, begun, nursery)
        await _struck(script, begun, say)
        say("the script is over")
    finally:
        for number, fault in enumerate(script):
            struck = begun[number].struck if number in begun else 0
            say(f"{fault.at_s:g} s: {fault.name} struck {_times(struck)}")


async def _begin_and_end(
    script: Sequence[ScriptedFault],
    stage: Stage,
    speed: float,
    say: Callable[[str], None],
    begun: dict[int, On],
    nursery: trio.Nursery,
) -> None:
    began_s = trio.current_time()
    moments = [(each.at_s, 1, number) for number, each in enumerate(script)]
    moments += [
        (each.until_s, 0, number)
        for number, each in enumerate(script)
        if each.until_s is not None
    ]
    lasting: list[int] = []
    for at_s, begins, number in sorted(moments):
        await trio.sleep_until(began_s + at_s / speed)
        fault = script[number]
        if begins:
            begun[number] = stage.begin(fault, nursery)
            if fault.until_s is not None:
                lasting.append(number)
        else:
            begun[number].end()
            lasting.remove(number)
        word = _word(fault) if begins else "ends"
        on = ", ".join(script[each].name for each in lasting) or "nothing"
        say(f"{at_s:g} s: {fault.name} {word}; on: {on}")


async def _struck(
    script: Sequence[ScriptedFault], begun: Mapping[int, On], say: Callable[[str], None]
) -> None:
    """Return when all that strikes so often, and has no end, has struck."""

    def waiting() -> list[str]:
        return [
            fault.name
            for number, fault in enumerate(script)
            if fault.until_s is None and begun[number].struck < fault.count
        ]

    if names := waiting():
        say(f"all has begun; waits for something to strike: {', '.join(names)}")
    while waiting():  # noqa: ASYNC110 - no one tells
        await trio.sleep(LOOK_S)


def _word(fault: ScriptedFault) -> str:
    if fault.until_s is not None:
        return "begins"
    return f"strikes {_times(fault.count)}"


def _times(count: int) -> str:
    return {0: "nobody", 1: "once"}.get(count, f"{count} times")
