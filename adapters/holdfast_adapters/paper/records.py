"""The rows of the paper venue's own record: requests, and what came of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from holdfast_adapters.matching.model import EngineRecord
from holdfast_domain.orders import OrderTerms
from holdfast_domain.ports import VenueOrder


class Submitted(Struct, frozen=True, gc=False):
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


class Opened(Struct, frozen=True, kw_only=True, gc=False):
    """What an account had of a unit when its record began; no request, and no row here.

    It is for simulated exchanges, whose accounts need not begin with what is allotted.
    """

    unit: str
    amount: Decimal
    symbols: tuple[str, ...] = ()
    """Of what it is the base, by which some call it."""


Request: TypeAlias = Submitted | CancelRequested | ReplaceRequested | Advanced
"""What the venue was asked; the records that follow it are the answer."""

PaperRecord: TypeAlias = Request | EngineRecord
"""One row of the venue's record."""

Row: TypeAlias = tuple[int, PaperRecord]
"""The cursor at which it happened, and what happened."""
