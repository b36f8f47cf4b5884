"""One strategy of a run, as it was configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from holdfast_actors.strategy.api import Strategy


@attrs.frozen(kw_only=True)
class StrategyPlan:
    """One strategy of a run, as configured."""

    name: str
    index: int
    """Its place in the configuration, from 1; part of its order ids."""

    make: Callable[[], Strategy]
    params: Mapping[str, Any]
    capital: Decimal
