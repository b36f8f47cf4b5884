"""``holdfast venue ib``: TWS on the desk, for adapters and for people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import click
import trio

from holdfast.cli.exchange import (
    PAST_DAYS,
    PORTS,
    Day,
    end_by_signal,
    pair,
    positive,
    say_line,
)
from holdfast.cli.sharing import whole_number
from holdfast.clocks import SystemClock
from holdfast_adapters.simulators.ib import (
    Desk,
    Exits,
    Parked,
    SimContract,
    TwsSimulator,
    serving_tws,
)
from holdfast_adapters.simulators.ib.faults import REQUESTS, TOLD, known_for
from holdfast_adapters.simulators.ib.stage import KINDS, TwsStage
from holdfast_adapters.simulators.walk import walk
from holdfast_domain.errors import InputError

MESSAGES_PER_S: Final = 50
"""What IB allows a client."""

FIRST_CONTRACT: Final = 265_598


@attrs.frozen
class _Market:
    contract: SimContract
    price: Decimal


@click.command(epilog="Example: holdfast venue ib --port 7497 --symbol AAPL=100")
@click.option("--port", default="7497", metavar="N", help="Where it listens; 0: any.")
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    default=("AAPL=100",),
    metavar="NAME=PRICE",
    help="A stock that trades there, and from which price; may be repeated.",
)
@click.option(
    "--cash", default="100000", show_default=True, metavar="N", help="In dollars."
)
@click.option(
    "--trades-per-s",
    default="4",
    show_default=True,
    metavar="N",
    help="How often each stock trades.",
)
@click.option("--seed", default="0", metavar="N", help="Of the prices' random walk.")
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
@click.option(
    "--exits",
    type=click.Choice([each.value for each in Exits]),
    default=Exits.WAIT.value,
    show_default=True,
    help="What exits of a bracket do while its entry is filled in part.",
)
@click.option(
    "--parked",
    type=click.Choice([each.value for each in Parked]),
    default=Parked.SHOWN.value,
    show_default=True,
    help="What becomes of orders that are not transmitted.",
)
def ib(**given: Any) -> int:  # noqa: ANN401 - as click gives them
    """Run a TWS that speaks as the real one does, on this machine alone.

    Its account is a paper one, DU1234567. Prices walk at random, around the clock. It
    forgets everything when it ends; only the record is kept.

    Ctrl-C or SIGTERM end it.
    """
    port = whole_number("--port", given["port"], 0)
    if port > PORTS:
        raise InputError("--port", f"a number up to {PORTS}", str(port))
    markets = [_market(number, text) for number, text in enumerate(given["symbols"])]
    day = Day.of(given, KINDS)
    record = given["record"]
    desk = Desk(
        [each.contract for each in markets],
        positive("--cash", given["cash"]),
        SystemClock(),
        record=None if record is None else Path(record),
        past_days=PAST_DAYS,
    )
    desk.brackets.exits = Exits(given["exits"])
    desk.brackets.parked = Parked(given["parked"])
    simulator = TwsSimulator(desk, messages_per_s=MESSAGES_PER_S)
    for text in given["faults"]:
        simulator.faults.on(*_fault(text))
    trio.run(_serve, simulator, markets, port, day)
    desk.record.close()
    return 0


async def _serve(
    simulator: TwsSimulator,
    markets: Sequence[_Market],
    port: int,
    day: Day,
) -> None:
    try:
        async with (
            serving_tws(simulator, port) as taken,
            trio.open_nursery() as nursery,
        ):
            await nursery.start(end_by_signal, nursery.cancel_scope)
            say_line(f"TWS listens at 127.0.0.1:{taken}")
            for each in markets:
                steps = walk(each.contract, each.price, day.random)
                trade = partial(simulator.desk.trade, each.contract.symbol)
                nursery.start_soon(day.walk, steps, trade)
            day.begin(TwsStage(simulator), nursery)
    except* OSError as errors:
        came = str(errors.exceptions[0])
        todo = "take another one, or 0 for any"
        raise InputError("--port", "a port that is free", came, todo) from errors


def _market(number: int, text: str) -> _Market:
    name, price = pair("--symbol", text)
    con_id = FIRST_CONTRACT + number
    return _Market(SimContract(con_id=con_id, symbol=name, name=name), price)


def _fault(text: str) -> tuple[str, str]:
    operation, _, kind = text.partition("=")
    if operation not in (*REQUESTS, *TOLD):
        expected = f"OPERATION=KIND with one of {', '.join((*REQUESTS, *TOLD))}"
        raise InputError("--fault", expected, repr(text))
    if kind not in known_for(operation):
        expected = f"one of {', '.join(known_for(operation))} for {operation}"
        raise InputError("--fault", expected, repr(kind))
    return kind, operation
