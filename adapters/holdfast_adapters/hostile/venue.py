"""The hostile venue: the paper venue's matching behind a connection that lies in wait.

Whatever it does to what it says, it does nothing to what is true: `truth` is what was
placed and traded, for the auditor. It outlives the engine's processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NoReturn

from msgspec.structs import replace

from holdfast_adapters.hostile.arrivals import Arrival, Arrivals, VenueClock
from holdfast_adapters.hostile.blocks import Block
from holdfast_adapters.hostile.changes import Changes
from holdfast_adapters.hostile.elsewhere import Elsewhere, number_of
from holdfast_adapters.hostile.faults import Op, Schedule, VenueFault
from holdfast_adapters.hostile.skew import Skew
from holdfast_adapters.hostile.stream import Stream
from holdfast_adapters.matching.model import TAKES
from holdfast_adapters.paper.core import PaperCore
from holdfast_adapters.paper.records import Row
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import (
    Balances,
    Busted,
    Corrected,
    Executed,
    Executions,
    Found,
    NotFound,
    OpenOrders,
    Positions,
    VenueEvent,
    VenueOrder,
    VenuePromises,
)

BOUND_S: Final = 10.0
"""The latest that a request arrives after it has left; promised to the engine."""

SKEW_S: Final = 5.0
"""How far the venue's clock may go wrong; promised to the engine."""

OVERLAP: Final = 4
"""How many executions a list shows again, because they may have become visible late."""

REQUESTS_MAX: Final = 2_500
"""More requests in one history are an engine that runs in circles."""

_LISTED = (Executed, Corrected, Busted)


class RunsInCircles(BaseException):
    """The engine asks without an end; nobody may catch it."""


