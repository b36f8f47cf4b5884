"""A venue that hangs: its session does not, on either engine."""

from __future__ import annotations

from typing import Any

import attrs
from tests.runtime.worlds import World, on_each_engine, play

from holdfast_actors.clock import (
    HaltGate,
    MarketClock,
    OrdersMark,
    VenueInterest,
    VenueSilence,
)
from holdfast_actors.connection import RECONNECTED
from holdfast_actors.lanes import QUESTIONS
from holdfast_actors.lastgate import LastGate
from holdfast_actors.messages import Advance
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    Evidence,
    How,
    LookUp,
    SessionUp,
    Submit,
)
from holdfast_actors.session import Session
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.ports import VenueOrder
from holdfast_runtime import ActorSpec, Context, SupervisorSpec

from .desk import T0_US, acked, terms
from .scripted import ScriptedVenue

SESSION, ORDERS = "top/session", "top/orders"
AT = cursor_at(1, ADVANCE_SLOT)


@attrs.define
class HungVenue(ScriptedVenue):
    """A scripted venue of which some requests never come back."""

    answers_at_once: bool = False
    wants_data: bool = False
    ctx: Context | None = None
    hangs: frozenset[str] = frozenset()
    cut: list[str] = attrs.field(factory=list)
    slow_s: float = 0.0
    begun: list[tuple[str, str]] = attrs.field(factory=list)

    async def _hang(self, name: str, order_id: str) -> None:
        self.begun.append((name, order_id))
        if self.slow_s:
            assert self.ctx is not None
            await self.ctx.sleep(self.slow_s)
        if name in self.hangs:
            assert self.ctx is not None
            try:
                await self.ctx.sleep(1e9)
            finally:
                self.cut.append(name)

    async def submit(self, order: VenueOrder) -> Any:
        await self._hang("submit", order.order_id)
        return await ScriptedVenue.submit(self, order)

    async def cancel(self, order_id: str) -> Any:
        await self._hang("cancel", order_id)
        return await ScriptedVenue.cancel(self, order_id)

    async def lookup(self, order_id: str, meant_us: int = 0) -> Any:
        del meant_us
        await self._hang("lookup", order_id)
        return await ScriptedVenue.lookup(self, order_id)

    async def executions_since(self, watermark: str) -> Any:
        await self._hang("since", "")
        return await ScriptedVenue.executions_since(self, watermark)


