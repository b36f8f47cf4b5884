"""A whole trading system in virtual time, for tests that harm it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import attrs

from holdfast.clocks import FixedClock
from holdfast.compose import (
    VENUE,
    World,
    build_tree,
    make_parts,
    watch,
    write_opening,
)
from holdfast.options import RunOptions
from holdfast.results.measure import RunResult, measure
from holdfast.testing.outcome import difference, outcome
from holdfast_actors.ledger import Ledger, SubLedger
from holdfast_actors.tree import LEDGER, Parts
from holdfast_actors.vetting import Limits
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain import events as ev
from holdfast_domain.ports import JournalStore, ThreadHost
from holdfast_runtime.cell import State
from holdfast_runtime.testing import Faults, FaultyEngine, History
from holdfast_runtime.threads import InlineHost

E = TypeVar("E")
ENGINE = 7
"""The engine's identity in all simulated runs, so that ids can be compared."""


@attrs.frozen(kw_only=True, eq=False)
class TradingRun:
    """What is left of a run; its engine stands where the run ended."""

    options: RunOptions
    engine: FaultyEngine
    parts: Parts
    faults: Faults
    entries: list[ev.Entry]
    """The journal."""

    finished: bool
    """Whether the data came to its end."""

    @property
    def history(self) -> History:
        """What the actors did, and what was done to them."""
        return self.faults.history

    def events(self, kind: type[E]) -> list[E]:
        """Return the journal's events of one kind, in order."""
        return [each.event for each in self.entries if type(each.event) is kind]

    @cached_property
    def result(self) -> RunResult:
        """The result, as `backtest` gives it."""
        data, instruments = self.options.data, self.options.instruments
        return measure(self.entries, data, instruments, wall_s=None)

    @cached_property
    def outcome(self) -> dict[str, list[str]]:
        """What no fault may change: orders, fills, decisions, balances, the end."""
        return outcome(self.entries, self.options.instruments, VENUE)

    @cached_property
    def ledger(self) -> dict[str, SubLedger]:
        """The balances of each strategy, from the journal."""
        instruments = self.options.instruments
        made = Ledger(history=self.entries, instruments=instruments, venue=VENUE)
        return made.sub_ledgers()

    def expect_same_as(self, other: TradingRun) -> None:
        """See that this run came to the same as one that nobody disturbed.

        Orders, fills, decisions, balances, final equity; nobody parked or quarantined
        but who was so in the other run too. And the ledger that ran must have the
        balances that its journal gives.

        Raises:
            AssertionError: it shows the first difference, and the faults.
        """
        if other.finished and not self.finished:
            said = f"the run did not come to its end:\n{self._stuck()}"
        else:
            said = difference(other.outcome, self.outcome)
            equities = (other.result.final_equity, self.result.final_equity)
            if not said and equities[0] != equities[1]:
                said = "final equity: expected {}, was {}".format(*equities)
        said = said or self._untrue_balances()
        if said:
            message = f"expected the outcome of the other run, was not so\n{said}\n"
            raise AssertionError(message + f"faults:\n{self._faults()}")

    def _untrue_balances(self) -> str:
        ledger = self.engine.cells[LEDGER].actor
        if ledger is None or ledger.sub_ledgers() == self.ledger:
            return ""
        return (
            f"{LEDGER}: expected what the journal gives\n  {self.ledger}\n"
            f"was\n  {ledger.sub_ledgers()}"
        )

    def _stuck(self) -> str:
        lines = [
            f"  {path} is {cell.state.value}, {cell.mailbox.size} waiting"
            + (f", after {cell.error!r}" if cell.error is not None else "")
            + (f", handling {cell.in_hand[0]!r}" if cell.in_hand else "")
            for path, cell in self.engine.cells.items()
            if cell.state is not State.RUNNING or cell.mailbox.size or cell.in_hand
        ]
        return "\n".join(lines) or "  every actor runs, and none has mail"

    def _faults(self) -> str:
        kinds = ("fault", "crashed", "restarted", "parked", "quarantined")
        seen = [each for each in self.history if each.what in kinds]
        return "\n".join([f"  {self.faults}", *(f"  {each}" for each in seen[:12])])


class TradingSystem:
    """Strategies on recorded data; each `run` is a new one from the beginning."""

    def __init__(
        self,
        options: RunOptions,
        *,
        seed: int = 0,
        commit_s: float = 0.0,
        limits: Limits | None = None,
        slices_max: int = 1,
    ) -> None:
        """Run by the schedule of ``seed`` (0: in the order in which mail was sent).

        A commit of the journal takes ``commit_s`` seconds of virtual time. As in live
        trading, each `Slice` is a message of its own, unless a lone strategy may take
        ``slices_max`` of them in one, as it does in a backtest.
        """
        self.options = options
        self._seed = seed
        self._commit_s = commit_s
        self._limits = limits or Limits()
        self._slices_max = slices_max

    @property
    def paths(self) -> Sequence[str]:
        """Where the actors are, in the order of their start."""
        return list(self._build(Faults(), MemoryJournal(), None, []).engine.cells)

    def run(
        self,
        faults: Faults | None = None,
        *,
        store: JournalStore | None = None,
        venue_path: Path | None = None,
        prepare: Callable[[FaultyEngine], None] | None = None,
    ) -> TradingRun:
        """Run to the end of the data, or until nothing can happen any more.

        A ``store`` with records, and the venue's file, make it a start after a kill of
        the process. ``prepare`` is called with the engine before anything runs.
        """
        done: list[bool] = []
        store = MemoryJournal() if store is None else store
        ran = self._build(faults or Faults(seed=self._seed), store, venue_path, done)
        engine = ran.engine
        if prepare is not None:
            prepare(engine)
        engine.root.begin()
        while not done and engine.root.state is not State.CRASHED:
            if not engine.step():
                break
        return attrs.evolve(ran, entries=list(store.read()), finished=bool(done))

    def _build(
        self,
        faults: Faults,
        store: JournalStore,
        venue_path: Path | None,
        done: list[bool],
    ) -> TradingRun:
        host = _DiskHost(self._commit_s)
        world = World(
            store=store,
            journal_host=host if self._commit_s else InlineHost(),
            venue_path=None if venue_path is None else lambda _name: venue_path,
            venue_host=None,
            wall=FixedClock(),
            engine=ENGINE,
            finished=lambda: done.append(True),
            mode="backtest",
            limits=self._limits,
            slices_max=self._slices_max,
        )
        parts = make_parts(self.options, world)
        write_opening(self.options, parts, world)
        engine = FaultyEngine(
            build_tree(parts), faults=faults, seed=self._seed, shuffle=self._seed != 0
        )
        host.engine = engine
        watch(engine, parts, lambda _cell, _error: None)
        return TradingRun(
            options=self.options,
            engine=engine,
            parts=parts,
            faults=faults,
            entries=[],
            finished=False,
        )


class _DiskHost:
    """A thread host whose calls take some virtual time, as a disk does."""

    engine: FaultyEngine

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    async def run(
        self,
        call: Callable[..., Any],
        *args: object,
        deadline_s: float,
    ) -> Any:  # noqa: ANN401 - whatever the call returns
        """Call after a while."""
        del deadline_s
        until_s = self.engine.now_s() + self._delay_s
        await self.engine.new_bell().wait(until_s)
        return call(*args)


_: type[ThreadHost] = _DiskHost
