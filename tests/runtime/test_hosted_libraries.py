"""The real ib_async and ccxt in a hosted loop, against sockets on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

from holdfast_runtime.threads import PykkaAsyncioHost

ib_async = pytest.importorskip("ib_async")
ccxt = pytest.importorskip("ccxt.async_support")

SOON_S = 0.2
LONG_S = 30.0
DEAF_S = 60.0
TIME = b'{"serverTime": 1700000000000}'
Server = Callable[[trio.SocketStream], Coroutine[Any, Any, None]]


@asynccontextmanager
async def hosting() -> AsyncGenerator[PykkaAsyncioHost]:
    host = PykkaAsyncioHost(name="venue")
    try:
        yield host
    finally:
        host.close()


@asynccontextmanager
async def serving(serve: Server) -> AsyncGenerator[int]:
    """A server on loopback, in trio, beside the library in its loop; its port."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        )
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def say_nothing(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await trio.sleep_forever()


async def say_garbage(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 8)
    await trio.sleep_forever()


async def say_bytes(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(bytes(range(256)))
    await stream.aclose()


class Session:
    """What an adapter keeps of Interactive Brokers: made and used in the loop."""

    def __init__(self, push: Callable[[str], None]) -> None:
        self.push = push

    async def open(self) -> None:
        # ib_async remembers the first loop of the process for ever: forget it.
        ib_async.util.getLoop.cache_clear()
        self.ib = ib_async.IB()
        self.ib.disconnectedEvent += lambda: self.push("disconnected")
        self.ib.errorEvent += lambda *about: self.push(f"error {about[1]}")

    async def connect(self, port: int, timeout_s: float) -> None:
        await self.ib.connectAsync(
            "127.0.0.1", port, 7, timeout=timeout_s, raiseSyncErrors=True
        )

    async def close(self) -> None:
        self.ib.disconnect()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("server", [say_nothing, say_garbage])
@pytest.mark.parametrize("patience_s", [0.1, DEAF_S])
async def test_ib_async_before_a_gateway_that_makes_no_sense(
    server: Server, patience_s: float
) -> None:
    events: list[str] = []
    async with serving(server) as port, hosting() as host:
        session = Session(host.events(events.append).push)
        await host.run(session.open, deadline_s=LONG_S)
        # The library's own time-out, or ours where it has none worth the name.
        deadline_s = LONG_S if patience_s < 1 else SOON_S
        with pytest.raises((TimeoutError, ConnectionError)):
            await host.run(session.connect, port, patience_s, deadline_s=deadline_s)
        assert host.abandoned == 0
        await host.run(session.close, deadline_s=LONG_S)


async def test_ib_async_without_a_gateway() -> None:
    async with serving(say_nothing) as port:
        pass
    async with hosting() as host:
        session = Session(print)
        await host.run(session.open, deadline_s=LONG_S)
        with pytest.raises(ConnectionRefusedError):
            await host.run(session.connect, port, 5.0, deadline_s=LONG_S)
        await host.run(session.close, deadline_s=LONG_S)


async def tell_time(stream: trio.SocketStream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    while await stream.receive_some():
        await stream.send_all(head + str(len(TIME)).encode() + b"\r\n\r\n" + TIME)


class Exchange:
    """What an adapter keeps of an exchange in ccxt: bound to the loop of its birth."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> None:
        self.exchange = ccxt.binance({"timeout": int(DEAF_S * 1000)})
        api = self.exchange.urls["api"]
        api["public"] = f"http://127.0.0.1:{self.port}/api/v3"

    async def time_ms(self) -> int:
        return int(await self.exchange.fetch_time())

    async def close(self) -> None:
        await self.exchange.close()


async def test_ccxt_answers_from_the_loop() -> None:
    async with serving(tell_time) as port, hosting() as host:
        exchange = Exchange(port)
        await host.run(exchange.open, deadline_s=LONG_S)
        assert await host.run(exchange.time_ms, deadline_s=LONG_S) == 1_700_000_000_000
        await host.run(exchange.close, deadline_s=LONG_S)


async def test_ccxt_before_a_server_that_hangs_or_lies() -> None:
    async with hosting() as host:
        async with serving(say_nothing) as port:
            exchange = Exchange(port)
            await host.run(exchange.open, deadline_s=LONG_S)
            with pytest.raises(TimeoutError, match=r"venue: no answer from .*time_ms"):
                await host.run(exchange.time_ms, deadline_s=SOON_S)
            await host.run(exchange.close, deadline_s=LONG_S)
        async with serving(say_bytes) as port:
            exchange = Exchange(port)
            await host.run(exchange.open, deadline_s=LONG_S)
            with pytest.raises(ccxt.BaseError):
                await host.run(exchange.time_ms, deadline_s=LONG_S)
            await host.run(exchange.close, deadline_s=LONG_S)
        assert host.abandoned == 0
