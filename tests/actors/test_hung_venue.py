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
from holdfast_actors.lastgate import LastGate
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
from holdfast_domain.cursor import SLICE_SLOT, cursor_at
from holdfast_domain.ports import VenueOrder
from holdfast_runtime import ActorSpec, Context, SupervisorSpec

from .desk import T0_US, acked, terms
from .scripted import ScriptedVenue

SESSION, ORDERS = "top/session", "top/orders"


@attrs.define
class HungVenue(ScriptedVenue):
    """A scripted venue of which some requests never come back."""

    answers_at_once: bool = False
    wants_data: bool = False
    ctx: Context | None = None
    hangs: frozenset[str] = frozenset()
    cut: list[str] = attrs.field(factory=list)

    async def _hang(self, name: str) -> None:
        if name in self.hangs:
            assert self.ctx is not None
            try:
                await self.ctx.sleep(1e9)
            finally:
                self.cut.append(name)

    async def submit(self, order: VenueOrder) -> Any:
        await self._hang("submit")
        return await ScriptedVenue.submit(self, order)

    async def cancel(self, order_id: str) -> Any:
        await self._hang("cancel")
        return await ScriptedVenue.cancel(self, order_id)

    async def lookup(self, order_id: str) -> Any:
        await self._hang("lookup")
        return await ScriptedVenue.lookup(self, order_id)

    async def executions_since(self, watermark: str) -> Any:
        await self._hang("since")
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
            gate=LastGate(HaltGate(), mark, clock),
            interest=VenueInterest(["paper"]),
            silence=VenueSilence(),
            within=ctx.within,
            sleep=ctx.sleep,
            after=ctx.after,
            now_s=ctx.now_s,
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


def submit() -> Submit:
    order = VenueOrder(order_id="a", terms=terms(1), placed_at_us=T0_US)
    return Submit(order, 1, 1, 0, T0_US)


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
        assert rig.answers() == [(Asked.LOOKUP, How.UNKNOWN)]
        await world.sleep(10.0)
        assert rig.answers()[1:] == [(Asked.GAP, How.UNKNOWN)]

    play(kind, rig.spec, scenario)


@on_each_engine
def test_what_waited_behind_it_is_done_and_the_connection_made_anew(kind: str) -> None:
    rig = Rig("cancel")
    rig.venue.answer = [acked("a")]

    async def scenario(world: World) -> None:
        await world.told(SESSION, Cancel("a"), LookUp("a"))
        await world.sleep(31.0)

    play(kind, rig.spec, scenario)

    assert rig.answers() == [(Asked.CANCEL, How.UNKNOWN), (Asked.LOOKUP, How.ANSWERED)]
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
