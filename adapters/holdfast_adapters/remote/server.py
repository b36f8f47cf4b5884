"""Serves a venue to engines: one at a time; the newest epoch cuts off older ones."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, assert_never

import attrs
import trio

from holdfast_adapters.remote import wire
from holdfast_domain.errors import DomainError, Fenced, InputError, VenueRefused
from holdfast_domain.ports import Found, ReplayedVenue, VenueEvent


class FencedVenue(ReplayedVenue, Protocol):
    """A venue that knows whose turn it is."""

    async def admit(self, epoch: int) -> None:
        """Trade for the engine of ``epoch`` from now on, and for no older one.

        Raises:
            Fenced: a newer engine was here.
        """


@attrs.define(eq=False)
class _Client:
    """The engine that trades now."""

    engine: int
    epoch: int
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    gone: trio.Event = attrs.field(factory=trio.Event)


class VenueServer:
    """Answers requests from engines, in the order in which they come.

    A new connection is welcomed only when nothing of the one before can be done any
    more: so what a lookup does not find then will not come to be, and the venue keeps
    its promise about absence over the socket too.
    """

    def __init__(
        self,
        venue: FencedVenue,
        *,
        world: str,
        said: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Serve ``venue``, which is connected, for engines with the market ``world``.

        ``said`` is told who comes and who is refused.
        """
        self._venue = venue
        self._world = world
        self._said = said
        self._client: _Client | None = None
        self._door = trio.Lock()

    async def serve(
        self,
        path: Path,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Listen at ``path`` (made with mode 0600) until cancelled.

        Raises:
            InputError: somebody listens there already, or it cannot be made.
        """
        listener = await _listener(path)
        task_status.started()
        try:
            await trio.serve_listeners(self._serve, [listener])
        finally:
            _remove(path)

    async def _serve(self, stream: trio.SocketStream) -> None:
        lines = wire.Lines(stream)
        with contextlib.suppress(
            trio.BrokenResourceError, trio.ClosedResourceError, ValueError
        ):
            hello = wire.request_of(await lines.receive() or b"null")
            if isinstance(hello, wire.Hello):
                await self._welcome(hello, lines)
        lines.cut()

    async def _welcome(self, hello: wire.Hello, lines: wire.Lines) -> None:
        client = _Client(hello.engine, hello.epoch)
        try:
            async with self._door:
                await self._let_in(client, hello.world)
        except DomainError as error:
            self._said(f"refused the engine of epoch {hello.epoch}: {error}")
            await lines.send(_failed(error))
            return
        try:
            with client.scope:
                venue = self._venue
                await lines.send(wire.Welcome(venue.promises, venue.wants_data))
                while line := await lines.receive():
                    await lines.send(await self._answer(wire.request_of(line)))
        finally:
            client.gone.set()
            if self._client is client:
                self._client = None

    async def _let_in(self, client: _Client, world: str) -> None:
        """Make ``client`` the one that trades, and end the one before.

        Raises:
            OtherMarket: it has another market.
            Fenced: a newer engine was here.
        """
        if world != self._world:
            message = "another one"
            raise OtherMarket(message)
        now = self._client
        is_new = now is None or (now.epoch, now.engine) != (client.epoch, client.engine)
        if now is not None:
            if is_new and now.epoch >= client.epoch:
                message = f"the engine of epoch {now.epoch} has taken over"
                raise Fenced(message, now.epoch)
            now.scope.cancel()
            await now.gone.wait()
        # If a commit failed, its session is over; the engine will resume the new one.
        await self._venue.connect()
        await self._venue.admit(client.epoch)
        if is_new:
            off = "" if now is None else f", and fences off that of {now.epoch}"
            self._said(f"the engine of epoch {client.epoch} trades here{off}")
        self._client = client

    async def _answer(self, request: wire.Request) -> wire.Answer:
        try:
            # What was begun is done: its commit must not be cut in the middle.
            with trio.CancelScope(shield=True):
                answer = await self._done(request)
        except DomainError as error:
            return _failed(error)
        return answer

    async def _done(self, request: wire.Request) -> wire.Answer:
        venue = self._venue
        said: Sequence[VenueEvent] = ()
        more: dict[str, Any] = {}
        match request:
            case wire.Submit(order):
                said = await venue.submit(order)
            case wire.SubmitList(orders):
                said = await venue.submit_list(orders)
            case wire.Cancel(order_id):
                said = await venue.cancel(order_id)
            case wire.Replace(order_id, terms):
                said = await venue.replace(order_id, terms)
            case wire.Advance(cursor, step):
                said = await venue.advance(cursor, step)
            case wire.Resume(cursor):
                await venue.resume(cursor)
            case wire.LookUp() | wire.Since() | wire.Account():
                said, more = await self._known(request)
            case wire.Hello():
                return wire.Failed("OutcomeUnknown", "expected no second hello")
            case _:
                assert_never(request)
        return wire.Done(wire.told(said), venue.wants_data, **more)

    async def _known(
        self, question: wire.LookUp | wire.Since | wire.Account
    ) -> tuple[Sequence[VenueEvent], dict[str, Any]]:
        """Return the events and the other fields of the answer to a question."""
        venue = self._venue
        match question:
            case wire.LookUp(order_id, meant_us):
                found = await venue.lookup(order_id, meant_us)
                if isinstance(found, Found):
                    return (), {"found": wire.story_of(found)}
                return (), {"absent": found.reason}
            case wire.Since(watermark):
                listed = await venue.executions_since(watermark)
                return listed.events, {"watermark": listed.watermark}
            case wire.Account("positions"):
                return (), {"positions": await venue.positions()}
            case wire.Account("balances"):
                return (), {"balances": await venue.balances()}
            case wire.Account():
                work = await venue.open_orders()
                orders = [wire.story_of(each) for each in work.orders]
                named = {"orders": orders, "at": work.at}
                return (), {**named, "watermark": work.watermark}
            case _:
                assert_never(question)


class OtherMarket(DomainError):
    """The engine has other data, instruments or fill options."""


def _failed(error: DomainError) -> wire.Failed:
    if isinstance(error, VenueRefused):
        return wire.Failed("VenueRefused", error.reason, error.code)
    code = str(error.epoch) if isinstance(error, Fenced) else ""
    return wire.Failed(type(error).__name__, str(error), code)


async def _listener(path: Path) -> trio.SocketListener:
    """Return a listener at ``path``; what a dead venue left there is removed.

    Raises:
        InputError: somebody listens there already, or it cannot be made.
    """
    try:
        stream = await trio.open_unix_socket(str(path))
    except ConnectionRefusedError:
        _remove(path)
    except OSError:
        """Nothing is there, or it cannot be used, as `bind` says then."""
    else:
        await stream.aclose()
        todo = "give another --socket, or stop that one"
        raise InputError(str(path), "a socket that nobody has", "a busy one", todo)
    return trio.SocketListener(trio.socket.from_stdlib_socket(_bound(path)))


def _bound(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        path.chmod(0o600)
        made.listen()
    except OSError as error:
        made.close()
        came = error.strerror or str(error)
        todo = "give a short path in a directory that you may write to"
        raise InputError(str(path), "a place for a socket", came, todo) from error
    return made


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
