"""The rows of the paper venue's own record: requests, and what came of them."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from holdfast_adapters.matching.model import EngineRecord
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import VenueOrder


class Submitted(Struct, frozen=True, kw_only=True, gc=False):
    """An order came and was not refused."""

    order: VenueOrder


class CancelRequested(Struct, frozen=True, kw_only=True, gc=False):
    """A cancel came and was not refused."""

    order_id: str


class ReplaceRequested(Struct, frozen=True, kw_only=True, gc=False):
    """New terms came and were not refused; they hold from ``at_us`` on."""

    order_id: str
    terms: OrderTerms
    at_us: int


class Advanced(Struct, frozen=True, kw_only=True, gc=False):
    """Market data up to ``step`` was taken, and what follows came of it."""

    step: int


Request: TypeAlias = Submitted | CancelRequested | ReplaceRequested | Advanced
"""What the venue was asked; the records that follow it are the answer."""

PaperRecord: TypeAlias = Request | EngineRecord
"""One row of the venue's record."""

Row: TypeAlias = tuple[int, PaperRecord]
"""The cursor at which it happened, and what happened."""
