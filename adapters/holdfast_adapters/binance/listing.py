"""What is listed, which anybody may ask for, and what an account may do there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import attrs

from holdfast_adapters.binance.credentials import Value
from holdfast_adapters.binance.rest import Rest
from holdfast_adapters.binance.rules import SymbolRules, rules_of
from holdfast_adapters.binance.wire import ExchangeInfo, RightsRow
from holdfast_domain.errors import VenueRefused

UNKNOWN_SYMBOL: Final = "-1121"
"""The code of a symbol that is not listed, where the venue lists all it has."""


async def listed(rest: Rest, symbols: Sequence[str]) -> dict[str, SymbolRules]:
    """Return what holds for orders, by symbol.

    Raises:
        VenueRefused: one of them is not known there.
        VenueError: nobody answered, or not so that it could be read.
    """
    routes, asked = rest.routes, dict[str, Value]()
    if routes.names_symbols:
        asked["symbols"] = json.dumps(list(symbols), separators=(",", ":"))
    info = await rest.ask(routes.info, asked, ExchangeInfo, signed=False)
    for limit in info.rate_limits:
        per_minute = limit.interval == "MINUTE" and limit.interval_num == 1
        if limit.rate_limit_type == "REQUEST_WEIGHT" and per_minute:
            rest.budget.limit = limit.limit
    found = {each.symbol: each for each in info.symbols}
    if missing := [name for name in symbols if name not in found]:
        raise VenueRefused(f"there is no symbol {missing[0]}", UNKNOWN_SYMBOL)
    return {
        name: rules_of(found[name], rest.name, holds_assets=routes.holds_assets)
        for name in symbols
    }


@attrs.frozen
class Rights:
    """What an account may do. What its key may do besides, the venue does not say here.

    Source: binance-spot-api-docs, rest-api.md, "Account information"; USD-M futures,
    "Futures Account Configuration".
    """

    trades: bool
    withdraws: bool
    hedges: bool = False
    """Whether a position has two sides there, which this engine does not do."""


async def rights_of(rest: Rest) -> Rights:
    """Return what the account may do whose key signs.

    Raises:
        VenueRefused: the key or its signature is not good.
        VenueError: nobody answered, or not so that it could be read.
    """
    said = await rest.ask(rest.routes.rights, {}, RightsRow)
    return Rights(said.can_trade, said.can_withdraw, said.dual_side_position)
