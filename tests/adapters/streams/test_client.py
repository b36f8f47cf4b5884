"""The client over real sockets on loopback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

import pytest
import trio

from holdfast_adapters.streams import (
    Ask,
    Data,
    Down,
    Refused,
    Reply,
    Stream,
    StreamClient,
    Subscription,
    Up,
)
from holdfast_domain.errors import NotSent

from .venue import Peer, Plain, Reader, client, data, plan, serving


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


async def test_a_login_comes_first_and_a_refused_one_is_tried_again() -> None:
    heard: list[str] = []

    async def script(peer: Peer) -> None:
        said = await peer.next()
        heard.append(str(said["secret"]))
        if peer.number == 1:
            await peer.say(json.dumps({"denied": None}))
            await peer.idle()
        await peer.say('{"welcome": 1}')
        await peer.confirm()
        await peer.idle()

    def dialect() -> Plain:
        return Plain(secret="hush")

    async with serving(script) as url, client(plan(url), dialect) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        down = await reader.next(Down)
        await reader.next(Up)

    assert heard == ["hush", "hush"]
    assert down.why == "login refused: -1 no"


async def test_a_refused_subscription_costs_its_siblings_nothing() -> None:
    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.say('{"denied": "gone"}', '{"confirmed": ["a"]}', data("a"))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a"), Subscription(key="gone")])
        reader = Reader(made)
        refused = await reader.next(Refused)
        await reader.next(Up)
        await reader.next(Data)

    assert (refused.key, refused.code, refused.reason) == ("gone", "-1", "no")


async def test_a_request_is_answered_and_one_too_many_is_not_sent() -> None:
    async def script(peer: Peer) -> None:
        while True:
            said = await peer.next()
            await peer.say(json.dumps({"reply": said["id"]}))

    async with (
        serving(script) as url,
        client(plan(url, sends_per_s=1e-3, sends_burst=3, sends_reserve=1)) as made,
    ):
        with pytest.raises(NotSent, match="not connected"):
            made.send(Ask(payload='{"id": "early"}'))
        reader = Reader(made)
        await reader.next(Up)
        for identity in ("1", "2"):
            made.send(Ask(payload=json.dumps({"id": identity})))
        with pytest.raises(NotSent, match="limit of messages"):
            made.send(Ask(payload='{"id": "3"}'))
        made.send(Ask(payload='{"id": "cancel"}'), urgent=True)
        answers = [(await reader.next(Reply)).identity for _ in range(3)]

    assert answers == ["1", "2", "cancel"]


async def test_cancelling_ends_it_at_once_whatever_is_under_way() -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        for _ in range(100):
            await peer.say(*[data("a")] * 10)
            await peer.socket.ping()

    async with serving(script) as url:
        for _ in range(20):
            async with client(plan(url)) as made:
                made.subscribe([Subscription(key="a")])
                await Reader(made).next(Data)


async def test_what_a_dialect_does_wrong_comes_out_as_itself() -> None:
    class Broken(Plain):
        def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
            raise KeyError(keys[0])

    async def script(peer: Peer) -> None:
        await peer.idle()

    async with serving(script) as url:
        made = StreamClient(Stream(plan(url), Broken, Random(0)))
        made.stream.subscribe([Subscription(key="a")], trio.current_time())
        with pytest.raises(KeyError, match="a"):
            await made.run()
