"""What the reconciler, a venue's session, `orders` and the ledger say to each other."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from msgspec import Struct

from holdfast_actors.messages import Turn
from holdfast_domain.fills import Fill
from holdfast_domain.orders import OrderState, Side
from holdfast_domain.ports import (
    Balances,
    Busted,
    Corrected,
    Executed,
    Executions,
    OpenOrders,
    Positions,
)
from holdfast_domain.reconciliation import Policy, Reconciled
from holdfast_runtime import Lane, Ref


class Question(enum.Enum):
    """What a venue is asked about the account."""

    EXECUTIONS = "executions"
    OPEN_ORDERS = "open orders"
    POSITIONS = "positions"
    BALANCES = "balances"


Account: TypeAlias = Executions | OpenOrders | Positions | Balances
"""What a venue answers."""


class AskVenue(Struct, frozen=True):
    """Ask a venue's session; what it lists as executed is evidence for `orders` too."""

    number: int
    venue: str
    question: Question
    watermark: str
    """From where executions are asked for."""

    to: Ref[Any]


class Answer(Struct, frozen=True):
    """What the venue answered; or nothing, and why."""

    number: int
    found: Account | None
    reason: str = ""


class AskOrders(Struct, frozen=True):
    """Ask `orders` for its picture; it comes after all evidence that was told before.

    ``executions`` and ``working`` are what the venue says, to be looked up.
    """

    turn: ClassVar[int] = Turn.EVIDENCE
    number: int
    venue: str
    executions: tuple[Executed | Corrected | Busted, ...]
    working: tuple[str, ...]
    """Client ids of orders that work at the venue."""

    to: Ref[Any]


class OrderLine(Struct, frozen=True):
    """An open order, as `orders` has it."""

    order_id: str
    venue_order_id: str
    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    filled: Decimal
    state: OrderState
    busy: bool
    """Whether something about it is under way, or in doubt."""


class OrdersView(Struct, frozen=True):
    """All that `orders` knows, as of its last durable record."""

    number: int
    watermark: str
    """From where executions are to be asked for."""

    bookings: int
    """How many records that move the books it has made, ever."""

    lines: tuple[OrderLine, ...]
    unbooked: tuple[str, ...]
    """Of the executions that were asked about: those that are not booked."""

    fills: Mapping[str, Fill]
    """Of the executions that were asked about: as they are booked now."""

    ended: Mapping[str, OrderLine]
    """Of the working orders that were asked about: those that have ended here."""


class AskBooks(Struct, frozen=True):
    """Ask the ledger for what is held at a venue."""

    number: int
    venue: str
    to: Ref[Any]


class BooksView(Struct, frozen=True):
    """The account at a venue as the ledger has it: all sub-ledgers together."""

    number: int
    sequence: int
    """The last record that it has applied."""

    bookings: int
    """How many records that move the books it has applied, ever."""

    positions: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    capital: Mapping[str, Decimal]
    """What was allotted to strategies, by currency."""

    adjusted: Mapping[str, int]
    """How often each subject, such as ``paper/position/SPY``, was adjusted."""


class Suspect(Struct, frozen=True):
    """The venue does not have an order as it is here: find out what became of it.

    It counts only if the order is still as it was when it was compared.
    """

    venue: str
    order_id: str
    state: OrderState
    filled: Decimal
    missing: bool
    """Whether the venue does not list it at all."""

    why: str


class CancelThere(Struct, frozen=True):
    """Cancel an order at the venue that is none of ours, or has ended here."""

    venue: str
    order_id: str


# --- the reconciler's own, and people's -----------------------------------------------


class Due(Struct, frozen=True):
    """Timer: it is time to compare again; of one incarnation."""

    lane: ClassVar[Lane] = Lane.TIMERS
    incarnation: int


class NextBracket(Struct, frozen=True):
    """Timer: ask both sides again; of one incarnation and bracket."""

    lane: ClassVar[Lane] = Lane.TIMERS
    number: int


class BracketLate(Struct, frozen=True):
    """Timer: a bracket takes too long; of one incarnation and bracket."""

    lane: ClassVar[Lane] = Lane.TIMERS
    number: int


class ReconcileNow(Struct, frozen=True):
    """Compare now. Answered with the number of the reconciliation that will be it."""

    by: str
    any_size: bool = False
    """Whether adjustments above the limit are wanted, this once."""


class SetPolicies(Struct, frozen=True):
    """Choose what is done about differences; None leaves it as it is.

    Answered with an empty text, or with why it was not taken.
    """

    minor: Policy | None
    moderate: Policy | None
    critical: Policy | None
    by: str
    consent: bool = False
    """Whether whoever asks knows that `Policy.SYNC_TO_LOCAL` trades."""


class ReconcilerReport(Struct, frozen=True):
    """How reconciliation stands."""

    runs: int
    running: bool
    last: Mapping[str, Reconciled]
    """By venue."""

    time_us: int
    """Market time of the last one of this incarnation; 0 if there was none."""

    policies: Mapping[str, str]
    """By severity."""

    external_orders: tuple[str, ...]
    owed: Mapping[str, Decimal]
    """Units still to be traded to bring the venue to the books, signed."""
