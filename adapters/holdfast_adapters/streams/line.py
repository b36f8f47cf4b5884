"""One line of a stream: its connection, deadlines, and what it may send."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from holdfast_adapters.streams.dialect import Ask, Dialect
from holdfast_adapters.streams.limits import TokenBucket
from holdfast_adapters.streams.phases import CONNECTED, TABLE, Cause, Phase
from holdfast_adapters.streams.plan import StreamPlan
from holdfast_adapters.streams.wire import Endpoint, Wire


class Line:
    """A place for a connection; `connect` gives it a new one."""

    def __init__(self, plan: StreamPlan, due_s: float) -> None:
        self._plan = plan
        self.phase = Phase.WAITING
        self.number = 0
        self.since_s = due_s
        """When its phase began; while it waits, when the next attempt is due."""
        self.wire: Wire
        self.dialect: Dialect
        self.delivered: set[str] = set()
        self.unconfirmed: dict[str, float] = {}
        """What was asked for, and until when it must be confirmed."""
        self.asks: deque[Ask] = deque()
        self.bucket: TokenBucket
        self.garbled = 0
        self.heard_s = math.inf
        self.beat_s = math.inf
        self.ends_s = math.inf
        """When it is replaced, because connections do not live for ever."""

    @property
    def is_connected(self) -> bool:
        """Whether frames may be sent."""
        return self.phase in CONNECTED

    @property
    def is_subscribed(self) -> bool:
        """Whether everything was asked for, and confirmed where it will be."""
        return not self.asks and not self.unconfirmed

    def move(self, cause: Cause, now_s: float) -> None:
        """Go to the next phase; the table has it, or it is our own fault."""
        self.phase = TABLE[self.phase, cause]
        self.since_s = now_s

    def connect(self, number: int, endpoint: Endpoint, dialect: Dialect) -> None:
        """Begin a new connection's life; nothing of the last one is left."""
        plan = self._plan
        self.number = number
        self.dialect = dialect
        self.wire = Wire(
            endpoint, plan.headers, message_bytes_max=plan.message_bytes_max
        )
        self.bucket = TokenBucket(
            plan.sends_per_s, plan.sends_burst, plan.sends_reserve
        )
        self.delivered, self.unconfirmed = set(), {}
        self.asks.clear()
        self.garbled = 0
        self.heard_s = self.beat_s = self.ends_s = math.inf

    def accepted(self, now_s: float) -> None:
        """Start the clocks of a connection that stands."""
        self.heard_s = now_s
        self.beat_s = now_s + self._plan.beat_s
        self.ends_s = now_s + self._plan.lifetime_s

    def ask(self, asks: Sequence[Ask]) -> None:
        """Queue ``asks``; they leave as the limit lets them."""
        self.asks.extend(asks)

    def confirm(self, keys: Sequence[str]) -> None:
        """Take ``keys`` as answered."""
        for key in keys:
            self.unconfirmed.pop(key, None)

    def sendable(self, now_s: float) -> list[Ask]:
        """Return the asks that may leave now, in order."""
        leaving: list[Ask] = []
        while self.asks and self.bucket.take(now_s):
            ask = self.asks.popleft()
            leaving.append(ask)
            for key in ask.keys:
                self.unconfirmed[key] = now_s + self._plan.confirm_s
        return leaving

    def overdue(self, now_s: float) -> str | None:
        """Say why this line is to be given up now; None where it is not."""
        plan = self._plan
        opening = self.phase in {Phase.OPENING, Phase.HANDSHAKING}
        if opening and now_s >= self.since_s + plan.open_s:
            return f"no connection within {plan.open_s:g} s"
        if self.phase is Phase.LOGGING_IN and now_s >= self.since_s + plan.confirm_s:
            return f"no answer to the login within {plan.confirm_s:g} s"
        if self.is_connected and now_s >= self.heard_s + plan.dead_after_s:
            return f"nothing came for {plan.dead_after_s:g} s"
        late = [key for key, until_s in self.unconfirmed.items() if now_s >= until_s]
        if late:
            return (
                f"no answer to a subscription of {late[0]} within {plan.confirm_s:g} s"
            )
        return None

    def deadline_s(self, now_s: float) -> float:
        """Return when something is due here; infinite where nothing is."""
        plan, phase = self._plan, self.phase
        if phase is Phase.WAITING:
            return self.since_s
        if phase in {Phase.OPENING, Phase.HANDSHAKING}:
            return self.since_s + plan.open_s
        due = [self.beat_s, self.heard_s + plan.dead_after_s]
        due += self.unconfirmed.values()
        if phase is Phase.LOGGING_IN:
            due.append(self.since_s + plan.confirm_s)
        elif phase is Phase.RETIRING:
            due.append(self.since_s + plan.linger_s)
        elif phase is Phase.LIVE:
            due.append(self.ends_s)
        if self.asks:
            due.append(now_s + self.bucket.wait_s(now_s))
        return min(due)
