"""The faces of the venues that there are: on paper, and others over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final, TypeAlias

import polars as pl
import trio

from holdfast_adapters.binance import (
    BinanceSpot,
    Credentials,
    Listener,
    Rest,
    Timing,
    UserStream,
)
from holdfast_adapters.binance.futures import (
    FUTURES,
    BinanceFutures,
    FuturesUserStream,
)
from holdfast_adapters.matching import FillAt, FillModel
from holdfast_adapters.paper import PaperVenue
from holdfast_adapters.simulators.binance import (
    Account,
    BaseExchange,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.binance.futures import (
    FuturesExchange,
    FuturesSimulator,
)
from holdfast_adapters.simulators.serving import serving
from holdfast_adapters.streams import StreamPlan
from holdfast_domain.cursor import ADVANCE_SLOT, cursor_at
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.orders import TimeInForce
from holdfast_domain.ports import ReplayedVenue, VenueEvent, VenueOrder

from .clock import Clock
from .face import Face, Path_
from .hearing import Hearing, cut
from .ibface import IBFace, ib, ib_future, ib_option, ib_pair

SYMBOL = "COINUSD"
TICK, LOT, LEAST = Decimal("0.01"), Decimal("0.001"), Decimal(5)
CASH, COINS = Decimal(100_000), Decimal(500)
OPENED = datetime(2024, 1, 2, tzinfo=UTC)


ACCOUNT, WHO = Account("key", "secret"), Credentials("key", "secret")


def coin() -> SimSymbol:
    return SimSymbol(
        name=SYMBOL, base="COIN", quote="USD", tick=TICK, lot=LOT, min_quantity=LOT,
        min_notional=LEAST, trailing=(20, 2000),
    )  # fmt: skip


def named(client_id: str) -> str:
    """The order that a client order id is of."""
    return client_id[:32]


class PaperFace:
    """The paper venue with its file; a price is a bar without a range."""

    units = 1
    can: ClassVar[frozenset[str]] = frozenset(
        {"answers", "posts", "sessions", "trails", "trail_prices", "trail_changes"}
        | {"ocos", "brackets", "parts", "around", "whole"}
    )
    codes: ClassVar[Mapping[str, str]] = {"crosses": "post_only"}
    too_much: ClassVar[int] = 0
    symbol = SYMBOL

    def __init__(self, path: Path_, record: Path) -> None:
        frame = pl.DataFrame(
            {
                "timestamp": [OPENED + timedelta(minutes=n) for n in range(len(path))],
                **{
                    name: [float(str(price)) for price, _ in path]
                    for name in ("open", "high", "low", "close")
                },
                "volume": [float(str(volume)) for _, volume in path],
            },
            schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
        )
        self._data = MarketData({SYMBOL: BarColumns(SYMBOL, frame)})
        self._step = -1
        self.record = record
        self.venue = self._new()

    def _new(self) -> PaperVenue:
        coin = Instrument(symbol=SYMBOL, tick=TICK, lot=LOT, min_notional=LEAST)
        return PaperVenue(
            self._data,
            {SYMBOL: coin},
            FillModel(fill=FillAt.THIS_CLOSE, participation=Decimal(1)),
            path=self.record,
            opened_at_us=lambda _, row: self._data.times_us[row],
            opening={"USD": CASH},
        )

    @property
    def now_us(self) -> int:
        return self._data.times_us[self._step]

    async def market(self) -> None:
        self._step += 1
        await self.venue.advance(cursor_at(self._step, ADVANCE_SLOT), self._step)

    async def restart(self) -> None:
        await self.venue.close()
        self.venue = self._new()
        await self.venue.connect()
        await self.venue.resume(cursor_at(self._step, ADVANCE_SLOT))

    def pass_time(self, seconds: float) -> None:
        """Its time is that of its data."""

    def fault(self, kind: str, operation: str, count: int = 1, skip: int = 0) -> None:
        raise AssertionError

    async def hear(self, count: int, holes: int = 0) -> list[VenueEvent]:
        raise AssertionError

    def auction(self, force: TimeInForce) -> None:
        raise AssertionError

    async def cut(self, order: VenueOrder) -> None:
        raise AssertionError


class BinanceFace:
    """Binance spot: the adapter, real sockets, and the exchange on the desk."""

    units = 1
    can: ClassVar[frozenset[str]] = frozenset(
        {"answers", "posts", "funds", "wire", "http", "bands", "stream", "frames"}
        | {"trails", "trail_limits", "trail_changes", "hides"}
        | {"ocos", "brackets", "parts", "around", "whole"}
    )
    codes: ClassVar[Mapping[str, str]] = {
        "funds": "-2010",
        "far": "-1013",
        "passed": "-2010",
        "crosses": "-2010",
        "distance": "-1013",
    }
    too_much: ClassVar[int] = 600
    symbol = SYMBOL

    def __init__(self, path: Path_, record: Path, clock: Clock) -> None:
        self._path = list(path)
        self._clock = clock
        self.record = record
        self.exchange: BaseExchange = self._opened()
        self.simulator = self._served()
        self.port = 0
        self.venue = self.new_venue()
        self.hearing = Hearing(1)  # the first hole is that of the first connection

    def _opened(self) -> BaseExchange:
        cash = {"USD": CASH, "COIN": COINS}
        return Exchange([coin()], cash, self._clock, record=self.record, order_of=named)

    def _served(self) -> BinanceSimulator:
        return BinanceSimulator(self.exchange, ACCOUNT)

    def new_venue(self) -> ReplayedVenue:
        """An adapter as a new process makes it."""
        return BinanceSpot(**self._wanted())

    def _wanted(self) -> dict[str, Any]:
        return {
            "symbols": [SYMBOL],
            "credentials": WHO,
            "address": f"http://127.0.0.1:{self.port}",
            "clock": self._clock,
            "sleep": self._clock.sleep,
            "timing": Timing(read_s=60.0),
        }

    @property
    def now_us(self) -> int:
        return self._clock.us

    async def market(self) -> None:
        price, volume = self._path.pop(0)
        self._clock.us += 10_000
        self.exchange.trade(SYMBOL, Decimal(str(price)), Decimal(str(volume)))

    async def restart(self) -> None:
        await self.venue.close()
        self.venue = self.new_venue()
        await self.venue.connect()

    def pass_time(self, seconds: float) -> None:
        self._clock.us += round(seconds * 1e6)

    def fault(self, kind: str, operation: str, count: int = 1, skip: int = 0) -> None:
        lists = ("submit_oco", "submit_otoco")
        for each in lists if operation == "submit_list" else (operation,):
            self.simulator.faults.on(kind, each, count=count, skip=skip)

    async def listen(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Hear user data."""
        plan = self._plan("/ws-api/v3")
        stream = UserStream(
            plan, WHO, lambda: self._clock.us // 1000, Random(1), self._listener()
        )
        await stream.run(task_status=task_status)

    def _plan(self, path: str) -> StreamPlan:
        return StreamPlan(url=f"ws://127.0.0.1:{self.port}{path}", backoff_first_s=0.01)

    def _listener(self) -> Listener:
        hearing = self.hearing
        return Listener(event=hearing.told, account=lambda: None, hole=hearing.missed)

    async def hear(self, count: int, holes: int = 0) -> list[VenueEvent]:
        return await self.hearing.hear(count, holes)

    def auction(self, force: TimeInForce) -> None:
        raise AssertionError

    async def cut(self, order: VenueOrder) -> None:
        await cut(self.venue, self.simulator, order)