class HostileVenue:
    """A `ReplayedVenue` with faults; the same for the same faults and requests."""

    answers_at_once = False

    def __init__(
        self,
        core: PaperCore,
        faults: Iterable[VenueFault] = (),
        *,
        name: str = "paper",
        half_open_s: float | None = None,
        latency_s: float = 0.0,
        proves_absence: bool = True,
        on_send: Callable[[VenueOrder], object] = lambda _order: None,
        on_place: Callable[[VenueOrder], object] = lambda _order: None,
    ) -> None:
        """Trade in ``core``.

        ``on_send`` is called with each order when its request is about to leave the
        engine, ``on_place`` when the venue has it and nobody was told.

        A request that nobody answers waits for ever, or, with ``half_open_s``, until
        the adapter's own time-out. All others take ``latency_s``.
        """
        self.name = name
        self.promises = VenuePromises(
            proves_absence=proves_absence,
            processing_bound_s=BOUND_S,
            clock_skew_s=SKEW_S,
            takes=TAKES,
        )
        self.core = core
        self._schedule = Schedule(faults)
        self._half_open_s = half_open_s
        self._latency_s = latency_s
        self._on_send = on_send
        self._on_place = on_place
        self._clock: VenueClock | None = None
        self._stream = Stream()
        self._arrivals = Arrivals()
        self.changes = Changes(core)
        self.elsewhere = Elsewhere(core, self.changes, name)
        """What happens in the account besides the engine's orders."""

        self._blocked = Block()
        self._closed_until_s = 0.0
        self._skew = Skew()
        self._requests = 0

    # --- for whoever plays the history -----------------------------------------

    @property
    def struck(self) -> Counter[str]:
        """How often each kind of fault did strike."""
        return self._schedule.struck

    def live_in(self, clock: VenueClock) -> None:
        """Take the time of the engine's next process; blocks of the last one end."""
        self._clock = clock
        self._blocked, self._closed_until_s = Block(), 0.0
        self._arrivals.hasten()
        self._stream.reconnect()

    def heal(self) -> None:
        """Be a good venue from now on; what is on its way arrives."""
        self._schedule.clear()
        self._blocked, self._closed_until_s = Block(), 0.0
        self._arrivals.hasten()

    def has_or_will(self, order_id: str) -> bool:
        """Whether the venue shows an order, or a request about it is on its way."""
        found = self.core.lookup(order_id)
        return isinstance(found, Found) or self._arrivals.about(order_id)

    def truth(self) -> list[Row]:
        """Return all that happened, over-fills and other hands included."""
        self._let_arrive()
        return [*self.core.rows, *self.elsewhere.rows()]

    # --- the connection ----------------------------------------------------------

    async def connect(self) -> None:
        """Open the session.

        Raises:
            ConnectionError: nobody listens, or the venue is closed for maintenance.
        """
        fault = self._schedule.next(Op.CONNECT)
        if fault is not None or self._now_s() < self._closed_until_s:
            self._break("connection refused")
        self._stream.reconnect()

    async def close(self) -> None:
        """End the session."""
        self._stream.reconnect()

    async def resume(self, cursor: int) -> None:
        """Hide what happened after ``cursor``; see `ReplayedVenue.resume`."""
        self.core.resume(cursor)

    # --- requests ------------------------------------------------------------------

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        """Place ``order``; see `Venue.submit`."""
        return await self._place((order,), lambda: self.core.submit(order))

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        """Place the legs of a list; see `Venue.submit_list`."""
        return await self._place(orders, lambda: self.core.submit_list(orders))

    async def _place(
        self, orders: Sequence[VenueOrder], do: Callable[[], list[VenueEvent]]
    ) -> Sequence[VenueEvent]:
        def place() -> list[VenueEvent]:
            said = do()
            for each in orders:
                self._on_place(each)
            return said

        ids = tuple([each.order_id for each in orders])
        for each in orders:
            self._on_send(each)
        return await self._change(Op.SUBMIT, ids, place)

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        """Cancel what is left of the order; see `Venue.cancel`."""
        return await self._change(
            Op.CANCEL, (order_id,), lambda: self.core.cancel(order_id)
        )

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        """Give a working order new terms; see `Venue.replace`."""
        return await self._change(
            Op.REPLACE, (order_id,), lambda: self.core.replace(order_id, terms)
        )

    async def _change(
        self, op: Op, ids: tuple[str, ...], do: Callable[[], list[VenueEvent]]
    ) -> Sequence[VenueEvent]:
        fault = self._begin(op)
        if self._latency_s:
            await self._sleep(self._latency_s)
        if fault is None:
            return do()
        match fault.kind:
            case "lost_ack":
                do()
                raise OutcomeUnknown(f"{self.name}: no answer to {op.value}")
            case "late_request":
                self._arrive_later(fault.size, ids, do)
                raise OutcomeUnknown(f"{self.name}: no answer to {op.value}")
            case "late_ack":
                self._stream.hold(do(), fault.size)
                return []
            case "duplicate_request":
                do()
                return do()
            case "reject":
                raise VenueRefused("the venue does not want it", "rejected")
            case "reset":
                do()
            case "half_open" if fault.size % 2:
                do()
        await self._fail(fault, op)
        return do()

    # --- questions -----------------------------------------------------------------

    async def lookup(self, order_id: str, meant_us: int = 0) -> Found | NotFound:
        """Return what the venue knows of the order; see `Venue.lookup`."""
        del meant_us
        fault = self._begin(Op.LOOKUP)
        if fault is not None:
            await self._fail(fault, Op.LOOKUP)
        found = self.core.lookup(order_id)
        if isinstance(found, NotFound):
            return found
        extra = self.elsewhere.of_order(order_id)
        placed_at_us = found.placed_at_us + self._skew.us
        cumulative = extra[-1].cumulative if extra else found.cumulative
        changes = self.changes.of_order(order_id)
        if cumulative is not None:
            cumulative = self.changes.left_of(order_id, cumulative)
        events = self._skew.of([*found.events, *extra, *changes])
        return replace(
            found, placed_at_us=placed_at_us, cumulative=cumulative, events=events
        )

    async def executions_since(self, watermark: str) -> Executions:
        """Return the executions from ``watermark`` on; see `Venue.executions_since`.

        The watermark that it gives lies `OVERLAP` executions back.
        """
        fault = self._begin(Op.GAP)
        held_back = 0
        if fault is not None and fault.kind == "late_list":
            held_back = fault.size
        elif fault is not None:
            await self._fail(fault, Op.GAP)
        since = number_of(watermark)
        listed = self.core.executions_since(f"X{since}" if since else "").events
        shown = [each for each in listed if isinstance(each, Executed)]
        shown = shown[: len(shown) - held_back]
        last = max((number_of(each.execution_id) for each in shown), default=since)
        extra = self.elsewhere.visible()
        shown += [each.event for each in extra if since <= each.base <= last]
        told = self._skew.of([*shown, *self.changes.between(since, last)])
        back = max(since, last - OVERLAP)
        return Executions(
            events=[each for each in told if isinstance(each, _LISTED)],
            watermark=f"X{back}" if back > 0 else "",
        )

    async def open_orders(self) -> OpenOrders:
        """Return all working orders of the account; see `Venue.open_orders`."""
        await self._begin_account()
        return self.elsewhere.open_orders()

    async def positions(self) -> Positions:
        """Return what the account holds; see `Venue.positions`."""
        await self._begin_account()
        return self.elsewhere.positions()

    async def balances(self) -> Balances:
        """Return the cash of the account; see `Venue.balances`."""
        await self._begin_account()
        return self.elsewhere.balances()

    async def _begin_account(self) -> None:
        fault = self._begin(Op.ACCOUNT)
        if fault is not None:
            await self._fail(fault, Op.ACCOUNT)

    # --- market data ---------------------------------------------------------------

    @property
    def wants_data(self) -> bool:
        """Whether market data could bring anything about."""
        return self.core.wants_data() or self._stream.is_waiting or bool(self._arrivals)

    async def advance(self, cursor: int, step: int) -> Sequence[VenueEvent]:
        """Take the market data up to ``step``; see `ReplayedVenue.advance`."""
        self._let_arrive()
        events: list[VenueEvent] = list(self.core.advance(cursor, step))
        hand = self._schedule.next(Op.HAND)
        if hand is not None:
            self.elsewhere.act(hand.kind, hand.size)
        fills = [each for each in events if isinstance(each, Executed)]
        fault = self._schedule.next(Op.STREAM) if fills else None
        if fault is not None:
            events = self._harm(fault, events, fills)
        return self._skew.of(self._stream.tell(events))

    def _harm(
        self, fault: VenueFault, events: list[VenueEvent], fills: list[Executed]
    ) -> list[VenueEvent]:
        first, last = fills[0], fills[-1]
        if fault.kind == "overfill":
            return [*events, *self.elsewhere.overfill(last, self._terms(last.order_id))]
        if fault.kind in ("corrected_fill", "busted_fill"):
            self._stream.hold(self.changes.make(fault, last), fault.size)
            return events
        if fault.kind == "clock_skew":
            self._skew.run_wrong(fault.size, SKEW_S)
            return events
        if fault.kind in ("maintenance", "disconnect", "reset"):
            self._shut(fault)
            self._break(f"connection {fault.kind} in the stream")
        return self._stream.harm(fault, events, self._terms(first.order_id))

    def _terms(self, order_id: str) -> OrderTerms:
        return self.core.order(order_id).terms

    # --- what is done to requests ----------------------------------------------------

    def _begin(self, op: Op) -> VenueFault | None:
        """Let time do its work, and return the fault that is due."""
        self._let_arrive()
        self._requests += 1
        if self._requests > REQUESTS_MAX:
            raise RunsInCircles(f"{REQUESTS_MAX} requests, the last one {op.value}")
        if self._now_s() < self._blocked.until_s:
            self._blocked.insist()
            raise self._blocked.error(self.name, self._now_s())
        fault = self._schedule.next(op)
        if fault is not None and fault.kind == "clock_skew":
            self._skew.run_wrong(fault.size, SKEW_S)
            return None
        return fault

    async def _fail(self, fault: VenueFault, op: Op) -> None:
        """Fail as ``fault`` says, with what was asked for not done by this call."""
        match fault.kind:
            case "lost_request":
                raise OutcomeUnknown(f"{self.name}: no answer to {op.value}")
            case "busy":
                raise NotSent(f"{self.name}: busy", retry_after_s=1.0, only_limits=True)
            case "rate_limit" | "ban":
                length_s = fault.size * (60.0 if fault.kind == "ban" else 1.0)
                until_s = self._now_s() + length_s
                self._blocked = Block(until_s, fault.kind, length_s)
                raise self._blocked.error(self.name, self._now_s())
            case "half_open":
                await self._sleep(self._half_open_s)
                raise OutcomeUnknown(f"{self.name}: nobody answers {op.value}")
            case "maintenance" | "disconnect" | "reset":
                self._shut(fault)
                self._break(f"connection {fault.kind} at {op.value}")
            case _:
                """It strikes elsewhere, and this request goes through."""

    def _shut(self, fault: VenueFault) -> None:
        if fault.kind == "maintenance":
            self._closed_until_s = self._now_s() + fault.size

    def _break(self, text: str) -> NoReturn:
        self._stream.reconnect()
        raise ConnectionResetError(f"{self.name}: {text}")

    def _arrive_later(
        self, size: int, ids: tuple[str, ...], do: Callable[[], object]
    ) -> None:
        wait_s = min(float(size), 0.9 * BOUND_S)
        self._arrivals.add(Arrival(self._now_s() + wait_s, ids, do))

    def _let_arrive(self) -> None:
        for each in self._arrivals.take(self._now_s()):
            try:
                answer = each.arrive()
            except (VenueRefused, OutcomeUnknown):
                continue  # nobody is there to be told
            self._stream.hold(answer if isinstance(answer, list) else [])

    def _now_s(self) -> float:
        return 0.0 if self._clock is None else self._clock.now_s()

    async def _sleep(self, for_s: float | None) -> None:
        if self._clock is not None:
            await self._clock.sleep(for_s)
