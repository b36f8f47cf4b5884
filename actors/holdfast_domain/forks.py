"""A strategy that goes on in books of another journal, from where it stands."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from holdfast_domain.money import Money, Price


class Held(Struct, frozen=True, kw_only=True, gc=False):
    """What was held of one instrument."""

    instrument: str
    amount: Decimal
    """Signed units: negative is short."""

    cost_basis: Price
    """Average price of one unit, without fees."""


class StrategyForked(Struct, frozen=True, kw_only=True, gc=False):
    """A strategy begins as a fork of one that runs: its state, cash and positions.

    It follows the record of its capital, which is what all of that is worth.
    """

    strategy: str
    engine: int
    """The identity of the engine from which it was forked."""

    record: int
    """The last record of that engine's journal of which it knows."""

    venue: str
    """Where it trades, and all that it holds lies."""

    cursor: int
    """The last input that its state has taken."""

    time_us: int
    """Market time of that state, in microseconds UTC."""

    starting_cash: Money
    """What it was given at the start of the run from which it was forked."""

    cash: Money
    positions: tuple[Held, ...]
    state: str
    """All its attributes, as JSON: attribute to encoded value, null for a deleted one.
    """
