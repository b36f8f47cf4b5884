"""Interactive Brokers: the adapter over ib_async in its thread, and the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import attrs
import trio

from holdfast_adapters.ib import (
    Address,
    ContractSpec,
    Hub,
    IBVenue,
    Line,
    Memory,
    Timing,
)
from holdfast_adapters.owntime import OwnTime
from holdfast_adapters.simulators.ib import (
    Desk,
    SimContract,
    TwsSimulator,
    serving_tws,
)
from holdfast_adapters.simulators.ib.faults import AFTER, Fault
from holdfast_domain.errors import NotSent, OutcomeUnknown
from holdfast_domain.orders import OrderTerms, TimeInForce
from holdfast_domain.ports import VenueEvent, VenueOrder
from holdfast_runtime.threads import PykkaAsyncioHost

from .clock import Clock
from .face import Path_
from .hearing import Hearing, cut

T = TypeVar("T")

SYMBOL: Final = "COINUSD"
OPENED: Final = datetime(2024, 1, 2, 15, tzinfo=UTC)
"""In the morning of a day in New York."""

TIMING: Final = Timing(connect_s=60.0, answer_s=60.0, command_s=60.0)
OPERATIONS: Final = {
    "order": "open_orders",
    "user_stream": "fills",
    "submit_list": "submit",
}
"""What the suite's operations are here; all others have the same names."""

KINDS: Final = {"closed": "closed", "terminated": "closed"}


class Session(OwnTime):
    """A venue as a session of the engine uses it: what breaks off is connected anew."""

    def __init__(self, venue: IBVenue, began_us: int) -> None:
        self.made, self._began_us = venue, began_us
        self.name, self.promises = venue.name, venue.promises

        self.is_closed = False
        self.listing: Callable[[int], None] = lambda _legs: None
        """Told of how many legs the list is that leaves."""

    async def _tried(self, call: Callable[..., Awaitable[T]], *args: object) -> T:
        try:
            return await call(*args)
        except NotSent as error:
            if self.is_closed or error.retry_after_s:
                raise
            await self._again()
            return await call(*args)
        except ConnectionError as error:
            await self._again()
            raise OutcomeUnknown(str(error)) from error

    async def _again(self) -> None:
        while True:  # as the engine does: for as long as it takes
            try:
                return await self.made.connect()
            except (NotSent, ConnectionError):
                await trio.lowlevel.checkpoint()

    async def connect(self) -> None:
        self.is_closed = False
        await self.made.connect()

    async def close(self) -> None:
        self.is_closed = True
        await self.made.close()

    async def submit(self, order: VenueOrder) -> Sequence[VenueEvent]:
        return await self._tried(self.made.submit, order)

    async def submit_list(self, orders: Sequence[VenueOrder]) -> Sequence[VenueEvent]:
        self.listing(len(orders))
        return await self._tried(self.made.submit_list, orders)

    async def cancel(self, order_id: str) -> Sequence[VenueEvent]:
        return await self._tried(self.made.cancel, order_id)

    async def replace(self, order_id: str, terms: OrderTerms) -> Sequence[VenueEvent]:
        return await self._tried(self.made.replace, order_id, terms)

    async def lookup(self, order_id: str, meant_us: int = 0) -> Any:
        # No case of the suite goes over midnight, nor tells when its order was meant.
        meant_us = meant_us or self._began_us
        return await self._tried(self.made.lookup, order_id, meant_us)

    async def executions_since(self, watermark: str) -> Any:
        return await self._tried(self.made.executions_since, watermark)

    async def open_orders(self) -> Any:
        return await self._tried(self.made.open_orders)

    async def positions(self) -> Any:
        return await self._tried(self.made.positions)

    async def balances(self) -> Any:
        return await self._tried(self.made.balances)


LOT: Final = Decimal("0.001")


def least(units: int = 1) -> dict[str, Any]:
    """Return what the cases of the suite reckon with, whatever is traded."""
    return {"lot": LOT, "min_notional": Decimal(5 * units)}


@attrs.frozen(kw_only=True)
class Made:
    """What is traded, how it is meant, and what else there is."""

    contract: SimContract
    spec: ContractSpec
    others: tuple[SimContract, ...] = ()


COIN = Made(
    contract=SimContract(
        con_id=7, symbol=SYMBOL, kind="CRYPTO", exchange="PAXOS", primary="PAXOS",
        **least(),
    ),
    spec=ContractSpec(symbol=SYMBOL, kind="CRYPTO", exchange="PAXOS"),
)  # fmt: skip


def future(con_id: int, expiry: str, name: str) -> SimContract:
    return SimContract(
        con_id=con_id, symbol="ES", kind="FUT", exchange="CME", primary="",
        local_symbol=name, multiplier=Decimal(50), expiry=expiry, rule=67, **least(50),
    )  # fmt: skip


FUTURE = Made(
    contract=future(8, "20240315", "ESH4"),
    spec=ContractSpec(
        symbol="ES", kind="FUT", exchange="CME", expiry="202403", lot=LOT
    ),
    others=(future(9, "20240621", "ESM4"),),
)


