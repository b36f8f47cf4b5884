"""Whatever happens at the venue, and whenever it is killed: the same record, once."""

from __future__ import annotations

import itertools
import tempfile
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import attrs
import polars as pl
from hypothesis import given, strategies as st
from msgspec.structs import replace
from tests.sampling import examples

from holdfast_adapters.matching import TAKES, FillAt, FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, START, cursor_at
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orderlists import ROLES, Leg, ListKind, Role
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Executed, VenueEvent, VenueOrder

T = TypeVar("T")
SYMBOLS = ("AAA", "BBB")
START_AT = datetime(2024, 1, 1, 20, tzinfo=UTC)
HOUR_US = 3_600_000_000
INSTRUMENTS = {
    name: Instrument(symbol=name, tick=Decimal("0.5"), multiplier=Decimal(2))
    for name in SYMBOLS
}


@attrs.frozen
class Act:
    """A request after a step: an order, or something done to an earlier one."""

    kind: str
    terms: OrderTerms
    target: int
    late_us: int


@attrs.frozen
class Step:
    """A bar of some of the symbols, and the requests that follow it."""

    bars: dict[str, tuple[int, ...]]
    acts: list[Act]
    dies: str
    """Empty, ``after`` the step, or ``before`` the engine has noted its advance."""


PRICES = st.integers(min_value=190, max_value=210)
DISTANCES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"trail": Price.of("0.5")}, {"trail": Price.of(2)}, {"trail_bps": 150}]
)


@st.composite
def terms(draw: st.DrawFn) -> OrderTerms:
    kind = draw(st.sampled_from(sorted(TAKES.types, key=lambda each: each.value)))
    force = draw(st.sampled_from(sorted(TAKES.forces, key=lambda each: each.value)))
    rests = kind is OrderType.LIMIT and force in (TimeInForce.GTC, TimeInForce.DAY)
    half = Decimal("0.5")
    has_limit = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    has_stop = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    return OrderTerms(
        instrument=draw(st.sampled_from(SYMBOLS)),
        side=draw(st.sampled_from(Side)),
        quantity=Quantity.of(draw(st.integers(1, 9))),
        type=kind,
        time_in_force=force,
        limit_price=Price(half * draw(PRICES)) if has_limit else None,
        stop_price=Price(half * draw(PRICES)) if has_stop else None,
        post_only=rests and draw(st.booleans()),
        **(draw(DISTANCES) if kind is OrderType.TRAILING_STOP else {}),
    )


ACTS = st.builds(
    Act,
    kind=st.sampled_from(("submit", "submit", "list", "submit", "cancel", "replace")),
    terms=terms(),
    target=st.integers(0, 5),
    late_us=st.sampled_from((0, 0, 1)),
)
BARS = st.tuples(PRICES, PRICES, PRICES, PRICES, st.integers(0, 200))
STEPS = st.lists(
    st.builds(
        Step,
        bars=st.dictionaries(st.sampled_from(SYMBOLS), BARS, min_size=1),
        acts=st.lists(ACTS, max_size=3),
        dies=st.sampled_from(("", "", "after", "before")),
    ),
    min_size=1,
    max_size=10,
)
OPENING = st.lists(ACTS, max_size=2)
MODELS = st.builds(
    FillModel,
    fill=st.sampled_from(FillAt),
    commission=st.just(Decimal("0.001")),
    slippage_bps=st.sampled_from((Decimal(0), Decimal(7))),
    participation=st.sampled_from((None, Decimal("0.05"))),
)


def data_of(script: Sequence[Step]) -> MarketData:
    """One step each hour; symbols that no step has get one bar after the end."""
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in SYMBOLS}
    for number, step in enumerate(script):
        for name, bar in step.bars.items():
            rows[name].append(row_of(number, bar))
    for bars in rows.values():
        bars.append(row_of(len(script), (200, 200, 200, 200, 0)))
    schema = {"timestamp": pl.Datetime("us", "UTC")} | dict.fromkeys(
        ("open", "high", "low", "close", "volume"), pl.Float64
    )
    return MarketData(
        {name: BarColumns(name, pl.DataFrame(rows[name], schema)) for name in SYMBOLS}
    )


