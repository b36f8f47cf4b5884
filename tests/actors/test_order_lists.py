"""Order lists: recorded in one commit, sent in one request, and each leg by itself."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast_actors.lanes import Lanes
from holdfast_actors.messages import CancelOrder, Readmit, Readmitted
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    How,
    LookUp,
    Submit,
    TryAgain,
)
from holdfast_adapters.matching import TAKES
from holdfast_domain import events as ev
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueError, VenueRefused
from holdfast_domain.orderlists import Leg, ListKind, Role
from holdfast_domain.orders import OrderState as S, OrderTerms
from holdfast_domain.ports import Ended, VenueOrder

from .desk import T0_US, acked, executed, terms
from .floor import Floor
from .scripted import Line, ScriptedVenue, now

LEGS = ("e", "p", "s")
TERMS = (terms(10, limit=100), terms(-10, limit=110), terms(-10, stop=90))
ROLES = (Role.ENTRY, Role.TAKE_PROFIT, Role.STOP_LOSS)


def bound(*names: str) -> list[tuple[str, OrderTerms, Leg]]:
    return [
        (name, wanted, Leg(list_id="e", kind=ListKind.BRACKET, role=role))
        for name, wanted, role in zip(names, TERMS, ROLES, strict=True)
    ]


def decided(*, up: bool = True) -> Floor:
    """Return `orders` that has taken a bracket."""
    floor = Floor()
    if up:
        floor.up()
        floor.session.take()
    floor.decide(1, *bound(*LEGS))  # type: ignore[arg-type]
    return floor


def sent(floor: Floor) -> list[tuple[str, ...]]:
    """Return which orders left in which request, since the last look."""
    return [each.ids for each in floor.session.take() if isinstance(each, Submit)]


def all_not_sent(floor: Floor, how: How = How.NOT_SENT) -> None:
    for name in LEGS:
        floor.hear(Asked.SUBMIT, name, how=how, reason="there is no connection")


def test_the_legs_are_intended_together_and_leave_in_one_request() -> None:
    floor = decided(up=False)

    assert floor.kinds() == ["DecisionMade", *["OrderIntended"] * 3]
    roles = [each.leg.role for each in floor.events(ev.OrderIntended) if each.leg]
    assert roles == list(ROLES)
    assert sent(floor) == []
    floor.up()
    (told,) = floor.session.of(Submit)
    assert told.ids == LEGS
    assert [each.leg.role for each in (told.order, *told.rest) if each.leg] == roles
    assert floor.states(*LEGS) == [S.SENT] * 3


def test_each_leg_lives_by_itself() -> None:
    floor = decided()
    for name in LEGS:
        floor.hear(Asked.SUBMIT, name, acked(name))
    assert floor.states(*LEGS) == [S.ACCEPTED] * 3

    gone = Ended(order_id="s", how="canceled", reason="the other was filled")
    floor.hear(Asked.STREAM, "", executed("e", 1, 10))
    floor.hear(Asked.STREAM, "", executed("p", 2, 10, 110), gone)

    assert floor.states(*LEGS) == [S.FILLED, S.FILLED, S.CANCELED]


def test_what_is_refused_is_refused_of_each() -> None:
    floor = decided()
    all_not_sent(floor, How.REFUSED)

    assert floor.states(*LEGS) == [S.REJECTED] * 3


def test_what_is_not_known_is_looked_up_of_each_by_its_own_id() -> None:
    floor = decided()
    all_not_sent(floor, How.UNKNOWN)

    assert floor.states(*LEGS) == [S.UNKNOWN] * 3
    asked = [each.order_id for each in floor.session.of(LookUp)]
    assert asked == list(LEGS)
    assert sent(floor) == [LEGS]  # the first time, and not again


def test_a_list_that_did_not_leave_goes_out_again_whole() -> None:
    floor = decided()
    floor.session.take()
    for name in ("e", "p"):
        floor.hear(Asked.SUBMIT, name, how=How.NOT_SENT)
    floor.later(1)
    assert floor.guard.of(Readmit) == []
    floor.hear(Asked.SUBMIT, "s", how=How.NOT_SENT)
    (asked,) = floor.guard.take()
    assert asked.order_id == "e"
    floor.orders.handle(Readmitted("e", "", 0))

    assert sent(floor) == [LEGS]
    assert len(floor.events(ev.OrderReadmitted)) == 3
    all_not_sent(floor)
    assert [m for _, m in floor.timers.set] == [TryAgain("e")]
    floor.later(1)
    assert [each.order_id for each in floor.guard.of(Readmit)] == ["e"]


def test_a_list_that_may_not_go_out_again_is_given_up_whole() -> None:
    floor = decided()
    all_not_sent(floor)
    floor.later(1)
    floor.orders.handle(Readmitted("e", "its time to be sent has passed", 0))

    assert floor.states(*LEGS) == [S.NOT_PLACED] * 3
    reasons = {each.reason for each in floor.events(ev.OrderNotPlaced)}
    assert reasons == {"its time to be sent has passed"}


def test_after_a_restart_all_legs_are_in_doubt_and_none_is_sent() -> None:
    floor = decided()
    floor.build()
    floor.up(2)

    assert floor.states(*LEGS) == [S.UNKNOWN] * 3
    assert sent(floor) == []


def test_legs_that_are_all_proven_absent_go_out_together() -> None:
    floor = decided()
    floor.build()
    floor.up(2)
    floor.session.take()

    for name in LEGS:
        assert floor.guard.of(Readmit) == []
        floor.hear(Asked.LOOKUP, name, how=How.ABSENT)
    floor.orders.handle(Readmitted("e", "", 0))

    assert sent(floor) == [LEGS]


def test_a_leg_that_is_absent_alone_is_given_up_and_never_sent() -> None:
    for found_first in (False, True):
        floor = decided()
        all_not_sent(floor, How.UNKNOWN)
        floor.session.take()
        if found_first:
            floor.hear(Asked.STREAM, "", acked("e"), acked("p"))
        floor.hear(Asked.LOOKUP, "s", how=How.ABSENT)
        if not found_first:
            assert floor.state("s") is S.NOT_SENT
            floor.hear(Asked.STREAM, "", acked("e"), acked("p"))

        assert floor.states(*LEGS) == [S.ACCEPTED, S.ACCEPTED, S.NOT_PLACED]
        assert floor.guard.of(Readmit) == []
        assert sent(floor) == []


def test_a_restart_between_two_proofs_ends_as_it_would_have_without() -> None:
    floor = decided()
    all_not_sent(floor, How.UNKNOWN)
    floor.hear(Asked.LOOKUP, "e", how=How.ABSENT)
    floor.build()
    floor.up(2)
    assert floor.guard.of(Readmit) == []

    for name in ("p", "s"):
        floor.hear(Asked.LOOKUP, name, how=How.ABSENT)
    floor.orders.handle(Readmitted("e", "", 0))

    assert sent(floor) == [LEGS]


def test_a_cancel_before_it_left_gives_up_the_list() -> None:
    floor = decided(up=False)
    floor.orders.handle(CancelOrder("s", "me"))
    floor.up()

    assert floor.states(*LEGS) == [S.NOT_PLACED] * 3
    assert sent(floor) == []


def test_a_cancel_while_it_is_on_its_way_holds_when_it_did_not_leave() -> None:
    floor = decided()
    floor.orders.handle(CancelOrder("s", "me"))
    all_not_sent(floor)
    floor.later(1)

    assert floor.states(*LEGS) == [S.NOT_PLACED] * 3


def test_a_cancel_of_one_is_asked_for_once_and_ends_what_the_venue_ends() -> None:
    floor = decided()
    for name in LEGS:
        floor.hear(Asked.SUBMIT, name, acked(name))
    floor.session.take()

    floor.orders.handle(CancelOrder("p", "me"))
    assert [each.order_id for each in floor.session.of(Cancel)] == ["p"]
    ended = [Ended(order_id=each, how="canceled", reason="its list") for each in LEGS]
    floor.hear(Asked.CANCEL, "p", *ended)

    assert floor.states(*LEGS) == [S.CANCELED] * 3


# --- the session ---------------------------------------------------------------------


def request(names: tuple[str, ...] = LEGS) -> Submit:
    """Return the submit of a bracket, as the last gate passes it."""
    orders = [
        VenueOrder(order_id=name, terms=wanted, placed_at_us=T0_US, leg=leg)
        for name, wanted, leg in bound(*names)
    ]
    return Submit(orders[0], 1, 3, 0, T0_US, tuple(orders[1:]))


class ListVenue(ScriptedVenue):
    """A venue that takes lists, and acknowledges them."""

    def __init__(self) -> None:
        super().__init__()
        self.promises = replace(self.promises, takes=TAKES)
        self.answer = [acked("p"), acked("e"), acked("s")]


def test_a_new_session_is_asked_about_all_of_a_list_that_may_have_ended() -> None:
    floor = decided()
    for name in LEGS:
        floor.hear(Asked.SUBMIT, name, acked(name))
    floor.decide(2, cancels=("p",))
    floor.session.take()

    floor.up(2)

    asked = [LookUp(name, T0_US) for name in ("p", "e", "s")]
    assert floor.session.take() == [*asked, AskGap("")]


def test_a_session_sends_a_list_once_and_tells_each_leg_what_is_its_own() -> None:
    line = Line(venue=ListVenue())

    told = line.ask(request())

    assert line.venue.asked == [("submit_list", list(LEGS))]
    assert [(each.order_id, each.how, each.events) for each in told] == [
        (name, How.ANSWERED, (acked(name),)) for name in LEGS
    ]


@pytest.mark.parametrize(
    ("error", "how"),
    [
        (VenueRefused("no", "-2010"), How.REFUSED),
        (NotSent("no connection"), How.NOT_SENT),
        (OutcomeUnknown("no answer"), How.UNKNOWN),
    ],
)
def test_what_becomes_of_a_list_holds_for_each_leg(error: VenueError, how: How) -> None:
    line = Line(venue=ListVenue())
    line.venue.error = error

    assert [(each.order_id, each.how) for each in line.ask(request())] == [
        (name, how) for name in LEGS
    ]


def test_a_stale_list_is_held_back_whole() -> None:
    line = Line(venue=ListVenue())
    line.gate.halted = True

    told = line.ask(request())

    assert [(each.how, each.reason) for each in told] == [(How.NOT_SENT, "halted")] * 3
    assert line.venue.asked == []


def test_a_venue_without_lists_is_asked_for_none() -> None:
    line = Line()

    told = line.ask(request())

    reasons = {(each.how, each.reason, each.code) for each in told}
    why = "paper takes no order lists of the kind bracket"
    assert reasons == {(How.REFUSED, why, "order_kind")}
    assert len(told) == 3
    assert line.venue.asked == []


def test_a_request_about_a_leg_waits_behind_the_list() -> None:
    begun: list[Any] = []

    class Sides:
        def begin(self, work: Coroutine[Any, Any, None]) -> None:
            begun.append(work)

        def cut(self) -> None: ...

        async def ended(self) -> None: ...

    carried: list[object] = []

    async def carry(message: object) -> None:
        carried.append(message)

    lanes = Lanes(Sides(), carry)
    sent, cancel = request(), Cancel("s")
    lanes.add(sent)
    lanes.add(cancel)
    assert len(begun) == 1

    now(begun.pop())
    assert carried == [sent]
    now(begun.pop())
    assert carried == [sent, cancel]
    lanes.add(Cancel("e"))
    lanes.add(Cancel("p"))
    assert len(begun) == 2  # nothing binds them any more
    for each in begun:
        each.close()


def test_a_list_that_goes_out_again_waits_for_the_lookups_of_its_legs() -> None:
    begun: list[Any] = []
    carried: list[Any] = []

    class Sides:
        begin = staticmethod(begun.append)

        def cut(self) -> None: ...

        async def ended(self) -> None: ...

    async def carry(message: Any) -> None:
        carried.append(message)

    lanes = Lanes(Sides(), carry)
    asked: list[Any] = [LookUp("p"), LookUp("s")]
    sent, cancel = request(), Cancel("p")
    for each in (*asked, sent, cancel):
        lanes.add(each)
    assert len(begun) == 2
    under_way = list(begun)
    now(under_way[0])
    assert len(begun) == 2  # the other one is asked about yet
    now(under_way[1])
    now(begun[2])
    now(begun[3])
    assert carried == [*asked, sent, cancel]
    lanes.add(LookUp("p"))
    assert len(begun) == 5
    begun[4].close()


async def test_a_list_that_waits_for_lookups_is_not_under_way() -> None:
    begun: list[Any] = []

    class Sides:
        begin = staticmethod(begun.append)

        def cut(self) -> None: ...

        async def ended(self) -> None: ...

    async def carry(_message: Any) -> None: ...

    lanes = Lanes(Sides(), carry)
    for each in (LookUp("s"), request()):
        lanes.add(each)
    assert await lanes.cut() == ([LookUp("s")], [request()])
    begun[0].close()
