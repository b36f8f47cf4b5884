"""A venue for streams: a dialect of three words, and a server that speaks it.

The server stands on trio-websocket, whose framing shares nothing with our `Wire` but
wsproto; what it must not do, tests do to its socket.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random

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
    StreamPlan,
)


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
