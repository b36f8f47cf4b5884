"""The cursor: one integer that says how far the inputs of a run have come.

A replayed run is a row of *steps* (one for each moment at which a bar ends), and each
step a row of *slots*, in canonical order: triggers that are due before the step's
moment, the venue's advance, triggers due at that very moment, the slice of bars. Every
published input and every journal record carries its cursor, so inputs and records can
be merged again in the order in which they happened.
"""

from __future__ import annotations

SLOT_BITS = 16
ADVANCE_SLOT = 0x8000
"""The slot in which the venue takes the step's market data."""

TICKS_SLOT = 0xFFFD
"""The slot in which strategies are told the step's trades."""

QUOTES_SLOT = 0xFFFE
"""The slot in which they are told its quotes."""

SLICE_SLOT = 0xFFFF
"""The slot in which strategies are given the step's slice."""

START = 0
"""Before the first step: `initialize` runs here."""


def cursor_at(step: int, slot: int) -> int:
    """Return the cursor of ``slot`` in ``step`` (the first step is 0)."""
    return ((step + 1) << SLOT_BITS) | slot


def step_of(cursor: int) -> int:
    """Return the step of ``cursor``; -1 before the first."""
    return (cursor >> SLOT_BITS) - 1


def shown_step(cursor: int) -> int:
    """Return the last step whose bars a strategy may see at ``cursor``.

    A trigger that is due at the very moment at which bars end sees them.
    """
    return (cursor >> SLOT_BITS) - 1 - (cursor & 0xFFFF <= ADVANCE_SLOT)


def slot_of(cursor: int) -> int:
    """Return the slot of ``cursor`` in its step."""
    return cursor & 0xFFFF
