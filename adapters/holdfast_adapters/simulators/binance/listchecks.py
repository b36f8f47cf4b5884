"""How the exchange reads a request for an order list: rest-api.md, "Order lists"."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from holdfast_adapters.simulators.binance.checks import (
    Asked,
    asked_of,
    client_id_of,
    needed,
)
from holdfast_adapters.simulators.binance.model import Refused
from holdfast_domain.orderlists import ListKind

_WORDS: Final = {
    "Type": "type",
    "Price": "price",
    "StopPrice": "stopPrice",
    "TimeInForce": "timeInForce",
    "ClientOrderId": "newClientOrderId",
}
_PRICES: Final = "The relationship of the prices for the orders is not correct."


def asked_list(
    kind: ListKind, parameters: Mapping[str, str], number: int
) -> tuple[list[Asked], str]:
    """Return the orders of a list, in the order of their roles, and the list's name.

    What is not named gets a name with ``number``.

    Raises:
        Refused: a parameter is missing, or the orders make no such list.
    """
    needed(parameters, "symbol")
    prefix, asked = "", list[Asked]()
    if kind is ListKind.BRACKET:
        prefix = "pending"
        working = _leg(parameters, "working", "working", f"x{number}")
        if working.type not in ("LIMIT", "LIMIT_MAKER"):
            raise Refused(-1116, "Invalid orderType.")
        asked.append(working)
    above = _leg(parameters, prefix, _named(prefix, "above"), f"x{number + 1}")
    below = _leg(parameters, prefix, _named(prefix, "below"), f"x{number + 2}")
    pair = {each.type == "LIMIT_MAKER": each for each in (above, below)}
    if len(pair) == 1 or not pair[False].type.startswith("STOP_LOSS"):
        raise Refused(-1116, "Invalid orderType.")
    if _level(above) <= _level(below) or above is not pair[above.side == "SELL"]:
        raise Refused(-2010, _PRICES)
    name = client_id_of(parameters, "listClientOrderId", f"l{number}")
    return [*asked, pair[True], pair[False]], name


def _level(leg: Asked) -> Decimal:
    return leg.price if leg.type == "LIMIT_MAKER" else leg.stop_price


def _named(prefix: str, word: str) -> str:
    return f"{prefix}{word[0].upper()}{word[1:]}" if prefix else word


def _leg(
    parameters: Mapping[str, str], group: str, prefix: str, default_id: str
) -> Asked:
    """Return one order of a list, by the names that its parameters have there."""
    named = {"symbol": parameters["symbol"]}
    for word in ("side", "quantity"):
        name = _named(group, word)
        needed(parameters, name)
        named[word] = parameters[name]
    for word, plain in _WORDS.items():
        if f"{prefix}{word}" in parameters:
            named[plain] = parameters[f"{prefix}{word}"]
    needed(parameters, f"{prefix}Type")
    return asked_of(named, default_id)
