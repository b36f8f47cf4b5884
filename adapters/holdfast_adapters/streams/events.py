"""What a stream tells, besides the venue's own events."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from holdfast_adapters.streams.dialect import Data, Reply


@attrs.frozen(kw_only=True)
class Up:
    """Every subscription is confirmed, or delivers."""

    at_s: float
    hole_s: float | None
    """How long nothing was subscribed; None the first time.

    Whoever may have missed something asks for it now.
    """


@attrs.frozen(kw_only=True)
class Down:
    """The connection is lost, or an attempt failed, and no other one delivers."""

    at_s: float
    why: str
    code: int | None
    """The closing code of RFC 6455, or the HTTP status of a refused handshake."""

    retry_in_s: float


@attrs.frozen(kw_only=True)
class Rotated:
    """A new connection delivers and replaces the old one; there is no hole."""

    at_s: float
    why: str


@attrs.frozen(kw_only=True)
class Stale:
    """A subscription is silent for too long, although its connection is not."""

    at_s: float
    key: str
    silent_s: float


@attrs.frozen(kw_only=True)
class Fresh:
    """A stale subscription delivers again."""

    at_s: float
    key: str


@attrs.frozen(kw_only=True)
class Gap:
    """Events of a subscription are missing; a book of it is invalid from here on."""

    at_s: float
    key: str
    after: int
    """The last number that was seen."""

    before: int
    """The number of the event that follows here."""


@attrs.frozen(kw_only=True)
class Dropped:
    """The inbox was full, and events of a subscription were let go or conflated."""

    key: str
    count: int


@attrs.frozen(kw_only=True)
class Refused:
    """The venue refused a subscription; it is not asked for again."""

    at_s: float
    key: str
    code: str
    reason: str


@attrs.frozen(kw_only=True)
class Garbled:
    """A message could not be read and was passed over."""

    at_s: float
    in_a_row: int
    why: str


Notice: TypeAlias = (
    Up | Down | Rotated | Stale | Fresh | Gap | Dropped | Refused | Garbled
)
StreamEvent: TypeAlias = Data | Reply | Notice
