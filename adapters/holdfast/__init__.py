"""Holdfast: a live trading engine built as a supervision tree of actors.

>>> from holdfast import Strategy, backtest
"""

from holdfast.backtest import backtest
from holdfast_actors.strategy.amount import Amount
from holdfast_actors.strategy.api import Context, Strategy
from holdfast_actors.strategy.data import BarData
from holdfast_actors.strategy.params import param
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument

__all__ = [
    "Amount",
    "BarData",
    "Context",
    "InputError",
    "Instrument",
    "Strategy",
    "backtest",
    "param",
]
