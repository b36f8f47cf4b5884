"""``holdfast venue binance``: an exchange on the desk, for adapters and for people."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - the seed is an option
from typing import Any, Final

import attrs
import click
import trio

from holdfast.cli.output import show_line
from holdfast.cli.sharing import whole_number
from holdfast.clocks import SystemClock
from holdfast.scripts import read_script
from holdfast_adapters.simulators.binance import (
    Account,
    BaseExchange,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.binance.faults import OPERATIONS, known_for
from holdfast_adapters.simulators.binance.futures import (
    FuturesExchange,
    FuturesSimulator,
)
from holdfast_adapters.simulators.binance.recorded import (
    RecordedTrade,
    recorded_trades,
)
from holdfast_adapters.simulators.binance.stage import KINDS, BinanceStage
from holdfast_adapters.simulators.script import (
    Kinds,
    ScriptedFault,
    SkewedClock,
    Stage,
    play,
)
from holdfast_adapters.simulators.serving import serving
from holdfast_adapters.simulators.walk import walk
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.ids import DIGITS
from holdfast_domain.money import to_decimal

QUOTES: Final = ("USDT", "USDC", "BTC", "ETH", "EUR", "USD")
"""What a symbol may be quoted in; its name ends with it."""

ACCOUNT: Final = Account("desk-key", "desk-secret")
"""Who may trade there; it is no secret."""

PORTS: Final = 65_535
PAST_DAYS: Final = 40
"""For how long its symbols were traded before it listens."""


@attrs.frozen
class _Market:
    symbol: SimSymbol
    price: Decimal


@attrs.frozen(kw_only=True)
class Day:
    """What happens at a venue by itself."""

    speed: float
    """How many times faster."""

    pause_s: float
    """Between two trades of a random walk."""

    random: Random
    script: Sequence[ScriptedFault] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any], kinds: Kinds) -> Day:
        """Return that of the options.

        Raises:
            InputError: one of them is wrong.
        """
        script = given["script"]
        return cls(
            speed=float(positive("--speed", given["speed"])),
            pause_s=1 / float(positive("--trades-per-s", given["trades_per_s"])),
            random=Random(whole_number("--seed", given["seed"], 0)),
            script=() if script is None else read_script(Path(script), kinds),
        )

    async def walk(
        self,
        steps: Iterator[tuple[Decimal, Decimal]],
        trade: Callable[[Decimal, Decimal], object],
    ) -> None:
        """Let the market trade at prices that walk at random, for ever."""
        for price, quantity in steps:
            trade(price, quantity)
            await trio.sleep(self.pause_s / self.speed)

    async def replay(
        self, trades: Sequence[RecordedTrade], exchange: BaseExchange, *, loops: bool
    ) -> None:
        """Tell each recorded trade when it is due; then stand still, or begin again."""
        first_ns = trades[0].at_ns
        while True:
            began_s = trio.current_time()
            for each in trades:
                due_s = began_s + (each.at_ns - first_ns) / 1e9 / self.speed
                await trio.sleep_until(due_s)
                exchange.trade(each.symbol, each.price, each.quantity)
            if not loops:
                return

    def begin(self, stage: Stage, nursery: trio.Nursery) -> None:
        """Play the script, if there is one, and say what is on."""
        if self.script:
            nursery.start_soon(play, self.script, stage, self.speed, say_line)


def say_line(text: str) -> None:
    """Print a line at once, for whoever waits for it."""
    show_line(text)
    sys.stdout.flush()


@click.command(
    epilog="Example: holdfast venue binance --port 9000 --symbol BTCUSDT=50000"
)
@click.option("--port", default="0", metavar="N", help="Where it listens; 0: any.")
@click.option("--futures", is_flag=True, help="The USD-M futures, and not spot.")
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    default=("BTCUSDT=50000",),
    metavar="NAME=PRICE",
    help="What trades there, and from which price; may be repeated.",
)
@click.option(
    "--balance",
    "balances",
    multiple=True,
    default=("USDT=100000",),
    metavar="ASSET=AMOUNT",
    help="What the account has; may be repeated.",
)
@click.option(
    "--trades-per-s",
    default="4",
    show_default=True,
    metavar="N",
    help="How often each symbol trades.",
)
@click.option("--seed", default="0", metavar="N", help="Of the prices' random walk.")
@click.option(
    "--replay",
    metavar="DIR",
    help="Tell the trades of a recording, and not of a random walk.",
)
@click.option("--loop", is_flag=True, help="Begin the recording again at its end.")
@click.option(
    "--speed",
    default="1",
    show_default=True,
    metavar="N",
    help="How many times faster all of its day goes: the market, and the script.",
)
@click.option("--script", metavar="FILE", help="Faults, and when they begin and end.")
@click.option("--record", metavar="FILE", help="Keep its own record, in SQLite.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="OPERATION=KIND",
    help="What goes wrong, once; may be repeated.",
)
def binance(**given: Any) -> int:  # noqa: ANN401 - as click gives them
    """Run an exchange that speaks as Binance does, on this machine alone.

    REST, user data, and the streams of trades and quotes are on one port. The key is
    'desk-key', the secret is 'desk-secret'. Prices walk at random, or are those of a
    recording; klines show those of the 40 days before, too, which are made up. It
    forgets everything when it ends; only the record is kept.

    Ctrl-C or SIGTERM end it.
    """
    port = whole_number("--port", given["port"], 0)
    if port > PORTS:
        raise InputError("--port", f"a number up to {PORTS}", str(port))
    markets = [_market(text) for text in given["symbols"]]
    day = Day.of(given, KINDS)
    record = given["record"]
    clock, order_of = SkewedClock(SystemClock()), lambda name: name[:DIGITS]
    listed = [each.symbol for each in markets]
    funds = dict(pair("--balance", text) for text in given["balances"])
    path = None if record is None else Path(record)
    simulator: BinanceSimulator
    if given["futures"]:
        simulator = FuturesSimulator(
            FuturesExchange(
                listed,
                funds,
                clock,
                record=path,
                order_of=order_of,
                past_days=PAST_DAYS,
            ),
            ACCOUNT,
        )
    else:
        simulator = BinanceSimulator(
            Exchange(
                listed,
                funds,
                clock,
                record=path,
                order_of=order_of,
                past_days=PAST_DAYS,
            ),
            ACCOUNT,
        )
    exchange = simulator.exchange
    for text in given["faults"]:
        simulator.faults.on(*_fault(text))
    recorded = None
    if given["replay"] is not None:
        trades = _recording(given["replay"], exchange)
        recorded = partial(day.replay, trades, exchange, loops=given["loop"])
    stage = BinanceStage(simulator, clock)
    trio.run(_serve, stage, markets, port, day, recorded)
    exchange.record.close()
    return 0


async def _serve(
    stage: BinanceStage,
    markets: Sequence[_Market],
    port: int,
    day: Day,
    recorded: Callable[[], Awaitable[None]] | None,
) -> None:
    simulator, exchange = stage.simulator, stage.simulator.exchange
    try:
        async with serving(simulator, port) as taken, trio.open_nursery() as nursery:
            await nursery.start(end_by_signal, nursery.cancel_scope)
            say_line(f"the exchange listens at http://127.0.0.1:{taken}")
            if recorded is not None:
                nursery.start_soon(recorded)
            else:
                for each in markets:
                    steps = walk(each.symbol, each.price, day.random)
                    trade = partial(exchange.trade, each.symbol.name)
                    nursery.start_soon(day.walk, steps, trade)
            day.begin(stage, nursery)
    except* OSError as errors:
        came = str(errors.exceptions[0])
        todo = "take another one, or 0 for any"
        raise InputError("--port", "a port that is free", came, todo) from errors


async def end_by_signal(
    scope: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """End ``scope`` at Ctrl-C or SIGTERM."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()


