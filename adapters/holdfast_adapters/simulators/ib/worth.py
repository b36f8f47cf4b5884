"""What the account is worth, in the words of TWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from holdfast_adapters.simulators.ib.model import SimContract, SimPosition
from holdfast_adapters.simulators.ib.wire import Value
from holdfast_domain.money import ZERO


def values_of(
    cash: Decimal,
    positions: Mapping[int, SimPosition],
    contracts: Mapping[int, SimContract],
    price_of: Callable[[SimContract], Decimal | None],
    leverage: Decimal,
) -> list[tuple[str, Value, str]]:
    """Return the account's values: key, value and unit.

    A position without a price is worth what it cost.
    """
    worth = []
    for con_id, held in positions.items():
        price = price_of(contracts[con_id])
        each = held.cost if price is None else price
        worth.append(held.quantity * contracts[con_id].units * each)
    gross = sum((abs(each) for each in worth), ZERO)
    net = cash + sum(worth, ZERO)
    free = net - gross / leverage
    amounts = {
        "NetLiquidation": net,
        "TotalCashValue": cash,
        "AvailableFunds": free,
        "BuyingPower": free * leverage,
        "GrossPositionValue": gross,
        "InitMarginReq": gross / leverage,
        "MaintMarginReq": gross / leverage,
    }
    return [
        ("AccountType", "INDIVIDUAL", ""),
        *((key, f"{amount:.2f}", "USD") for key, amount in amounts.items()),
    ]
