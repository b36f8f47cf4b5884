"""Market time and last prices: written by the source, read by everybody.

While a lone strategy runs on from slice to slice, it writes them in the source's place.

They change only between steps (on a replay: only at quiescence), so that a reader sees
one value throughout a step. They are values to look at, not actors: a read is a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from holdfast_domain.cursor import ADVANCE_SLOT, START, slot_of
from holdfast_domain.events import VenueDegraded
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import to_decimal


class MarketClock:
    """Market time and the cursor of the inputs."""

    __slots__ = ("cursor", "now_us")

    def __init__(self, now_us: int = 0, cursor: int = START) -> None:
        self.now_us = now_us
        self.cursor = cursor

    @property
    def fired_us(self) -> int:
        """The last moment whose triggers were published.

        Those of the very moment at which the venue advances come after its advance.
        """
        return self.now_us - (slot_of(self.cursor) == ADVANCE_SLOT)

    def move(self, now_us: int, cursor: int) -> None:
        """Go to a later moment; for the source alone."""
        self.now_us = now_us
        self.cursor = cursor


class PriceBoard:
    """The last close of each instrument, as of the last slice that was published."""

    __slots__ = ("_closes", "_data", "step")

    def __init__(self, data: MarketData) -> None:
        self._data = data
        self._closes: dict[str, tuple[int, int, Decimal]] = {}
        """By symbol: the step at which it was looked up last, its row, the price."""

        self.step = -1

    def show(self, step: int) -> None:
        """Show the closes of ``step``; for the source alone."""
        self.step = step

    def last(self, symbol: str) -> Decimal | None:
        """Return the last close of ``symbol``; None before its first bar."""
        known = self._closes.get(symbol)
        if known is not None and known[0] == self.step:
            return known[2]
        step = self.step
        if step < 0:
            return None
        row = self._data.seen[symbol][step] - 1
        if row < 0:
            return None
        if known is not None and known[1] == row:
            price = known[2]
        else:
            price = to_decimal(self._data.columns[symbol].values["close"][row])
        self._closes[symbol] = (step, row, price)
        return price


class HaltGate:
    """What holds orders back: the last thing that is looked at before a send."""

    __slots__ = ("degraded", "generation", "halted", "reason", "timetables")

    def __init__(self) -> None:
        self.halted = False
        self.reason = ""
        self.generation = 0
        self.degraded: dict[str, VenueDegraded] = {}
        """Venues that have been away for long, whatever follows from it."""

        self.timetables: dict[str, Callable[[], str]] = {}
        """By venue, what says why it takes no orders just now, though it is well."""

    def holds(self, venue: str) -> str:
        """Return why no new order may go to ``venue``; empty if one may."""
        if venue in self.degraded and self.degraded[venue].holds:
            return f"{venue} is degraded: {self.degraded[venue].why}"
        return self.timetables[venue]() if venue in self.timetables else ""

    def restore(self, venue: str) -> None:
        """Let orders out to ``venue`` again."""
        self.degraded.pop(venue, None)


class VenueReach:
    """Since when a venue cannot be reached: kept by its session, read by its breaker.

    It outlives the session. Times are the engine's, in seconds.
    """

    __slots__ = ("failed_step", "lost_s")

    def __init__(self) -> None:
        self.lost_s: float | None = None
        """None while there is a connection."""

        self.failed_step = -1
        """The last step whose data a session died of: it is not given unasked again."""

    def lose(self, now_s: float) -> None:
        """Count the venue as away from now on, if it is not."""
        if self.lost_s is None:
            self.lost_s = now_s

    def find(self) -> None:
        """Count the venue as there."""
        self.lost_s = None


class OrdersMark:
    """The incarnation of `orders` whose submits may be sent: it writes it itself."""

    __slots__ = ("incarnation",)

    def __init__(self) -> None:
        self.incarnation = 0


class GuardMark:
    """The decisions that the guard has passed: its own table, read by the journal.

    A new incarnation of it puts its own in place, made of what is durable by then.
    """

    __slots__ = ("passed",)

    def __init__(self) -> None:
        self.passed: Mapping[str, int] = {}
        """By strategy, its last decision; what led to orders is reserved for."""


class VenueInterest:
    """Which venues want market data: kept by their sessions, read by the feed."""

    __slots__ = ("_wants", "wanted", "wanting")

    def __init__(self, venues: Sequence[str]) -> None:
        self._wants = dict.fromkeys(venues, True)
        self.wanting: tuple[str, ...] = tuple(venues)
        """In the order of the configuration."""

        self.wanted = bool(venues)
        """Whether any does."""

    def say(self, venue: str, *, wanted: bool) -> None:
        """Keep what a venue says; for its session alone."""
        self._wants[venue] = wanted
        self.wanting = tuple(name for name, wants in self._wants.items() if wants)
        self.wanted = bool(self.wanting)


LONGER_S = 1.0
"""By how much a silence grows before that is worth a record."""


class VenueSilence:
    """Until when the venue wants to hear nothing: its session keeps to it.

    It outlives the session, for a ban does. Times are the engine's, in seconds.
    """

    __slots__ = (
        "_all_until_s",
        "_cancels_until_s",
        "_told",
        "on_longer",
        "was_wanted",
    )

    def __init__(self) -> None:
        self._all_until_s = self._cancels_until_s = 0.0
        self._told = (0.0, 0.0)
        self.was_wanted = False
        """Whether the venue ever asked for any."""

        self.on_longer: Callable[[], None] = lambda: None
        """Called when it lasts for longer than was known when it was called last."""

    def heed(self, until_s: float, *, cancels_too: bool) -> None:
        """Be silent until ``until_s``, if not for longer."""
        self.was_wanted = True
        self._all_until_s = max(self._all_until_s, until_s)
        if cancels_too:
            self._cancels_until_s = max(self._cancels_until_s, until_s)
        ends = self._all_until_s, self._cancels_until_s
        if any(
            end > told + LONGER_S for end, told in zip(ends, self._told, strict=True)
        ):
            self._told = ends
            self.on_longer()

    def go_on(self, all_until_s: float, cancels_until_s: float) -> None:
        """Be silent as a process before this one was told to be."""
        self.was_wanted = True
        self._all_until_s = max(self._all_until_s, all_until_s)
        self._cancels_until_s = max(self._cancels_until_s, cancels_until_s)
        self._told = self._all_until_s, self._cancels_until_s

    def left_s(self, now_s: float, *, cancel: bool = False) -> float:
        """Return how long it lasts from ``now_s`` on; of cancels, if it is one."""
        until_s = self._cancels_until_s if cancel else self._all_until_s
        return max(0.0, until_s - now_s)
