"""What a stream's tap sees is on disk, and plays back through a real socket."""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path
from random import Random

import pytest
import trio
from trio.testing import MockClock

from holdfast_adapters.streams import Data, Stream, StreamClient, Subscription
from holdfast_adapters.streams.recording import (
    Kind,
    Record,
    Recorder,
    RecordingDamaged,
    records,
    segments,
)
from holdfast_adapters.streams.replaying import ReplayServer

from .recordings import hftbacktest
from .venue import Peer, Plain, Reader, client, data, plan, serving


async def recorded(folder: Path, messages: int) -> list[object]:
    """Record a stream with a secret login; returns the values that it told."""

    async def script(peer: Peer) -> None:
        await peer.next()
        await peer.say('{"welcome": 1}')
        await peer.confirm()
        await peer.say(*[data("a", number) for number in range(messages)])
        await peer.idle()

    times = count(1_000, 1_000_000)
    recorder = Recorder(folder, lambda: next(times), segment_bytes=200)
    async with serving(script) as url, trio.open_nursery() as nursery:
        stream = Stream(plan(url), lambda: Plain(secret="hush"), Random(0), recorder)
        made = StreamClient(stream)
        await nursery.start(made.run)
        made.subscribe([Subscription(key="a")])
        reader = Reader(made)
        values = [(await reader.next(Data)).value for _ in range(messages)]
        nursery.cancel_scope.cancel()
    recorder.close()
    assert recorder.failed is None
    return values


async def test_what_was_recorded_plays_back_through_a_socket(tmp_path: Path) -> None:
    values = await recorded(tmp_path, 20)

    async with trio.open_nursery() as nursery:
        server = ReplayServer(list(records(tmp_path)))
        port = await nursery.start(server.serve)
        url = plan(f"ws://127.0.0.1:{port}/")
        async with client(url, lambda: Plain(secret="other")) as made:
            made.subscribe([Subscription(key="a")])
            reader = Reader(made)
            again = [(await reader.next(Data)).value for _ in range(20)]
        nursery.cancel_scope.cancel()

    assert again == values == list(range(20))


async def test_a_recording_has_segments_and_no_secret(tmp_path: Path) -> None:
    await recorded(tmp_path, 20)

    kinds = [each.kind for each in records(tmp_path)]
    assert len(segments(tmp_path)) > 3
    assert kinds[:4] == [Kind.CONNECTED, Kind.SAID, Kind.HEARD, Kind.SAID]
    assert not any(b"hush" in path.read_bytes() for path in segments(tmp_path))


async def test_a_torn_end_is_passed_over_and_a_changed_byte_is_not(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path, lambda: 7)
    for payload in (b"one", b"two", b"three"):
        recorder.heard(1, payload)
    recorder.close()
    (path,) = segments(tmp_path)
    whole = path.read_bytes()

    for cut in range(1, 8):
        path.write_bytes(whole[:-cut])
        assert [each.payload for each in records(tmp_path)] == [b"one", b"two"]
    for at in range(len(whole) - 5, len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises(RecordingDamaged, match="checksum"):
            list(records(tmp_path))


async def test_a_replay_keeps_the_recorded_pace(autojump_clock: MockClock) -> None:
    played = [
        Record(at_ns=at_s * 10**9, kind=Kind.HEARD, number=1, payload=b'{"beat": 1}')
        for at_s in (100, 110, 130)
    ]
    server = ReplayServer(played, speed=10.0)
    async with trio.open_nursery() as nursery:
        port = await nursery.start(server.serve)
        began_s = trio.current_time()
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        heard = b""
        async with stream:
            while heard.count(b"beat") < len(played):
                heard += await stream.receive_some(4096)
        took_s = trio.current_time() - began_s
        nursery.cancel_scope.cancel()

    assert took_s == pytest.approx(3.0)


async def test_a_venues_own_recording_comes_through_whole() -> None:
    """Each recorded message is told; none is changed by the way."""
    wanted = [
        message for _, message in islice(hftbacktest("spot/btcusdt_20240808"), 500)
    ]
    texts = [data("a", message) for message in wanted]
    played = [
        Record(at_ns=0, kind=Kind.HEARD, number=1, payload=text.encode())
        for text in texts
    ]
    confirmed = Record(
        at_ns=0, kind=Kind.HEARD, number=1, payload=b'{"confirmed": ["a"]}'
    )
    asked = Record(at_ns=0, kind=Kind.SAID, number=1, payload=b"")
    async with trio.open_nursery() as nursery:
        server = ReplayServer([asked, confirmed, *played])
        port = await nursery.start(server.serve)
        async with client(plan(f"ws://127.0.0.1:{port}/")) as made:
            made.subscribe([Subscription(key="a")])
            reader = Reader(made)
            told = [(await reader.next(Data)).value for _ in wanted]
        nursery.cancel_scope.cancel()

    assert told == wanted