class Listener:
    """Stands where `orders` is."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def handle(self, message: object) -> None:
        self.heard.append(message)


class Rig:
    """A session between a hung venue and a listener."""

    def __init__(self, *hangs: str) -> None:
        self.venue = HungVenue(hangs=frozenset(hangs))
        self.listener = Listener()
        self.gate = HaltGate()

    @property
    def spec(self) -> SupervisorSpec:
        return SupervisorSpec(
            name="top",
            children=(
                ActorSpec(name="orders", build=lambda _ctx: self.listener),
                ActorSpec(name="session", build=self._session),
            ),
        )

    def _session(self, ctx: Context) -> Session:
        self.venue.ctx = ctx
        mark = OrdersMark()
        mark.incarnation = 1
        clock = MarketClock(T0_US, cursor_at(0, SLICE_SLOT))
        return Session(
            venue=self.venue,
            orders=ctx.ref(ORDERS),
            clock=clock,
            gate=LastGate(self.gate, mark, clock),
            interest=VenueInterest(["paper"]),
            silence=VenueSilence(),
            within=ctx.within,
            sleep=ctx.sleep,
            after=ctx.after,
            at_once=ctx.me.tell,
            now_s=ctx.now_s,
            sides=ctx.sides(),
            incarnation=ctx.incarnation,
        )

    def answers(self) -> list[tuple[Asked, How]]:
        return [
            (each.asked, each.how)
            for each in self.listener.heard
            if isinstance(each, Evidence) and each.asked is not Asked.STREAM
        ]

    def ups(self) -> list[int]:
        return [e.incarnation for e in self.listener.heard if isinstance(e, SessionUp)]


def order(order_id: str) -> Submit:
    sent = VenueOrder(order_id=order_id, terms=terms(1), placed_at_us=T0_US)
    return Submit(sent, 1, 1, 0, T0_US)


def submit() -> Submit:
    return order("a")


@on_each_engine
def test_a_submit_that_hangs_is_cut_after_thirty_seconds_and_unknown(kind: str) -> None:
    rig = Rig("submit")

    async def scenario(world: World) -> None:
        await world.told(SESSION, submit())
        await world.sleep(29.9)
        assert rig.answers() == []
        await world.sleep(0.2)
        assert rig.answers() == [(Asked.SUBMIT, How.UNKNOWN)]
        assert rig.venue.cut == ["submit"]

    play(kind, rig.spec, scenario)

    (said,) = [each for each in rig.listener.heard if isinstance(each, Evidence)]
    assert said.reason == "paper: no answer within 30 s"


@on_each_engine
def test_questions_are_cut_after_ten_seconds_and_prove_nothing(kind: str) -> None:
    rig = Rig("lookup", "since")

    async def scenario(world: World) -> None:
        await world.told(SESSION, LookUp("a"), AskGap(""))
        await world.sleep(9.9)
        assert rig.answers() == []
        await world.sleep(0.2)
        both = {(Asked.LOOKUP, How.UNKNOWN), (Asked.GAP, How.UNKNOWN)}
        assert set(rig.answers()) == both

    play(kind, rig.spec, scenario)


@on_each_engine
def test_what_waited_behind_it_is_put_off_and_the_connection_made_anew(
    kind: str,
) -> None:
    rig = Rig("cancel")
    rig.venue.answer = [acked("a")]

    async def scenario(world: World) -> None:
        await world.told(SESSION, Cancel("a"), LookUp("a"))
        await world.sleep(31.0)
        await world.told(SESSION, LookUp("a"))

    play(kind, rig.spec, scenario)

    assert rig.answers() == [
        (Asked.CANCEL, How.UNKNOWN),
        (Asked.LOOKUP, How.UNKNOWN),
        (Asked.LOOKUP, How.ANSWERED),
    ]
    assert rig.ups() == [1, 1 + RECONNECTED]
    assert rig.venue.asked.count(("connect",)) == 2


@on_each_engine
def test_a_submit_from_before_a_reconnect_is_not_sent(kind: str) -> None:
    rig = Rig("cancel")

    async def scenario(world: World) -> None:
        await world.told(SESSION, Cancel("a"), submit())
        await world.sleep(31.0)

    play(kind, rig.spec, scenario)

    assert rig.answers()[-1] == (Asked.SUBMIT, How.NOT_SENT)
    assert ("submit", "a") not in rig.venue.asked


@on_each_engine
def test_a_venue_that_answers_in_time_is_not_cut(kind: str) -> None:
    rig = Rig()
    rig.venue.answer = [acked("a")]

    async def scenario(world: World) -> None:
        await world.told(SESSION, submit())
        await world.sleep(100.0)

    play(kind, rig.spec, scenario)

    assert rig.answers() == [(Asked.SUBMIT, How.ANSWERED)]
    assert (rig.venue.cut, rig.ups()) == ([], [1])


# --- beside each other --------------------------------------------------------


@on_each_engine
def test_a_submit_that_hangs_holds_up_no_cancel_of_another_order(kind: str) -> None:
    rig = Rig("submit")

    async def scenario(world: World) -> None:
        await world.told(SESSION, submit(), Cancel("b"), LookUp("c"))
        assert set(rig.answers()) == {
            (Asked.CANCEL, How.ANSWERED),
            (Asked.LOOKUP, How.ANSWERED),
        }
        await world.sleep(31.0)

    play(kind, rig.spec, scenario)

    assert rig.answers()[-1] == (Asked.SUBMIT, How.UNKNOWN)


@on_each_engine
def test_what_concerns_one_order_stays_in_sequence(kind: str) -> None:
    rig = Rig()
    rig.venue.slow_s = 2.0

    async def scenario(world: World) -> None:
        await world.told(SESSION, submit(), Cancel("a"), LookUp("a"), Cancel("b"))
        await world.sleep(1.0)
        assert rig.venue.begun == [("submit", "a"), ("cancel", "b")]
        await world.sleep(2.0)
        assert rig.venue.begun[2:] == [("cancel", "a")]
        await world.sleep(2.0)
        assert rig.venue.begun[3:] == [("lookup", "a")]
        await world.sleep(2.0)

    play(kind, rig.spec, scenario)

    assert rig.venue.asked.count(("connect",)) == 1


@on_each_engine
def test_requests_leave_in_the_order_in_which_they_came(kind: str) -> None:
    rig = Rig()
    rig.venue.slow_s = 1.0
    names = [f"{number:02}" for number in range(40)]

    async def scenario(world: World) -> None:
        await world.told(SESSION, *(Cancel(name) for name in names))
        await world.sleep(2.0)

    play(kind, rig.spec, scenario)

    assert [order_id for _, order_id in rig.venue.begun] == names
    assert len(rig.answers()) == len(names)


@on_each_engine
def test_questions_have_a_window_and_cancels_go_past_it(kind: str) -> None:
    rig = Rig()
    rig.venue.slow_s = 1.0
    names = [f"{number:03}" for number in range(QUESTIONS + 6)]

    async def scenario(world: World) -> None:
        await world.told(SESSION, *(LookUp(name) for name in names), Cancel("x"))
        assert len(rig.venue.begun) == QUESTIONS + 1
        assert rig.venue.begun[-1] == ("cancel", "x")
        await world.sleep(3.0)

    play(kind, rig.spec, scenario)

    assert len(rig.answers()) == len(names) + 1


@on_each_engine
def test_an_order_to_halt_stops_what_waits_for_its_first_byte(kind: str) -> None:
    rig = Rig()
    rig.venue.slow_s = 2.0

    async def scenario(world: World) -> None:
        await world.told(SESSION, LookUp("a"), submit())
        rig.gate.halted = True
        await world.sleep(5.0)

    play(kind, rig.spec, scenario)

    assert rig.answers()[-1] == (Asked.SUBMIT, How.NOT_SENT)
    assert rig.venue.begun == [("lookup", "a")]


@on_each_engine
def test_data_waits_until_nothing_is_under_way(kind: str) -> None:
    rig = Rig()
    rig.venue.slow_s = 2.0

    async def scenario(world: World) -> None:
        await world.told(SESSION, Cancel("a"), Advance(AT, 1, T0_US))
        await world.told(SESSION, Cancel("b"))
        await world.sleep(1.0)
        assert ("advance", AT, 1) not in rig.venue.asked
        await world.sleep(4.0)

    play(kind, rig.spec, scenario)

    told = [each[:2] for each in rig.venue.asked if each[0] in ("cancel", "advance")]
    assert told == [("cancel", "a"), ("advance", AT), ("cancel", "b")]


@on_each_engine
def test_a_request_that_hangs_alone_is_no_lost_connection(kind: str) -> None:
    rig = Rig("submit")

    async def scenario(world: World) -> None:
        await world.told(SESSION, submit())
        await world.sleep(20.0)
        await world.told(SESSION, Cancel("b"))
        await world.sleep(11.0)

    play(kind, rig.spec, scenario)

    assert rig.answers()[-1] == (Asked.SUBMIT, How.UNKNOWN)
    assert rig.ups() == [1]


@on_each_engine
def test_with_the_connection_all_that_is_under_way_is_in_doubt(kind: str) -> None:
    rig = Rig("submit")

    async def scenario(world: World) -> None:
        await world.told(SESSION, submit())
        await world.sleep(20.0)
        await world.told(SESSION, order("b"), LookUp("b"))
        await world.sleep(11.0)

    play(kind, rig.spec, scenario)

    assert rig.answers() == [
        (Asked.SUBMIT, How.UNKNOWN),
        (Asked.SUBMIT, How.UNKNOWN),
        (Asked.LOOKUP, How.UNKNOWN),
    ]
    assert rig.venue.cut == ["submit", "submit"]
    assert rig.ups() == [1, 1 + RECONNECTED]
