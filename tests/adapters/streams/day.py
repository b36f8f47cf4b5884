"""A day of recorded streams in virtual time: the venue, its faults, and who checks.

The pure machine is driven with the words of Binance. What was recorded is told again
and again, numbered on; faults are drawn from a seed, each kind once in each round.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import attrs
import wsproto
from wsproto import events as frames

from holdfast_adapters.binance import MarketDialect
from holdfast_adapters.streams import (
    Data,
    Gap,
    Stream,
    StreamEvent,
    StreamPlan,
    Subscription,
)
from holdfast_adapters.streams.effects import Drop, Open, Write

PING_S = 20.0
"""How often the venue pings (web-socket-streams.md, "General WSS information")."""

AGE_S = 24 * 3600.0
"""When it ends a connection, whoever is on it (the same)."""

NONSENSE = '{"stream": "btcusdt@trade", "data": '


@attrs.frozen
class Recorded:
    """One message: how long after the one before, and what its numbers count."""

    after_s: float
    key: str
    frame: dict[str, Any]

    @property
    def number(self) -> int:
        """Its last number: a trade's, or an update's of a book or of a quote."""
        data = self.frame["data"]
        return int(data["t"] if "t" in data else data["u"])


@attrs.frozen
class Message:
    """A message as it is told."""

    key: str
    number: int
    text: str


def again_and_again(
    recorded: Sequence[Recorded], slower: float = 1.0
) -> Iterator[tuple[float, Message]]:
    """Yield what was recorded for ever, numbered on, with the time before each."""
    first, last = dict[str, int](), dict[str, int]()
    for each in recorded:
        first.setdefault(each.key, each.number)
        last[each.key] = each.number
    round_ = 0
    while True:
        for each in recorded:
            shift = round_ * (last[each.key] - first[each.key] + 1)
            data = dict(each.frame["data"])
            for name in ("t", "U", "u"):
                if name in data:
                    data[name] += shift
            text = json.dumps({"stream": each.frame["stream"], "data": data})
            yield slower * each.after_s, Message(each.key, each.number + shift, text)
        round_ += 1


@attrs.define(eq=False)
class Peer:
    """The venue's end of a connection."""

    ws: wsproto.WSConnection
    opened_s: float
    keys: set[str] = attrs.field(factory=set)
    is_mute: bool = False
    """Half-open: it hears nothing, and nothing of it is heard."""


