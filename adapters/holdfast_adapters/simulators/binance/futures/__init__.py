"""Binance USD-M futures on the desk: the spot exchange's frame, other rules.

Bottom up: `model`, `shapes`, `events`, `checks`, `exchange`, `answers`, `server`.
"""

from holdfast_adapters.simulators.binance.futures.exchange import FuturesExchange
from holdfast_adapters.simulators.binance.futures.server import FuturesSimulator

__all__ = ["FuturesExchange", "FuturesSimulator"]
