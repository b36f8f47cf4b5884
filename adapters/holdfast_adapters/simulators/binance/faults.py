"""What can go wrong at the exchange, switched on one by one.

A fault waits for the operation that it is for, lets some pass, and then strikes.
"""

from __future__ import annotations

from typing import Final

import attrs

BEFORE: Final = {
    "lost_request": "the connection closes, and nothing was done",
    "reset": "the connection is reset, and nothing was done",
    "held": "no answer comes, and nothing was done",
    "error_500": "HTTP 500 with a page, and nothing was done",
    "error_503": "HTTP 503, code -1007, and nothing was done",
    "timeout_1007": "HTTP 408, code -1007, and nothing was done",
    "busy": "HTTP 503, code -1008, and nothing was done",
    "maintenance": "HTTP 503 with a page, and nothing was done",
    "limited": "HTTP 429, code -1003, Retry-After of `value` seconds",
    "banned": "HTTP 418, code -1003, Retry-After of `value` seconds",
    "too_many_orders": "HTTP 400, code -1015",
    "clock_skew": "HTTP 400, code -1021",
    "expired_key": "HTTP 401, code -2015",
    "firewall": "HTTP 403 with a page",
    "garbage": "HTTP 200 with a page, and nothing was done",
    "unreadable_400": "HTTP 400 with a page, and nothing was done",
}
"""Faults of an answer where nothing is done."""

AFTER: Final = {
    "lost_ack": "the connection closes, and it was done",
    "reset_after": "the connection is reset, and it was done",
    "torn_ack": "a half of the answer comes, and it was done",
    "held_ack": "no answer comes, and it was done",
    "error_500_after": "HTTP 500 with a page, and it was done",
    "error_503_after": "HTTP 503, code -1007, and it was done",
    "garbage_after": "HTTP 200 with a page, and it was done",
    "strange_status": "the order's status is a word that nobody knows",
}
"""Faults of an answer to something that is done."""

STREAM: Final = {
    "missing": "an event is never sent",
    "duplicate": "an event is sent twice",
    "reordered": "an event is sent after the next one",
    "torn_frame": "a half of an event is sent, and the connection is reset",
    "closed": "the connection closes with `value`",
    "half_open": "nothing is sent any more",
    "nonsense": "a frame that cannot be read comes before the event",
    "terminated": "the subscription ends",
}
"""Faults of the user data stream; they strike at its next event."""

MARKET: Final = {
    kind: words
    for kind, words in STREAM.items()
    if kind not in ("reordered", "terminated")
}
"""Faults of the market streams; they strike at the next event that somebody hears."""

VENUE: Final = {
    "maintenance": "requests get HTTP 503, streams are closed with 1001 and refused",
    "skew": "the exchange's clock is `value` seconds ahead, or behind below 0",
    "slow": "each answer takes `value` seconds longer",
    "flood": "each symbol trades `value` times a second more, at its last price",
    "half_open": "nothing is sent any more on any stream that is open",
    "closed": "all streams are closed with `value`",
    "reset": "all streams are reset",
}
"""Faults of the whole exchange, in a script."""

OPERATIONS: Final = (
    "submit",
    "submit_oco",
    "submit_otoco",
    "cancel",
    "replace",
    "order",
    "open_orders",
    "trades",
    "account",
    "time",
    "info",
    "klines",
    "user_stream",
    "market",
    "algo",
    "open_algos",
    "amendments",
    "rights",
    "listen_key",
    "countdown",
)
STREAMS: Final = {"user_stream": STREAM, "market": MARKET}
ALL: Final = "requests"
"""In the place of an operation: whatever is asked over HTTP."""


def known_for(operation: str) -> dict[str, str]:
    """Return the faults that an operation may have."""
    if operation in STREAMS:
        return STREAMS[operation]
    return {**BEFORE, **AFTER} if operation in (*OPERATIONS, ALL) else {}


@attrs.define(eq=False)
class Fault:
    """One fault that waits for its time."""

    kind: str
    operation: str
    """One of `OPERATIONS`, or `ALL`."""

    count: int = 1
    """How often it strikes; 0: until it is switched off."""

    skip: int = 0
    value: float = 1.0
    struck: int = 0
    """How often it has."""


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def on(self, kind: str, operation: str, **how: float) -> Fault:
        """Switch a fault on: ``count`` times, after ``skip`` operations.

        One with a ``count`` of 0 strikes until it is switched `off`.

        Raises:
            ValueError: there is no such fault.
        """
        known = known_for(operation)
        if kind not in known:
            message = f"expected one of {', '.join(known)}, got {kind!r}"
            raise ValueError(message)
        value = how.pop("value", 1.0)
        counts = {name: int(number) for name, number in how.items()}
        fault = Fault(kind, operation, value=value, **counts)
        self._waiting.append(fault)
        return fault

    def off(self, fault: Fault) -> None:
        """Switch a fault off, if it waits yet."""
        if fault in self._waiting:
            self._waiting.remove(fault)

    def take(self, operation: str) -> Fault | None:
        """Return the fault that strikes this operation, if one does."""
        names = (operation,) if operation in STREAMS else (operation, ALL)
        for fault in self._waiting:
            if fault.operation in names:
                if fault.skip:
                    fault.skip -= 1
                    return None
                fault.struck += 1
                fault.count -= 1
                if not fault.count:
                    self._waiting.remove(fault)
                return fault
        return None
