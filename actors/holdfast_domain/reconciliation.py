"""Reconciliation: in what the books and a venue may differ, and what may be done.

The records of it are events like any other: state is never edited, it is adjusted by a
record that says so.
"""

from __future__ import annotations

import enum
from decimal import Decimal

from msgspec import Struct

from holdfast_domain.fills import Fill
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orders import Side


class Subject(enum.Enum):
    """What is compared."""

    POSITION = "position"
    CASH = "cash"
    ORDER = "order"
    FILL = "fill"


class Kind(enum.Enum):
    """How the books and the venue differ."""

    QUANTITY = "quantity"
    MISSING_HERE = "missing here"
    MISSING_THERE = "missing there"
    SIDE = "side"
    ORPHAN_ORDER = "orphan order"
    """The venue has a working order that is none of ours."""

    STATUS = "status"
    """An order works at the venue that has ended here."""


class Severity(enum.Enum):
    """How much it is, as a part of the larger of the two amounts."""

    MINOR = "minor"
    """Less than 1 %."""

    MODERATE = "moderate"
    """From 1 % to 5 %."""

    CRITICAL = "critical"
    """More; what one side does not have at all always is."""


class Policy(enum.Enum):
    """What is done about a difference."""

    WARN = "warn"
    """It is reported, and no more."""

    SYNC_TO_BROKER = "sync_to_broker"
    """The venue is right about what it holds: the books are adjusted."""

    SYNC_TO_LOCAL = "sync_to_local"
    """The books are right: the venue is brought there by an order."""

    HALT_AND_ALERT = "halt_and_alert"
    """Nothing new is sent until a person resumes."""


class Difference(Struct, frozen=True, kw_only=True, gc=False):
    """One difference between the books and the venue."""

    subject: Subject
    name: str
    """The instrument, currency, order or execution."""

    kind: Kind
    severity: Severity
    here: str
    """What the books have; empty where it is missing."""

    there: str
    """What the venue has; empty where it is missing."""

    amount: Decimal
    """What must be added to the books to have what the venue has; signed."""

    @property
    def key(self) -> str:
        """What it is about, whatever the amounts."""
        return f"{self.subject.value}/{self.name}"


class Finding(Struct, frozen=True, kw_only=True, gc=False):
    """A difference that has shown twice, what was done about it, and why."""

    difference: Difference
    policy: Policy
    action: str
    why: str


class Reconciled(Struct, frozen=True, kw_only=True, gc=False):
    """A reconciliation came to its end."""

    venue: str
    run: int
    """Counts the reconciliations of the account from 1."""

    trigger: str
    """Why it was made, such as ``start``, ``timer`` or ``asked by ann``."""

    brackets: int
    """How often everything was asked."""

    verdict: str
    """``agreed``, ``differed`` or ``inconclusive``."""

    watermark: str
    """The venue's word for the state that was compared; or its last execution."""

    sequence: int
    """The record as of which the books were compared."""

    findings: tuple[Finding, ...]
    unclear: tuple[str, ...]
    """What could not be compared, each with the reason."""


class BooksAdjusted(Struct, frozen=True, kw_only=True, gc=False):
    """The books were brought to what the venue holds.

    The amount goes to the sub-ledger ``house``, so that all of them are the account.
    """

    adjustment_id: str
    """Made of the account, the subject, the watermark and ``ordinal``."""

    venue: str
    subject: Subject
    unit: str
    """The instrument or the currency."""

    amount: Decimal
    """Signed units, or money."""

    price: Price | None
    """Of one unit, as the venue says; for a position alone."""

    watermark: str
    ordinal: int
    """How often the unit had been adjusted in the books that were compared.

    Books that were adjusted more often have it already, and ignore it.
    """

    traded_back: bool
    """Whether an order is to bring the venue to the books that were."""

    why: str


class ExternalFilled(Struct, frozen=True, kw_only=True, gc=False):
    """An execution in the account that is of no order of ours: adopted, once."""

    venue: str
    fill: Fill
    """Its strategy is ``external``."""


class ExternalOrderAdopted(Struct, frozen=True, kw_only=True, gc=False):
    """An order works at the venue that is none of ours: it is known from now on."""

    venue: str
    name: str
    """The venue's id of it, or the client id that somebody gave it."""

    instrument: str
    side: Side
    quantity: Quantity


class ExternalOrderGone(Struct, frozen=True, kw_only=True, gc=False):
    """An order that is none of ours works no more."""

    venue: str
    name: str


class ReconcilePolicySet(Struct, frozen=True, kw_only=True, gc=False):
    """A person chose what is done about differences."""

    minor: Policy
    moderate: Policy
    critical: Policy
    by: str
