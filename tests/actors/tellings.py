"""What a venue tells of executions of the order ``a``."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast_domain.money import Quantity
from holdfast_domain.ports import Busted, Corrected, Executed

from .desk import executed


def execution(number: int, quantity: int, cumulative: int) -> Executed:
    return replace(executed("a", number, quantity), cumulative=Quantity.of(cumulative))


def correction(
    number: int, quantity: int, price: int = 100, name: str = "C1"
) -> Corrected:
    right = executed("a", number, quantity, price)
    return Corrected(
        order_id="a",
        execution_id=right.execution_id,
        correction_id=name,
        quantity=right.quantity,
        price=right.price,
        fee=right.fee,
        filled_at=right.filled_at,
    )


def bust(number: int, name: str = "B1") -> Busted:
    return Busted(
        order_id="a", execution_id=f"X{number}", correction_id=name, reason="error"
    )
