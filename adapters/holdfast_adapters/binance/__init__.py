"""Binance spot: a pure machine for the protocol, in a thin shell that does the I/O.

Bottom up. Pure, without I/O, clock or state: `wire` and `frames` (messages as they are
on the wire), `credentials` (signing), `naming` (client order ids), `errors` (what an
answer means), `rules` (filters), `placing` (requests), `telling` and `userdata`
(answers and events in the port's words), `dialects` (the streams). The shell: `rest`
(HTTP), `history` (our executions), `spot` (the venue), `userstream` (user data).
"""

from holdfast_adapters.binance.credentials import Credentials
from holdfast_adapters.binance.dialects import MarketDialect, UserDialect
from holdfast_adapters.binance.rest import Timing
from holdfast_adapters.binance.spot import BinanceSpot
from holdfast_adapters.binance.userstream import Listener, UserStream

__all__ = [
    "BinanceSpot",
    "Credentials",
    "Listener",
    "MarketDialect",
    "Timing",
    "UserDialect",
    "UserStream",
]
