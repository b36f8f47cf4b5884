"""What can go wrong at TWS, switched on one by one.

A fault waits for the operation that it is for, lets some pass, and then strikes.
"""

from __future__ import annotations

from typing import Final

import attrs

from holdfast_adapters.simulators.ib.model import Refused

BEFORE: Final = {
    "lost_request": "the connection closes, and nothing was done",
    "reset": "the connection is reset, and nothing was done",
    "held": "no answer comes, and nothing was done",
    "refused": "an error with the code `value`, and nothing was done",
}
"""Faults of a request where nothing is done."""

AFTER: Final = {
    "lost_ack": "the connection closes, and it was done",
    "reset_after": "the connection is reset, and it was done",
    "torn_ack": "a half of the answer comes, and it was done",
    "held_ack": "no answer comes, and it was done",
    "garbage_after": "the answer cannot be read, and it was done",
    "warned": "a warning with the code `value` comes before the answer",
}
"""Faults of an answer to something that is done."""

TELLING: Final = {
    "missing": "it is never sent",
    "duplicate": "it is sent twice",
    "reordered": "it is sent after the next one",
    "torn_frame": "a half of it is sent, and the connection is reset",
    "closed": "the connection closes before it",
    "half_open": "nothing is sent any more",
    "nonsense": "a message that cannot be read comes before it",
    "strange_status": "its status is a word that nobody knows",
}
"""Faults of what is told of orders."""

VENUE: Final = {
    "connectivity": "1100, and nothing is told; ends with 1102, or `value` 1101",
    "farm": "2103, and the market is silent; ends with 2104",
    "restart": "connections are reset and refused, as at TWS's nightly restart",
    "in_use": "a connection is refused with 326: its client id is in use",
    "reset": "all connections are reset",
    "half_open": "nothing is sent any more on any connection that is open",
    "pacing": "a client may ask for `value` things a second, and is cut off beyond",
    "slow": "each request waits for `value` seconds before it is read",
    "flood": "each contract trades `value` times a second more, at its last price",
}
"""Faults of TWS itself, in a script."""

REQUESTS: Final = (
    "connect",
    "submit",
    "cancel",
    "replace",
    "open_orders",
    "completed_orders",
    "executions",
    "positions",
    "account",
    "contract",
    "market",
    "history",
    "time",
)
"""What `BEFORE` and `AFTER` are for."""

TOLD: Final = ("orders", "fills", "commissions")
"""What `TELLING` is for."""

WORDS: Final = {
    100: "Max rate of messages per second has been exceeded:max=50 rec=51 (1)",
    103: "Duplicate order id",
    110: "The price does not conform to the minimum price variation for this contract.",
    162: "Historical Market Data Service error message:HMDS query returned no data",
    200: "No security definition has been found for the request",
    201: "Order rejected - reason:The exchange is closed",
    203: "The security is not available or allowed for this account",
    354: "Requested market data is not subscribed.",
    399: "Order Message:\nWarning: your order will not be placed at the exchange until "
    "2026-01-06 09:30:00 US/Eastern",
    460: "No trading permissions.",
}


@attrs.define(eq=False)
class Fault:
    """One fault that waits for its time."""

    kind: str
    operation: str
    count: int = 1
    """How often it strikes; 0: until it is switched off."""

    skip: int = 0
    value: int = 201
    struck: int = 0
    """How often it has."""

    def refusal(self) -> Refused:
        """Return what is said by it."""
        return Refused(self.value, WORDS.get(self.value, f"Error {self.value}"))


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def on(self, kind: str, operation: str, **how: int) -> Fault:
        """Switch a fault on: ``count`` times, after ``skip`` operations.

        One with a ``count`` of 0 strikes until it is switched `off`.

        Raises:
            ValueError: there is no such fault.
        """
        known = known_for(operation)
        if kind not in known:
            message = f"expected one of {', '.join(known)}, got {kind!r}"
            raise ValueError(message)
        fault = Fault(kind, operation, **how)
        self._waiting.append(fault)
        return fault

    def off(self, fault: Fault) -> None:
        """Switch a fault off, if it waits yet."""
        if fault in self._waiting:
            self._waiting.remove(fault)

    def take(self, operation: str) -> Fault | None:
        """Return the fault that strikes this operation, if one does."""
        for fault in self._waiting:
            if fault.operation == operation:
                if fault.skip:
                    fault.skip -= 1
                    return None
                fault.struck += 1
                fault.count -= 1
                if not fault.count:
                    self._waiting.remove(fault)
                return fault
        return None


def known_for(operation: str) -> dict[str, str]:
    """Return the faults that an operation may have."""
    if operation in TOLD:
        return TELLING
    return {**BEFORE, **AFTER} if operation in REQUESTS else {}
