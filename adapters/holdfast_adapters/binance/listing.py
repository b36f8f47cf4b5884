"""What is listed, which anybody may ask for, and what an account may do there."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs

from holdfast_adapters.binance.rest import Rest
from holdfast_adapters.binance.rules import SymbolRules, rules_of
from holdfast_adapters.binance.wire import Account, ExchangeInfo


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


@attrs.frozen
class Rights:
    """What an account may do. What its key may do besides, the venue does not say here.

    Source: binance-spot-api-docs, rest-api.md, "Account information".
    """

    trades: bool
    withdraws: bool


async def rights_of(rest: Rest) -> Rights:
    """Return what the account may do whose key signs.

    Raises:
        VenueRefused: the key or its signature is not good.
        VenueError: nobody answered, or not so that it could be read.
    """
    account = await rest.ask("/api/v3/account", {"omitZeroBalances": "true"}, Account)
    return Rights(account.can_trade, account.can_withdraw)
