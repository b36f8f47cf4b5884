"""What a venue has to say about its stream, and all that a stream knows of a venue.

A dialect is pure and belongs to one connection: what it remembers, such as the ids of
its requests, ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import attrs
from msgspec import Struct


class Malformed(ValueError):
    """A message is not what the dialect expects; the text says why."""


class Data(Struct, frozen=True, kw_only=True, gc=False):
    """One event of a subscription: of the market, or of an account."""

    key: str
    """The subscription that it belongs to."""

    value: object
    """The event, in the domain's or the venue's words."""

    received_s: float
    """When its bytes came, on the monotonic clock; so a value knows its age."""

    sequence: int | None = None
    """Its number within the subscription, which rises; None where there is none."""

    follows: int | None = None
    """The number after which it comes directly; a higher one than was seen is a gap.

    None where numbers need not be contiguous.
    """

    identity: str | None = None
    """What tells it from others where there is no number, such as an execution id.

    What has neither is told twice when two connections overlap.
    """


class Reply(Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a message that was sent with `Stream.send`."""

    identity: str
    value: object
    received_s: float


@attrs.frozen(kw_only=True)
class Confirmed:
    """The venue took subscriptions (or took them back)."""

    keys: Sequence[str]


@attrs.frozen(kw_only=True)
class Denied:
    """The venue refused a subscription, or the login where ``key`` is None."""

    key: str | None
    code: str
    reason: str


@attrs.frozen
class LoggedIn:
    """The venue knows who we are."""


@attrs.frozen
class Beat:
    """A sign of life without content."""


@attrs.frozen
class Leaving:
    """The venue is about to close this connection; a new one is wanted now."""

    reason: str


Heard: TypeAlias = Data | Reply | Confirmed | Denied | LoggedIn | Beat | Leaving
"""What a message of the venue means."""


@attrs.frozen(kw_only=True)
class Ask:
    """One message to the venue."""

    payload: str
    keys: Sequence[str] = ()
    """The subscriptions that it asks for; each is confirmed, denied or delivers."""

    is_secret: bool = False
    """Whether it holds a key or a signature: then nobody records or prints it."""


class Dialect(Protocol):
    """A venue's words for a stream's life. Synchronous, without I/O."""

    def login(self) -> Ask | None:
        """Return what authenticates; None where nothing does.

        After an `Ask` the line waits for `LoggedIn`, or a `Denied` without key.
        """

    def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return the messages that subscribe to ``keys``, split as the venue wants."""

    def unsubscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return the messages that end the subscriptions of ``keys``."""

    def heartbeat(self) -> Ask | None:
        """Return the venue's own ping; None where it wants the protocol's."""

    def read(self, payload: bytes, received_s: float) -> Sequence[Heard]:
        """Return what a message means, in its order; nothing where it says nothing.

        Raises:
            Malformed: it is none of the venue's; so do msgspec's decoding errors.
        """


class Tap(Protocol):
    """Sees a stream's messages as they are; what it does with them may not raise."""

    def connected(self, number: int) -> None:
        """Take it that connection ``number`` stands."""

    def heard(self, number: int, payload: bytes) -> None:
        """See a whole message, before anyone tries to read it."""

    def said(self, number: int, payload: str | None) -> None:
        """See a message that leaves; None where it is secret."""

    def ended(self, number: int, why: str) -> None:
        """Take it that connection ``number`` is given up."""
