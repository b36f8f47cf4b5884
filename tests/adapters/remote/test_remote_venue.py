"""A venue behind a socket is the same venue; and the newest engine alone trades there.

Real sockets and real files; both ends are in one trio run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from msgspec.structs import replace
from tests.adapters.paper.test_durability import DATA, order_at, refuse_inserts

from holdfast_adapters.matching import FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_adapters.paper.store import EventStore, fence_of
from holdfast_adapters.remote import RemoteVenue, VenueServer
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.errors import (
    DuplicateOrder,
    Fenced,
    InputError,
    NotSent,
    VenueRefused,
)
from holdfast_domain.instruments import Instrument
from holdfast_domain.ports import (
    Found,
    NotFound,
    OpenOrders,
    Positions,
    ReplayedVenue,
    VenueEvent,
    VenueOrder,
)

WORLD = "daily bars"


@attrs.define
class Place:
    """Where a venue is: its file, its socket, and what its server said."""

    folder: Path
    said: list[str] = attrs.field(factory=list)
    open: list[RemoteVenue | PaperVenue] = attrs.field(factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "venue.sqlite"

    @property
    def socket(self) -> Path:
        return self.folder / "v.sock"

    def engine(
        self,
        epoch: int = 1,
        engine: int = 7,
        world: str = WORLD,
        patience_s: float = 60.0,
    ) -> RemoteVenue:
        made = RemoteVenue(
            self.socket,
            world=world,
            engine=engine,
            epoch=epoch,
            patience_s=patience_s,
        )
        self.open.append(made)
        return made

    async def opened(
        self, kind: type[PaperVenue] = PaperVenue, epoch: int = 0
    ) -> PaperVenue:
        venue = kind(
            DATA,
            {"SPY": Instrument(symbol="SPY")},
            FillModel(commission=Decimal("0.001")),
            path=self.file,
            opening={"USD": Decimal(10_000)},
            epoch=epoch or fence_of(self.file),
        )
        await venue.connect()
        self.open.append(venue)
        return venue

    @asynccontextmanager
    async def served(self, kind: type[PaperVenue] = PaperVenue) -> AsyncIterator[None]:
        venue = await self.opened(kind)
        server = VenueServer(venue, world=WORLD, said=self.said.append)
        async with trio.open_nursery() as nursery:
            await nursery.start(server.serve, self.socket)
            yield
            nursery.cancel_scope.cancel()
        await venue.close()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    for each in made.open:
        await each.close()


def at(step: int) -> int:
    return cursor_at(step, ADVANCE_SLOT)


async def a_day(venue: ReplayedVenue) -> list[Any]:
    """Ask a venue for everything once, and return all that it answers."""
    answers: list[Any] = []

    async def ask(request: Awaitable[Any]) -> None:
        try:
            answers.append(await request)
        except (VenueRefused, DuplicateOrder) as error:
            answers.append((type(error), str(error).removeprefix("paper: ")))
        answers.append(venue.wants_data)

    await venue.connect()
    await ask(venue.resume(cursor_at(0, SLICE_SLOT)))
    await ask(venue.advance(at(0), 0))
    await ask(venue.submit(order_at(0)))
    await ask(venue.submit(order_at(0)))
    await ask(venue.submit(order_at(0, "rests", limit="10.25")))
    terms = replace(order_at(0).terms, instrument="NONE")
    await ask(venue.submit(VenueOrder(order_id="b", terms=terms, placed_at_us=1)))
    await ask(venue.open_orders())
    await ask(venue.replace("rests", order_at(0, "rests", limit="11").terms))
    await ask(venue.advance(at(1), 1))
    await ask(venue.lookup("a"))
    await ask(venue.lookup("rests"))
    await ask(venue.lookup("nobody's"))
    await ask(venue.executions_since(""))
    await ask(venue.executions_since("rubbish"))
    await ask(venue.positions())
    await ask(venue.balances())
    await ask(venue.cancel("rests"))
    await ask(venue.cancel("rests"))
    await ask(venue.open_orders())
    return answers


async def test_over_the_socket_it_is_the_same_venue(place: Place) -> None:
    beside = Place(place.folder / "beside")
    beside.folder.mkdir()
    direct = await beside.opened()

    async with place.served():
        engine = place.engine()
        assert await a_day(engine) == await a_day(direct)
        assert engine.promises == direct.promises
    await direct.close()


async def test_who_has_another_market_is_refused(place: Place) -> None:
    async with place.served():
        with pytest.raises(InputError, match=r"v\.sock: expected the market that"):
            await place.engine(world="hourly bars").connect()
    assert place.said == ["refused the engine of epoch 1: another one"]


# --- the connection ----------------------------------------------------------------


async def test_without_a_connection_a_command_did_not_leave_and_a_question_may_be_asked(
    place: Place,
) -> None:
    engine = place.engine()
    assert engine.wants_data
    with pytest.raises(NotSent):
        await engine.submit(order_at(0))
    for question in (engine.lookup("a"), engine.advance(at(0), 0)):
        with pytest.raises(ConnectionError):
            await question


async def test_nobody_there_is_said_after_a_while(place: Place) -> None:
    with pytest.raises(ConnectionError, match=r"nobody answers at .*v\.sock \(No such"):
        await place.engine(patience_s=0.05).connect()


async def test_a_connection_comes_up_with_its_venue(place: Place) -> None:
    engine = place.engine()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.connect)
        async with place.served():
            with trio.fail_after(60):
                while nursery.child_tasks:
                    await trio.lowlevel.checkpoint()
            assert isinstance(await engine.lookup("a"), NotFound)


async def test_a_venue_that_went_leaves_the_outcome_unknown(place: Place) -> None:
    engine = place.engine()
    async with place.served():
        await engine.connect()
    with pytest.raises(ConnectionError):
        await engine.submit(order_at(0))
    with pytest.raises(NotSent):
        await engine.submit(order_at(0))

    async with place.served():
        await engine.connect()
        assert isinstance(await engine.lookup("a"), NotFound)


async def test_what_a_dead_venue_left_is_in_nobodys_way(place: Place) -> None:
    async with place.served():
        with pytest.raises(InputError, match="a socket that nobody has"):
            await VenueServer(await place.opened(), world=WORLD).serve(place.socket)
    dead = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await dead.bind(str(place.socket))
    dead.close()

    async with place.served():
        await place.engine().connect()


async def test_a_place_that_is_none_is_one_line(place: Place) -> None:
    place.folder = place.folder / ("long" * 30)
    place.folder.mkdir()
    server = VenueServer(await place.opened(), world=WORLD)
    with pytest.raises(InputError, match="give a short path in a directory"):
        await server.serve(place.socket)


async def test_a_disk_that_refuses_is_not_sent_and_the_venue_goes_on(
    place: Place,
) -> None:
    engine = place.engine()
    async with place.served():
        await engine.connect()
        refuse_inserts(place.file, refuse=True)
        with pytest.raises(NotSent, match="disk is full"):
            await engine.submit(order_at(0))
        refuse_inserts(place.file, refuse=False)
        await engine.connect()
        assert await engine.submit(order_at(0))


async def test_requests_of_several_tasks_wait_their_turn(place: Place) -> None:
    engine = place.engine()
    said: dict[str, Any] = {}

    async def ask(name: str, request: Awaitable[Any]) -> None:
        said[name] = await request

    async with place.served():
        await engine.connect()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.connect)
            nursery.start_soon(ask, "submit", engine.submit(order_at(0)))
            nursery.start_soon(ask, "positions", engine.positions())
            nursery.start_soon(ask, "orders", engine.open_orders())
    assert type(said["positions"]) is Positions
    assert type(said["orders"]) is OpenOrders
    assert said["submit"]


class Slow(PaperVenue):
    """A venue whose submits wait."""

    begun: trio.Event
    go_on: trio.Event

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        self.begun.set()
        await self.go_on.wait()
        return await super().submit(order)


async def test_a_request_that_is_cut_is_done_before_the_next_welcome(
    place: Place,
) -> None:
    Slow.begun, Slow.go_on = trio.Event(), trio.Event()
    engine = place.engine()
    async with place.served(Slow):
        await engine.connect()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.submit, order_at(0))
            await Slow.begun.wait()
            nursery.cancel_scope.cancel()
        with pytest.raises(NotSent):
            await engine.submit(order_at(0, "b"))
        found: list[Found | NotFound] = []

        async def look() -> None:
            await engine.connect()
            found.append(await engine.lookup("a"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            await trio.testing.wait_all_tasks_blocked(0.05)
            Slow.go_on.set()
        # Had it been welcomed before, the order would not have been there yet.
        assert isinstance(found[0], Found)


# --- the fence -----------------------------------------------------------------------


async def test_a_newer_engine_fences_off_the_older_one(place: Place) -> None:
    zombie, heir = place.engine(epoch=1), place.engine(epoch=2, engine=8)
    async with place.served():
        await zombie.connect()
        await heir.connect()
        assert place.said[-1] == (
            "the engine of epoch 2 trades here, and fences off that of 1"
        )
        with pytest.raises(ConnectionError):
            await zombie.submit(order_at(0))
        with pytest.raises(Fenced, match="the engine of epoch 2 has taken over"):
            await zombie.connect()
        assert isinstance(await heir.lookup("a"), NotFound)
        await heir.close()


async def test_one_epoch_is_one_engines(place: Place) -> None:
    first, other = place.engine(epoch=1), place.engine(epoch=1, engine=8)
    async with place.served():
        await first.connect()
        with pytest.raises(Fenced):
            await other.connect()
        assert isinstance(await first.lookup("a"), NotFound)


@pytest.mark.parametrize("again", [False, True])
async def test_the_fence_outlives_the_venue(place: Place, again: bool) -> None:
    async with place.served():
        heir = place.engine(epoch=5)
        await heir.connect()
        await heir.close()
    async with place.served():
        if again:
            await place.engine(epoch=5).connect()
        with pytest.raises(Fenced) as raised:
            await place.engine(epoch=4).connect()
        assert raised.value.epoch == 5


async def test_a_file_that_a_newer_engine_opened_takes_nothing_of_an_older_one(
    place: Place,
) -> None:
    venue = await place.opened()
    await venue.admit(3)
    other = EventStore(place.file)
    other.admit(4)
    other.close()

    with pytest.raises(Fenced, match="epoch 4 has taken over from 3"):
        await venue.submit(order_at(0))
    reopened = await place.opened(epoch=5)
    assert isinstance(await reopened.lookup("a"), NotFound)
