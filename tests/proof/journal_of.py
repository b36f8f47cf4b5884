"""Prints the journal of a run with kills and crashes: ``journal_of.py SEED FOLDER``.

The run is a simulated one, over a journal on a disk, so that what is printed is what
``holdfast journal export`` writes.
"""

from __future__ import annotations

import sys
from math import inf
from pathlib import Path

from holdfast.options import RunOptions, read_options
from holdfast.testing import (
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    Committed,
    Decision,
    Faults,
    Slice,
    Submit,
    TradingSystem,
)
from holdfast_adapters.journal.export import write_json
from holdfast_adapters.journal.sqlite import SqliteJournal

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
FILES = (
    REPOSITORY / "tests" / "proof" / "strategies" / "restless.py",
    EXAMPLES / "strategies" / "sma_cross.py",
    EXAMPLES / "strategies" / "rebalance.py",
)


def faults_of(seed: int) -> Faults:
    """Return deaths of everybody, and messages that come late, or twice."""
    faults = Faults(seed=seed)
    faults.kill(JOURNAL, object, 40)
    faults.kill(ORDERS, object, 60, at_once=False)
    faults.crash_on(GUARD, Decision, 15, after=True)
    faults.crash_on(LEDGER, Committed, 12)
    faults.crash_on("*/session", Submit, 9)
    faults.kill("*/replay", object, 50)
    faults.crash_on("*/Restless/strategy", Slice, 33)
    faults.crash_on("*/SmaCross/strategy", Slice, 60, after=True)
    faults.duplicate("*/strategy", Committed, times=inf, rate=0.1)
    faults.delay("engine/core/*", by_s=0.5, times=inf, rate=0.05)
    faults.reorder("*", times=inf, rate=0.1)
    return faults


def options_of() -> RunOptions:
    """Return three siblings with little cash, on half a year of prices."""
    return read_options(
        [str(file) for file in FILES],
        data=EXAMPLES / "data",
        capital=30_000,
        commission="0.001",
        start="2004-06-01",
        end="2004-12-01",
        params={"long": "20", "short": "5"},
    )


def main(seed: int, folder: Path) -> None:
    store = SqliteJournal(folder / "journal.sqlite", 7)
    faults = faults_of(seed)
    ran = TradingSystem(options_of(), seed=seed, commit_s=0.01).run(faults, store=store)
    store.close()
    target = folder / "journal.json"
    write_json(folder / "journal.sqlite", target)
    print(target.read_text(encoding="utf-8"))
    print(ran.history)
    print(faults)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
