"""Meters: what is measured of one actor, sampled, so that a message costs nothing.

A handler counts its messages, and one compare says when the next is to be measured:
each one of an actor that is told little, one in a thousand of one that is told much.
A measured message is handled by way of a clock.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from holdfast_runtime.driving import is_coroutine
from holdfast_runtime.messages import Asked

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell

STRIDE_MAX = 1_024
"""Of a busy actor, one message in as many is measured."""

PACE_S = 0.01
"""An actor is measured about as often, and each time if it is told less often."""

RATE_S = 1.0
"""The least time over which a rate is taken."""

RECENT = 512
"""A quantile is over so many measured messages at least, and twice as many at most."""

NOTED_MAX = 64
"""Most messages of one actor that are noted and wait."""

_NEVER = sys.maxsize


class Histogram:
    """Recent durations in buckets, four to a doubling: a quantile is right to 13 %."""

    __slots__ = ("_before", "_count", "_now")

    def __init__(self) -> None:
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._count = 0

    def add(self, duration_s: float) -> None:
        """Count one duration."""
        if self._count == RECENT:
            self._before, self._now, self._count = self._now, {}, 0
        bucket, now = _bucket(int(duration_s * 1e9)), self._now
        now[bucket] = now.get(bucket, 0) + 1
        self._count += 1

    def quantile(self, share: float) -> float:
        """Return the duration, in seconds, that ``share`` of all do not exceed."""
        counts = dict(self._before)
        for bucket, count in self._now.items():
            counts[bucket] = counts.get(bucket, 0) + count
        wanted, seen = share * sum(counts.values()), 0
        for bucket in sorted(counts):
            seen += counts[bucket]
            if seen >= wanted:
                return _middle(bucket) * 1e-9
        return 0.0


def _bucket(nanoseconds: int) -> int:
    if nanoseconds < 4:  # noqa: PLR2004 - below, a bucket holds one value
        return max(0, nanoseconds)
    shift = nanoseconds.bit_length() - 3
    return 4 * shift + (nanoseconds >> shift)


def _middle(bucket: int) -> float:
    if bucket < 4:  # noqa: PLR2004 - as above
        return float(bucket)
    shift = bucket // 4 - 1
    return (bucket % 4 + 4.5) * 2.0**shift


class Meter:
    """What is measured of one cell; made when it has handled its first message.

    How long messages wait: of an actor that is told little, each message is noted as
    it is put into the mailbox. Of a busy one, now and then: with mail waiting, how long
    it takes to handle so much; without, how long the next one waits.
    """

    __slots__ = (
        "_blind",
        "_came_at",
        "_came_s",
        "_due_at",
        "_ended_s",
        "_last_handled",
        "_life",
        "_mark_handled",
        "_mark_s",
        "_noted",
        "_plain",
        "_rate",
        "_untimed",
        "cell",
        "handling",
        "last_s",
        "stride",
        "timed",
        "waiting",
    )

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.handling: Histogram | None = None
        self.waiting: Histogram | None = None
        self.last_s = self._mark_s = cell.kernel.now_s()
        self._last_handled = self._mark_handled = cell.handled
        self._rate = 0.0
        self.stride = 1
        """Of as many messages one is measured."""

        self.timed: Any = None
        """The handler by way of a clock, made once for an incarnation."""

        self._untimed: Any = None
        self._life = cell.life
        self._noted: dict[int, tuple[Any, float]] = {}
        self._plain: dict[type, Callable[[object], None]] = {}
        self._blind = cell.mailbox.size
        self._ended_s = 0.0
        self._due_at = _NEVER
        self._came_at = 0
        self._came_s = 0.0

    # --- taking measures -----------------------------------------------------

    def sample(self) -> None:
        """Note that a message has just been handled, and measure what comes next."""
        cell, handled = self.cell, self.cell.handled
        # While each message is measured, the last one has just been.
        now_s, self._ended_s = self._ended_s, 0.0
        if not now_s or self.stride > 1:
            now_s = cell.kernel.now_s()
        self._set_pace(handled, now_s)
        if now_s - self._mark_s >= RATE_S:
            self._rate = (handled - self._mark_handled) / (now_s - self._mark_s)
            self._mark_s, self._mark_handled = now_s, handled
        self.last_s, self._last_handled = now_s, handled
        if handled >= self._due_at:
            # It may have come in the middle of what was counted at once.
            took = max(0, self._due_at - self._came_at)
            share = took / (handled - self._came_at)
            self._waited((now_s - self._came_s) * share)
            self._due_at = _NEVER
        if cell.life != self._life:
            self._forget_dead()
        self.install()
        self._watch_waiting(now_s)
        cell.sample_at = min(handled + self.stride, self._due_at)

    def _set_pace(self, handled: int, now_s: float) -> None:
        """Double the stride up to what the rate allows; shorten it at once."""
        gap_s = now_s - self.last_s
        most = STRIDE_MAX if self.cell.batch_handler is None else 1
        if gap_s > 0:
            most = min(most, int((handled - self._last_handled) / gap_s * PACE_S))
        self.stride = max(1, min(2 * self.stride, most))

    def install(self) -> None:
        """See to it that the next message is handled by way of a clock."""
        cell = self.cell
        if cell.batch_handler is not None:
            if cell.batch_handler is not self.timed:
                self.timed = _timed_batch(self, cell.batch_handler)
                cell.batch_handler = self.timed
        elif cell.handler is not None and cell.handler is not self.timed:
            if cell.handler is not self._untimed:
                self._untimed = cell.handler
                timed = _timed_async if cell.is_async else _timed
                self.timed = timed(self, cell.handler)
            cell.handler = self.timed

    def untime(self, plain: Callable[[Any], Any]) -> None:
        """Let the next message go to ``plain``, unless its incarnation has ended."""
        if (
            self.stride > 1
            and plain is self._untimed
            and self.cell.handler is self.timed
        ):
            self.cell.handler = plain

    def ended(self) -> None:
        """Forget the handlers of an incarnation, and with them the actor."""
        self.timed = self._untimed = None

    def measured(self, messages: Sequence[Any], began_s: float) -> None:
        """Take how long ``messages`` were handled, from ``began_s`` until now."""
        cell, noted = self.cell, self._noted
        if self.handling is None:
            self.handling = Histogram()
        self._ended_s = ended_s = cell.kernel.now_s()
        self.handling.add(ended_s - began_s)
        for message in messages:
            note = noted.pop(id(message), None)
            if note is not None:
                self._waited(began_s - note[1])
            elif self._blind:
                self._blind -= 1
            elif cell.probing and cell.kernel.is_direct:
                self._waited(0.0)

    # --- waiting -------------------------------------------------------------

    def _watch_waiting(self, now_s: float) -> None:
        cell = self.cell
        waiting = cell.mailbox.size
        if self.stride > 1 and waiting:
            self._probe(on=False)
            if self._due_at == _NEVER:
                self._came_s, self._came_at = now_s, cell.handled
                self._due_at = cell.handled + waiting
        elif len(self._noted) < NOTED_MAX:
            if not cell.probing:
                self._blind = waiting - len(self._noted)
                self._probe(on=True)
            if not waiting:
                self._noted.clear()

    def _probe(self, *, on: bool) -> None:
        """Want to know of the next messages, or no more; their ways in are others."""
        cell = self.cell
        if cell.probing is on:
            return
        cell.probing, routes = on, cell.routes
        if on:
            self._plain = dict(routes)
            routes.update({kind: self.way_in(each) for kind, each in routes.items()})
        else:
            # What is not there any more was shut meanwhile.
            known = {kind: self._plain.get(kind) for kind in routes}
            routes.clear()
            routes.update({kind: each for kind, each in known.items() if each})

    def way_in(self, append: Callable[[object], None]) -> Callable[[object], None]:
        """Return ``append``, which adds to the mailbox, noting what it adds."""

        def add_noted(message: object) -> None:
            append(message)
            self.arrived(message)

        return add_noted

    def arrived(self, message: Any) -> None:  # noqa: ANN401
        """Note ``message``, which has just been put into the mailbox."""
        self._noted[id(message)] = (message, self.cell.kernel.now_s())
        if self.stride > 1:
            self._probe(on=False)
            self.install()
        elif len(self._noted) == NOTED_MAX:
            self._probe(on=False)

    def dropped(self, message: Any) -> None:  # noqa: ANN401
        """Notice that ``message`` is out of the mailbox, by its lane's policy."""
        self._noted.pop(id(message), None)
        if self._due_at != _NEVER:
            self._due_at -= 1
            self.cell.sample_at = min(self.cell.sample_at, self._due_at)

    def _forget_dead(self) -> None:
        """Forget what was noted and is not in the mailbox: it was fatal, or buried."""
        self._life = self.cell.life
        waiting = {id(_content(each)) for each in self.cell.mailbox}
        for key in self._noted.keys() - waiting:
            del self._noted[key]

    def _waited(self, waited_s: float) -> None:
        if self.waiting is None:
            self.waiting = Histogram()
        self.waiting.add(waited_s)

    # --- reading -------------------------------------------------------------

    def rate_per_s(self) -> float:
        """Return how many messages were handled each second, lately."""
        cell = self.cell
        over_s = cell.kernel.now_s() - self._mark_s
        if over_s < RATE_S:
            return self._rate
        return (cell.handled - self._mark_handled) / over_s

    def age_s(self) -> float:
        """Return how long ago the last measured message was handled.

        What was handled since then was not measured; so that whoever looks again
        knows more, the next message is.
        """
        cell = self.cell
        if cell.handled > self._last_handled:
            cell.sample_at = cell.handled
        return cell.kernel.now_s() - self.last_s


def _content(message: Any) -> Any:  # noqa: ANN401 - whatever is in a mailbox
    return message.message if type(message) is Asked else message


def _timed(meter: Meter, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ``plain`` by way of a clock, once."""
    now_s = meter.cell.kernel.now_s

    def timed(message: Any) -> Any:  # noqa: ANN401 - any handler's
        meter.untime(plain)
        began_s = now_s()
        value = plain(message)
        meter.measured((message,), began_s)
        return value

    return timed


def _timed_async(meter: Meter, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    now_s = meter.cell.kernel.now_s

    async def timed(message: Any) -> Any:  # noqa: ANN401 - any handler's
        meter.untime(plain)
        began_s = now_s()
        value = await plain(message)
        meter.measured((message,), began_s)
        return value

    return timed


def _timed_batch(
    meter: Meter, plain: Callable[[list[Any]], Any]
) -> Callable[[list[Any]], Any]:
    now_s = meter.cell.kernel.now_s

    async def timed(messages: list[Any]) -> None:
        began_s = now_s()
        value = plain(messages)
        if is_coroutine(value):
            await value
        meter.measured(messages, began_s)

    return timed
