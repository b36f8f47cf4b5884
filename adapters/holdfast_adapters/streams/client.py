"""The thin shell of a stream on trio: sockets, one timer, and the inbox."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import attrs
import trio

from holdfast_adapters.streams.dialect import Ask
from holdfast_adapters.streams.effects import Drop, Effect, Open, Write
from holdfast_adapters.streams.events import StreamEvent
from holdfast_adapters.streams.inbox import Inbox
from holdfast_adapters.streams.plan import Subscription
from holdfast_adapters.streams.stream import Stream
from holdfast_adapters.streams.wire import Endpoint

READ_BYTES: Final = 65_536
OUTBOX_MAX: Final = 256
"""Frames that may wait for a peer that does not read; it is dropped beyond that."""

GOODBYE_S: Final = 1.0
"""How long a connection that is given up may take over its last bytes."""

PASSES: Final = 256
"""How often in a row sockets are read before what waits in the inbox has its turn."""

Connect: TypeAlias = Callable[[Endpoint], Awaitable[trio.abc.Stream]]
_BROKEN = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


async def open_socket(
    endpoint: Endpoint, tls: ssl.SSLContext | None = None
) -> trio.abc.Stream:
    """Open a TCP connection, with TLS where the endpoint has it.

    ``tls`` trusts what the system trusts unless it is given. Cancelled, it leaves
    nothing open.

    Raises:
        OSError: nobody listens, or the name is not known.
        trio.BrokenResourceError: the peer broke TLS off, or its certificate is bad.
    """
    plain = await trio.open_tcp_stream(endpoint.host, endpoint.port)
    if not endpoint.is_tls:
        return plain
    context = tls or ssl.create_default_context()
    secure = trio.SSLStream(
        plain, context, server_hostname=endpoint.host, https_compatible=True
    )
    try:
        await secure.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(secure)
        raise
    return secure


def _nothing() -> None:
    """Be told."""


@attrs.define(eq=False)
class _Link:
    """One connection's socket task, and what waits to be written."""

    scope: trio.CancelScope
    send: trio.MemorySendChannel[bytes]
    receive: trio.MemoryReceiveChannel[bytes]
    is_open: bool = False


