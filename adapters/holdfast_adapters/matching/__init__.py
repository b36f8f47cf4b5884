"""The matching engine: bars in, what a venue would say out; pure and deterministic.

Read from the bottom up: `model`, `book`, `bars`, `rules`, `lists`, `checks`, `engine`.
"""

from holdfast_adapters.matching.engine import MatchingEngine
from holdfast_adapters.matching.model import (
    TAKES,
    FillAt,
    FillModel,
    LastBar,
    MarketView,
    Trailed,
    Triggered,
    VolumeTaken,
    utc_day_end_us,
)

__all__ = [
    "TAKES",
    "FillAt",
    "FillModel",
    "LastBar",
    "MarketView",
    "MatchingEngine",
    "Trailed",
    "Triggered",
    "VolumeTaken",
    "utc_day_end_us",
]
