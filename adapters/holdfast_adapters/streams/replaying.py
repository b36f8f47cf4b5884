"""A server that plays a recording back through a real socket, at any speed."""

from __future__ import annotations

from collections.abc import Sequence

import trio
import wsproto
from wsproto import events as frames
from wsproto.utilities import RemoteProtocolError

from holdfast_adapters.streams.recording import Kind, Record

_READ_BYTES = 65_536
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError)


class ReplayServer:
    """Plays one recorded connection to each client that connects, and then waits.

    Where the recorded client said something, the server waits until this one has said
    as much: so answers never come before what they answer. What it says is not looked
    at. Messages leave whole, as text, in order, as far apart as they came, divided by
    ``speed``; with None as fast as the client takes them.
    """

    def __init__(self, records: Sequence[Record], speed: float | None = None) -> None:
        self._records = [
            each for each in records if each.kind in {Kind.HEARD, Kind.SAID}
        ]
        self._speed = speed

    async def serve(
        self,
        port: int = 0,
        *,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve on loopback until cancelled; tells the port once it listens."""
        (listener,) = await trio.open_tcp_listeners(port, host="127.0.0.1")
        task_status.started(listener.socket.getsockname()[1])
        await trio.serve_listeners(self._converse, [listener])

    async def _converse(self, stream: trio.SocketStream) -> None:
        player = _Player(stream)
        try:
            await player.greet()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(player.listen, nursery.cancel_scope)
                await self._play(player)
        except* _GONE:
            pass  # The client went, and what it had not read goes with it.

    async def _play(self, player: _Player) -> None:
        said = 0
        before_ns: int | None = None
        for record in self._records:
            if record.kind is Kind.SAID:
                said += 1
                await player.until_said(said)
            else:
                if self._speed is not None and before_ns is not None:
                    gap_s = max(0, record.at_ns - before_ns) / 1e9
                    await trio.sleep(gap_s / self._speed)
                await player.say(record.payload)
            before_ns = record.at_ns


class _Player:
    """One client of the replay."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._proto = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        self._said = 0
        self._spoke = trio.Event()
        self._writing = trio.Lock()

    async def greet(self) -> None:
        while True:
            self._proto.receive_data(await self._read())
            for event in self._proto.events():
                if isinstance(event, frames.Request):
                    await self._send(frames.AcceptConnection())
                    return

    async def listen(self, scope: trio.CancelScope) -> None:
        """Answer pings and count messages, until the client goes."""
        while True:
            for event in self._proto.events():
                if isinstance(event, frames.Ping):
                    await self._send(event.response())
                elif isinstance(event, frames.CloseConnection):
                    scope.cancel()
                elif isinstance(event, frames.Message) and event.message_finished:
                    self._said += 1
                    self._spoke.set()
                    self._spoke = trio.Event()
            self._proto.receive_data(await self._read())

    async def until_said(self, count: int) -> None:
        while self._said < count:
            await self._spoke.wait()

    async def say(self, payload: bytes) -> None:
        await self._send(frames.TextMessage(data=payload.decode()))

    async def _send(self, event: frames.Event) -> None:
        async with self._writing:
            await self._stream.send_all(self._proto.send(event))

    async def _read(self) -> bytes:
        data = await self._stream.receive_some(_READ_BYTES)
        if not data:
            message = "the client hung up"
            raise trio.BrokenResourceError(message)
        return bytes(data)