@asynccontextmanager
async def paper(path: Path_, record: Path) -> AsyncIterator[PaperFace]:
    face = PaperFace(path, record)
    await face.venue.connect()
    try:
        yield face
    finally:
        await face.venue.close()


class FuturesFace(BinanceFace):
    """Binance USD-M futures: positions of either sign, and stops kept elsewhere."""

    can: ClassVar[frozenset[str]] = (
        BinanceFace.can
        - {"trail_changes", "hides", "ocos", "brackets", "parts", "around", "whole"}
    ) | {"reduces"}
    codes: ClassVar[Mapping[str, str]] = {
        "funds": "-2019",
        "far": "-4016",
        "passed": "-2021",
        "crosses": "-5022",
        "opens": "-2022",
        "distance": "-2007",
    }
    too_much: ClassVar[int] = 1001
    exchange: FuturesExchange

    def _opened(self) -> FuturesExchange:
        return FuturesExchange(
            [coin()], {"USD": CASH}, self._clock, record=self.record, order_of=named,
            leverage=Decimal(1),
        )  # fmt: skip

    def _served(self) -> FuturesSimulator:
        return FuturesSimulator(self.exchange, ACCOUNT)

    def new_venue(self) -> BinanceFutures:
        return BinanceFutures(**self._wanted())

    async def listen(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        rest = Rest(
            name="keys", address=f"http://127.0.0.1:{self.port}", credentials=WHO,
            clock=self._clock, sleep=trio.sleep, routes=FUTURES,
        )  # fmt: skip
        rest.open()
        try:
            stream = FuturesUserStream(
                rest,
                lambda key: self._plan(f"/private/ws?listenKey={key}"),
                Random(1),
                self._listener(),
            )
            await stream.run(task_status=task_status)
        finally:
            with trio.CancelScope(shield=True):
                await rest.close()


@asynccontextmanager
async def desk(face: BinanceFace) -> AsyncIterator[BinanceFace]:
    async with serving(face.simulator) as face.port:
        face.venue = face.new_venue()
        await face.venue.connect()
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(face.listen)
                await face.hear(0)
                yield face
                nursery.cancel_scope.cancel()
        finally:
            await face.venue.close()
            face.exchange.record.close()


def binance(path: Path_, record: Path) -> AbstractAsyncContextManager[BinanceFace]:
    return desk(BinanceFace(path, record, Clock(OPENED)))


def futures(path: Path_, record: Path) -> AbstractAsyncContextManager[BinanceFace]:
    return desk(FuturesFace(path, record, Clock(OPENED)))


Opened: TypeAlias = Callable[[Path_, Path], AbstractAsyncContextManager[Face]]

OPEN: Final[dict[str, Opened]] = {
    "paper": paper,
    "binance": binance,
    "futures": futures,
    "ib": ib,
    "ib-future": ib_future,
    "ib-option": ib_option,
    "ib-pair": ib_pair,
}
"""How each face is opened, by its name."""

ABLE = {
    "paper": PaperFace.can,
    "binance": BinanceFace.can,
    "futures": FuturesFace.can,
    "ib": IBFace.can,
    "ib-future": IBFace.can,
    "ib-option": IBFace.can,
    "ib-pair": IBFace.can,
}
