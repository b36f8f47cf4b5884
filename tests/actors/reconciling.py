"""An engine between a strategy that holds still and a venue where others move things.

The strategy buys 100 and rests a bid for 10; then the data is at its end, and whatever
differs after that is the venue's doing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from tests.runtime.worlds import World, play

from holdfast import Strategy
from holdfast.clocks import FixedClock
from holdfast.compose import World as Composed, make_parts, watch, write_opening
from holdfast.options import read_options
from holdfast.simulation.timing import VirtualTime
from holdfast_actors.messages import Report
from holdfast_actors.reconciliation.messages import ReconcileNow, ReconcilerReport
from holdfast_actors.reconciliation.plan import Policies, ReconcilePlan
from holdfast_actors.tree import LEDGER, ORDERS, RECONCILER, Parts, build_tree
from holdfast_adapters.hostile import HostileVenue, VenueFault
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.matching import FillModel
from holdfast_adapters.paper.core import PaperCore
from holdfast_adapters.paper.world import World as Market, opened_at_us_of
from holdfast_domain import events as ev
from holdfast_domain.money import Quantity
from holdfast_domain.orders import Side
from holdfast_domain.ports import Found
from holdfast_domain.reconciliation import Finding, Policy

from .desk import market

T = TypeVar("T")
CAPITAL = Decimal(100_000)
PRICE = Decimal(100)
BARS = 5
LONG_S = 120.0
"""Longer than any reconciliation here takes: five brackets, ten seconds apart."""


class Holder(Strategy):
    """Buys 100 at once, rests a bid for 10, and holds still."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol("SPY")
        context.done = False

    def handle_data(self, context: Any, data: Any) -> None:
        del data
        if not context.done:
            context.done = True
            self.order(context.asset, 100)
            self.order(context.asset, 10, limit_price=50)


class Idle(Strategy):
    """Never trades."""

    def initialize(self, context: Any) -> None:
        context.asset = self.symbol("SPY")

    def handle_data(self, context: Any, data: Any) -> None:
        """Do nothing."""


def everywhere(policy: Policy) -> Policies:
    """Return one policy for all severities."""
    return Policies(minor=policy, moderate=policy, critical=policy)


class Account:
    """A venue and a journal, which outlive engines."""

    def __init__(
        self,
        *faults: VenueFault,
        plan: ReconcilePlan | None = None,
        strategy: type[Strategy] = Holder,
        opening: Mapping[str, Decimal] | None = None,
        model: FillModel = FillModel(),  # noqa: B008 - frozen
    ) -> None:
        self.plan = plan or ReconcilePlan()
        self.options = read_options(
            [strategy],
            data=market(SPY=[float(PRICE)] * BARS, QQQ=[float(PRICE)] * BARS),
            capital=CAPITAL,
        )
        self.store = MemoryJournal(7)
        core = PaperCore(
            Market(
                data=self.options.data,
                instruments=self.options.instruments,
                model=model,
                opened_at_us=opened_at_us_of(self.options.data),
                opening={"USD": CAPITAL} if opening is None else opening,
            )
        )
        self.venue = HostileVenue(core, faults, half_open_s=5.0)
        self.said: list[str] = []
        self.world: World | None = None
        self.disturbed = False
        """For a test to note that it has begun."""

    # --- playing ---------------------------------------------------------------------

    def play(
        self,
        scenario: Callable[[Account], Awaitable[None]],
        kind: str = "simulated",
        prepare: Callable[[Any], None] = lambda _kernel: None,
    ) -> Account:
        """Run an engine until the data is at its end, and then ``scenario``."""
        parts = self._parts()

        async def scene(world: World) -> None:
            self.world = world
            await world.settle()
            await scenario(self)

        def begin(kernel: Any) -> None:
            watch(kernel, parts, lambda _cell, _error: None)
            # What would be told aloud.
            parts.attention = self.said.append
            self.venue.live_in(VirtualTime(kernel))
            prepare(kernel)

        play(kind, build_tree(parts), scene, lock_step=True, prepare=begin)
        return self

    def _parts(self) -> Parts:
        world = Composed(
            store=self.store,
            journal_host=None,
            venue_path=None,
            venue_host=None,
            wall=FixedClock(),
            engine=7,
            finished=lambda: None,
            mode="paper",
            reconciling=self.plan,
        )
        parts = make_parts(self.options, world)
        parts.venues = {"paper": lambda: self.venue}
        write_opening(self.options, parts, world)
        return parts

    async def reconcile(self, *, any_size: bool = False) -> ev.Reconciled:
        """Compare, and return what came of it."""
        await self.tell(RECONCILER, ReconcileNow("ann", any_size))
        await self.sleep(LONG_S)
        return self.report().last["paper"]

    async def tell(self, path: str, message: object) -> None:
        assert self.world is not None
        await self.world.told(path, message)

    async def sleep(self, for_s: float) -> None:
        assert self.world is not None
        await self.world.sleep(for_s)

    # --- looking ---------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """The engine's clock."""
        assert self.world is not None
        now_s: float = self.world.cell(RECONCILER).kernel.now_s()
        return now_s

    def actor(self, path: str) -> Any:
        assert self.world is not None
        return self.world.cell(path).actor

    def report(self) -> ReconcilerReport:
        found: ReconcilerReport = self.actor(RECONCILER).handle(Report())
        return found

    def events(self, *kinds: type[T]) -> list[T]:
        return [e.event for e in self.store.read() if isinstance(e.event, kinds)]

    def row(self, quantity: int = 10) -> Any:
        """Return our order for so many."""
        rows = self.actor(ORDERS).handle(Report())
        return next(r for r in rows if r.terms.quantity.value == quantity)

    def held(self, sub_ledger: str = "") -> Decimal:
        """Return what the books have of SPY: of one sub-ledger, or of the account."""
        parts = self.actor(LEDGER).sub_ledgers()
        names = [sub_ledger] if sub_ledger else list(parts)
        none = Decimal(0)
        held = (parts[n].positions.get("SPY") for n in names if n in parts)
        return sum((each.amount for each in held if each), none)

    def cash(self, unit: str = "USD") -> Decimal:
        parts = self.actor(LEDGER).sub_ledgers().values()
        return sum((part.cash.get(unit, Decimal(0)) for part in parts), Decimal(0))


def actions(event: ev.Reconciled) -> list[tuple[str, str, str, str]]:
    """Return subject, kind, severity and action of each finding."""
    return [_said(each) for each in event.findings]


def _said(each: Finding) -> tuple[str, str, str, str]:
    found = each.difference
    return (
        found.subject.value,
        found.kind.value,
        found.severity.value,
        each.action,
    )


def orphan(name: str = "M1", order_id: str = "", instrument: str = "SPY") -> Found:
    """Return an order of another hand, as the venue lists it."""
    return Found(
        order_id=order_id,
        venue_order_id=name,
        instrument=instrument,
        side=Side.BUY,
        quantity=Quantity.of(7),
        placed_at_us=0,
        cumulative=None,
        events=(),
    )
