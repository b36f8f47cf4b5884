"""`backtest`: the engine in virtual time, over recorded data, as fast as it goes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from holdfast.analyzing import actors_of, let_analyze
from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, watch, write_opening
from holdfast.loading import said, where_of
from holdfast.options import RunOptions, read_options
from holdfast.results.measure import RunResult, measure
from holdfast_actors.strategy.api import Strategy
from holdfast_actors.strategy.state import CannotSave
from holdfast_actors.tree import Parts
from holdfast_adapters.calendars import TableCalendar
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain.errors import InputError
from holdfast_domain.events import Entry
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import Numeric
from holdfast_runtime import ActorError, EngineFailed, SimulatedEngine
from holdfast_runtime.cell import Cell, State

TURNS = 16_384
"""Steps of the engine between two looks at the progress."""

COLLECTED_AFTER = 50_000
"""New objects between two collections; Python's own figure costs a tenth of a run."""

Progress = Callable[[int, int], None]
"""Told how many steps of the data are done, and of how many."""


@attrs.frozen
class Simulation:
    """A finished run in virtual time."""

    engine: SimulatedEngine
    parts: Parts
    entries: list[Entry]
    wall_s: float


def backtest(
    strategies: Sequence[str | type[Strategy]] | str | type[Strategy],
    *,
    data: str | Path | MarketData,
    capital: Numeric = 100_000,
    start: str | None = None,
    end: str | None = None,
    tz: str | None = None,
    commission: Numeric = 0,
    slippage_bps: Numeric = 0,
    fill: str = "next_open",
    fractional: bool = False,
    params: Mapping[str, Any] | None = None,
    instruments: str | Path | Mapping[str, Instrument] | None = None,
) -> RunResult:
    """Run strategies (classes, or ``FILE.py[:Class]``) over recorded bars.

    The engine, its actors and its rules are those of a live run; only the clock and
    the venue differ. ``commission`` is a fraction of the notional; ``fill`` is
    ``next_open``, ``this_close`` or ``next_close``.

    Raises:
        InputError: wrong input, or a strategy that raised.
    """
    options = read_options(
        strategies,
        data=data,
        capital=capital,
        start=start,
        end=end,
        tz=tz,
        commission=commission,
        slippage_bps=slippage_bps,
        fill=fill,
        fractional=fractional,
        params=params,
        instruments=instruments,
    )
    return finish(options, simulate(options))


def simulate(
    options: RunOptions,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    calendars: Mapping[str, TableCalendar] | None = None,
) -> Simulation:
    """Run ``options`` on the simulated engine to the end of the data.

    ``calendars`` are those that a venue told of its instruments, by symbol.

    Raises:
        InputError: a strategy raised.
        EngineFailed: the engine ended before the data did.
    """
    store = MemoryJournal()
    done: list[bool] = []
    world = World(
        store=store,
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=seed & 0xFFFFFFFF,
        finished=lambda: done.append(True),
        mode="backtest",
        calendars=calendars or {},
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    engine = SimulatedEngine(build_tree(parts), seed=seed)
    failed: list[Exception] = []
    watch(engine, parts, lambda cell, error: failed.append(_said_of(cell, error)))
    began_s = time.perf_counter()
    with rare_collections():
        engine.root.begin()
        while not done and not failed and engine.root.state is not State.CRASHED:
            if progress is not None:
                progress(parts.prices.step + 1, len(parts.data.times_us))
            if not _turns(engine, done, failed):
                break
    if failed:
        raise failed[0]
    if not done:
        raise engine.root.error or EngineFailed(engine.root.path)
    wall_s = time.perf_counter() - began_s
    return Simulation(engine, parts, list(store.read()), wall_s)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage more rarely: a run keeps what it makes, and makes no cycles.

    What is there before, which is modules and data, is not looked at meanwhile.
    """
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.set_threshold(max(COLLECTED_AFTER, before[0]), *before[1:])
    if not frozen:
        gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()


def _turns(engine: SimulatedEngine, done: list[bool], failed: list[Exception]) -> bool:
    """Let the engine go on for a while; return whether there is more to do."""
    for _ in range(TURNS):
        if done or failed or engine.root.state is State.CRASHED:
            return False
        if not engine.step():
            return False
    return True


def finish(options: RunOptions, run: Simulation) -> RunResult:
    """Measure a run, and let each strategy look at its result."""
    result = measure(run.entries, options.data, options.instruments, wall_s=run.wall_s)
    let_analyze(actors_of(run.parts, run.engine.cells), result)
    return result


def _said_of(cell: Cell, error: Exception) -> Exception:
    """Return a strategy's crash as its author's; any other is a defect of ours."""
    return strategy_error(cell, error) if "/strategies/" in cell.path else error


def strategy_error(cell: Cell, error: Exception) -> InputError:
    """Return a strategy's crash as an error of its author's input."""
    cause: BaseException = error
    # Only what the engine wrapped around it comes off; what its author chained stays.
    while isinstance(cause, ActorError | InputError) and cause.__cause__ is not None:
        if isinstance(cause, InputError):
            break
        cause = cause.__cause__
    if isinstance(cause, InputError):
        return cause
    name = cell.path.split("/")[-2]
    if isinstance(cause, CannotSave):
        return InputError(
            f"{name}.{cause.attribute.partition('.')[2] or cause.attribute}",
            "a value that can be saved (plain values, Decimal, datetime, containers, "
            "attrs classes, polars frames)",
            f"{type(cause.value).__name__} in {cause.attribute}",
            "keep it elsewhere, or make it from values that can be saved",
        )
    return InputError(
        where_of(cause, name),
        f"a strategy {name} that runs",
        said(cause),
        "correct it there",
    )
