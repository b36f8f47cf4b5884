"""How a stream lives: what it subscribes to, its deadlines and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

import attrs

IMPROBABLE: Final = 20.0
"""How many expected gaps of silence make a subscription stale.

Were events as random as can be (a Poisson process), so long a silence came by chance
once in exp(20), which is half a thousand million gaps.
"""


class Overflow(Enum):
    """What becomes of a subscription's events when the inbox is full."""

    DROP_OLDEST = "drop oldest"
    """The oldest go, and `Dropped` tells how many."""

    CONFLATE = "conflate"
    """The latest stays; for values that replace one another, such as quotes."""

    RECONNECT = "reconnect"
    """None is dropped from here: the connection is, so that a hole is seen as one.

    For what must be asked for when it is missed, such as an account's events.
    """


@attrs.frozen(kw_only=True)
class Subscription:
    """One thing that is subscribed to."""

    key: str
    """Its name in the dialect; each event carries it."""

    rate_hz: float | None = None
    """How many events a second are expected; None where silence means nothing."""

    stale_after_s_min: float = 5.0
    """The shortest silence that counts as one, whatever the rate."""

    overflow: Overflow = Overflow.DROP_OLDEST

    @property
    def stale_after_s(self) -> float | None:
        """How long a silence is too long."""
        if self.rate_hz is None:
            return None
        return max(self.stale_after_s_min, IMPROBABLE / self.rate_hz)


@attrs.frozen(kw_only=True)
class StreamPlan:
    """The constants of a stream's life; the defaults fit a venue that says nothing."""

    url: str
    headers: Sequence[tuple[str, str]] = attrs.field(default=(), repr=False)
    """Sent with the handshake; may be secret."""

    open_s: float = 10.0
    """How long TCP, TLS and the handshake may take together."""

    confirm_s: float = 10.0
    """How long a login or a subscription may stay unanswered."""

    beat_s: float = 30.0
    """How often a heartbeat leaves."""

    dead_after_s: float = 60.0
    """A connection from which no byte came for so long is dead, whatever TCP says."""

    lifetime_s: float = 23 * 3600.0
    """When a connection is replaced, before the venue ends it."""

    takeover_s: float = 30.0
    """How long a new connection may be silent before it replaces the old one."""

    linger_s: float = 2.0
    """How long the old one is read after that."""

    healthy_after_s: float = 60.0
    """A connection that lived so long resets the backoff."""

    backoff_first_s: float = 1.0
    backoff_last_s: float = 16.0

    malformed_max: int = 10
    """So many messages in a row that cannot be read end the connection."""

    message_bytes_max: int = 16 * 2**20

    sends_per_s: float = 5.0
    """How many messages a second may leave one connection, pongs included."""

    sends_burst: int = 5
    sends_reserve: int = 1
    """How many of the burst are kept for what is urgent."""

    inbox_max: int = 65_536
    """How many events may wait for whoever reads them."""

    @classmethod
    def for_url(cls, url: str) -> StreamPlan:
        """Return the defaults for ``url``."""
        return cls(url=url)
