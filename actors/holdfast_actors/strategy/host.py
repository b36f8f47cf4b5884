"""What a strategy is given: its context, and the engine's side that stands behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from holdfast_actors.strategy.orders import Desk
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.schedules import Calendars, Schedule


class Context:
    """What a strategy keeps between its calls; any attribute can be set and is saved.

    ``portfolio`` and ``now`` are the engine's and cannot be set.
    """

    # The host in no `vars`: those are the user's, and saved.
    __slots__ = ("__dict__", "__weakref__", "_host")

    _host: Host

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def portfolio(self) -> Portfolio:
        """Cash and positions of this strategy's allotment."""
        return self._host.portfolio

    @portfolio.setter
    def portfolio(self, _: object) -> None:
        raise _engines_own("portfolio")

    @property
    def now(self) -> datetime:
        """Market time of the current call, UTC."""
        return utc_from_us(self._host.now_us)

    @now.setter
    def now(self, _: object) -> None:
        raise _engines_own("now")

    if TYPE_CHECKING:
        # Of anything else; written in Python it would be slow.
        def __setattr__(self, name: str, value: Any) -> None: ...  # noqa: ANN401

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the user's own values
        message = f"context.{name} was not set; set it in initialize"
        raise AttributeError(message)


def _engines_own(name: str) -> AttributeError:
    return AttributeError(f"context.{name} is the engine's; choose another name")


@attrs.define
class Host:
    """What stands behind one strategy: filled in by the actor that runs it."""

    name: str
    instruments: Mapping[str, Instrument]
    portfolio: Portfolio
    desk: Desk
    calendars: Calendars
    last: Callable[[str], Decimal | None]
    commission: Decimal
    now_us: int = 0
    subscribed: list[str] = attrs.field(factory=list)
    schedules: list[Schedule] = attrs.field(factory=list)
    recorded: dict[str, float] = attrs.field(factory=dict)
    max_age_s: float | None = None
    history: int = 1
    """How many bars there are before the strategy looks at slices."""

    initializing: bool = False