def option(con_id: int, strike: int, right: str) -> SimContract:
    cents = Decimal("0.01")
    return SimContract(
        con_id=con_id, symbol="SPX", kind="OPT", exchange="CBOE", primary="",
        local_symbol=f"SPX   240119{right}{strike}", multiplier=Decimal(100),
        expiry="20240119", strike=Decimal(strike), right=right, rule=110,
        bands=((Decimal(0), cents / 2), (Decimal(3), cents)), **least(100),
    )  # fmt: skip


OPTION = Made(
    contract=option(10, 4700, "C"),
    spec=ContractSpec(
        symbol="SPX", kind="OPT", exchange="CBOE", expiry="20240119", right="C",
        strike=Decimal(4700), multiplier="100", lot=LOT,
    ),
    others=(option(11, 4700, "P"), option(12, 4800, "C")),
)  # fmt: skip

PAIR = Made(
    contract=SimContract(
        con_id=13, symbol="EUR", kind="CASH", exchange="IDEALPRO", primary="",
        local_symbol="EUR.USD", rule=239, **least(),
    ),
    spec=ContractSpec.named("EUR.USD"),
)  # fmt: skip


class IBFace:
    """IB; its fills are told after the answers, and its orders change in place.

    It does not speak HTTP, does not know prices that are far off, and sells what is not
    held: those cases are not played.
    """

    can: ClassVar[frozenset[str]] = frozenset(
        {"funds", "sessions", "wire", "stream", "hides", "auctions"}
        | {"trails", "trail_prices", "trail_changes"}
        | {"ocos", "brackets", "parts", "legs"}
    )
    codes: ClassVar[Mapping[str, str]] = {"funds": "201"}
    too_much: ClassVar[int] = 1001
    symbol = SYMBOL

    def __init__(self, path: Path_, record: Path, made: Made) -> None:
        self._path = list(path)
        self._clock = Clock(OPENED)
        self.record = record
        self.units = int(made.contract.units)
        self._spec, self._traded = made.spec, made.contract.local
        # As much of it can be bought as of something that is one unit each.
        self.desk = Desk(
            [made.contract, *made.others],
            Decimal(100_000) * made.contract.units,
            self._clock,
            record=record,
            leverage=Decimal(1),
        )
        self.simulator = TwsSimulator(self.desk)
        self.host = PykkaAsyncioHost(name="ib")
        self.hub, self.memory = Hub(), Memory()
        self.port = 0
        self.venue = self.new_venue()
        self.hearing = Hearing(2)  # of listening, and of the first connection

    def new_venue(self) -> Session:
        """An adapter as a new session makes it."""
        line = Line(
            address=Address("127.0.0.1", self.port),
            client_id=3,
            zone="America/New_York",
        )
        return Session(
            IBVenue(
                host=self.host,
                line=line,
                specs={SYMBOL: self._spec},
                clock=self._clock,
                hub=self.hub,
                memory=self.memory,
                timing=TIMING,
            ),
            self._clock.us,
        )

    @property
    def now_us(self) -> int:
        return self._clock.us

    async def market(self) -> None:
        price, volume = self._path.pop(0)
        self._clock.us += 10_000
        self.desk.trade(self._traded, Decimal(str(price)), Decimal(str(volume)))

    async def restart(self) -> None:
        await self.venue.close()
        self.memory = Memory()
        self.venue = self.new_venue()
        await self.venue.connect()

    def pass_time(self, seconds: float) -> None:
        self._clock.us += round(seconds * 1e6)

    def fault(self, kind: str, operation: str, count: int = 1, skip: int = 0) -> None:
        told = operation == "user_stream"
        switch_on = partial(
            self.simulator.faults.on,
            KINDS.get(kind, kind),
            OPERATIONS.get(operation, operation),
            count=count,
        )
        if operation == "submit_list" and KINDS.get(kind, kind) in AFTER:
            # It is all done once the last leg is: TWS answers each alone.
            self.venue.listing = partial(self._with_list, switch_on, skip)
        else:
            # Its fills are told apart: none goes before.
            switch_on(skip=0 if told else skip)

    def _with_list(self, switch_on: Callable[..., Fault], skip: int, legs: int) -> None:
        self.venue.listing = lambda _legs: None
        switch_on(skip=skip + legs - 1)

    async def hear(self, count: int, holes: int = 0) -> list[VenueEvent]:
        return await self.hearing.hear(count, holes)

    def auction(self, force: TimeInForce) -> None:
        self.desk.auction(self._traded, force)

    async def cut(self, order: VenueOrder) -> None:
        await cut(self.venue, self.simulator, order)


@asynccontextmanager
async def opened(path: Path_, record: Path, made: Made) -> AsyncIterator[IBFace]:
    face = IBFace(path, record, made)
    try:
        async with (
            serving_tws(face.simulator) as face.port,
            trio.open_nursery() as nursery,
        ):
            face.venue = face.new_venue()
            nursery.start_soon(face.hub.run, face.hearing.told, face.hearing.missed)
            await face.venue.connect()
            await face.hear(0)
            yield face
            await face.venue.close()
            nursery.cancel_scope.cancel()
    finally:
        face.host.close()
        face.desk.record.close()


ib = partial(opened, made=COIN)
ib_future = partial(opened, made=FUTURE)
ib_option = partial(opened, made=OPTION)
ib_pair = partial(opened, made=PAIR)