def row_of(number: int, bar: tuple[int, ...]) -> dict[str, object]:
    open_, high, low, close = (price / 2 for price in bar[:4])
    return {
        "timestamp": START_AT + timedelta(hours=number + 1),
        "open": open_,
        "high": max(open_, high, low, close),
        "low": min(open_, high, low, close),
        "close": close,
        "volume": float(bar[4]),
    }


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the answer of a coroutine that never waits, as without a thread host."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        answer: T = stop.value
        return answer
    raise AssertionError("it waited")


class Engine:
    """What a trading engine asks of its venue, with a history of all answers."""

    def __init__(self, script: Sequence[Step], model: FillModel, path: Path | None):
        self.data = data_of(script)
        self.script, self.model, self.path = script, model, path
        self.history: list[object] = []
        self.placed: list[str] = []
        self.wanted: dict[str, OrderTerms] = {}
        self.bonds: dict[str, Leg] = {}
        self.venue = self.open_venue()

    def open_venue(self) -> PaperVenue:
        venue = PaperVenue(self.data, INSTRUMENTS, self.model, path=self.path)
        at_once(venue.connect())
        return venue

    def die(self, resume: int | None) -> None:
        at_once(self.venue.close())
        self.venue = self.open_venue()
        if resume is not None:
            at_once(self.venue.resume(resume))

    def run(self, opening: Sequence[Act], *, kills: bool) -> list[object]:
        for act in opening:
            self.history.append(self.act(act, self.data.times_us[0] - HOUR_US))
        if kills:
            self.die(None)
        for number, step in enumerate(self.script):
            said = self.advance(number)
            if kills and step.dies == "before":
                self.die(cursor_at(number - 1, SLICE_SLOT) if number else START)
                assert self.advance(number) == said
            self.history.append(said)
            for act in step.acts:
                self.history.append(self.act(act, self.data.times_us[number]))
            if kills and step.dies == "after":
                self.die(None)
        self.history += [at_once(self.venue.lookup(name)) for name in self.placed]
        self.history.append(at_once(self.venue.open_orders()).orders)
        self.history.append(at_once(self.venue.positions()).positions)
        self.history.append(at_once(self.venue.balances()).balances)
        self.history.append(list(at_once(self.venue.executions_since("")).events))
        at_once(self.venue.close())
        return self.history

    def advance(self, step: int) -> list[VenueEvent]:
        return list(at_once(self.venue.advance(cursor_at(step, ADVANCE_SLOT), step)))

    def act(self, act: Act, time_us: int) -> object:
        try:
            return list(at_once(self.request(act, time_us)))
        except VenueRefused as refused:
            return refused.code

    def request(
        self, act: Act, time_us: int
    ) -> Coroutine[Any, Any, Sequence[VenueEvent]]:
        if act.kind == "list":
            return self.venue.submit_list(self.legs(act, time_us + act.late_us))
        if act.kind == "submit" or not self.placed:
            name = f"O{len(self.placed)}"
            self.placed.append(name)
            self.wanted[name] = act.terms
            at_us = time_us + act.late_us
            order = VenueOrder(order_id=name, terms=act.terms, placed_at_us=at_us)
            return self.venue.submit(order)
        name = self.placed[act.target % len(self.placed)]
        if act.kind == "cancel":
            return self.venue.cancel(name)
        return self.venue.replace(name, act.terms)

    def legs(self, act: Act, at_us: int) -> list[VenueOrder]:
        """An OCO, or a bracket, around the middle of the market."""
        far, near = Decimal(100), Decimal(act.target + 1) / 2
        side = act.terms.side
        profit, loss = far - side.sign * near, far + side.sign * near
        plain = {"type": OrderType.LIMIT, "limit_price": Price(profit), "side": side}
        base = OrderTerms(
            instrument=act.terms.instrument,
            side=side.opposite,
            quantity=act.terms.quantity,
        )
        stop = {"type": OrderType.STOP, "stop_price": Price(loss), "side": side}
        kind = ListKind.BRACKET if act.target % 2 else ListKind.OCO
        exits = [replace(base, **plain), replace(base, **stop)]
        legs = [base, *exits] if kind is ListKind.BRACKET else exits
        first = f"O{len(self.placed)}"
        made = []
        for terms, role in zip(legs, ROLES[kind], strict=True):
            name = f"O{len(self.placed)}"
            self.placed.append(name)
            self.wanted[name] = terms
            leg = self.bonds[name] = Leg(list_id=first, kind=kind, role=role)
            made.append(
                VenueOrder(order_id=name, terms=terms, placed_at_us=at_us, leg=leg)
            )
        return made


