"""The matching engine: bars in, what a venue would say out; pure and deterministic.

Read from the bottom up: `model`, `book`, `rules`, `checks`, `engine`.
"""

from holdfast_adapters.matching.engine import MatchingEngine
from holdfast_adapters.matching.model import (
    TAKES,
    FillAt,
    FillModel,
    LastBar,
    MarketView,
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
    "Triggered",
    "VolumeTaken",
    "utc_day_end_us",
]
