"""A venue for streams: a dialect of three words, and a server that speaks it.

The server stands on trio-websocket, whose framing shares nothing with our `Wire` but
wsproto; what it must not do, tests do to its socket.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TypeVar

import attrs
import msgspec
import trio
import trio_websocket

from holdfast_adapters.streams import (
    Ask,
    Beat,
    Confirmed,
    Data,
    Denied,
    Heard,
    Leaving,
    LoggedIn,
    Malformed,
    Reply,
    Stream,
    StreamClient,
    StreamEvent,
    StreamPlan,
)
from holdfast_adapters.streams.wire import Endpoint


class Plain:
    """``{"ask": "subscribe", "keys": […]}`` and ``{"key": …, "n": …, "value": …}``."""

    def __init__(self, *, secret: str = "", beats: bool = False) -> None:
        self._secret = secret
        self._beats = beats

    def login(self) -> Ask | None:
        if not self._secret:
            return None
        said = json.dumps({"ask": "login", "secret": self._secret})
        return Ask(payload=said, is_secret=True)

    def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        return self._ask("subscribe", keys, keys)

    def unsubscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        return self._ask("unsubscribe", keys, ())

    def heartbeat(self) -> Ask | None:
        return Ask(payload='{"ask": "beat"}') if self._beats else None

    def _ask(
        self, word: str, keys: Sequence[str], confirmed: Sequence[str]
    ) -> Sequence[Ask]:
        said = json.dumps({"ask": word, "keys": list(keys)})
        return [Ask(payload=said, keys=confirmed)]

    def read(self, payload: bytes, received_s: float) -> Sequence[Heard]:
        said = msgspec.json.decode(payload)
        if not isinstance(said, dict):
            raise Malformed(f"expected an object, got {said!r}")
        match said:
            case {"key": key, "value": value}:
                return [
                    Data(
                        key=key,
                        value=value,
                        received_s=received_s,
                        sequence=said.get("n"),
                        follows=said.get("after"),
                        identity=said.get("id"),
                    )
                ]
            case {"confirmed": keys}:
                return [Confirmed(keys=keys)]
            case {"denied": key}:
                return [Denied(key=key, code="-1", reason="no")]
            case {"reply": identity}:
                return [Reply(identity=identity, value=said, received_s=received_s)]
            case {"welcome": _}:
                return [LoggedIn()]
            case {"leaving": reason}:
                return [Leaving(reason=reason)]
            case {"beat": _}:
                return [Beat()]
            case _:
                raise Malformed(f"expected a word of ours, got {said}")


def data(key: str, value: object = 0, **more: object) -> str:
    """A message of the venue with an event."""
    return json.dumps({"key": key, "value": value, **more})


@attrs.define(eq=False)
class Peer:
    """One connection as the server has it."""

    socket: trio_websocket.WebSocketConnection
    number: int
    heard: list[dict[str, object]] = attrs.field(factory=list)

    @property
    def raw(self) -> trio.SocketStream:
        """The TCP stream below."""
        stream = self.socket._stream
        assert isinstance(stream, trio.SocketStream)
        return stream

    async def say(self, *messages: str) -> None:
        for message in messages:
            await self.socket.send_message(message)

    async def next(self) -> dict[str, object]:
        said: dict[str, object] = json.loads(await self.socket.get_message())
        self.heard.append(said)
        return said

    async def confirm(self) -> list[str]:
        """Wait for a subscription, confirm it, and return its keys."""
        said = await self.next()
        assert said["ask"] == "subscribe", said
        await self.say(json.dumps({"confirmed": said["keys"]}))
        keys: list[str] = said["keys"]  # type: ignore[assignment]
        return keys

    async def idle(self) -> None:
        """Stay until the client goes."""
        try:
            while True:
                await self.next()
        except trio_websocket.ConnectionClosed:
            pass


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


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """Serve ``script`` to each connection on loopback; yields the URL."""
    count = 0

    async def greet(request: trio_websocket.WebSocketRequest) -> None:
        nonlocal count
        count += 1
        number = count
        peer = Peer(await request.accept(), number)
        with suppress(trio_websocket.ConnectionClosed):
            await script(peer)

    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            trio_websocket.serve_websocket, greet, "127.0.0.1", 0, None
        )
        yield f"ws://127.0.0.1:{server.port}/"
        nursery.cancel_scope.cancel()


class Proxy:
    """Passes bytes on between client and server, until it is told to swallow them."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._mute: set[int] = set()
        self._count = 0
        self.url = ""

    def mute(self) -> None:
        """Let every present connection look alive and carry nothing, both ways."""
        self._mute.update(range(self._count))

    async def serve(self, stream: trio.SocketStream) -> None:
        number, self._count = self._count, self._count + 1
        upstream = await trio.open_tcp_stream("127.0.0.1", self._upstream)
        async with upstream, trio.open_nursery() as nursery:
            nursery.start_soon(self._pass, number, stream, upstream)
            await self._pass(number, upstream, stream)
            nursery.cancel_scope.cancel()

    async def _pass(
        self, number: int, source: trio.SocketStream, sink: trio.SocketStream
    ) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for some in source:
                if number not in self._mute:
                    await sink.send_all(some)


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """Stand between a client and the server at ``url``."""
    proxy = Proxy(Endpoint.of(url).port)
    async with trio.open_nursery() as nursery:
        (listener, *_) = await nursery.start(trio.serve_tcp, proxy.serve, 0)
        proxy.url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/"
        yield proxy
        nursery.cancel_scope.cancel()


def plan(url: str, **more: object) -> StreamPlan:
    """A plan without the wait before another attempt, so that tests are quick."""
    quick = {"backoff_first_s": 0.001, "backoff_last_s": 0.002}
    return StreamPlan(url=url, **(quick | more))  # type: ignore[arg-type]


@asynccontextmanager
async def client(
    plan: StreamPlan, dialect: Callable[[], Plain] = Plain
) -> AsyncIterator[StreamClient]:
    """A running client."""
    stream = Stream(plan, dialect, Random(0))
    made = StreamClient(stream)
    async with trio.open_nursery() as nursery:
        await nursery.start(made.run)
        yield made
        nursery.cancel_scope.cancel()
