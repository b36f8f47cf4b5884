"""Binance USD-M futures, as far as they are not like spot.

Bottom up: `wire`, `paths` and `frames` (messages), `placing` (requests), `userdata`
and `telling` (events and answers in the port's words), `venue` and `userstream` (the
shell).
"""

from holdfast_adapters.binance.futures.paths import FUTURES
from holdfast_adapters.binance.futures.userstream import FuturesUserStream
from holdfast_adapters.binance.futures.venue import BinanceFutures

__all__ = ["FUTURES", "BinanceFutures", "FuturesUserStream"]
