"""The life of a line, which is one place for a connection, as one table.

A stream has one line, and a second while the first is being replaced.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Phase(Enum):
    """Where a line stands."""

    WAITING = "waiting"
    """No connection; the next attempt has its time."""

    OPENING = "opening"
    """TCP and TLS are being set up."""

    HANDSHAKING = "handshaking"
    LOGGING_IN = "logging in"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    RETIRING = "retiring"
    """Another line delivers; what is still under way here is read."""

    GONE = "gone"


class Cause(Enum):
    """What moves a line on."""

    DUE = "due"
    OPENED = "opened"
    ACCEPTED = "accepted"
    LOGGED_IN = "logged in"
    CONFIRMED = "confirmed"
    REPLACED = "another delivers"
    LINGERED = "lingered"
    LOST = "lost"
    STOPPED = "stopped"


TABLE: Final[dict[tuple[Phase, Cause], Phase]] = {
    (Phase.WAITING, Cause.DUE): Phase.OPENING,
    (Phase.OPENING, Cause.OPENED): Phase.HANDSHAKING,
    (Phase.HANDSHAKING, Cause.ACCEPTED): Phase.LOGGING_IN,
    (Phase.LOGGING_IN, Cause.LOGGED_IN): Phase.SUBSCRIBING,
    (Phase.SUBSCRIBING, Cause.CONFIRMED): Phase.LIVE,
    (Phase.LIVE, Cause.REPLACED): Phase.RETIRING,
    (Phase.RETIRING, Cause.LINGERED): Phase.GONE,
    (Phase.RETIRING, Cause.LOST): Phase.GONE,
    **{
        (phase, Cause.LOST): Phase.WAITING
        for phase in (
            Phase.OPENING,
            Phase.HANDSHAKING,
            Phase.LOGGING_IN,
            Phase.SUBSCRIBING,
            Phase.LIVE,
        )
    },
    **{(phase, Cause.STOPPED): Phase.GONE for phase in Phase},
}
"""Every legal move."""

CONNECTED: Final = frozenset({
    Phase.LOGGING_IN,
    Phase.SUBSCRIBING,
    Phase.LIVE,
    Phase.RETIRING,
})  # fmt: skip
"""The phases in which frames may be sent."""
