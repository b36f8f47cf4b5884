"""Order lists at the venue: what binds their orders, whatever the market does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from holdfast_adapters.matching import FillAt, FillModel, LastBar
from holdfast_domain.errors import DuplicateOrder, VenueRefused
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, VenueEvent, VenueOrder

from .test_fills import DAY, GTC, D, Desk, terms_of

BUY, SELL = Side.BUY, Side.SELL
FLAT = (100.0, 100.0, 100.0, 100.0)


class Lists(Desk):
    """The desk of one instrument; the last price is 100 from the beginning."""

    def __init__(self, model: FillModel | None = None) -> None:
        super().__init__(model)
        self.last_bar = LastBar(100.0, 1e6, 0)

    def oco(self, limit: str = "110", stop: str = "90", **how: str) -> None:
        force = TimeInForce(how.get("force", "gtc"))
        legs = (
            ("profit", terms_of(SELL, "10", limit, None, force)),
            ("loss", terms_of(SELL, "10", how.get("stop_limit"), stop, force)),
        )
        self.place(ListKind.OCO, legs)

    def bracket(
        self,
        entry: str | None = None,
        *,
        entry_stop: str | None = None,
        force: TimeInForce = GTC,
    ) -> list[VenueEvent]:
        legs = (
            ("entry", terms_of(BUY, "10", entry, entry_stop, force)),
            ("profit", terms_of(SELL, "10", "110", None, GTC)),
            ("loss", terms_of(SELL, "10", None, "90", GTC)),
        )
        return self.place(ListKind.BRACKET, legs)

    def place(
        self, kind: ListKind, legs: Sequence[tuple[str, object]]
    ) -> list[VenueEvent]:
        roles = ROLES[kind]
        orders = [
            VenueOrder(
                order_id=name,
                terms=terms,  # type: ignore[arg-type]
                placed_at_us=self.time_us,
                leg=Leg(list_id=legs[0][0], kind=kind, role=role),
            )
            for (name, terms), role in zip(legs, roles, strict=True)
        ]
        said = self.engine.submit_list(orders, self)
        acks = [each for each in said if isinstance(each, Acked)]
        assert [each.order_id for each in acks] == [name for name, _ in legs]
        return said[len(acks) :]


def told(events: Sequence[VenueEvent]) -> list[tuple[str, str]]:
    """What happened to whom: the price of a fill, or the reason of an end."""
    return [
        (each.order_id, f"{each.price.value.normalize():f}")
        if isinstance(each, Executed)
        else (each.order_id, f"{each.how}: {each.reason}")
        for each in events
        if isinstance(each, Executed | Ended)
    ]


def by(role: str, why: str) -> str:
    return f"canceled: the {role} of its list was {why}"


# --- one cancels the other ----------------------------------------------------------


def test_a_take_profit_that_fills_cancels_its_stop() -> None:
    desk = Lists()
    desk.oco()

    assert told(desk.bar(*FLAT)) == []
    assert told(desk.bar(100, 111, 100, 105)) == [
        ("profit", "110"),
        ("loss", by("take_profit", "filled")),
    ]
    assert told(desk.bar(80, 80, 80, 80)) == []


def test_a_stop_that_fills_cancels_its_take_profit() -> None:
    desk = Lists()
    desk.oco()

    assert told(desk.bar(100, 105, 89, 95)) == [
        ("profit", by("stop_loss", "triggered")),
        ("loss", "90"),
    ]
    assert told(desk.bar(120, 120, 120, 120)) == []


def test_a_stop_that_is_triggered_cancels_it_before_it_is_filled() -> None:
    desk = Lists()
    desk.oco(stop_limit="95")

    said = desk.bar(89, 91, 88, 90)

    assert told(said) == [("profit", by("stop_loss", "triggered"))]
    assert told(desk.bar(95, 111, 95, 95)) == [("loss", "95")]


def test_a_part_of_a_take_profit_cancels_all_of_the_stop() -> None:
    desk = Lists(FillModel(participation=D("0.5")))
    desk.oco()

    assert told(desk.bar(110, 110, 110, 110, volume=8)) == [
        ("profit", "110"),
        ("loss", by("take_profit", "filled")),
    ]
    assert told(desk.bar(110, 110, 80, 110, volume=100)) == [("profit", "110")]


@pytest.mark.parametrize(
    ("bar", "first"),
    [
        ((100, 111, 89, 100), "loss"),
        ((110, 111, 89, 100), "profit"),
        ((89, 111, 88, 100), "loss"),
    ],
    ids=["the path is not known", "the open is the profit", "the open is the loss"],
)
def test_a_bar_that_comes_to_both_fills_one(bar: tuple[float, ...], first: str) -> None:
    desk = Lists()
    desk.oco()

    said = desk.bar(*bar)

    assert [e.order_id for e in said if isinstance(e, Executed)] == [first]
    assert len([e for e in said if isinstance(e, Ended)]) == 1


@pytest.mark.parametrize("one", ["profit", "loss"])
def test_to_cancel_one_cancels_the_other(one: str) -> None:
    desk = Lists()
    desk.oco()

    first, second = told(desk.engine.cancel(one))

    assert first == (one, "canceled: on request")
    assert second[1].startswith("canceled: the ")
    assert not desk.engine.has_open("SPY")


def test_legs_for_a_day_end_with_it() -> None:
    desk = Lists()
    desk.oco(force="day")
    desk.hour = 23
    desk.bar(*FLAT)

    said = desk.bar(*FLAT)

    assert told(said) == [
        ("profit", "expired: its time in force ran out"),
        ("loss", by("take_profit", "expired")),
    ]


@pytest.mark.parametrize(("limit", "stop"), [("100", "90"), ("110", "100")])
def test_an_oco_must_have_the_last_price_between_its_prices(
    limit: str, stop: str
) -> None:
    desk = Lists()

    with pytest.raises(VenueRefused, match="expected the last price"):
        desk.oco(limit, stop)
    assert not desk.engine.has_open("SPY")


def test_a_list_is_placed_whole_or_not_at_all() -> None:
    desk = Lists()
    bad = terms_of(SELL, "10", None, "90", DAY)
    good = terms_of(SELL, "10", "110", None, DAY)
    desk.send(SELL, limit="200")

    with pytest.raises(DuplicateOrder, match="got O1"):
        desk.place(ListKind.OCO, (("profit", good), ("O1", bad)))

    assert list(desk.engine.open["SPY"]) == ["O1"]


# --- a bracket ----------------------------------------------------------------------


def test_exits_wait_until_their_entry_is_filled() -> None:
    desk = Lists()
    desk.bracket("95")

    assert told(desk.bar(100, 120, 96, 100)) == []
    assert told(desk.bar(100, 100, 94, 96)) == [("entry", "95")]
    assert told(desk.bar(100, 112, 96, 100)) == [
        ("profit", "110"),
        ("loss", by("take_profit", "filled")),
    ]


def test_after_an_entry_at_the_open_the_rest_of_the_bar_is_the_exits() -> None:
    desk = Lists()
    desk.bracket()

    assert told(desk.bar(100, 111, 99, 105)) == [
        ("entry", "100"),
        ("profit", "110"),
        ("loss", by("take_profit", "filled")),
    ]


def test_a_bar_in_which_the_entry_was_reached_is_over_for_the_exits() -> None:
    desk = Lists()
    desk.bracket("95")

    assert told(desk.bar(100, 112, 89, 100)) == [("entry", "95")]
    assert told(desk.bar(*FLAT)) == []
    assert told(desk.bar(100, 100, 89, 89)) == [
        ("profit", by("stop_loss", "triggered")),
        ("loss", "90"),
    ]


def test_exits_wait_for_all_of_their_entry() -> None:
    desk = Lists(FillModel(participation=D("0.5")))
    desk.bracket("100")

    assert told(desk.bar(*FLAT, volume=8)) == [("entry", "100")]
    assert told(desk.bar(120, 120, 110, 120, volume=100)) == []
    assert told(desk.bar(*FLAT, volume=100)) == [("entry", "100")]
    assert told(desk.bar(110, 110, 110, 110, volume=100))[0] == ("profit", "110")


def test_an_entry_that_ends_unfilled_takes_its_exits_with_it() -> None:
    desk = Lists()
    desk.bracket("95", force=DAY)
    desk.hour = 23
    desk.bar(*FLAT)

    assert told(desk.bar(*FLAT)) == [
        ("entry", "expired: its time in force ran out"),
        ("profit", by("entry", "expired")),
        ("loss", by("entry", "expired")),
    ]


def test_a_part_of_an_entry_that_is_canceled_is_left_without_exits() -> None:
    desk = Lists(FillModel(participation=D("0.5")))
    desk.bracket("100")
    desk.bar(*FLAT, volume=8)

    assert told(desk.engine.cancel("entry")) == [
        ("entry", "canceled: on request"),
        ("profit", by("entry", "canceled")),
        ("loss", by("entry", "canceled")),
    ]


@pytest.mark.parametrize("one", ["profit", "loss"])
def test_to_cancel_an_exit_that_waits_cancels_the_bracket(one: str) -> None:
    desk = Lists()
    desk.bracket("95")

    assert len(told(desk.engine.cancel(one))) == 3
    assert not desk.engine.has_open("SPY")


def test_an_entry_at_this_close_leaves_its_exits_for_later_bars() -> None:
    desk = Lists(FillModel(fill=FillAt.THIS_CLOSE))

    assert told(desk.bracket()) == [("entry", "100")]
    assert told(desk.bar(100, 110, 95, 100)) == [
        ("profit", "110"),
        ("loss", by("take_profit", "filled")),
    ]


def test_a_bar_that_is_given_again_changes_nothing() -> None:
    desk = Lists()
    desk.bracket()
    first = desk.bar(100, 105, 95, 100)
    desk.hour -= 1

    assert told(first) == [("entry", "100")]
    assert told(desk.bar(100, 105, 95, 100)) == []


def test_a_leg_takes_no_new_terms() -> None:
    desk = Lists()
    desk.oco()
    wanted = terms_of(SELL, "10", "120", None, GTC)

    with pytest.raises(VenueRefused, match="expected an order of no list"):
        desk.engine.replace("profit", wanted, desk)
