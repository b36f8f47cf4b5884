"""Tests that harm a trading system: faults for its actors, and what must not change.

`TradingSystem` runs strategies over recorded data in virtual time, with `Faults` of
the runtime's kit; `TradingRun.expect_same_as` compares what two runs came to. The
plugin for pytest (`holdfast.pytest_plugin`) makes one by its fixture
``holdfast_trading``. `market` and its like make small data.
"""

from holdfast.compose import VENUE
from holdfast.testing.markets import columns, flat, market, market_of
from holdfast.testing.trading import TradingRun, TradingSystem
from holdfast_actors.messages import (
    Advance,
    Committed,
    Decision,
    NextStep,
    Slice,
    Triggered,
    Vetted,
)
from holdfast_actors.requests import Evidence, Submit
from holdfast_actors.tree import (
    FEED,
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    SCHEDULER,
    session_path,
    strategy_path,
)
from holdfast_runtime.testing import Faults, History, Injected, sweep

SESSION = session_path(VENUE)
"""Where the paper venue's session is."""

__all__ = [
    "FEED",
    "GUARD",
    "JOURNAL",
    "LEDGER",
    "ORDERS",
    "SCHEDULER",
    "SESSION",
    "Advance",
    "Committed",
    "Decision",
    "Evidence",
    "Faults",
    "History",
    "Injected",
    "NextStep",
    "Slice",
    "Submit",
    "TradingRun",
    "TradingSystem",
    "Triggered",
    "Vetted",
    "columns",
    "flat",
    "market",
    "market_of",
    "session_path",
    "strategy_path",
    "sweep",
]
