"""What is done to the engine, and when: the plot of the demo, as data."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from holdfast_actors.tree import FEED, session_path, strategy_path
from holdfast_domain.marketdata import MarketData, utc_from_us


class Deed(enum.Enum):
    """What is done."""

    CRASH = "crash"
    """One actor is killed; its supervisor builds it anew."""

    KILL = "kill"
    """The whole process is killed, and started again on the same state."""


@attrs.frozen(kw_only=True)
class Act:
    """One thing that is done, once market time has come to ``at``."""

    at: datetime
    deed: Deed
    what: str
    path: str = ""
    """The actor, for a crash."""


def acts_of(data: MarketData, venue: str, strategy: str) -> list[Act]:
    """Return the acts for a run over ``data``, in order."""

    def at(part: float) -> datetime:
        return utc_from_us(data.times_us[int(part * (len(data) - 1))])

    return [
        Act(at=at(0.15), deed=Deed.CRASH, what="the feed", path=FEED),
        Act(
            at=at(0.32),
            deed=Deed.CRASH,
            what=f"the strategy {strategy}",
            path=strategy_path(strategy),
        ),
        Act(
            at=at(0.48),
            deed=Deed.CRASH,
            what="the venue session",
            path=session_path(venue),
        ),
        Act(at=at(0.65), deed=Deed.KILL, what="SIGKILL"),
    ]
