"""Holdfast: a live trading engine built as a supervision tree of actors.

>>> from holdfast import Strategy, backtest
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.backtest import backtest
    from holdfast_actors.strategy.amount import Amount
    from holdfast_actors.strategy.api import Context, Strategy
    from holdfast_actors.strategy.data import BarData
    from holdfast_actors.strategy.news import BrokerMessage
    from holdfast_actors.strategy.params import param
    from holdfast_domain.errors import InputError
    from holdfast_domain.instruments import Instrument

# Imported when they are asked for: the command line must be quick to show its help.
_HOMES = {
    "Amount": "holdfast_actors.strategy.amount",
    "BarData": "holdfast_actors.strategy.data",
    "BrokerMessage": "holdfast_actors.strategy.news",
    "Context": "holdfast_actors.strategy.api",
    "InputError": "holdfast_domain.errors",
    "Instrument": "holdfast_domain.instruments",
    "Strategy": "holdfast_actors.strategy.api",
    "backtest": "holdfast.backtest",
    "param": "holdfast_actors.strategy.params",
}

__all__ = [
    "Amount",
    "BarData",
    "BrokerMessage",
    "Context",
    "InputError",
    "Instrument",
    "Strategy",
    "backtest",
    "param",
]


class _Package(ModuleType):
    """Finds the names above when they are asked for."""

    def __getattr__(self, name: str) -> object:
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(_HOMES[name]), name)

    def __setattr__(self, name: str, value: object) -> None:
        # Importing the module `holdfast.backtest` must not hide the function.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
