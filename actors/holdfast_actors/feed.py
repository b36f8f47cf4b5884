"""The feed of a replay: publishes recorded data step by step, in canonical order.

Each step: triggers that are due before its moment, the venue's advance, triggers due
at that very moment, the slice of bars. The next input is published when the last
one's step is quiescent, so market time stands still while anything restarts.

Where a strategy is alone, the venue waits for nothing and nothing is due, the slices
of many steps are one message: the strategy takes them up to its next decision.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from holdfast_actors.clock import MarketClock, PriceBoard, VenueInterest
from holdfast_actors.messages import (
    Advance,
    AskDue,
    Grown,
    NextDue,
    NextStep,
    Slice,
    TimeTo,
)
from holdfast_actors.strategy.restore import told_of
from holdfast_domain.cursor import (
    ADVANCE_SLOT,
    SLICE_SLOT,
    SLOT_BITS,
    cursor_at,
    shown_step,
)
from holdfast_domain.events import Event, RunFinished
from holdfast_domain.marketdata import MarketData, utc_from_us
from holdfast_runtime import Ref

SLICES_MAX = 128
"""Steps that a strategy takes by itself before anybody else gets a turn."""


class ReplayFeed:
    """Owns the position in the data; it is kept in the clock, which outlives it."""

    def __init__(
        self,
        *,
        data: MarketData,
        clock: MarketClock,
        prices: PriceBoard,
        interest: VenueInterest,
        sessions: Mapping[str, Ref[Any]],
        scheduler: Ref[Any],
        strategies: Sequence[Ref[Any]],
        me: Ref[Any],
        effect: Callable[[Callable[[], None]], None],
        record: Callable[[Event], None],
        after: Callable[[float, object], object],
        speed: float | None,
        finished: Callable[[], None],
        incarnation: int = 1,
        slices_max: int = SLICES_MAX,
    ) -> None:
        """Replay ``speed`` times faster than it happened; None is without a wait."""
        self._data = data
        self._clock = clock
        self._prices = prices
        self._interest = interest
        self._sessions = sessions
        self._scheduler = scheduler
        self._strategies = strategies
        self._me = me
        self._effect = effect
        self._record = record
        self._after = after
        self._speed = speed
        self._finished = finished
        self._next = NextStep(incarnation)
        self._may_run = speed is None and len(strategies) == 1 and not data.grows
        self._slices_max = slices_max
        self._times_us = data.times_us
        self._idle = False
        """Whether it came to the end of data that grows."""

        self._next_due: int | None = None
        self._waiting = True
        """Until the scheduler has said when the next trigger is due."""

        self._asked_early = False
        """Whether it was asked before the first step, when nothing is due."""

    def start(self) -> None:
        """Go on where the clock stands, once the scheduler has answered."""
        cursor = self._clock.cursor
        self._prices.show(shown_step(cursor))
        self._ask_due()

    def handle(self, message: NextStep | NextDue | Grown) -> None:
        """Dispatch one message; every kind is named here."""
        match message:
            case NextStep():
                # That of an incarnation before may come too: it is not waited for.
                if message == self._next:
                    self._go_on(self._clock.cursor)
            case NextDue(time_us):
                self._next_due = time_us
                if self._waiting:
                    self._waiting = False
                    self._me.tell(self._next)
            case Grown():
                if self._idle:
                    self._idle = False
                    self._ask_due()
            case _:
                assert_never(message)

    def _ask_due(self) -> None:
        """Ask when the next trigger is due, and go on when that is known."""
        self._waiting, self._asked_early = True, not self._times_us
        self._scheduler.tell(AskDue(self._clock.fired_us))

    def _go_on(self, cursor: int) -> None:
        """Publish what comes after ``cursor``."""
        if self._asked_early and self._times_us:
            # The first step came in between: what was said holds no longer.
            self._ask_due()
            return
        step, slot = (cursor >> SLOT_BITS) - 1, cursor & SLICE_SLOT
        if slot == SLICE_SLOT or step < 0:
            step, slot = step + 1, 0
            if step >= len(self._times_us):
                self._end()
                return
        time_us = self._times_us[step]
        if self._next_due is not None and self._trigger(step, slot, time_us):
            return
        if slot < ADVANCE_SLOT and self._interest.wanted:
            self._advance(step, time_us)
        else:
            self._publish(step, time_us)

    def _trigger(self, step: int, slot: int, time_us: int) -> bool:
        """Fire what is due before the step's advance or after it; whether anything is.

        Where the venue does not want the step's data, there is no advance to wait for.
        """
        due_us = self._next_due
        if due_us is None or due_us > time_us or slot > ADVANCE_SLOT:
            return False
        if slot < ADVANCE_SLOT and due_us < time_us and step:
            cursor = cursor_at(step, slot + 1)
        elif slot == ADVANCE_SLOT or not self._interest.wanted:
            cursor = cursor_at(step, ADVANCE_SLOT + 1)
        else:
            return False
        self._scheduler.tell(TimeTo(cursor, due_us))
        self._effect(lambda: self._prices.show(shown_step(cursor)))
        self._move(due_us, cursor)
        self._me.tell(self._next)
        return True

    def _advance(self, step: int, time_us: int) -> None:
        cursor = cursor_at(step, ADVANCE_SLOT)
        for venue in self._interest.wanting:
            self._sessions[venue].tell(Advance(cursor, step, time_us))
        self._move(time_us, cursor)
        self._me.tell(self._next)

    def _publish(self, step: int, time_us: int) -> None:
        cursor = cursor_at(step, SLICE_SLOT)
        clock, prices = self._clock, self._prices

        def move() -> None:
            prices.step = step
            clock.now_us = time_us
            clock.cursor = cursor

        self._effect(move)
        for news in told_of(self._data, step, time_us):
            for strategy in self._strategies:
                strategy.tell(news)
        told = Slice(cursor, step, time_us, self._run_until(step))
        for strategy in self._strategies:
            strategy.tell(told)
        wait_us = 0
        if self._speed is not None and step + 1 < len(self._times_us):
            wait_us = self._times_us[step + 1] - time_us
        if self._speed is None or not wait_us:
            self._me.tell(self._next)
        else:
            self._after(wait_us / 1_000_000 / self._speed, self._next)

    def _run_until(self, step: int) -> int:
        """Return the last step to which nothing comes between the slices."""
        if not self._may_run or self._interest.wanted:
            return step
        beyond = min(step + self._slices_max, len(self._times_us))
        if self._next_due is not None:
            beyond = bisect_left(self._times_us, self._next_due, step + 1, beyond)
        return beyond - 1

    def _move(self, time_us: int, cursor: int) -> None:
        clock = self._clock
        self._effect(lambda: clock.move(time_us, cursor))

    def _end(self) -> None:
        if self._data.grows:
            self._idle = True
            return
        at = utc_from_us(self._clock.now_us)
        self._record(RunFinished(at=at, bars=self._data.bars))
        self._effect(self._finished)
