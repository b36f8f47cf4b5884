"""Binance spot on the desk: REST, the WebSocket API and streams over real sockets.

What it does follows the vendor's documentation; `shapes` is compared with recorded
payloads. It keeps a record that the auditor reads, and plays the `faults` that are
switched on. Bottom up: `model`, `shapes`, `checks`, `record`, `exchange`, `faults`,
`answering`, `spot`, `answers`, `server`; `futures` is the other exchange, around the
same.
"""

from holdfast_adapters.simulators.binance.answering import Account
from holdfast_adapters.simulators.binance.exchange import BaseExchange
from holdfast_adapters.simulators.binance.faults import AFTER, BEFORE, STREAM, Fault
from holdfast_adapters.simulators.binance.model import SimSymbol
from holdfast_adapters.simulators.binance.server import BinanceSimulator
from holdfast_adapters.simulators.binance.spot import Exchange

__all__ = [
    "AFTER",
    "BEFORE",
    "STREAM",
    "Account",
    "BaseExchange",
    "BinanceSimulator",
    "Exchange",
    "Fault",
    "SimSymbol",
]
