"""The rows of the paper venue's own record: requests, and what came of them."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from holdfast_adapters.matching.model import EngineRecord
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import VenueOrder


@attrs.frozen(kw_only=True)
class Submitted:
    """An order came and was not refused."""

    order: VenueOrder


@attrs.frozen(kw_only=True)
class CancelRequested:
    """A cancel came and was not refused."""

    order_id: str


@attrs.frozen(kw_only=True)
class ReplaceRequested:
    """New terms came and were not refused; they hold from ``at_us`` on."""

    order_id: str
    terms: OrderTerms
    at_us: int


@attrs.frozen(kw_only=True)
class Advanced:
    """Market data up to ``step`` was taken, and what follows came of it."""

    step: int


Request: TypeAlias = Submitted | CancelRequested | ReplaceRequested | Advanced
"""What the venue was asked; the records that follow it are the answer."""

PaperRecord: TypeAlias = Request | EngineRecord
"""One row of the venue's record."""

Row: TypeAlias = tuple[int, PaperRecord]
"""The cursor at which it happened, and what happened."""
