"""What the algo service said of stops, in the port's words. Pure, like `telling`."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_adapters.binance.futures.userdata import ALGO_ENDINGS, ALGO_LIVING
from holdfast_adapters.binance.futures.wire import AlgoRow
from holdfast_adapters.binance.naming import Name
from holdfast_adapters.binance.telling import terms_of
from holdfast_domain.errors import OutcomeUnknown
from holdfast_domain.money import ZERO, Quantity
from holdfast_domain.orders import Side
from holdfast_domain.ports import Acked, Ended, Found, VenueEvent


def waits(algo: AlgoRow) -> bool:
    """Tell whether a stop may not have become an order yet, and has not ended."""
    return algo.algo_status in ("NEW", "TRIGGERING")


def algo_story(order_id: str, algo: AlgoRow) -> list[VenueEvent]:
    """Return all that happened to a stop of which there is no order.

    Raises:
        OutcomeUnknown: its status is none that we know.
    """
    status = algo.algo_status
    if status not in ALGO_LIVING and status not in ALGO_ENDINGS:
        message = f"expected a status of a stop, got {status!r}"
        raise OutcomeUnknown(message)
    said: list[VenueEvent] = [
        Acked(order_id=order_id, venue_order_id=str(algo.algo_id))
    ]
    how = ALGO_ENDINGS.get(status)
    if how is not None:
        nothing = Quantity(ZERO)
        said.append(
            Ended(order_id=order_id, how=how, reason=status, cumulative=nothing)
        )
    return said


def open_algo(
    algo: AlgoRow, offset_us: int, events: Sequence[VenueEvent] = ()
) -> Found:
    """Return a stop as the port says an order; the venue's clock is off by so much."""
    name = Name.parse(algo.client_algo_id)
    return Found(
        order_id=name.order_id if name.is_ours else "",
        venue_order_id=str(algo.algo_id),
        instrument=algo.symbol,
        side=Side[algo.side],
        quantity=Quantity(algo.quantity),
        terms=terms_of(algo.as_order()),
        placed_at_us=algo.create_time * 1000 - offset_us,
        cumulative=Quantity(ZERO),
        events=events,
    )
