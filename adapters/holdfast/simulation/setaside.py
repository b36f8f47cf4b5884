"""What open orders must hold back, reckoned anew: for the check of the guard's sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from holdfast_actors.orderbook import OrderRow
from holdfast_actors.reservations import Reservation
from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import Role

_CENT_OF_A_CENT = Decimal("0.0001")


def set_aside(opened: Iterable[Reservation], rows: Iterable[OrderRow]) -> Decimal:
    """Return the cash that ``opened`` hold back, with what is filled by ``rows``.

    Of two exits that exclude each other it is the larger; those of a bracket count for
    what its entry traded and they did not give back.
    """
    held: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.leg is not None:
            sign = 1 if row.leg.role is Role.ENTRY else -1
            held[row.leg.list_id] += sign * row.filled
    total, exits = ZERO, dict[str, Decimal]()
    for each in opened:
        leg, money = each.leg, each.money
        if leg is None or leg.role is Role.ENTRY:
            total += money
            continue
        if leg.is_held:
            live = max(ZERO, min(each.left, held[leg.list_id]))
            share = each.whole * live / each.terms.quantity.value
            money = share.quantize(_CENT_OF_A_CENT, ROUND_CEILING)
        exits[leg.list_id] = max(exits.get(leg.list_id, ZERO), money)
    return total + sum(exits.values())