class StreamClient:
    """Runs a `Stream`: one task runs `run`, and one other reads `batch` or the inbox.

    The sockets are read whether or not anyone reads the inbox, so a slow reader never
    keeps a ping from its answer; what the inbox cannot hold goes as each
    subscription's policy says. All methods but `run` and `batch` return at once.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        connect: Connect = open_socket,
        told: Callable[[], None] = _nothing,
    ) -> None:
        """Drive ``stream``; ``told`` is called whenever there is more in the inbox."""
        self.stream = stream
        self.inbox = Inbox(stream.plan.inbox_max)
        self._connect = connect
        self._told = told
        self._links: dict[int, _Link] = {}
        self._nursery: trio.Nursery | None = None
        self._failure: Exception | None = None
        self._phases = stream.phases
        self._alarm = trio.Event()
        self._bell = trio.Event()
        self._reads = 0
        """How often something came from a socket."""

    async def run(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Connect, and stay connected until cancelled; cancelling closes at once.

        Raises:
            Exception: a dialect failed in another way than `Malformed`, which is a
                defect of its own; as itself and in no group.
        """
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self.stream.start(trio.current_time())
            self._pump()
            task_status.started()
            await self._guarded(self._keep_time)
        if self._failure is not None:
            raise self._failure

    async def batch(self) -> list[StreamEvent]:
        """Wait for something to be told, and return all of it, in order.

        Cancelled, it loses nothing.
        """
        await trio.lowlevel.checkpoint()
        while not len(self.inbox):
            self._bell = trio.Event()
            await self._bell.wait()
        return self.inbox.take()

    async def caught_up(self) -> bool:
        """Read what has arrived by now, and return whether that is all of it.

        Who was held up finds more in a socket than one read returns, and must not take
        it that what is not in the inbox has not come. Not all is read where the inbox
        is half full by it, or where more and more comes.
        """
        for _each in range(PASSES):
            reads = self._reads
            # The first asks the system what can be read, in the second it is read.
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
            if self._reads == reads:
                return True
            if len(self.inbox) > self.stream.plan.inbox_max // 2:
                return False
        return False

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Want ``subscriptions`` from now on; see `Stream.subscribe`."""
        self.stream.subscribe(subscriptions, trio.current_time())
        self._pump()

    def unsubscribe(self, keys: Sequence[str]) -> None:
        """Want ``keys`` no longer."""
        self.stream.unsubscribe(keys, trio.current_time())
        self._pump()

    def send(self, ask: Ask, *, urgent: bool = False) -> None:
        """Send a request; see `Stream.send`.

        Raises:
            NotSent: there is no live connection, or the limit is used up.
        """
        self.stream.send(ask, trio.current_time(), urgent=urgent)
        self._pump()

    def _pump(self) -> None:
        """Carry out what the machine wants, and ring for what it told."""
        while True:
            effects = self.stream.effects()
            for effect in effects:
                self._do(effect)
            events = self.stream.events()
            if events:
                self._bell.set()
                self._told()
                if not self.inbox.put(events, self.stream.policies):
                    self.stream.overflowed(trio.current_time())
                    continue
            if not effects:
                break
            self._alarm.set()
        if self.stream.phases != self._phases:
            self._phases = self.stream.phases
            self._alarm.set()

    def _do(self, effect: Effect) -> None:
        match effect:
            case Open(number=number, endpoint=endpoint):
                send, receive = trio.open_memory_channel[bytes](OUTBOX_MAX)
                self._links[number] = _Link(trio.CancelScope(), send, receive)
                if self._nursery is not None:
                    self._nursery.start_soon(self._hold, number, endpoint)
            case Write(number=number, data=data):
                self._enqueue(number, data)
            case Drop(number=number):
                self._drop(number)

    def _enqueue(self, number: int, data: bytes) -> None:
        link = self._links.get(number)
        if link is None or not data:
            return
        try:
            link.send.send_nowait(data)
        except trio.WouldBlock:
            now_s = trio.current_time()
            self.stream.lost(number, "the peer does not read", now_s)
        except _BROKEN:
            pass  # Its task has ended, and has said why.

    def _drop(self, number: int) -> None:
        link = self._links.pop(number, None)
        if link is None:
            return
        link.send.close()
        if link.is_open:
            link.scope.deadline = trio.current_time() + GOODBYE_S
        else:
            link.scope.cancel()

    async def _keep_time(self) -> None:
        while True:
            self._alarm = trio.Event()
            with trio.move_on_at(self.stream.deadline_s(trio.current_time())):
                await self._alarm.wait()
            self.stream.tick(trio.current_time())
            self._pump()

    async def _hold(self, number: int, endpoint: Endpoint) -> None:
        """Open connection ``number``, and read it until it ends."""
        link = self._links.get(number)
        if link is not None:
            with link.scope:
                await self._guarded(self._converse, number, link, endpoint)

    async def _converse(self, number: int, link: _Link, endpoint: Endpoint) -> None:
        try:
            stream = await self._connect(endpoint)
        except _BROKEN as error:
            self._lost(number, f"no connection: {_said(error)}")
            return
        link.is_open = True
        try:
            self.stream.opened(number, trio.current_time())
            self._pump()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write_out, number, link, stream)
                await self._guarded(self._read_in, number, stream)
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def _read_in(self, number: int, stream: trio.abc.Stream) -> None:
        while True:
            try:
                data = await stream.receive_some(READ_BYTES)
            except _BROKEN as error:
                self._lost(number, f"broken: {_said(error)}")
                return
            if not data:
                self._lost(number, "the peer hung up without a closing frame")
                return
            self._reads += 1
            self.stream.received(number, bytes(data), trio.current_time())
            self._pump()

    async def _write_out(
        self, number: int, link: _Link, stream: trio.abc.Stream
    ) -> None:
        try:
            async for data in link.receive:
                await stream.send_all(data)
        except _BROKEN as error:
            self._lost(number, f"broken: {_said(error)}")
        link.scope.cancel()

    def _lost(self, number: int, why: str) -> None:
        self.stream.lost(number, why, trio.current_time())
        self._pump()

    async def _guarded(
        self, work: Callable[..., Awaitable[None]], *arguments: object
    ) -> None:
        """Do ``work``; what it raises ends `run`, which raises it as itself."""
        try:
            await work(*arguments)
        except Exception as error:  # noqa: BLE001 - raised again by `run`
            self._failure = self._failure or error
            assert self._nursery is not None
            self._nursery.cancel_scope.cancel()


def _said(error: BaseException) -> str:
    """Return the innermost words of ``error``: trio wraps those of the system."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return str(cause) or type(cause).__name__
