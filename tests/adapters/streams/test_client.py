"""The client over real sockets on loopback."""

from __future__ import annotations

from typing import TypeVar

from holdfast_adapters.streams import (
    Data,
    StreamClient,
    StreamEvent,
    Subscription,
    Up,
)

from .venue import Peer, client, data, plan, serving

T = TypeVar("T", bound=StreamEvent)


class Reader:
    """Reads a client's events until one of a kind comes."""

    def __init__(self, client: StreamClient) -> None:
        self._client = client
        self._left: list[StreamEvent] = []
        self.seen: list[StreamEvent] = []

    async def next(self, kind: type[T]) -> T:
        while True:
            while self._left:
                event = self._left.pop(0)
                self.seen.append(event)
                if isinstance(event, kind):
                    return event
            self._left = await self._client.batch()


async def test_what_is_subscribed_comes_and_carries_when_it_came() -> None:
    async def script(peer: Peer) -> None:
        assert await peer.confirm() == ["a"]
        await peer.say(data("a", "first"), data("a", "second"))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        up = await reader.next(Up)
        first, second = await reader.next(Data), await reader.next(Data)

    assert (first.value, second.value) == ("first", "second")
    assert up.hole_s is None
    assert up.at_s <= first.received_s <= second.received_s


async def test_after_a_reconnect_everything_is_subscribed_again() -> None:
    async def script(peer: Peer) -> None:
        assert sorted(await peer.confirm()) == ["a", "b"]
        await peer.say(data("a", peer.number))
        if peer.number > 1:
            await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a"), Subscription(key="b")])
        reader = Reader(made)
        await reader.next(Up)
        first = await reader.next(Data)
        up = await reader.next(Up)
        second = await reader.next(Data)

    assert (first.value, second.value) == (1, 2)
    assert up.hole_s is not None
    assert up.hole_s > 0