class Day:
    """The venue, the machine's sockets, the time, and what must have been told."""

    def __init__(self, keys: Sequence[str], plan: StreamPlan, seed: int) -> None:
        """Subscribe to ``keys``; one event in two seconds is expected of each."""
        self.now_s = 0.0
        self.random = Random(seed)
        self.told: Counter[str] = Counter()
        self.last: dict[str, int] = {}
        """The last number of each subscription that was told."""

        self.sent: dict[str, int] = {}
        """The same of what the venue had to tell, whether anybody heard it or not."""

        self.count = 0
        """How many messages the venue had to tell."""

        self.pongs = 0
        self._keys = tuple(keys)
        self._peers: dict[int, Peer] = {}
        self._pings_s = PING_S
        self._back_s = 0.0
        """From then on somebody listens."""

        self._skip = 0
        self._torn = False
        self._rushes = 0
        self.stream = Stream(plan, lambda: MarketDialect(lambda: 0), Random(seed))
        self.stream.subscribe([Subscription(key=k, rate_hz=0.5) for k in keys], 0.0)
        self.stream.start(0.0)
        self._settle()

    # --- the machine's sockets ----------------------------------------------------

    def _settle(self) -> list[StreamEvent]:
        """Carry out what the machine wants; return what it told."""
        while effects := self.stream.effects():
            for effect in effects:
                match effect:
                    case Open(number=number):
                        self._open(number)
                    case Write(number=number, data=sent):
                        self._hear(number, sent)
                    case Drop(number=number):
                        self._peers.pop(number, None)
        events = self.stream.events()
        self.told.update(type(each).__name__ for each in events)
        return events

    def _open(self, number: int) -> None:
        if self.now_s < self._back_s:
            self.stream.lost(number, "nobody listens", self.now_s)
            return
        ws = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        self._peers[number] = Peer(ws, self.now_s)
        self.stream.opened(number, self.now_s)

    def _hear(self, number: int, sent: bytes) -> None:
        peer = self._peers.get(number)
        if peer is None or peer.is_mute:
            return
        peer.ws.receive_data(sent)
        for event in peer.ws.events():
            if isinstance(event, frames.Request):
                self._say(number, frames.AcceptConnection())
            elif isinstance(event, frames.Ping):
                self._say(number, event.response())
            elif isinstance(event, frames.Pong):
                self.pongs += 1
            elif isinstance(event, frames.TextMessage):
                self._answer(number, peer, json.loads(event.data))

    def _answer(self, number: int, peer: Peer, asked: dict[str, Any]) -> None:
        if asked["method"] == "SUBSCRIBE":
            peer.keys.update(asked["params"])
        else:
            peer.keys.difference_update(asked["params"])
        self._text(number, json.dumps({"result": None, "id": asked["id"]}))

    def _text(self, number: int, text: str) -> None:
        self._say(number, frames.TextMessage(data=text))

    def _say(self, number: int, event: frames.Event) -> None:
        peer = self._peers.get(number)
        if peer is not None and not peer.is_mute:
            self.stream.received(number, peer.ws.send(event), self.now_s)

    # --- time, and what the venue tells -------------------------------------------

    def live(
        self,
        messages: Iterator[tuple[float, Message]],
        until_s: float,
        fault_every_s: float = 0.0,
    ) -> None:
        """Tell ``messages`` until then, with a fault so often, if at all."""
        kinds: list[Callable[[], None]] = []
        fault_s = self.now_s + fault_every_s if fault_every_s else until_s
        while self.now_s < until_s:
            after_s, message = next(messages)
            if self._rushes:
                after_s, self._rushes = 0.0, self._rushes - 1
            self._wait(after_s)
            self._publish(message)
            if self.now_s >= fault_s:
                fault_s += fault_every_s * self.random.uniform(0.5, 1.5)
                kinds = kinds or self._kinds()
                kinds.pop()()
                self._check(self._settle(), None)

    def _wait(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while (due_s := self.stream.deadline_s(self.now_s)) <= until_s:
            self.now_s = max(due_s, self.now_s)
            self.stream.tick(self.now_s)
            self._check(self._settle(), None)
        self.now_s = until_s
        if self.now_s >= self._pings_s:
            self._pings_s = self.now_s + PING_S
            for number, peer in list(self._peers.items()):
                if self.now_s - peer.opened_s >= AGE_S:
                    self._say(number, frames.CloseConnection(code=1001))
                else:
                    self._say(number, frames.Ping())
            self._check(self._settle(), None)

    def _publish(self, message: Message) -> None:
        self.sent[message.key] = message.number
        self.count += 1
        if self._skip:
            self._skip -= 1
            return
        text = message.text[:-3] if self._torn else message.text
        is_told = False
        for number, peer in list(self._peers.items()):
            if message.key in peer.keys and not peer.is_mute:
                self._text(number, text)
                is_told = not self._torn
        self._torn = False
        self._check(self._settle(), message if is_told else None)

    def _check(self, events: list[StreamEvent], message: Message | None) -> None:
        """See that ``message`` is told once, and a hole before it; and nothing else."""
        data = [each for each in events if isinstance(each, Data)]
        gaps = [each for each in events if isinstance(each, Gap)]
        if message is None:
            assert not data
            assert not gaps
            return
        assert [(each.key, each.sequence) for each in data] == [
            (message.key, message.number)
        ]
        seen, (first,) = self.last.get(message.key), data
        self.last[message.key] = message.number
        if seen is None or first.follows is None or first.follows <= seen:
            assert not gaps
            return
        assert [(each.key, each.after, each.before) for each in gaps] == [
            (message.key, seen, message.number)
        ]

    # --- faults -----------------------------------------------------------------

    def _kinds(self) -> list[Callable[[], None]]:
        """Return each kind once, in an order that is drawn."""
        kinds = [
            self._cut, self._half_open, self._close, self._leave, self._vanish,
            self._garble, self._lose_some, self._tear, self._mute_one, self._rush,
        ]  # fmt: skip
        self.random.shuffle(kinds)
        return kinds

    def _cut(self) -> None:
        for number in list(self._peers):
            del self._peers[number]
            self.stream.lost(number, "cut", self.now_s)

    def _half_open(self) -> None:
        for peer in self._peers.values():
            peer.is_mute = True

    def _close(self) -> None:
        for number in list(self._peers):
            code = self.random.choice([1000, 1001, 1008, 1011])
            self._say(number, frames.CloseConnection(code=code))

    def _leave(self) -> None:
        text = '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}'
        for number in list(self._peers):
            self._text(number, text)

    def _vanish(self) -> None:
        self._back_s = self.now_s + self.random.uniform(1.0, 120.0)
        self._cut()

    def _garble(self) -> None:
        count = self.random.randint(1, 12)
        for number in list(self._peers):
            for _ in range(count):
                self._text(number, NONSENSE)

    def _lose_some(self) -> None:
        self._skip = self.random.randint(1, 50)

    def _tear(self) -> None:
        self._torn = True

    def _mute_one(self) -> None:
        key = self.random.choice(self._keys)
        for peer in self._peers.values():
            peer.keys.discard(key)

    def _rush(self) -> None:
        self._rushes = 2_000
