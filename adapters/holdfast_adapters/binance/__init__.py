"""Binance: a pure machine for the protocol, in a thin shell that does the I/O.

Bottom up. Pure, without I/O, clock or state: `wire` and `frames` (messages as they are
on the wire), `credentials` (signing), `naming` (client order ids), `errors` (what an
answer means), `addresses`, `routes`, `rules` (filters), `placing` (requests), `telling`
and `userdata` (answers and events in the port's words), `dialects` (the streams). The
shell: `rest` (HTTP), `listing` (what trades), `history` (our executions), `venue` (what
both exchanges have in common), `spot`, `userstream` (user data), `marketstream` (trades
and quotes). What futures do in another way is in `futures`. `products` names both
exchanges for whoever composes an engine.
"""

from holdfast_adapters.binance.addresses import Addresses
from holdfast_adapters.binance.credentials import Credentials
from holdfast_adapters.binance.dialects import MarketDialect, UserDialect
from holdfast_adapters.binance.klines import Klines
from holdfast_adapters.binance.listing import listed, rights_of
from holdfast_adapters.binance.marketstream import MarketStream
from holdfast_adapters.binance.products import PRODUCTS, Account, Product
from holdfast_adapters.binance.rest import Rest, Timing
from holdfast_adapters.binance.spot import BinanceSpot
from holdfast_adapters.binance.userstream import Listener, UserStream

__all__ = [
    "PRODUCTS",
    "Account",
    "Addresses",
    "BinanceSpot",
    "Credentials",
    "Klines",
    "Listener",
    "MarketDialect",
    "MarketStream",
    "Product",
    "Rest",
    "Timing",
    "UserDialect",
    "UserStream",
    "listed",
    "rights_of",
]
