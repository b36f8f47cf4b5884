"""A venue speaks of orders that are in no record: of which start of ours are they?"""

from __future__ import annotations

import pytest

from holdfast_actors.requests import Asked
from holdfast_domain import events as ev
from holdfast_domain.ids import ClientOrderId

from .desk import executed
from .floor import Floor


def order_of(epoch: int, engine: int = 7) -> str:
    return str(ClientOrderId(engine=engine, epoch=epoch, sequence=1, strategy=1))


@pytest.mark.parametrize("epoch", [1, 4, 5])
def test_what_a_replaced_engine_sent_late_is_said_once_and_kept(epoch: int) -> None:
    floor, order = Floor(), order_of(epoch)
    floor.up()

    floor.hear(Asked.STREAM, "", executed(order, 1, 1))
    floor.hear(Asked.GAP, "", executed(order, 1, 1), watermark="X1")

    (said,) = floor.called
    assert said.startswith(f"order {order} of epoch {epoch} is not in the journal: ")
    assert floor.fenced == []
    kept = [each for each in floor.journal if "ExecutionsCovered" not in repr(each)]
    assert all(order in repr(each) for each in kept)
    assert kept


def test_an_order_of_a_newer_start_shows_who_the_zombie_is() -> None:
    floor, order = Floor(), order_of(6)
    floor.up()

    floor.hear(Asked.GAP, "", executed(order, 1, 1), watermark="X1")

    assert floor.fenced == [
        f"fenced off: order {order} is of epoch 6, and this engine is of 5"
    ]
    assert floor.called == []


@pytest.mark.parametrize("order", [order_of(6, engine=8), order_of(1, 8), "by hand"])
def test_a_strangers_order_is_no_start_of_ours(order: str) -> None:
    floor = Floor()
    floor.up()

    floor.hear(Asked.STREAM, "", executed(order, 1, 1))

    assert (floor.called, floor.fenced) == ([], [])


def test_our_own_orders_are_none_of_them() -> None:
    floor, order = Floor(), order_of(5)
    floor.placed(order)

    floor.hear(Asked.STREAM, "", executed(order, 1, 1))

    assert (floor.called, floor.fenced) == ([], [])
    assert floor.events(ev.OrderFilled)
