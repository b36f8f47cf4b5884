"""`kill -9` of an engine and of its venue, again and again: as if nothing had happened.

Both are real processes on real files, and the venue keeps its own record. The engine is
killed at every kind of record that it writes, before and after the commit, and at any
moment; the venue at its own records. What must be equal in the end is the ledger, every
order, every fill and every decision; and the auditor must be content.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from holdfast.options import RunOptions, read_options
from holdfast_adapters.auditor import audit
from holdfast_domain import events as ev

from .comparing import outcome, read, unlike
from .running import (
    BOUND,
    DATA,
    DEADLINE_S,
    EXAMPLES,
    REPOSITORY,
    RESTLESS,
    records_of,
    start_process,
    wait_for,
)

FILES = (
    RESTLESS,
    EXAMPLES / "strategies" / "sma_cross.py",
    EXAMPLES / "strategies" / "rebalance.py",
    BOUND,
)
START, END = "2004-06-01", "2005-03-01"

Aim = tuple[str, bool, bool]
"""A kind, whether its record is durable by then, and whether it may be far."""

CHAIN: list[Aim] = [
    ("EngineStarted", False, False),
    ("EngineStarted", True, False),
    ("SchedulesDeclared", False, True),
    ("SchedulesDeclared", True, True),
    ("OrderIntended", False, False),
    ("OrderIntended", True, False),
    # The start after it is in doubt, and dies of that, and goes on.
    ("OrderUnknown", False, False),
    ("OrderUnknown", True, False),
    ("OrderNotSent", True, False),
    ("OrderReadmitted", True, False),
]
"""Deaths that only follow from one another."""

LAST: list[Aim] = [("RunFinished", False, True), ("RunFinished", True, True)]

VENUE_KINDS = ["submitted", "acked", "executed", "ended", "cancel_requested",
               "replace_requested", "replaced", "advanced"]  # fmt: skip
HISTORIES = 15
"""Under `make soak`, of `KILLS` kills each: 300 and more."""

KILLS = 20
RARE = 8
"""A kind with fewer records is aimed at wherever it comes, by a history of its own."""


@attrs.frozen
class Reference:
    """The uninterrupted run, whose venue was in its own process."""

    options: RunOptions
    outcome: dict[str, Any]
    printed: dict[str, Any]
    records: int
    kinds: Counter[str]
    """How many records of each kind it wrote."""


def arguments(speed: str = "max") -> list[str]:
    return [
        *(str(file) for file in FILES),
        *("--data", str(DATA), "--start", START, "--end", END),
        *("--commission", "0.001", "--speed", speed),
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    state = tmp_path_factory.mktemp("reference") / "state"
    printed = finish(start_process(state, *arguments()))
    options = read_options(
        [str(file) for file in FILES],
        data=DATA,
        commission="0.001",
        start=START,
        end=END,
    )
    entries = read(state / "journal.sqlite")
    return Reference(
        options,
        outcome(entries, options.instruments),
        printed,
        len(entries),
        Counter(type(entry.event).__name__ for entry in entries),
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what the process prints at the end of the data, without its pace."""
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (0, "")
    printed: dict[str, Any] = json.loads(out)
    for each in (printed, *printed["strategies"].values()):
        each.pop("bars_per_s")
    return printed


# --- both are killed -----------------------------------------------------------------


def killed(
    reference: Reference,
    folder: Path,
    seed: int,
    kinds: Sequence[str],
    chain: Sequence[Aim],
) -> tuple[Counter[str], Counter[str]]:
    """Play one history, and judge it; return the kills of engine and venue by kind."""
    folder.mkdir()
    plan = {
        "seed": seed,
        "folder": str(folder),
        "market": {
            "data": str(DATA),
            "start": START,
            "end": END,
            "commission": "0.001",
        },
        "files": [str(file) for file in FILES],
        "chain": list(chain),
        "last": LAST,
        "kinds": list(kinds),
        "venue_kinds": VENUE_KINDS,
        "kills": KILLS,
        "records": reference.records,
        "venue_kills": 4,
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "tests.proof.lives", str(folder / "plan.json")]
    ended = subprocess.run(
        command,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    judge(reference, folder)
    tally = json.loads(ended.stdout)
    return Counter(tally["kills"]), Counter(tally["venue_kills"])


def judge(reference: Reference, folder: Path) -> None:
    journal = folder / "state" / "journal.sqlite"
    report = audit(journal, {"paper": folder / "venue" / "venue-paper.sqlite"})
    assert [line for check in report.checks for line in check.findings] == []
    entries = read(journal)
    ended = outcome(entries, reference.options.instruments)
    assert unlike(reference.outcome, ended) == []
    epochs = [e.epoch for e in entries if isinstance(e.event, ev.EngineStarted)]
    assert epochs == sorted(set(epochs))


def test_an_engine_and_a_venue_that_are_killed_end_like_those_that_are_not(
    reference: Reference, sample: random.Random, tmp_path: Path
) -> None:
    kinds = sorted(reference.kinds)

    kills, venue_kills = killed(
        reference, tmp_path / "h", sample.randrange(1 << 32), kinds, CHAIN
    )

    assert kills.total() >= KILLS
    assert kills.keys() >= {kind for kind, *_ in (*CHAIN, *LAST)}
    assert venue_kills.total() >= 1
    # The command line says the whole run's result of what is left.
    state = tmp_path / "h" / "state"
    records = records_of(state)
    assert reference.printed == finish(start_process(state, *arguments()))
    assert records == records_of(state)


@pytest.mark.soak
def test_three_hundred_kills_at_every_kind_of_record(
    reference: Reference, sample: random.Random, tmp_path: Path
) -> None:
    kinds = sorted(reference.kinds)
    aimed = {kind for kind, *_ in (*CHAIN, *LAST)}
    rare = [kind for kind in kinds if reference.kinds[kind] < RARE]
    rare = [kind for kind in rare if kind not in aimed]
    chains: list[list[Aim]] = [CHAIN]
    # Each kind before its commit and after it; a rare one wherever it comes first.
    chains += [[(kind, False, True), (kind, True, True)] for kind in rare]
    others = [(kind, edge, False) for kind in kinds for edge in (False, True)]
    left = HISTORIES - len(chains)
    chains += [others[number::left] for number in range(left)]
    kills: Counter[str] = Counter()
    venue_kills: Counter[str] = Counter()
    for number, chain in enumerate(chains):
        seed = sample.randrange(1 << 32)
        more = killed(reference, tmp_path / str(number), seed, kinds, chain)
        kills += more[0]
        venue_kills += more[1]

    print(f"\nkills of the engine: {dict(kills.most_common())}")
    print(f"kills of the venue: {dict(venue_kills.most_common())}")
    assert kills.total() >= HISTORIES * KILLS
    assert kills.keys() >= {*reference.kinds, *(kind for kind, *_ in CHAIN)}
    assert venue_kills.keys() >= {"submitted", "executed", "ended"}


# --- the command itself is killed ----------------------------------------------------


def test_a_finished_state_says_its_result_again(
    reference: Reference, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    first = finish(start_process(state, *arguments()))
    records = records_of(state)

    again = finish(start_process(state, *arguments()))

    assert reference.printed == first == again
    assert records == records_of(state)


def test_a_command_that_is_killed_goes_on_at_another_speed(
    reference: Reference, sample: random.Random, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    process = start_process(state, *arguments(speed=str(400 * 86_400)))
    wanted = sample.randrange(1, reference.records // 2)
    wait_for(process, lambda: records_of(state) >= wanted)
    process.kill()
    process.communicate()

    assert reference.printed == finish(start_process(state, *arguments()))
