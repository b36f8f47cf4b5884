"""The lines of a stream: one that delivers, and at times one that is to replace it."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random  # noqa: TID251 - the composition root seeds it

from holdfast_adapters.streams.dialect import Ask, Dialect, Tap
from holdfast_adapters.streams.effects import Drop, Effect, Open, Write
from holdfast_adapters.streams.events import Down, Rotated, Stale, StreamEvent, Up
from holdfast_adapters.streams.limits import Backoff
from holdfast_adapters.streams.line import Line
from holdfast_adapters.streams.phases import Cause, Phase
from holdfast_adapters.streams.plan import StreamPlan
from holdfast_adapters.streams.watching import Watch
from holdfast_adapters.streams.wire import Endpoint


class Lines:
    """What connects, logs in, subscribes, beats, gives up and replaces.

    The first line is the one that counts. A second one either is on its way to
    replace it, or is retiring since it was replaced.
    """

    def __init__(
        self,
        plan: StreamPlan,
        dialect: Callable[[], Dialect],
        random: Random,
        tap: Tap | None,
    ) -> None:
        self.plan = plan
        self.endpoint = Endpoint.of(plan.url)
        self.tap = tap
        self.all: list[Line] = []
        self.watches: dict[str, Watch] = {}
        self.told: list[StreamEvent] = []
        self.effects: list[Effect] = []
        self._make_dialect = dialect
        self._backoff = Backoff(random, plan.backoff_first_s, plan.backoff_last_s)
        self._numbers = 0
        self._why_rotated = ""
        self._down_s: float | None = None

    @property
    def is_up(self) -> bool:
        """Whether the first line is live."""
        return bool(self.all) and self.all[0].phase is Phase.LIVE

    def deadline_s(self, now_s: float) -> float:
        """Return when `tick` is due next; infinite where only bytes can move it."""
        due = [line.deadline_s(now_s) for line in self.all]
        due += [
            line.since_s + self.plan.takeover_s
            for line in self.all[1:]
            if line.phase is Phase.LIVE
        ]
        if self.is_up:
            due += [watch.due_s for watch in self.watches.values()]
        return min(due, default=math.inf)

    def start(self, now_s: float) -> None:
        """Make the first line, unless there is one."""
        if not self.all:
            self.all.append(Line(self.plan, now_s))
            self.tick(now_s)

    def stop(self, now_s: float) -> None:
        """End every line."""
        for line in list(self.all):
            self._discard(line, Cause.STOPPED, now_s)

    def tick(self, now_s: float) -> None:
        """Do what is due."""
        for line in list(self.all):
            self._tick_line(line, now_s)
        self.take_over(now_s)
        if self.is_up:
            self._revive(now_s)

    def with_number(self, number: int) -> Line | None:
        """Return the line that has connection ``number``; None if it was given up."""
        for line in self.all:
            if line.number == number and line.phase is not Phase.WAITING:
                return line
        return None

    def speaking(self) -> list[Line]:
        """Return the lines that have said, or are saying, what they subscribe to."""
        return [
            line for line in self.all if line.phase in {Phase.SUBSCRIBING, Phase.LIVE}
        ]

    def log_in(self, line: Line, now_s: float) -> None:
        """Authenticate, or go on where nothing does."""
        ask = line.dialect.login()
        if ask is None:
            self.subscribe_all(line, now_s)
        else:
            line.bucket.owe(now_s)
            self.write(line, ask)

    def subscribe_all(self, line: Line, now_s: float) -> None:
        """Ask for every subscription."""
        line.move(Cause.LOGGED_IN, now_s)
        if self.watches:
            line.ask(line.dialect.subscribe(list(self.watches)))
        self.talk(line, now_s)

    def talk(self, line: Line, now_s: float) -> None:
        """Send what waits, as far as the limit lets it."""
        for ask in line.sendable(now_s):
            self.write(line, ask)
        self.settle(line, now_s)

    def settle(self, line: Line, now_s: float) -> None:
        """Take a line as live once all that it asked for is answered."""
        if line.phase is not Phase.SUBSCRIBING or not line.is_subscribed:
            return
        line.move(Cause.CONFIRMED, now_s)
        if line is not self.all[0]:
            self.take_over(now_s)
            return
        hole_s = None if self._down_s is None else now_s - self._down_s
        self._down_s = None
        for watch in self.watches.values():
            watch.expect(now_s)
        self.told.append(Up(at_s=now_s, hole_s=hole_s))

    def rotate(self, line: Line, why: str, now_s: float) -> None:
        """Begin to replace the first line, unless that is under way.

        A line that is not live yet, or is itself to replace another, starts anew.
        """
        line.ends_s = math.inf
        if line.phase is not Phase.LIVE or line is not self.all[0]:
            self.lose(line, why, None, now_s)
        elif len(self.all) == 1:
            self._why_rotated = why
            self.all.append(Line(self.plan, now_s))
            self._connect(self.all[1], now_s)

    def take_over(self, now_s: float) -> None:
        """Let the second line be the first once it is seen to deliver."""
        if len(self.all) == 1 or self.all[1].phase is not Phase.LIVE:
            return
        old, new = self.all
        is_late = now_s >= new.since_s + self.plan.takeover_s
        if is_late or self._lively() <= new.delivered:
            old.move(Cause.REPLACED, now_s)
            self.all = [new, old]
            self.told.append(Rotated(at_s=now_s, why=self._why_rotated))

    def _lively(self) -> set[str]:
        """Return the subscriptions of which something must have come by now."""
        return {
            key
            for key, watch in self.watches.items()
            if watch.subscription.rate_hz is not None and not watch.is_stale
        }

    def lose(
        self,
        line: Line,
        why: str,
        code: int | None,
        now_s: float,
        retry_after_s: float | None = None,
    ) -> None:
        """Give a line's connection up; the line goes on unless another one does."""
        self.effects.append(Drop(line.number))
        if self.tap is not None:
            self.tap.ended(line.number, why)
        was_first, was_live = line is self.all[0], line.phase is Phase.LIVE
        if line.phase is Phase.RETIRING:
            line.move(Cause.LOST, now_s)
            self.all.remove(line)
            return
        lived_s = now_s - line.since_s if was_live else 0.0
        is_healthy = was_live and lived_s >= self.plan.healthy_after_s
        wait_s = self._backoff.reset_s() if is_healthy else self._backoff.next_s()
        line.move(Cause.LOST, now_s)
        line.since_s = now_s + max(wait_s, retry_after_s or 0.0)
        if not was_first:
            return
        if was_live:
            self._down_s = now_s
        heir = self.all[1] if len(self.all) > 1 else None
        if heir is not None and heir.phase is not Phase.RETIRING:
            line.move(Cause.STOPPED, now_s)
            self.all.remove(line)
            self._inherit(heir, why, code, now_s)
        else:
            self._say_down(line, why, code, now_s)

    def _inherit(self, heir: Line, why: str, code: int | None, now_s: float) -> None:
        """Let ``heir`` be the first: the one that it was to replace died."""
        if heir.phase is Phase.LIVE:
            self._down_s = None
            self.told.append(Rotated(at_s=now_s, why=why))
        else:
            self._say_down(heir, why, code, now_s)

    def _say_down(self, line: Line, why: str, code: int | None, now_s: float) -> None:
        wait_s = line.since_s - now_s if line.phase is Phase.WAITING else 0.0
        self.told.append(
            Down(at_s=now_s, why=why, code=code, retry_in_s=max(0.0, wait_s))
        )

    def _discard(self, line: Line, cause: Cause, now_s: float) -> None:
        if line.is_connected:
            self.effects.append(Write(line.number, line.wire.goodbye()))
        if line.phase is not Phase.WAITING:
            self.effects.append(Drop(line.number))
        line.move(cause, now_s)
        self.all.remove(line)

    # ---- what is due ------------------------------------------------------

    def _tick_line(self, line: Line, now_s: float) -> None:
        if line.phase is Phase.WAITING:
            if now_s >= line.since_s:
                self._connect(line, now_s)
            return
        if line.phase is Phase.RETIRING and now_s >= line.since_s + self.plan.linger_s:
            self._discard(line, Cause.LINGERED, now_s)
            return
        why = line.overdue(now_s)
        if why is not None:
            self.lose(line, why, None, now_s)
            return
        if line.is_connected:
            self._beat(line, now_s)
            self.talk(line, now_s)
            if now_s >= line.ends_s:
                self.rotate(line, "a connection's longest life", now_s)

    def _connect(self, line: Line, now_s: float) -> None:
        self._numbers += 1
        line.connect(self._numbers, self.endpoint, self._make_dialect())
        line.move(Cause.DUE, now_s)
        self.effects.append(Open(self._numbers, self.endpoint))

    def _beat(self, line: Line, now_s: float) -> None:
        if now_s < line.beat_s:
            return
        line.beat_s = now_s + self.plan.beat_s
        line.bucket.owe(now_s)
        ask = line.dialect.heartbeat()
        if ask is None:
            self.effects.append(Write(line.number, line.wire.ping()))
        else:
            self.write(line, ask)

    def _revive(self, now_s: float) -> None:
        """Say which subscriptions are silent, and ask for them anew.

        First on the same connection, then on a new one that replaces it, and so on:
        the siblings that do deliver lose nothing by it.
        """
        for key, watch in self.watches.items():
            if now_s < watch.due_s:
                continue
            if not watch.is_stale:
                watch.is_stale = True
                self.told.append(
                    Stale(at_s=now_s, key=key, silent_s=watch.silent_s(now_s))
                )
            watch.tried(now_s)
            line = self.all[0]
            if watch.attempts % 2:
                line.ask(line.dialect.unsubscribe([key]))
                line.ask(line.dialect.subscribe([key]))
                self.talk(line, now_s)
            else:
                self.rotate(line, f"{key} is silent", now_s)

    def answer(self, line: Line, now_s: float) -> None:
        """Send what the protocol itself has to answer."""
        for data in line.wire.replies():
            line.bucket.owe(now_s)
            self.effects.append(Write(line.number, data))

    def write(self, line: Line, ask: Ask) -> None:
        """Send one message; it has its right to leave."""
        self.effects.append(Write(line.number, line.wire.text(ask.payload)))
        if self.tap is not None:
            self.tap.said(line.number, None if ask.is_secret else ask.payload)
