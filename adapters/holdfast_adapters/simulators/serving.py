"""HTTP/1.1 and WebSockets on one port of this machine, and every way to break off.

h11 and wsproto do the protocols. A connection never waits for a slow reader: what is
pushed to a socket queues without a limit, for this is a simulator.
"""

from __future__ import annotations

import contextlib
import enum
import math
import socket as sockets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import attrs
import h11
import trio
import wsproto
from wsproto import events as frames
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

CHUNK: Final = 65_536
BROKEN: Final = (
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    h11.RemoteProtocolError,
    RemoteProtocolError,
    LocalProtocolError,
    OSError,
)
"""What a peer that goes away, or talks nonsense, makes of a connection."""


@attrs.frozen(kw_only=True)
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        """Return the raw query."""
        return urlsplit(self.target).query

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of the query and of a form, decoded."""
        text = "&".join(part for part in (self.query, self.body.decode()) if part)
        return dict(parse_qsl(text, keep_blank_values=True))


class How(enum.Enum):
    """How an answer goes out."""

    WHOLE = "whole"
    NEVER = "never"
    """The connection closes without a byte of it."""

    RESET = "reset"
    """The connection is reset without a byte of it."""

    TORN = "torn"
    """A half of it goes out, and the connection is reset."""

    HELD = "held"
    """It stays away, and the connection open, until the peer goes."""


@attrs.frozen(kw_only=True)
class Response:
    """An answer, and how it goes out."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    how: How = How.WHOLE


