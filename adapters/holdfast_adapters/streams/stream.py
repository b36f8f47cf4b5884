"""The life of a stream as a pure machine: bytes and time in, events and bytes out.

It holds no socket, no clock and no task. Whoever drives it opens and closes what
`effects` says, hands in what the sockets gave, and calls `tick` at `deadline_s`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random  # noqa: TID251 - the composition root seeds it
from typing import assert_never

import msgspec

from holdfast_adapters.streams.dialect import (
    Ask,
    Beat,
    Confirmed,
    Data,
    Denied,
    Dialect,
    Heard,
    Leaving,
    LoggedIn,
    Malformed,
    Reply,
    Tap,
)
from holdfast_adapters.streams.effects import Effect, Write
from holdfast_adapters.streams.events import (
    Garbled,
    Refused,
    StreamEvent,
)
from holdfast_adapters.streams.line import Line
from holdfast_adapters.streams.lines import Lines
from holdfast_adapters.streams.phases import Cause, Phase
from holdfast_adapters.streams.plan import Overflow, StreamPlan, Subscription
from holdfast_adapters.streams.watching import Watch
from holdfast_adapters.streams.wire import Accepted, Closed, Pong, Rejected
from holdfast_domain.errors import NotSent

_UNREADABLE = (Malformed, msgspec.DecodeError, UnicodeDecodeError)
_EXCERPT = 160


class Stream:
    """One stream of one venue.

    Events come in the order in which their bytes came. Within a subscription nothing
    is repeated or missing without a `Gap`, as far as its numbers tell.
    """

    def __init__(
        self,
        plan: StreamPlan,
        dialect: Callable[[], Dialect],
        random: Random,
        tap: Tap | None = None,
    ) -> None:
        """Take the constants, what makes a dialect per connection, and the jitter.

        A ``tap`` sees every message as it is; secrets are kept from it.

        Raises:
            ValueError: the plan's URL is none of a WebSocket.
        """
        self.plan = plan
        self._lines = Lines(plan, dialect, random, tap)
        self.policies: dict[str, Overflow] = {}
        """What the inbox does with each subscription's events when it is full."""
        self.unasked = 0
        """Events of no subscription of ours, which were passed over."""
        self.repeated = 0
        """Events that had come before, and were passed over."""

    # ---- what its owner asks for ------------------------------------------

    def start(self, now_s: float) -> None:
        """Connect, and stay so until `stop`."""
        self._lines.start(now_s)

    def stop(self, now_s: float) -> None:
        """Say goodbye and drop every connection."""
        self._lines.stop(now_s)

    def subscribe(self, subscriptions: Sequence[Subscription], now_s: float) -> None:
        """Want ``subscriptions``, now and after each reconnect; known ones are kept."""
        new = [each for each in subscriptions if each.key not in self._lines.watches]
        for each in new:
            self._lines.watches[each.key] = watch = Watch(each)
            self.policies[each.key] = each.overflow
            if self._lines.is_up:
                watch.expect(now_s)
        for line in self._lines.speaking() if new else []:
            line.ask(line.dialect.subscribe([each.key for each in new]))
            self._lines.talk(line, now_s)

    def unsubscribe(self, keys: Sequence[str], now_s: float) -> None:
        """Want ``keys`` no longer; what is under way of them is passed over."""
        known = [key for key in keys if self._lines.watches.pop(key, None)]
        for line in self._lines.speaking() if known else []:
            line.confirm(known)
            line.ask(line.dialect.unsubscribe(known))
            self._lines.talk(line, now_s)

    def send(self, ask: Ask, now_s: float, *, urgent: bool = False) -> None:
        """Send a request of the owner's; its answer is a `Reply`, if it comes.

        Once this returns the bytes may leave, and the outcome is unknown until there
        is an answer. A lost connection answers nothing: `Down` or `Rotated` tells it.

        Raises:
            NotSent: there is no live connection, or the limit is used up.
        """
        if not self._lines.is_up:
            message = f"{self._lines.endpoint.host}: the stream is not connected"
            raise NotSent(message)
        line = self._lines.all[0]
        if not line.bucket.take(now_s, urgent=urgent):
            wait_s = line.bucket.wait_s(now_s)
            message = (
                f"{self._lines.endpoint.host}: limit of messages, for {wait_s:.1f} s"
            )
            raise NotSent(message)
        self._lines.write(line, ask)

    # ---- what the sockets tell --------------------------------------------

    def opened(self, number: int, now_s: float) -> None:
        """Take it that the socket of connection ``number`` is open, TLS included."""
        line = self._lines.with_number(number)
        if line is not None:
            line.move(Cause.OPENED, now_s)
            self._lines.effects.append(Write(number, line.wire.hello()))

    def received(self, number: int, data: bytes, now_s: float) -> None:
        """Take bytes of connection ``number``."""
        line = self._lines.with_number(number)
        if line is None:
            return
        line.heard_s = now_s
        for happening in line.wire.feed(data):
            if type(happening) is bytes:
                self._read(line, happening, now_s)
            elif isinstance(happening, Closed):
                self._lines.answer(line, now_s)
                why = f"closed: {happening.code} {happening.reason}".rstrip()
                self._lines.lose(line, why, happening.code, now_s)
            elif isinstance(happening, Rejected):
                why = f"handshake refused with status {happening.status}"
                self._lines.lose(
                    line, why, happening.status, now_s, happening.retry_after_s
                )
            elif isinstance(happening, Accepted):
                line.move(Cause.ACCEPTED, now_s)
                line.accepted(now_s)
                if self._lines.tap is not None:
                    self._lines.tap.connected(number)
                self._lines.log_in(line, now_s)
            else:
                assert isinstance(happening, Pong)
            if line.number != number or not line.is_connected:
                return
        self._lines.answer(line, now_s)

    def lost(self, number: int, why: str, now_s: float) -> None:
        """Take it that the socket of connection ``number`` broke or never opened."""
        line = self._lines.with_number(number)
        if line is not None:
            self._lines.lose(line, why, None, now_s)

    def overflowed(self, now_s: float) -> None:
        """Reconnect: the inbox is full of what must not be dropped one by one."""
        for line in list(self._lines.all):
            if line.is_connected:
                self._lines.lose(line, "the inbox is full", None, now_s)

    def tick(self, now_s: float) -> None:
        """Do what is due at ``now_s``; harmless where nothing is."""
        self._lines.tick(now_s)

    def deadline_s(self, now_s: float) -> float:
        """Return when `tick` is due next; infinite where only bytes can move it."""
        return self._lines.deadline_s(now_s)

    @property
    def phases(self) -> tuple[tuple[int, Phase], ...]:
        """Each line's connection and phase; the first is the one that counts.

        When it changes, so may `deadline_s`.
        """
        return tuple((line.number, line.phase) for line in self._lines.all)

    def effects(self) -> list[Effect]:
        """Return, once, what is to be done to sockets, in order."""
        effects, self._lines.effects = self._lines.effects, []
        return effects

    def events(self) -> list[StreamEvent]:
        """Return, once, what was told, in order."""
        events, self._lines.told = self._lines.told, []
        return events

    # ---- what a message means ---------------------------------------------

    def _read(self, line: Line, payload: bytes, now_s: float) -> None:
        if self._lines.tap is not None:
            self._lines.tap.heard(line.number, payload)
        try:
            heard = line.dialect.read(payload, now_s)
        except _UNREADABLE as error:
            self._garble(line, str(error), now_s)
            return
        line.garbled = 0
        for each in heard:
            if type(each) is Data:
                self._take(line, each, now_s)
            else:
                self._hear(line, each, now_s)
                if not line.is_connected:
                    return

    def _take(self, line: Line, data: Data, now_s: float) -> None:
        watch = self._lines.watches.get(data.key)
        if watch is None:
            self.unasked += 1
            return
        before = len(self._lines.told)
        overlaps = len(self._lines.all) > 1
        watch.take(data, line.number, now_s, self._lines.told, overlaps)
        if len(self._lines.told) == before:
            self.repeated += 1
        if overlaps and data.key not in line.delivered:
            line.delivered.add(data.key)
            self._lines.take_over(now_s)
        if line.unconfirmed:
            line.confirm((data.key,))
            self._lines.settle(line, now_s)

    def _hear(self, line: Line, heard: Heard, now_s: float) -> None:
        match heard:
            case Data():
                self._take(line, heard, now_s)
            case Reply():
                self._lines.told.append(heard)
            case Confirmed(keys=keys):
                line.confirm(keys)
                self._lines.settle(line, now_s)
            case Denied():
                self._deny(line, heard, now_s)
            case LoggedIn():
                if line.phase is Phase.LOGGING_IN:
                    self._lines.subscribe_all(line, now_s)
            case Beat():
                pass
            case Leaving(reason=reason):
                self._lines.rotate(line, reason, now_s)
            case _:
                assert_never(heard)

    def _deny(self, line: Line, denied: Denied, now_s: float) -> None:
        key, code, reason = denied.key, denied.code, denied.reason
        if key is None:
            why = f"login refused: {code} {reason}".rstrip()
            self._lines.lose(line, why, None, now_s)
            return
        line.confirm((key,))
        if self._lines.watches.pop(key, None):
            self._lines.told.append(
                Refused(at_s=now_s, key=key, code=code, reason=reason)
            )
        self._lines.settle(line, now_s)

    def _garble(self, line: Line, why: str, now_s: float) -> None:
        line.garbled += 1
        self._lines.told.append(
            Garbled(at_s=now_s, in_a_row=line.garbled, why=why[:_EXCERPT])
        )
        if line.garbled >= self.plan.malformed_max:
            self._lines.effects.append(Write(line.number, line.wire.goodbye(1007)))
            why = f"{line.garbled} messages in a row could not be read"
            self._lines.lose(line, why, 1007, now_s)
