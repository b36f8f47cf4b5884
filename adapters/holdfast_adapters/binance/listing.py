"""What is listed: the rules of symbols, which anybody may ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence

from holdfast_adapters.binance.rest import Rest
from holdfast_adapters.binance.rules import SymbolRules, rules_of
from holdfast_adapters.binance.wire import ExchangeInfo


async def listed(rest: Rest, symbols: Sequence[str]) -> dict[str, SymbolRules]:
    """Return what holds for orders, by symbol.

    Raises:
        VenueRefused: one of them is not known there.
        VenueError: nobody answered, or not so that it could be read.
    """
    names = json.dumps(list(symbols), separators=(",", ":"))
    info = await rest.ask(
        "/api/v3/exchangeInfo", {"symbols": names}, ExchangeInfo, signed=False
    )
    return {each.symbol: rules_of(each, rest.name) for each in info.symbols}
