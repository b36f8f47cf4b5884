"""Binance spot: a pure machine for the protocol, in a thin shell that does the I/O.

Bottom up. Pure, without I/O, clock or state: `wire` and `frames` (messages as they are
on the wire), `credentials` (signing), `naming` (client order ids), `errors` (what an
answer means), `addresses`, `rules` (filters), `placing` (requests), `telling` and
`userdata` (answers and events in the port's words), `dialects` (the streams). The
shell: `rest` (HTTP), `listing` (what trades), `history` (our executions), `spot` (the
venue), `userstream` (user data), `marketstream` (trades and quotes).
"""

from holdfast_adapters.binance.addresses import Addresses, addresses_of
from holdfast_adapters.binance.credentials import Credentials
from holdfast_adapters.binance.dialects import MarketDialect, UserDialect
from holdfast_adapters.binance.listing import listed, rights_of
from holdfast_adapters.binance.marketstream import MarketStream
from holdfast_adapters.binance.rest import Rest, Timing
from holdfast_adapters.binance.spot import BinanceSpot
from holdfast_adapters.binance.userstream import Listener, UserStream

__all__ = [
    "Addresses",
    "BinanceSpot",
    "Credentials",
    "Listener",
    "MarketDialect",
    "MarketStream",
    "Rest",
    "Timing",
    "UserDialect",
    "UserStream",
    "addresses_of",
    "listed",
    "rights_of",
]
