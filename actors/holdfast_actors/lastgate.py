"""The last gate before a venue: what is looked at in the statement before a send."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from holdfast_actors.clock import HaltGate, MarketClock, OrdersMark
from holdfast_actors.requests import GATES, Cancel, Replace, Request, Submit
from holdfast_domain.errors import Fenced


@attrs.define
class Fence:
    """What keeps an engine from trading that another one has replaced."""

    why: Callable[[], str] = str
    """Says why this engine may not send any more; nothing while it may."""

    stand_back: Callable[[str], None] = lambda _why: None
    """Told that a newer engine trades the account, and how that is known."""


class LastGate:
    """Says of a submit why it must not be sent; it looks, and waits for nothing."""

    def __init__(
        self,
        halt: HaltGate,
        mark: OrdersMark,
        clock: MarketClock,
        fence: Callable[[], str] = str,
        now_us: Callable[[], int] | None = None,
        venue: str = "",
    ) -> None:
        """``fence`` is `Fence.why`; time is the market's, unless ``now_us`` is given.

        At a real venue it is: what was decided before a restart is old, although market
        time stood still meanwhile.
        """
        self._halt = halt
        self._mark = mark
        self._fence = fence
        self._clock = clock
        self._now_us = now_us
        self._venue = venue

    @property
    def halted(self) -> bool:
        """Whether the kill switch is on, or the venue degraded so that it holds."""
        return self._halt.halted or bool(self._halt.holds(self._venue))

    def out_of_turn(self, message: Request, session: int) -> str:
        """Return why a cancel or new terms must wait; empty if they need not.

        What was asked for before them may be in doubt, with the session that had it. In
        step they wait for the answer, as market time does. At a venue with a clock of
        its own nothing that makes an order smaller waits for a question.
        """
        in_step = self._now_us is None
        if not in_step or not isinstance(message, Cancel | Replace):
            return ""
        return "" if message.session in (0, session) else GATES[0]

    def holds_back(self, message: Submit, session: int) -> str:
        """Return why the session with that number must not send; empty if it may.

        Raises:
            Fenced: a newer engine trades the account.
        """
        fence = self._fence  # called where it is held, it is looked for as a method
        if why := fence():
            raise Fenced(why)
        if message.session != session:
            return GATES[0]
        if message.orders != self._mark.incarnation:
            return GATES[1]
        if self._halt.halted or message.generation != self._halt.generation:
            return "halted"
        if why := self._halt.holds(self._venue):
            return why
        now_us = self._clock.now_us if self._now_us is None else self._now_us()
        if now_us > message.valid_until_us:
            return "its time to be sent has passed"
        return ""
