"""A venue's session, called directly: it says truthfully how each request ended."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator, Sequence
from typing import Any, TypeVar

import attrs
import pytest

from holdfast_actors.clock import HaltGate, MarketClock, OrdersMark, VenueInterest
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    Evidence,
    Greet,
    How,
    LookUp,
    Replace,
    SessionUp,
    Submit,
)
from holdfast_actors.session import Session, SessionAtOnce
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.errors import DomainError, NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Balances,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    VenueEvent,
    VenueOrder,
    VenuePromises,
)

from .desk import T0_US, Inbox, acked, ended, executed, story, terms

T = TypeVar("T")
NOW = cursor_at(4, SLICE_SLOT)
PROVES_AT_ONCE = VenuePromises(proves_absence=True, processing_bound_s=0.0)


@attrs.define
class ScriptedVenue:
    """A venue that answers as it is told, and keeps what it was asked."""

    name: str = "paper"
    wants_data: bool = True
    answers_at_once: bool = True
    promises: VenuePromises = PROVES_AT_ONCE
    asked: list[tuple[Any, ...]] = attrs.field(factory=list)
    error: Exception | None = None
    answer: Sequence[VenueEvent] | None = ()
    said: dict[int, list[VenueEvent]] = attrs.field(factory=dict)

    def _answer(self, *asked: object) -> Any:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return self.answer

    async def connect(self) -> None:
        self.asked.append(("connect",))

    async def close(self) -> None:
        self.asked.append(("close",))

    async def resume(self, cursor: int) -> None:
        self.asked.append(("resume", cursor))

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        return self._answer("submit", order.order_id)  # type: ignore[no-any-return]

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        return self._answer("cancel", order_id)  # type: ignore[no-any-return]

    async def replace(self, order_id: str, new: OrderTerms) -> Sequence[VenueEvent]:
        return self._answer("replace", order_id, new)  # type: ignore[no-any-return]

    async def lookup(self, order_id: str) -> Found | NotFound:
        answer = self._answer("lookup", order_id)
        return NotFound() if answer is None else story(*answer)

    async def executions_since(self, watermark: str) -> Executions:
        events = self._answer("since", watermark)
        return Executions(events=events, watermark="W")

    async def open_orders(self) -> OpenOrders:
        self._answer("open_orders")
        return OpenOrders(orders=())

    async def positions(self) -> Positions:
        self._answer("positions")
        return Positions(positions=())

    async def balances(self) -> Balances:
        self._answer("balances")
        return Balances(balances=())

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        self.asked.append(("advance", cursor, step))
        return self.said.get(cursor, [])


def now(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@types.coroutine
def waits_once() -> Generator[None, None, None]:
    """Wait for something, as a request over a wire does."""
    yield


async def never_cut(delay_s: float, request: Coroutine[Any, Any, T], /) -> T:
    """Wait for as long as it takes."""
    del delay_s
    return await request


class Line:
    """A session with its venue, and what `orders` hears of it."""

    def __init__(self) -> None:
        self.venue = ScriptedVenue()
        self.orders = Inbox()
        self.clock = MarketClock(T0_US, NOW)
        self.gate = HaltGate()
        self.mark = OrdersMark()
        self.mark.incarnation = 1
        self.interest = VenueInterest(["paper"])
        self.session = Session(
            venue=self.venue,
            orders=self.orders.ref,
            clock=self.clock,
            gate=self.gate,
            mark=self.mark,
            interest=self.interest,
            within=never_cut,
            now_s=lambda: 5.0,
            incarnation=3,
        )
        now(self.session.start())
        now(self.session.handle(Advance(cursor_at(4, ADVANCE_SLOT), 4, T0_US)))
        self.orders.take()
        self.venue.asked.clear()

    def ask(self, message: Any) -> list[Any]:
        """Let the session handle a request; return what `orders` is told."""
        now(self.session.handle(message))
        return self.orders.take()


def submit(
    *,
    orders: int = 1,
    session: int = 3,
    generation: int = 0,
    valid_until_us: int = T0_US,
) -> Submit:
    order = VenueOrder(order_id="a", terms=terms(1), placed_at_us=T0_US)
    return Submit(order, orders, session, generation, valid_until_us)


def evidence(asked: Asked, how: How, *events: VenueEvent, **more: Any) -> Evidence:
    order_id = "" if asked is Asked.STREAM else "a"
    return Evidence("paper", asked, order_id, how, events, **more)


def test_a_session_connects_hides_the_future_and_says_that_it_is_up() -> None:
    line = Line()

    now(line.session.start())

    assert line.venue.asked == [("connect",), ("resume", NOW)]
    assert line.orders.told == [SessionUp("paper", 3, PROVES_AT_ONCE)]
    now(line.session.stop())
    assert line.venue.asked[-1] == ("close",)


REQUESTS = [
    (submit(), Asked.SUBMIT),
    (Cancel("a"), Asked.CANCEL),
    (Replace("a", terms(2, limit=1)), Asked.REPLACE),
]


@pytest.mark.parametrize(("request_", "asked"), REQUESTS)
def test_an_answer_is_passed_on(request_: object, asked: Asked) -> None:
    line = Line()
    line.venue.answer = [acked("a"), executed("a", 1, 1)]

    told = line.ask(request_)

    assert told == [evidence(asked, How.ANSWERED, acked("a"), executed("a", 1, 1))]


@pytest.mark.parametrize(("request_", "asked"), REQUESTS)
@pytest.mark.parametrize(
    ("error", "how", "more"),
    [
        (
            VenueRefused("no such symbol", "17"),
            How.REFUSED,
            {"reason": "no such symbol", "code": "17"},
        ),
        (NotSent("no route"), How.NOT_SENT, {"reason": "no route"}),
        (OutcomeUnknown("timed out"), How.UNKNOWN, {"reason": "timed out"}),
    ],
    ids=["refused", "not sent", "unknown"],
)
def test_there_are_three_ways_to_fail(
    request_: object, asked: Asked, error: Exception, how: How, more: dict[str, Any]
) -> None:
    line = Line()
    line.venue.error = error

    assert line.ask(request_) == [evidence(asked, how, **more)]
    assert len(line.venue.asked) == 1


@pytest.mark.parametrize("error", [NotSent("no route"), OutcomeUnknown("timed out")])
def test_a_lookup_without_an_answer_proves_nothing(error: Exception) -> None:
    line = Line()
    line.venue.error = error

    (told,) = line.ask(LookUp("a"))

    assert told == evidence(Asked.LOOKUP, How.UNKNOWN, reason=str(error), asked_s=5.0)


def test_a_lookup_proves_absence_or_tells_the_whole_story() -> None:
    line = Line()
    line.venue.answer = None
    (absent,) = line.ask(LookUp("a"))
    line.venue.answer = [acked("a"), ended("a")]

    (known,) = line.ask(LookUp("a"))

    assert absent.how is How.ABSENT
    said = acked("a"), ended("a")
    assert known == evidence(
        Asked.LOOKUP, How.ANSWERED, *said, asked_s=5.0, story=story(*said)
    )


# --- the last gate ------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "halted", "reason"),
    [
        (submit(session=2), False, "meant for a session that is gone"),
        (submit(orders=2), False, "sent by an engine's part that is gone"),
        (submit(), True, "halted"),
        (submit(generation=1), False, "halted"),
        (submit(valid_until_us=T0_US - 1), False, "its time to be sent has passed"),
    ],
)
def test_a_stale_submit_is_not_sent(message: Submit, halted: bool, reason: str) -> None:
    line = Line()
    line.gate.halted = halted

    told = line.ask(message)

    assert told == [evidence(Asked.SUBMIT, How.NOT_SENT, reason=reason)]
    assert line.venue.asked == []


def test_a_venue_that_answers_at_once_needs_no_task() -> None:
    line = Line()
    SessionAtOnce(line.session).handle(submit())

    (told,) = line.orders.told
    assert told == evidence(Asked.SUBMIT, How.ANSWERED)


def test_a_venue_that_waits_after_all_is_refused() -> None:
    line = Line()

    class Slow(ScriptedVenue):
        async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
            await waits_once()
            return await super().submit(order)

    line.session._venue = Slow()
    with pytest.raises(DomainError, match="paper: expected an answer at once to Sub"):
        SessionAtOnce(line.session).handle(submit())
    assert line.orders.told == []


def test_nothing_comes_between_the_gate_and_the_send() -> None:
    line = Line()

    class Halting(ScriptedVenue):
        async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
            line.gate.halted = True
            return await super().advance(cursor, step)

    line.session._venue = Halting()
    line.clock.move(T0_US, cursor_at(5, SLICE_SLOT))

    (told,) = line.ask(submit())

    assert told.how is How.NOT_SENT


def test_new_terms_are_not_sent_while_halted_and_a_cancel_is() -> None:
    line = Line()
    line.gate.halted = True

    (replaced,) = line.ask(Replace("a", terms(2, limit=1)))
    (cancelled,) = line.ask(Cancel("a"))

    assert replaced.how is How.NOT_SENT
    assert cancelled.how is How.ANSWERED
    assert line.venue.asked == [("cancel", "a")]


# --- market data --------------------------------------------------------------


def test_what_a_step_brought_about_is_streamed() -> None:
    line = Line()
    at = cursor_at(5, ADVANCE_SLOT)
    line.venue.said[at] = [executed("a", 1, 1)]

    told = line.ask(Advance(at, 5, T0_US))

    assert told == [evidence(Asked.STREAM, How.ANSWERED, executed("a", 1, 1))]


def test_a_step_that_brought_about_nothing_is_not_spoken_of() -> None:
    assert Line().ask(Advance(cursor_at(5, ADVANCE_SLOT), 5, T0_US)) == []


def test_a_venue_that_wanted_no_data_comes_up_before_it_is_sent_to() -> None:
    line = Line()
    line.clock.move(T0_US, cursor_at(7, 2))

    line.ask(submit())

    assert line.venue.asked == [
        ("advance", cursor_at(6, ADVANCE_SLOT), 6),
        ("submit", "a"),
    ]


def test_the_venues_interest_is_kept_for_the_feed() -> None:
    line = Line()
    line.venue.wants_data = False
    line.ask(Cancel("a"))
    assert not line.interest.wanted

    line.venue.wants_data = True
    line.ask(submit())

    assert line.interest.wanted


def test_a_gap_is_told_with_from_where_to_ask_next() -> None:
    line = Line()
    line.venue.answer = [executed("a", 2, 1)]

    told = line.ask(AskGap("X1"))

    gap = Evidence(
        "paper", Asked.GAP, "", How.ANSWERED, (executed("a", 2, 1),), watermark="W"
    )
    assert told == [gap]
    assert line.venue.asked == [("since", "X1")]


def test_who_greets_is_told_again_what_the_step_brought_about() -> None:
    line = Line()
    line.venue.said[cursor_at(4, ADVANCE_SLOT)] = [ended("a", "expired")]

    told = line.ask(Greet())

    assert told == [
        SessionUp("paper", 3, PROVES_AT_ONCE),
        evidence(Asked.STREAM, How.ANSWERED, ended("a", "expired")),
    ]


def test_before_the_first_step_a_greeting_is_answered_without_data() -> None:
    line = Line()
    line.clock.move(0, 0)

    assert line.ask(Greet()) == [SessionUp("paper", 3, PROVES_AT_ONCE)]
    assert line.venue.asked == []
