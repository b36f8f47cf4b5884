"""What a bar fills, at which price and when, for each type and time in force."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace

from holdfast_adapters.matching import FillAt, FillModel, LastBar, MatchingEngine
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, VenueEvent, VenueOrder

HOUR_US = 3_600_000_000
BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK, DAY = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY
NEXT_CLOSE, THIS_CLOSE = FillAt.NEXT_CLOSE, FillAt.THIS_CLOSE
D = Decimal


class Desk:
    """An engine with one instrument, fed with hourly bars from hour 1 on."""

    def __init__(
        self, model: FillModel | None = None, tick: str | None = None, base: str = ""
    ) -> None:
        instrument = Instrument(
            symbol="SPY", tick=D(tick) if tick else None, multiplier=D(1), base=base
        )
        self.engine = MatchingEngine({"SPY": instrument}, model or FillModel())
        self.hour = 0
        self.last_bar: LastBar | None = None
        self.sent = 0

    @property
    def time_us(self) -> int:
        return self.hour * HOUR_US

    def last(self, _symbol: str) -> LastBar | None:
        return self.last_bar

    def send(
        self,
        side: Side = BUY,
        quantity: str = "10",
        *,
        limit: str | None = None,
        stop: str | None = None,
        force: TimeInForce = GTC,
        late_us: int = 0,
        trail: str | None = None,
        trail_bps: int | None = None,
    ) -> Sequence[VenueEvent]:
        """Place an order now or later, and return what came after Acked."""
        self.sent += 1
        terms = terms_of(side, quantity, limit, stop, force)
        if trail or trail_bps:
            price = Price.of(trail) if trail else None
            kind = OrderType.TRAILING_STOP
            terms = replace(terms, type=kind, trail=price, trail_bps=trail_bps)
        at_us = self.time_us + late_us
        order = VenueOrder(order_id=f"O{self.sent}", terms=terms, placed_at_us=at_us)
        ack, *rest = self.engine.submit(order, self)
        assert ack == Acked(order_id=f"O{self.sent}", venue_order_id=f"V{self.sent}")
        return rest

    def bar(
        self, open_: float, high: float, low: float, close: float, volume: float = 1e6
    ) -> list[VenueEvent]:
        """Pass one hour."""
        opened_at_us = self.time_us
        self.hour += 1
        self.last_bar = LastBar(close, volume, self.time_us)
        return self.engine.on_bar(
            "SPY",
            open_=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
            opened_at_us=opened_at_us,
            ended_at_us=self.time_us,
        )


def terms_of(
    side: Side, quantity: str, limit: str | None, stop: str | None, force: TimeInForce
) -> OrderTerms:
    kinds = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }
    return OrderTerms(
        instrument="SPY",
        side=side,
        quantity=Quantity.of(quantity),
        type=kinds[limit is not None, stop is not None],
        time_in_force=force,
        limit_price=Price.of(limit) if limit else None,
        stop_price=Price.of(stop) if stop else None,
    )


def fills(events: Sequence[VenueEvent]) -> list[tuple[str, str, int]]:
    """Quantity, price and hour of each execution."""
    return [
        (
            str(event.quantity.value),
            str(event.price.value),
            round(event.filled_at.timestamp()) // 3600,
        )
        for event in events
        if isinstance(event, Executed)
    ]


def ends(events: Sequence[VenueEvent]) -> list[str]:
    return [event.how for event in events if isinstance(event, Ended)]


UP = (100.0, 104.0, 99.0, 103.0)


@pytest.mark.parametrize(
    ("fill", "price", "hour"),
    [
        (FillAt.NEXT_OPEN, "100.0", 0),
        (NEXT_CLOSE, "103.0", 1),
        (THIS_CLOSE, "103.0", 1),
    ],
)
def test_a_market_order_fills_at_the_price_of_the_model(
    fill: FillAt, price: str, hour: int
) -> None:
    desk = Desk(FillModel(fill=fill))
    assert desk.send() == []
    assert fills(desk.bar(*UP)) == [("10", price, hour)]
    assert not desk.engine.has_open("SPY")


def test_this_close_fills_at_once_at_the_last_close() -> None:
    desk = Desk(FillModel(fill=THIS_CLOSE))
    desk.bar(*UP)
    assert fills(desk.send(late_us=HOUR_US)) == [("10", "103.0", 2)]
    assert fills(desk.send(limit="103")) == [("10", "103.0", 1)]
    assert fills(desk.send(SELL, limit="103.5")) == []
    assert ends(desk.send(SELL, limit="103.5", force=IOC)) == ["canceled"]
    assert desk.send(stop="101") == []


def test_an_order_placed_inside_a_bar_waits_for_the_next() -> None:
    desk = Desk()
    desk.send(late_us=1)
    desk.send(limit="99", late_us=1)
    assert desk.bar(*UP) == []
    assert fills(desk.bar(*UP)) == [("10", "100.0", 1), ("10", "99", 2)]


def test_slippage_worsens_market_and_stop_orders_and_leaves_the_bar() -> None:
    desk = Desk(FillModel(slippage_bps=D(500)))
    desk.send(BUY)
    desk.send(SELL)
    desk.send(BUY, stop="102")
    desk.send(SELL, limit="99")
    assert fills(desk.bar(*UP)) == [
        ("10", "105.000", 0),
        ("10", "95.000", 0),
        ("10", "107.10", 1),
        ("10", "100.0", 0),
    ]


def test_a_slipped_price_is_rounded_to_the_tick_adversely() -> None:
    desk = Desk(FillModel(slippage_bps=D(1)), tick="0.05")
    desk.send(BUY)
    desk.send(SELL)
    assert fills(desk.bar(*UP)) == [("10", "100.05", 0), ("10", "99.95", 0)]


def test_a_price_of_the_data_is_rounded_to_the_tick() -> None:
    desk = Desk(tick="0.05")
    desk.send()
    assert fills(desk.bar(100.04, 104.0, 99.0, 103.0)) == [("10", "100.05", 0)]


@pytest.mark.parametrize(
    ("side", "limit", "expected"),
    [
        (BUY, "101", [("10", "100.0", 0)]),
        (BUY, "99.5", [("10", "99.5", 1)]),
        (BUY, "99", [("10", "99", 1)]),
        (BUY, "98.99", []),
        (BUY, "200", [("10", "100.0", 0)]),
        (SELL, "50", [("10", "100.0", 0)]),
        (SELL, "100", [("10", "100.0", 0)]),
        (SELL, "104", [("10", "104", 1)]),
        (SELL, "104.01", []),
    ],
)
def test_a_limit_fills_at_the_open_or_at_its_price(
    side: Side, limit: str, expected: list[tuple[str, str, int]]
) -> None:
    desk = Desk()
    desk.send(side, limit=limit)
    assert fills(desk.bar(*UP)) == expected
    assert desk.engine.has_open("SPY") is (not expected)


@pytest.mark.parametrize(
    ("side", "stop", "expected"),
    [
        (BUY, "99", [("10", "100.0", 0)]),
        (BUY, "104", [("10", "104", 1)]),
        (BUY, "104.01", []),
        (BUY, "50", [("10", "100.0", 0)]),
        (SELL, "200", [("10", "100.0", 0)]),
        (SELL, "100", [("10", "100.0", 0)]),
        (SELL, "99", [("10", "99", 1)]),
        (SELL, "98.99", []),
    ],
)
def test_a_stop_fills_at_the_open_or_at_its_price(
    side: Side, stop: str, expected: list[tuple[str, str, int]]
) -> None:
    desk = Desk()
    desk.send(side, stop=stop)
    assert fills(desk.bar(*UP)) == expected


@pytest.mark.parametrize(
    ("side", "stop", "limit", "first", "second"),
    [
        (BUY, "100", "99.5", [("10", "99.5", 1)], []),
        (BUY, "102", "103", [("10", "102", 1)], []),
        (BUY, "104", "103.5", [("10", "103.5", 1)], []),
        (BUY, "104", "102", [], [("10", "100.0", 1)]),
        (BUY, "105", "106", [], []),
        (SELL, "99", "98", [("10", "99", 1)], []),
        (SELL, "99.5", "103", [("10", "103", 1)], []),
        (SELL, "99.5", "103.5", [], [("10", "103.5", 2)]),
    ],
    ids=str,
)
def test_a_stop_limit_fills_only_where_no_path_must_be_known(
    side: Side,
    stop: str,
    limit: str,
    first: list[tuple[str, str, int]],
    second: list[tuple[str, str, int]],
) -> None:
    desk = Desk()
    desk.send(side, stop=stop, limit=limit)
    assert fills(desk.bar(*UP)) == first
    assert fills(desk.bar(*UP)) == second


def test_a_limit_that_is_not_met_at_the_open_ends_ioc_and_fok() -> None:
    desk = Desk()
    for force in (IOC, FOK):
        desk.send(limit="99.5", force=force)
    events = desk.bar(*UP)
    assert (fills(events), ends(events)) == ([], ["canceled", "canceled"])


def test_an_ioc_stop_waits_for_its_trigger_and_has_its_moment_then() -> None:
    desk = Desk()
    desk.send(stop="104", limit="102", force=IOC)
    assert desk.bar(100.0, 103.0, 99.0, 103.0) == []
    assert ends(desk.bar(*UP)) == ["canceled"]


def test_participation_fills_in_parts_in_the_order_of_arrival() -> None:
    desk = Desk(FillModel(participation=D("0.1")))
    desk.send(quantity="10")
    desk.send(quantity="10")
    assert fills(desk.bar(*UP, volume=129.0)) == [("10", "100.0", 0), ("2", "100.0", 0)]
    assert fills(desk.bar(*UP, volume=0.0)) == []
    assert fills(desk.bar(*UP, volume=129.0)) == [("8", "100.0", 2)]


def test_ioc_takes_a_part_and_fok_takes_none() -> None:
    desk = Desk(FillModel(participation=D("0.1")))
    desk.send(force=FOK)
    desk.send(force=IOC)
    events = desk.bar(*UP, volume=50.0)
    assert fills(events) == [("5", "100.0", 0)]
    assert ends(events) == ["canceled", "canceled"]
    assert [event.order_id for event in events] == ["O1", "O2", "O2"]


def test_orders_at_the_last_close_share_its_volume() -> None:
    desk = Desk(FillModel(fill=THIS_CLOSE, participation=D("0.1")))
    desk.bar(*UP, volume=150.0)
    assert fills(desk.send()) == [("10", "103.0", 1)]
    assert fills(desk.send()) == [("5", "103.0", 1)]
    assert fills(desk.bar(*UP)) == [("5", "103.0", 2)]


def test_a_triggered_stop_that_finds_no_volume_goes_on_as_a_market_order() -> None:
    desk = Desk(FillModel(participation=D("0.1")))
    desk.send(stop="104")
    assert desk.bar(*UP, volume=0.0) == []
    assert fills(desk.bar(90.0, 91.0, 89.0, 90.0)) == [("10", "90.0", 1)]


def test_a_triggered_stop_limit_stays_triggered_under_new_terms() -> None:
    desk = Desk()
    desk.send(stop="104", limit="90")
    assert desk.bar(*UP) == []
    desk.engine.replace("O1", terms_of(BUY, "10", "101", "200", GTC), desk)
    assert fills(desk.bar(*UP)) == [("10", "100.0", 1)]


def test_a_day_order_expires_at_the_first_bar_of_the_next_day() -> None:
    desk = Desk()
    desk.send(limit="50", force=DAY)
    for _ in range(24):
        assert desk.bar(*UP) == []
    assert ends(desk.bar(50.0, 50.0, 50.0, 50.0)) == ["expired"]


def test_a_bar_given_twice_changes_nothing() -> None:
    desk = Desk(FillModel(participation=D("0.1")))
    desk.send(stop="104", limit="102")
    desk.send(quantity="200000")
    desk.bar(*UP)
    desk.hour -= 1
    assert desk.bar(*UP) == []


FLAT = (100.0, 100.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("side", "bars", "expected"),
    [
        # It follows the best price, and never goes back.
        (SELL, [(100, 103, 99, 103), (103, 103, 101, 101), (101, 101, 97, 97)], "98"),
        (BUY, [(100, 101, 97, 97), (97, 99, 97, 99), (99, 103, 99, 103)], "102"),
        # A gap beyond it fills at the open.
        (SELL, [(100, 104, 100, 104), (95, 96, 94, 95)], "95"),
        # An open that is better than all before moves it at once.
        (SELL, [(110, 110, 104, 108)], "105"),
        # Whether the low or the high was first is not known: the low does not count.
        (SELL, [(100, 104, 98, 103), (103, 103, 99, 99)], "99"),
        # But a close beyond the stop was after the best.
        (SELL, [(100, 110, 100, 101)], "105"),
        (BUY, [(100, 100, 90, 99)], "95"),
    ],
)
def test_a_trailing_stop_follows_the_best_price(
    side: Side, bars: list[tuple[float, float, float, float]], expected: str
) -> None:
    desk = Desk(tick="0.5")
    desk.bar(*FLAT)
    desk.send(side, trail="5")

    *before, last = [desk.bar(*bar) for bar in bars]

    assert not any(fills(events) for events in before)
    assert [D(price) for _, price, _ in fills(last)] == [D(expected)]


def test_a_trailing_stop_of_basis_points_stands_on_a_tick_or_beyond() -> None:
    desk = Desk(tick="0.5")
    desk.bar(*FLAT)
    desk.send(SELL, trail_bps=130)  # at 98.7, so 98.5

    assert fills(desk.bar(100, 100, 99, 99)) == []
    assert fills(desk.bar(99, 99, 98, 98)) == [("10", "98.5", 3)]


def test_a_bar_that_is_given_twice_does_not_move_a_trailing_stop_into_it() -> None:
    desk = Desk()
    desk.bar(*FLAT)
    desk.send(SELL, trail="5")
    assert desk.bar(100, 110, 97, 108) == []

    desk.hour -= 1
    assert desk.bar(100, 110, 97, 108) == []
    assert fills(desk.bar(108, 108, 104, 104)) == [("10", "105", 3)]


def test_a_trailing_stop_without_a_price_before_it_begins_at_the_first() -> None:
    desk = Desk()
    desk.send(SELL, trail="5")

    assert desk.bar(100, 100, 96, 96) == []
    assert fills(desk.bar(96, 96, 94, 94)) == [("10", "95", 2)]
