"""What goes wrong on real sockets, down to the byte, in virtual time."""

from __future__ import annotations

import json
import socket
import struct

import pytest
import trio
import trio_websocket
from trio.testing import MockClock

from holdfast_adapters.streams import (
    Data,
    Down,
    Dropped,
    Fresh,
    Gap,
    Garbled,
    Overflow,
    Rotated,
    Stale,
    Subscription,
    Up,
)

from .venue import Peer, Reader, client, data, plan, proxied, serving


@pytest.fixture
def clock() -> MockClock:
    """Jumps when nothing has moved for a moment, so that sockets are not outrun."""
    return MockClock(autojump_threshold=0.02)


def frame(payload: str, first: int = 0x81) -> bytes:
    """A frame from the server, of at most 125 bytes; 0x81 is a whole text."""
    body = payload.encode()
    return bytes([first, len(body)]) + body


async def reset(peer: Peer) -> None:
    """End the connection as a machine that lost its memory does."""
    linger = struct.pack("ii", 1, 0)
    peer.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    await trio.aclose_forcefully(peer.raw)


async def test_a_half_open_connection_is_dead_after_a_minute_of_silence(
    clock: MockClock,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        await peer.say(data("a", peer.number))
        await peer.idle()

    async with (
        serving(script) as url,
        proxied(url) as proxy,
        client(plan(proxy.url)) as made,
    ):
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        last = await reader.next(Data)
        proxy.mute()
        down = await reader.next(Down)
        await reader.next(Up)
        again = await reader.next(Data)

    assert down.why == "nothing came for 60 s"
    assert down.at_s == pytest.approx(last.received_s + 60.0, abs=1.0)
    assert again.value == 2


async def test_a_reset_in_the_middle_of_a_frame_tells_nothing_of_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        if peer.number == 1:
            await peer.raw.send_all(frame(data("a", 1)) + frame(data("a", 2))[:-3])
            await trio.testing.wait_all_tasks_blocked(0.01)
            await reset(peer)
            return
        await peer.say(data("a", 3))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        values = [(await reader.next(Data)).value for _ in range(2)]
        downs = [event for event in reader.seen if isinstance(event, Down)]

    assert values == [1, 3]
    assert len(downs) == 1
    assert "reset" in downs[0].why.lower() or "broken" in downs[0].why


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1012, 4001])
async def test_whatever_code_it_closes_with_we_come_back(code: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        if peer.number == 1:
            await peer.socket.aclose(code, "enough")
            return
        await peer.say(data("a"))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        down = await reader.next(Down)
        await reader.next(Data)

    assert (down.code, down.why) == (code, f"closed: {code} enough")


async def test_a_message_in_parts_with_a_ping_between_is_whole() -> None:
    text = data("a", "in parts")

    async def script(peer: Peer) -> None:
        await peer.confirm()
        parts = (
            frame(text[:5], 0x01),
            frame("are you there", 0x89),
            frame(text[5:9], 0x00),
            frame(text[9:], 0x80),
            frame(data("a", "after")),
        )
        for byte in b"".join(parts):
            await peer.raw.send_all(bytes([byte]))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        values = [(await reader.next(Data)).value for _ in range(2)]

    assert values == ["in parts", "after"]


async def test_pings_in_a_flood_are_answered_though_nobody_reads_the_inbox() -> None:
    flood, most, pinged = 20_000, 1_000, trio.Event()

    async def script(peer: Peer) -> None:
        await peer.confirm()
        text = [frame(data("a", number)) for number in range(flood)]
        for start in range(0, flood, 100):
            await peer.raw.send_all(b"".join(text[start : start + 100]))
        await peer.socket.ping(b"still there?")  # Returns when the pong is here.
        pinged.set()
        await peer.idle()

    async with serving(script) as url, client(plan(url, inbox_max=most)) as made:
        made.subscribe([Subscription(key="a")])
        await pinged.wait()
        assert len(made.inbox) <= most
        events = await made.batch()

    told = [event.value for event in events if isinstance(event, Data)]
    dropped = [event.count for event in events if isinstance(event, Dropped)]
    assert len(dropped) == 1
    assert len(told) + dropped[0] == flood
    assert told == list(range(flood - len(told), flood))
    assert made.inbox.dropped == {"a": dropped[0]}


async def test_what_must_not_be_dropped_costs_the_connection_instead() -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        if peer.number == 1:
            await peer.say(*[data("fills", number) for number in range(50)])
        await peer.idle()

    async with serving(script) as url, client(plan(url, inbox_max=20)) as made:
        made.subscribe([Subscription(key="fills", overflow=Overflow.RECONNECT)])
        reader = Reader(made)
        await trio.testing.wait_all_tasks_blocked(0.05)
        down = await reader.next(Down)
        up = await reader.next(Up)

    told = [event.value for event in reader.seen if isinstance(event, Data)]
    assert down.why == "the inbox is full"
    assert up.hole_s is not None
    assert told == list(range(len(told)))


async def test_nine_messages_of_garbage_are_borne_and_ten_in_a_row_are_not() -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        if peer.number == 1:
            await peer.say(*["garbage"] * 9, data("a", 1), *["[]"] * 10)
        else:
            await peer.say(data("a", 2))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        first = await reader.next(Data)
        down = await reader.next(Down)
        second = await reader.next(Data)

    garbled = [event.in_a_row for event in reader.seen if isinstance(event, Garbled)]
    assert garbled == [*range(1, 10), *range(1, 11)]
    assert (first.value, second.value) == (1, 2)
    assert down.code == 1007


@pytest.mark.parametrize("parts", [1, 4])
async def test_a_message_that_is_too_long_ends_the_connection(parts: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.confirm()
        if peer.number == 1:
            size = 1_200 // parts
            firsts = [0x81] if parts == 1 else [0x01, *[0x00] * (parts - 2), 0x80]
            head = [bytes([first, 126]) + size.to_bytes(2) for first in firsts]
            await peer.raw.send_all(b"".join(each + b"x" * size for each in head))
        await peer.idle()

    async with (
        serving(script) as url,
        client(plan(url, message_bytes_max=1_000)) as made,
    ):
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        down = await reader.next(Down)
        await reader.next(Up)

    assert down.code == 1009
    assert down.why.endswith("1200 bytes")


@pytest.mark.parametrize(
    "bad", [b"\x81\x85abcd", b"\xf1\x01x", b"\x83\x01x", b"\x89\x7e\x00\x80"]
)
async def test_frames_against_the_rules_end_the_connection(bad: bytes) -> None:
    """Masked, with reserved bits, of an unknown kind, and a ping that is too long."""

    async def script(peer: Peer) -> None:
        await peer.confirm()
        if peer.number == 1:
            await peer.raw.send_all(bad + bytes(200))
        await peer.idle()

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        down = await reader.next(Down)
        await reader.next(Up)

    assert down.code == 1002


async def test_a_silent_subscription_is_seen_although_the_connection_lives(
    clock: MockClock,
) -> None:
    revived: list[int] = []

    async def talk(peer: Peer) -> None:
        while True:
            await trio.sleep(1.0)
            await peer.say(data("lively"))
            if peer.number == 2:
                await peer.say(data("silent"))

    async def script(peer: Peer) -> None:
        await peer.confirm()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(talk, peer)
                while True:
                    said = await peer.next()
                    if said["ask"] == "subscribe":
                        revived.append(peer.number)
                        await peer.say(json.dumps({"confirmed": said["keys"]}))
        except* trio_websocket.ConnectionClosed:
            pass

    async with serving(script) as url, client(plan(url)) as made:
        made.subscribe(
            [
                Subscription(key="lively", rate_hz=1.0),
                Subscription(key="silent", rate_hz=1.0),
            ]
        )
        reader = Reader(made)
        stale = await reader.next(Stale)
        fresh = await reader.next(Fresh)
        rotated = [event for event in reader.seen if isinstance(event, Rotated)]
        downs = [event for event in reader.seen if isinstance(event, Down)]

    assert (stale.key, fresh.key) == ("silent", "silent")
    assert stale.silent_s == pytest.approx(20.0, abs=1.5)
    assert revived == [1]
    assert [event.why for event in rotated] == ["silent is silent"]
    assert downs == []


async def test_a_rotation_leaves_no_hole_and_repeats_nothing(clock: MockClock) -> None:
    numbers = 0

    async def tell_all(peers: list[Peer]) -> None:
        nonlocal numbers
        while True:
            await trio.sleep(0.5)
            numbers += 1
            text = data("a", numbers, n=numbers, after=numbers - 1)
            for peer in list(peers):
                try:
                    await peer.say(text)
                except trio_websocket.ConnectionClosed:
                    peers.remove(peer)

    peers: list[Peer] = []

    async def script(peer: Peer) -> None:
        await peer.confirm()
        peers.append(peer)
        await peer.idle()

    async with (
        serving(script) as url,
        client(plan(url, lifetime_s=30.0)) as made,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(tell_all, peers)
        made.subscribe([Subscription(key="a", rate_hz=2.0)])
        reader = Reader(made)
        for _ in range(3):
            await reader.next(Rotated)
        for _ in range(10):
            await reader.next(Data)
        nursery.cancel_scope.cancel()

    told = [event.value for event in reader.seen if isinstance(event, Data)]
    assert told == list(range(1, len(told) + 1))
    assert made.stream.repeated > 0
    assert [event for event in reader.seen if isinstance(event, Down | Gap)] == []


async def test_a_refused_handshake_is_tried_again_when_the_venue_says(
    clock: MockClock,
) -> None:
    came: list[float] = []

    async def refuse(stream: trio.SocketStream) -> None:
        came.append(trio.current_time())
        await stream.receive_some(4096)
        await stream.send_all(
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 90\r\n"
            b"Content-Length: 0\r\n\r\n"
        )

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, refuse, 0)
        port = listeners[0].socket.getsockname()[1]
        async with client(plan(f"ws://127.0.0.1:{port}/")) as made:
            reader = Reader(made)
            down = await reader.next(Down)
            await reader.next(Down)
        nursery.cancel_scope.cancel()

    assert (down.code, down.retry_in_s) == (429, 90.0)
    assert came[1] - came[0] == pytest.approx(90.0, abs=0.5)


async def test_a_venue_that_is_not_there_is_asked_for_ever(clock: MockClock) -> None:
    async with client(
        plan("ws://127.0.0.1:1/", backoff_first_s=1.0, backoff_last_s=16.0)
    ) as made:
        reader = Reader(made)
        downs = [await reader.next(Down) for _ in range(40)]

    waits = [down.retry_in_s for down in downs]
    assert all(1.0 <= wait <= 16.0 for wait in waits)
    assert all(wait >= 8.0 for wait in waits[3:])
    assert len(set(waits)) == len(waits)