def _recording(folder: str, exchange: BaseExchange) -> list[RecordedTrade]:
    """Return the recorded trades of what is listed."""
    found = [t for t in recorded_trades(Path(folder)) if t.symbol in exchange.symbols]
    if not found:
        names = ", ".join(exchange.symbols)
        todo = "record with 'record:' in the data of a run, or name others by --symbol"
        raise InputError("--replay", f"recorded trades of {names}", "none", todo)
    return found


def _market(text: str) -> _Market:
    name, price = pair("--symbol", text)
    for quote in QUOTES:
        base = name.removesuffix(quote)
        if base not in ("", name):
            return _Market(SimSymbol(name=name, base=base, quote=quote), price)
    expected = f"a name that ends with {', '.join(QUOTES)}"
    raise InputError("--symbol", expected, repr(name), "such as BTCUSDT=50000")


def pair(option: str, text: str) -> tuple[str, Decimal]:
    """Return the name and the number of an option.

    Raises:
        InputError: it has not both.
    """
    name, equals, number = text.partition("=")
    if not equals or not name:
        raise InputError(option, "NAME=NUMBER", repr(text), "such as USDT=100000")
    return name, positive(option, number)


def positive(option: str, text: str) -> Decimal:
    """Return the number of an option.

    Raises:
        InputError: it is none, or not above 0.
    """
    try:
        number = to_decimal(text)
    except DomainError:
        number = Decimal(0)
    if number <= 0:
        raise InputError(option, "a number above 0", repr(text))
    return number


def _fault(text: str) -> tuple[str, str]:
    operation, _, kind = text.partition("=")
    if operation not in OPERATIONS:
        expected = f"OPERATION=KIND with one of {', '.join(OPERATIONS)}"
        raise InputError("--fault", expected, repr(text))
    kinds = known_for(operation)
    if kind not in kinds:
        expected = f"one of {', '.join(kinds)} for {operation}"
        raise InputError("--fault", expected, repr(kind))
    return kind, operation