class Socket:
    """The server's end of a WebSocket."""

    def __init__(self, stream: trio.SocketStream, ws: wsproto.WSConnection) -> None:
        """Take a connection that is upgraded."""
        self.is_mute = False
        """Whether it is half-open: nothing is sent any more, not even a pong."""

        self.unsent = 0
        """What would have been sent, were it not."""

        self._stream = stream
        self._ws = ws
        self._send, self._outbox = trio.open_memory_channel[bytes | None](math.inf)

    def push(self, text: str) -> None:
        """Send a message, after all that were pushed before."""
        self._push(frames.TextMessage(data=text))

    def ping(self) -> None:
        """Send a ping."""
        self._push(frames.Ping())

    def close(self, code: int = 1000) -> None:
        """Close, as a server does."""
        self._push(frames.CloseConnection(code=code))

    def tear(self, text: str) -> None:
        """Send a half of a message, and reset the connection."""
        whole = self._ws.send(frames.TextMessage(data=text))
        self._send.send_nowait(whole[: len(whole) // 2])
        self.reset()

    def reset(self) -> None:
        """Reset the connection, after all that was pushed before."""
        self._send.send_nowait(None)

    def _push(self, event: frames.Event) -> None:
        if self.is_mute:
            self.unsent += 1
            return
        try:
            self._send.send_nowait(self._ws.send(event))
        except LocalProtocolError:
            self.is_mute = True  # it is closing: nothing may follow

    async def write(self) -> None:
        """Send what is pushed, until the connection breaks."""
        async for data in self._outbox:
            if data is None:
                reset(self._stream)
                return
            await self._stream.send_all(data)

    async def read(self) -> AsyncIterator[str]:
        """Yield the messages that come, until the peer goes."""
        parts: list[str] = []
        while True:
            for event in self._ws.events():
                if isinstance(event, frames.TextMessage):
                    parts.append(event.data)
                    if event.message_finished:
                        text, parts = "".join(parts), []
                        yield text
                elif isinstance(event, frames.Ping):
                    self._push(event.response())
                elif isinstance(event, frames.CloseConnection):
                    self._push(event.response())
                    return
            data = await self._stream.receive_some(CHUNK)
            if not data:
                return
            self._ws.receive_data(data)


class App(Protocol):
    """What a simulator does with what comes."""

    async def answer(self, request: Request) -> Response:
        """Answer one request."""

    def refusal(self, request: Request) -> Response | None:
        """Return what a new socket is refused with; None where it is taken."""

    def opened(self, socket: Socket, request: Request) -> None:
        """Take a new socket."""

    def received(self, socket: Socket, text: str) -> None:
        """Take a message of a socket."""

    def closed(self, socket: Socket) -> None:
        """Forget a socket."""


class Server:
    """Serves one app; its connections end with it."""

    def __init__(self, app: App) -> None:
        """Serve ``app``, once `run` is called."""
        self._app = app
        self.port = 0

    async def run(
        self,
        port: int = 0,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Listen on the loopback address; port 0 takes a free one. Runs until it ends.

        Raises:
            OSError: the port is taken.
        """
        (listener,) = await trio.open_tcp_listeners(port, host="127.0.0.1")
        self.port = int(listener.socket.getsockname()[1])
        task_status.started(self.port)
        await trio.serve_listeners(self._serve, [listener])

    async def _serve(self, stream: trio.SocketStream) -> None:
        try:
            await self._converse(stream, h11.Connection(h11.SERVER))
        except BROKEN:
            pass
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def _converse(self, stream: trio.SocketStream, http: h11.Connection) -> None:
        while True:
            request = await _request(stream, http)
            if request is None:
                return
            if request.headers.get("upgrade", "").lower() == "websocket":
                refusal = self._app.refusal(request)
                if refusal is None:
                    await self._upgrade(stream, http, request)
                else:
                    await _respond(stream, http, refusal)
                return
            response = await self._app.answer(request)
            if not await _respond(stream, http, response):
                return
            http.start_next_cycle()

    async def _upgrade(
        self, stream: trio.SocketStream, http: h11.Connection, request: Request
    ) -> None:
        ws = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        headers = [(k.encode(), v.encode()) for k, v in request.headers.items()]
        ws.initiate_upgrade_connection(headers, request.target)
        await stream.send_all(ws.send(frames.AcceptConnection()))
        list(ws.events())  # the request itself
        early, _ = http.trailing_data
        if early:
            ws.receive_data(early)
        socket = Socket(stream, ws)
        self._app.opened(socket, request)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_quietly, socket.write)
                async for text in socket.read():
                    if not socket.is_mute:
                        self._app.received(socket, text)
                nursery.cancel_scope.cancel()
        except* BROKEN:
            pass
        finally:
            self._app.closed(socket)


async def _quietly(write: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(*BROKEN):
        await write()


async def _request(stream: trio.SocketStream, http: h11.Connection) -> Request | None:
    """Return the next request, or None where the peer has gone."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await stream.receive_some(CHUNK))
        elif isinstance(event, h11.Request):
            head = event
            if any(name == b"upgrade" for name, _ in event.headers):
                return _made(event, b"")
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _made(head, body)
        else:
            return None


def _made(head: h11.Request, body: bytes) -> Request:
    return Request(
        method=head.method.decode(),
        target=head.target.decode(),
        headers={k.decode().lower(): v.decode() for k, v in head.headers},
        body=body,
    )


async def _respond(
    stream: trio.SocketStream, http: h11.Connection, response: Response
) -> bool:
    """Send the answer; return whether the connection goes on."""
    if response.how is How.NEVER:
        return False
    if response.how is How.RESET:
        reset(stream)
        return False
    if response.how is How.HELD:
        await stream.receive_some(CHUNK)
        return False
    length = str(len(response.body))
    headers = {
        "content-type": "application/json",
        "content-length": length,
        **response.headers,
    }
    head = h11.Response(status_code=response.status, headers=list(headers.items()))
    data = http.send(head) or b""
    data += http.send(h11.Data(data=response.body)) or b""
    data += http.send(h11.EndOfMessage()) or b""
    if response.how is How.TORN:
        await stream.send_all(data[: -len(response.body) // 2])
        reset(stream)
        return False
    await stream.send_all(data)
    return http.our_state is not h11.MUST_CLOSE


def reset(stream: trio.SocketStream) -> None:
    """Reset a connection: the peer sees an error and not an end."""
    linger = struct.pack("ii", 1, 0)
    stream.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
    stream.socket.close()


@asynccontextmanager
async def serving(app: App, port: int = 0) -> AsyncIterator[int]:
    """Serve ``app`` while the block runs; gives the port."""
    async with trio.open_nursery() as nursery:
        yield await nursery.start(Server(app).run, port)
        nursery.cancel_scope.cancel()
