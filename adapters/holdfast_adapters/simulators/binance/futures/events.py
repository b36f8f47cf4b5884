"""What the futures exchange sends over WebSockets, as recorded payloads have it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from holdfast_adapters.simulators.binance.futures.model import SimAlgo, SimPosition
from holdfast_adapters.simulators.binance.futures.shapes import average
from holdfast_adapters.simulators.binance.model import SimOrder, SimTrade, text
from holdfast_adapters.simulators.binance.shapes import Shape
from holdfast_domain.money import ZERO


def order_update(
    each: SimOrder, what: str, trade: SimTrade | None, algo_number: int, now_ms: int
) -> Shape:
    """Return what happened to an order; ``algo_number`` is of the stop that it was."""
    told: dict[str, Any] = {
        "s": each.symbol,
        "c": each.client_id,
        "S": each.side,
        "o": each.type,
        "f": each.force,
        "q": text(each.quantity),
        "p": text(each.price),
        "ap": average(each),
        "sp": "0",
        "x": what,
        "X": each.status,
        "i": each.number,
        "l": "0" if trade is None else text(trade.quantity),
        "z": text(each.executed),
        "L": "0" if trade is None else text(trade.price),
        "n": "0" if trade is None else text(trade.fee),
        "N": "USDT" if trade is None else trade.fee_asset,
        "T": each.updated_ms,
        "t": 0 if trade is None else trade.number,
        "b": "0",
        "a": "0",
        "m": False,
        "R": each.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": each.type,
        "ps": "BOTH",
        "cp": False,
        "rp": "0",
        "pP": False,
        "si": algo_number,
        "ss": -1 if algo_number else 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
        "er": "0",
    }
    if algo_number:
        told["st"] = "ALGO_CONDITION"
    return {"e": "ORDER_TRADE_UPDATE", "T": now_ms, "E": now_ms, "o": told}


def algo_update(each: SimAlgo, now_ms: int) -> Shape:
    """Return what happened to a stop."""
    return {
        "e": "ALGO_UPDATE",
        "T": now_ms,
        "E": now_ms,
        "o": {
            "caid": each.client_id,
            "aid": each.number,
            "at": "CONDITIONAL",
            "o": each.type,
            "s": each.symbol,
            "S": each.side,
            "ps": "BOTH",
            "f": each.force,
            "q": text(each.quantity),
            "X": each.status,
            "ai": "" if each.order is None else str(each.order),
            "tp": text(each.trigger),
            "p": text(each.price),
            "V": "EXPIRE_MAKER",
            "wt": "CONTRACT_PRICE",
            "pm": "NONE",
            "cp": False,
            "pP": False,
            "R": each.reduce_only,
            "tt": each.triggered_ms,
            "gtd": 0,
        },
    }


def account_update(
    asset: str, wallet: Decimal, symbol: str, position: SimPosition, now_ms: int
) -> Shape:
    """Return the balance and the position that a fill changed."""
    held = position.quantity
    entry = text(position.cost / held if held else ZERO)
    return {
        "e": "ACCOUNT_UPDATE",
        "T": now_ms,
        "E": now_ms,
        "a": {
            "m": "ORDER",
            "B": [{"a": asset, "wb": text(wallet), "cw": text(wallet), "bc": "0"}],
            "P": [
                {
                    "s": symbol,
                    "pa": text(held),
                    "ep": entry,
                    "bep": entry,
                    "cr": "0",
                    "up": "0",
                    "mt": "cross",
                    "iw": "0",
                    "ps": "BOTH",
                }
            ],
        },
    }


# --- the market ------------------------------------------------------------------


def aggregate(
    symbol: str, number: int, price: Decimal, quantity: Decimal, now_ms: int
) -> Shape:
    """Return trades of the market as one."""
    return {
        "e": "aggTrade",
        "E": now_ms,
        "a": number,
        "s": symbol,
        "p": text(price),
        "q": text(quantity),
        "f": number,
        "l": number,
        "T": now_ms,
        "m": False,
    }
