"""The pure machine in virtual time: it always comes back, and tells each hole."""

from __future__ import annotations

import math
from random import Random

import wsproto
from hypothesis import given, strategies as st
from tests.sampling import examples
from wsproto import events as frames

from holdfast_adapters.streams import Data, Down, Gap, Stream, Subscription, Up
from holdfast_adapters.streams.effects import Drop, Open, Write
from holdfast_adapters.streams.phases import TABLE, Cause, Phase
from holdfast_adapters.streams.wire import Accepted, Closed, Endpoint, Wire

from .venue import Plain, data, plan

Step = tuple[str, int]


class World:
    """A venue in memory, the machine's sockets, and the time."""

    def __init__(self, rate_hz: float = 1.0) -> None:
        self.now_s = 0.0
        self.stream = Stream(
            plan("ws://x/", backoff_first_s=1.0, backoff_last_s=16.0, lifetime_s=100.0),
            Plain,
            Random(0),
        )
        self.stream.subscribe([Subscription(key="a", rate_hz=rate_hz)], 0.0)
        self.peers: dict[int, wsproto.WSConnection] = {}
        self.subscribed: set[int] = set()
        self.told: list[object] = []
        self.number = 0
        self.is_there = True
        self.stream.start(0.0)
        self.settle()

    def settle(self) -> None:
        """Carry out what the machine wants until it wants nothing."""
        while effects := self.stream.effects():
            for effect in effects:
                match effect:
                    case Open(number=number):
                        self._open(number)
                    case Write(number=number, data=sent):
                        self._hear(number, sent)
                    case Drop(number=number):
                        self.peers.pop(number, None)
                        self.subscribed.discard(number)
        self.told += self.stream.events()

    def _open(self, number: int) -> None:
        if self.is_there:
            self.peers[number] = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
            self.stream.opened(number, self.now_s)
        else:
            self.stream.lost(number, "nobody listens", self.now_s)

    def _hear(self, number: int, sent: bytes) -> None:
        peer = self.peers.get(number)
        if peer is None:
            return
        peer.receive_data(sent)
        for event in peer.events():
            if isinstance(event, frames.Request):
                self._say(number, peer.send(frames.AcceptConnection()))
            elif isinstance(event, frames.Ping):
                self._say(number, peer.send(event.response()))
            elif isinstance(event, frames.TextMessage) and '"subscribe"' in event.data:
                self.subscribed.add(number)
                self._text(number, '{"confirmed": ["a"]}')

    def _text(self, number: int, text: str) -> None:
        peer = self.peers[number]
        self._say(number, peer.send(frames.TextMessage(data=text)))

    def _say(self, number: int, data: bytes) -> None:
        self.stream.received(number, data, self.now_s)

    def publish(self) -> None:
        """Tell the next event to all who subscribed."""
        self.number += 1
        text = data("a", self.number, n=self.number, after=self.number - 1)
        for number in sorted(self.subscribed & set(self.peers)):
            self._text(number, text)
        self.settle()

    def wait(self, seconds: int) -> None:
        """Let time pass, and wake the machine exactly when it asks to be."""
        until_s = self.now_s + seconds
        while (due_s := self.stream.deadline_s(self.now_s)) <= until_s:
            self.now_s = max(due_s, self.now_s)
            self.stream.tick(self.now_s)
            self.settle()
        self.now_s = until_s

    def do(self, step: Step) -> None:
        word, amount = step
        match word:
            case "publish":
                self.publish()
            case "wait":
                self.wait(amount)
            case "cut":
                for number in sorted(self.peers)[: amount % 2 + 1]:
                    del self.peers[number]
                    self.subscribed.discard(number)
                    self.stream.lost(number, "cut", self.now_s)
            case "mute":
                self.subscribed.clear()
            case _:
                self.is_there = not self.is_there
        self.settle()


words = st.sampled_from(
    ["publish", "publish", "publish", "wait", "cut", "mute", "gone"]
)


@examples(60)
@given(
    st.lists(st.tuples(words, st.integers(1, 90)), max_size=40),
    st.sampled_from([1.0, 0.005]),
)
def test_whatever_happens_it_comes_back_and_each_hole_is_told(
    steps: list[Step], rate_hz: float
) -> None:
    world = World(rate_hz)
    for step in steps:
        world.do(step)
    world.is_there = True
    world.wait(2_000)
    before = len(world.told)
    world.publish()

    last = [each for each in world.told[before:] if isinstance(each, Data)]
    assert [each.value for each in last] == [world.number]
    seen = None
    for event in world.told:
        if isinstance(event, Gap):
            assert event.after == seen
            assert event.before > event.after + 1
            seen = event.before - 1
        elif isinstance(event, Data):
            assert isinstance(event.value, int)
            assert seen is None or event.value == seen + 1
            seen = event.value
    assert math.isfinite(world.stream.deadline_s(world.now_s))


def test_one_seed_gives_one_history() -> None:
    steps: list[Step] = [("publish", 1), ("cut", 1), ("wait", 40), ("gone", 1)]
    histories = []
    for _ in range(2):
        world = World()
        for step in [*steps, ("cut", 1), ("wait", 90), ("gone", 1), ("wait", 90)]:
            world.do(step)
        histories.append(world.told)

    assert histories[0] == histories[1]
    assert [each for each in histories[0] if isinstance(each, Down)]
    assert [each for each in histories[0] if isinstance(each, Up)]


payloads = st.lists(st.binary(max_size=300), min_size=1, max_size=8)


@given(payloads, st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_messages_are_the_same_however_the_bytes_are_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    wire = Wire(Endpoint.of("ws://x/"), message_bytes_max=300)
    server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    server.receive_data(wire.hello())
    list(server.events())
    sent = server.send(frames.AcceptConnection())
    sent += b"".join(server.send(frames.BytesMessage(data=each)) for each in messages)
    sent += server.send(frames.CloseConnection(code=1001, reason="bye"))

    came, at, turn = [], 0, 0
    while at < len(sent):
        size = cuts[turn % len(cuts)]
        came += wire.feed(sent[at : at + size])
        at, turn = at + size, turn + 1

    assert came == [Accepted(), *messages, Closed(1001, "bye")]


def test_each_phase_is_reached_and_each_cause_is_used() -> None:
    assert set(TABLE.values()) == set(Phase)
    assert {cause for _, cause in TABLE} == set(Cause)
