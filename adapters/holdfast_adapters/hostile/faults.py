"""What a hostile venue does, as data: which fault, at which opportunity."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from typing import Final

import attrs


class Op(enum.Enum):
    """What a venue is asked, and what it says by itself."""

    CONNECT = "connect"
    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"
    LOOKUP = "lookup"
    GAP = "gap"
    ACCOUNT = "account"
    STREAM = "stream"
    HAND = "hand"

    __hash__ = object.__hash__


_CHANGES = (Op.SUBMIT, Op.CANCEL, Op.REPLACE)
_REQUESTS = (*_CHANGES, Op.LOOKUP, Op.GAP, Op.ACCOUNT)

KINDS: Final[dict[str, tuple[Op, ...]]] = {
    "lost_request": _REQUESTS,
    "lost_ack": _CHANGES,
    "late_request": _CHANGES,
    "late_ack": _CHANGES,
    "duplicate_request": _CHANGES,
    "reject": _CHANGES,
    "busy": _REQUESTS,
    "rate_limit": _REQUESTS,
    "ban": _REQUESTS,
    "maintenance": (*_REQUESTS, Op.STREAM),
    "disconnect": (*_REQUESTS, Op.STREAM),
    "reset": (*_REQUESTS, Op.STREAM),
    "half_open": _REQUESTS,
    "refused_connection": (Op.CONNECT,),
    "late_list": (Op.GAP,),
    "lost_fill": (Op.STREAM,),
    "duplicate_fill": (Op.STREAM,),
    "late_fill": (Op.STREAM,),
    "reordered": (Op.STREAM,),
    "overfill": (Op.STREAM,),
    "corrected_fill": (Op.STREAM,),
    "busted_fill": (Op.STREAM,),
    "stale_stream": (Op.STREAM,),
    "expired_session": (Op.STREAM,),
    "illegal": (Op.STREAM,),
    "stray": (Op.STREAM,),
    "clock_skew": (*_REQUESTS, Op.STREAM),
    "hand_trade": (Op.HAND,),
    "hand_order": (Op.HAND,),
    "moved_units": (Op.HAND,),
    "moved_cash": (Op.HAND,),
}
"""Every kind of fault, and where it can strike.

A stream's opportunity is a fill that it is about to tell; of `Op.STREAM` only those
advances count that bring a fill about. `Op.HAND` is each advance: what other hands do
in the account.
"""


@attrs.frozen(kw_only=True)
class VenueFault:
    """A fault at the ``nth`` opportunity of ``op``, counted from 1 for ever."""

    kind: str = attrs.field(validator=attrs.validators.in_(KINDS))
    op: Op
    nth: int = attrs.field(validator=attrs.validators.ge(1))
    size: int = 1
    """How much of it: advances that are held back, seconds of a ban, and so on."""

    venue: int = 0
    """At which venue, where there are several; from 0."""

    def __str__(self) -> str:
        size = f" ({self.size})" if self.size != 1 else ""
        where = f", venue {self.venue}" if self.venue else ""
        return f"{self.kind} at {self.op.value} {self.nth}{size}{where}"


class Schedule:
    """Counts opportunities, and says which fault is due at each."""

    def __init__(self, faults: Iterable[VenueFault]) -> None:
        self._due: dict[tuple[Op, int], VenueFault] = {}
        for fault in faults:
            self._due.setdefault((fault.op, fault.nth), fault)
        self._seen: Counter[Op] = Counter()
        self.struck: Counter[str] = Counter()
        """How often each kind did strike."""

    def next(self, op: Op) -> VenueFault | None:
        """Count an opportunity, and return the fault that is due there."""
        self._seen[op] += 1
        fault = self._due.get((op, self._seen[op]))
        if fault is not None:
            self.struck[fault.kind] += 1
        return fault

    def clear(self) -> None:
        """Let nothing be due any more."""
        self._due.clear()