@examples(150)
@given(opening=OPENING, script=STEPS, model=MODELS)
def test_a_venue_that_is_killed_anywhere_tells_what_one_in_memory_tells(
    opening: list[Act], script: list[Step], model: FillModel
) -> None:
    expected = Engine(script, model, None).run(opening, kills=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "venue-paper.sqlite")
        assert Engine(script, model, path).run(opening, kills=True) == expected


@examples(300)
@given(opening=OPENING, script=STEPS, model=MODELS)
def test_fills_keep_to_the_order_whatever_the_market_does(
    opening: list[Act], script: list[Step], model: FillModel
) -> None:
    engine = Engine(script, model, None)
    engine.run(opening, kills=False)
    wanted = engine.wanted
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    most = {name: order.quantity.value for name, order in wanted.items()}
    prices = {name: order.limit_price for name, order in wanted.items()}
    for name, event in told(engine):
        if isinstance(event, OrderTerms):
            most[name], prices[name] = event.quantity.value, event.limit_price
            continue
        sums[name] += event.quantity.value
        limit, side = prices[name], wanted[name].side
        assert event.cumulative.value == sums[name] <= most[name]
        assert limit is None or side.sign * (event.price.value - limit.value) <= 0
        assert event.price.value % Decimal("0.5") == 0


@examples(300)
@given(opening=OPENING, script=STEPS, model=MODELS)
def test_lists_keep_to_their_bonds_whatever_the_market_does(
    opening: list[Act], script: list[Step], model: FillModel
) -> None:
    engine = Engine(script, model, None)
    engine.run(opening, kills=False)
    entered: defaultdict[str, Decimal] = defaultdict(Decimal)
    exits: defaultdict[str, set[str]] = defaultdict(set)
    exited: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, event in told(engine):
        leg = engine.bonds.get(name)
        if leg is None or isinstance(event, OrderTerms):
            continue
        if leg.role is Role.ENTRY:
            entered[leg.list_id] += event.quantity.value
            continue
        whole = engine.wanted[name].quantity.value
        exits[leg.list_id].add(name)
        exited[leg.list_id] += event.quantity.value
        assert exited[leg.list_id] <= whole
        assert leg.kind is ListKind.OCO or entered[leg.list_id] == whole
        assert len(exits[leg.list_id]) == 1


def told(engine: Engine) -> list[tuple[str, Executed | OrderTerms]]:
    """Executions and new terms, in order."""
    events = itertools.chain.from_iterable(
        answer for answer in engine.history if isinstance(answer, list)
    )
    found: list[tuple[str, Executed | OrderTerms]] = []
    seen: set[str] = set()
    for event in events:
        if isinstance(event, Executed):
            if event.execution_id not in seen:
                seen.add(event.execution_id)
                found.append((event.order_id, event))
        elif hasattr(event, "terms"):
            found.append((event.order_id, event.terms))
    return found
