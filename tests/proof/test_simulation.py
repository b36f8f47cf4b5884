"""Histories of the whole engine against the hostile venue: none may break a promise."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from msgspec import structs
from tests.forking import Ran, run_holdfast

from holdfast.simulation.checks import change_in_doubt, judge
from holdfast.simulation.plan import ALL_KINDS, EngineFault, Fault, draw
from holdfast.simulation.playing import play
from holdfast.simulation.running import Tally, here, run_histories, verdict_of
from holdfast.simulation.shrinking import shrink
from holdfast_actors.messages import NextStep
from holdfast_actors.reconciliation.messages import Answer
from holdfast_actors.requests import SessionUp
from holdfast_actors.strategy.news import NEWS
from holdfast_actors.tree import GUARD, ORDERS, session_path, strategy_path
from holdfast_adapters.hostile import KINDS, Op, VenueFault
from holdfast_domain import events as ev
from holdfast_runtime import ActorError
from holdfast_runtime.cell import Cell
from holdfast_runtime.testing import FaultyEngine

from .plans import QUIET

SEED = os.environ.get("HOLDFAST_SAMPLE", "0")
FIRST = int.from_bytes(hashlib.sha256(SEED.encode()).digest()[:4])
"""Each commit plays other seeds; a commit's own again with HOLDFAST_SAMPLE."""

SEEDS = 200


def sim(*arguments: str) -> Ran:
    return run_holdfast(
        *("sim", *arguments),
        cwd=Path.cwd(),
        env=os.environ | {"COLUMNS": "120"},
        timeout_s=600,
    )


def test_some_hundred_histories_break_nothing() -> None:
    done = sim("--seeds", str(SEEDS), "--from", str(FIRST), "--jobs", "2", "--json")

    told = json.loads(done.out)
    assert (told["failures"], told["violations"], done.status) == ([], 0, 0)
    assert told["histories"] == SEEDS
    assert told["unknown"]["open"] == 0
    assert told["unknown"]["resolved"] > 0
    assert told["restarts"] > SEEDS


def test_workers_play_each_seed_once_and_as_one_process_does() -> None:
    seeds, alone = range(7), Tally()
    for verdict in here(seeds, None):
        alone.add(verdict)

    shared = run_histories(seeds, None, jobs=3, progress=lambda *_: None)

    shared.wall_s = 0.0
    assert shared == alone


def test_a_worker_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "false")

    with pytest.raises(ActorError, match="expected status 0, was 1"):
        run_histories(range(7), None, jobs=2, progress=lambda *_: None)


def test_every_kind_of_fault_is_drawn_and_strikes() -> None:
    # The kit tells a crash after the work from one before it by nothing that counts.
    left = set(ALL_KINDS) - {"crash_after"}
    for verdict in here(range(300), None):
        left -= set(verdict.struck)
        if not left:
            break

    assert left == set()


@pytest.mark.parametrize("nth", [3, 6, 9])
def test_a_twin_is_forked_amid_whatever_happens_and_no_live_book_has_its_fills(
    nth: int, sample: random.Random
) -> None:
    forked, orders = 0, 0
    while forked < 4 or not orders:
        drawn = draw(sample.randrange(1 << 32))
        degrade = EngineFault(kind="degrade", nth=nth)
        others = [fault for fault in drawn.faults if fault.kind != "degrade"]
        played = play(attrs.evolve(drawn, venues=1, faults=(*others, degrade)))
        assert judge(played).violations == (), drawn.seed
        forked += len(played.twins)
        orders += sum(len(set(twin.own_orders())) for twin in played.twins)


def test_one_seed_is_one_history() -> None:
    first, again = judge(play(draw(21))), judge(play(draw(21)))

    assert first == again
    assert first.digest != judge(play(draw(22))).digest


CREDULOUS = """
import sys
from holdfast.cli import main
from holdfast_actors.doubts import Doubts

Doubts.is_absent = lambda *_args: True
sys.exit(main())
"""
"""An engine that takes any "not found" for a proof."""


def test_a_violation_is_printed_with_the_line_that_replays_it() -> None:
    def credulous(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", CREDULOUS, "sim", *arguments],
            env=os.environ | {"COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )

    done = credulous("--seeds", "1", "--faults", "late_request", "--jobs", "1")

    assert done.returncode == 1
    line = next(x for x in done.stdout.splitlines() if "replay: " in x)
    replay = line.split("holdfast sim ")[1].split()
    again = credulous(*replay)
    assert again.returncode == 1
    assert "faults that are needed: late_request at " in again.stdout
    assert sim(*replay).status == 0


def test_a_kind_that_there_is_not_is_refused_in_one_line() -> None:
    done = sim("--faults", "lost_sleep")

    assert done.status == 2
    assert "lost_sleep" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("guilty", [(), (0,), (7,), (2, 5), (0, 3, 7)])
def test_shrinking_leaves_what_is_needed(guilty: tuple[int, ...]) -> None:
    assert shrink(8, lambda kept: set(guilty) <= set(kept)) == list(guilty)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_engine_stands_each_fault_of_the_venue(kind: str) -> None:
    faults = tuple(
        VenueFault(kind=kind, op=op, nth=nth, size=3)
        for op in KINDS[kind]
        for nth in ((1,) if op in (Op.CONNECT, Op.GAP) else (1, 3))
    )

    verdict = verdict_of(attrs.evolve(QUIET, faults=faults))

    assert verdict.violations == ()
    assert verdict.struck[kind] >= 1


def test_a_connection_may_break_again_and_again_at_the_same_data() -> None:
    """At one advance, five times in a row: a lost connection is no crash."""
    faults = tuple(
        VenueFault(kind=kind, op=Op.STREAM, nth=nth)
        for nth, kind in enumerate(("reset", "disconnect", "reset", "reset"), start=1)
    )

    verdict = verdict_of(attrs.evolve(QUIET, faults=faults))

    assert verdict.violations == ()
    assert sum(verdict.struck.values()) == len(faults)
    # The one that there always is: the death at the end, to settle.
    assert verdict.restarts == verdict_of(QUIET).restarts


@pytest.mark.parametrize("attempts", [1, 3])
def test_market_time_does_not_go_on_before_a_lost_connection_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """It breaks at the last question of a comparison, and nobody asks for a second."""
    told: list[object] = []

    def post(self: FaultyEngine, cell: Cell, message: object, sender: Any) -> None:
        told.append(message)
        FaultyEngine.post(self, cell, message, sender)

    monkeypatch.setattr("holdfast.simulation.playing.Unmeasured.post", post)
    away = range(2, 1 + attempts)
    faults = (
        VenueFault(kind="disconnect", op=Op.ACCOUNT, nth=3),
        *(VenueFault(kind="disconnect", op=Op.CONNECT, nth=nth) for nth in away),
    )

    played = play(attrs.evolve(QUIET, speed=None, faults=faults))

    assert played.struck["disconnect"] == attempts
    lost = next(
        at
        for at, each in enumerate(told)
        if isinstance(each, Answer) and each.found is None
    )
    following = [type(each) for each in told[lost:]]
    assert following.index(SessionUp) < following.index(NextStep)


def test_a_person_tells_of_a_doubt_and_the_venue_speaks_later() -> None:
    """The word ends the doubt; the fill that it told of comes, and takes its place."""
    faults: tuple[Fault, ...] = (
        VenueFault(kind="lost_ack", op=Op.SUBMIT, nth=1),
        *(VenueFault(kind="lost_request", op=Op.LOOKUP, nth=n) for n in range(1, 9)),
        EngineFault(kind="person", nth=1),
    )
    plan = attrs.evolve(QUIET, speed=60.0, fill="this_close", faults=faults)
    played = play(plan)

    kinds = {type(entry.event).__name__ for entry in played.store.read()}
    assert judge(played).violations == ()
    assert played.struck["person"] == 1
    assert "OrderResolved" in kinds


@pytest.mark.parametrize("kind", ["death_at_record", "power_cut"])
def test_the_process_may_die_at_every_commit(kind: str) -> None:
    """Of one run: at the first commit, at the second, and so on to the last."""
    nth, struck = 1, 1
    while struck:
        plan = attrs.evolve(QUIET, faults=(EngineFault(kind=kind, nth=nth),))
        verdict = verdict_of(plan)
        assert verdict.violations == (), f"at commit {nth}"
        struck = verdict.struck.get(kind, 0)
        nth += 3
    assert nth > 60


def test_an_engine_at_two_venues_is_played_too() -> None:
    plans = [draw(seed) for seed in range(40)]
    assert {plan.venues for plan in plans} == {1, 2}

    plan = attrs.evolve(
        QUIET,
        venues=2,
        faults=(
            VenueFault(kind="lost_ack", op=Op.SUBMIT, nth=2, venue=1),
            VenueFault(kind="disconnect", op=Op.STREAM, nth=1),
        ),
    )
    played = play(plan)
    verdict = judge(played)

    assert verdict.violations == ()
    assert verdict.struck == {"lost_ack": 1, "disconnect": 1}
    truth = {name: venue.truth() for name, venue in played.venues.items()}
    assert list(truth) == ["paper", "second"]
    assert all(truth.values())


@pytest.mark.parametrize(
    ("path", "in_doubt"),
    [
        (session_path("paper"), True),
        (session_path("second"), False),
        (ORDERS, True),
        (GUARD, False),
    ],
)
def test_new_terms_in_a_dead_sessions_hands_are_in_doubt(
    path: str, in_doubt: bool
) -> None:
    """The comparison with the undisturbed run leaves out this, and no more."""
    entries = list(play(attrs.evolve(draw(200_561), faults=())).store.read())
    at, asked = next(
        (number, each)
        for number, each in enumerate(entries)
        if isinstance(each.event, ev.ReplaceRequested)
    )
    died = ev.ActorRestarted(path=path, incarnation=2, error="by a test")

    entries.insert(at + 1, structs.replace(asked, event=died))

    assert change_in_doubt(entries[: at + 2]) is in_doubt
    assert not change_in_doubt(entries[:at])


def test_orders_may_die_between_the_record_of_new_terms_and_the_request() -> None:
    plan = draw(413_098).only([0])

    assert [str(fault) for fault in plan.faults] == [
        "kill engine/core/orders at 49, process 0"
    ]
    assert verdict_of(plan).violations == ()


@pytest.mark.parametrize("seed", [444_958_355, 419_212])
def test_no_two_crashes_are_drawn_for_one_message(seed: int) -> None:
    """The second one would put it into quarantine, which is another outcome."""
    plan = draw(seed)
    crashes = [
        (each.place, each.process, each.nth)
        for each in plan.faults
        if isinstance(each, EngineFault) and each.kind in ("crash", "crash_after")
    ]

    assert crashes
    assert not {(place, process, nth + 1) for place, process, nth in crashes} & {
        *crashes
    }
    assert verdict_of(plan).violations == ()


def test_new_terms_that_a_process_died_with_are_in_doubt() -> None:
    plan = draw(301_901)

    verdict = verdict_of(plan.only([1]))

    assert str(plan.faults[1]) == "death_at_record at 20, process 0"
    assert verdict.violations == ()
    entries = list(play(plan.only([1])).store.read())
    assert change_in_doubt(entries)
    assert not change_in_doubt(list(play(plan.only([])).store.read()))


@pytest.mark.parametrize(("seed", "kept"), [(418_157, (0, 2)), (418_708, (2, 3))])
def test_fills_of_two_venues_are_told_in_one_order_whoever_dies(
    seed: int, kept: tuple[int, ...]
) -> None:
    """The disk fails at the first venue's fill: that of the second comes after it."""
    plan = draw(seed).only(kept)

    assert (plan.venues, plan.strategies) == (2, 1)
    assert verdict_of(plan).violations == ()


def test_a_greeting_that_dies_with_its_session_is_made_up_for() -> None:
    """A cancel and a fill of one bar are told in their order, whoever dies."""
    assert verdict_of(draw(723_016).only((2, 3))).violations == ()


def test_a_venue_that_was_away_is_asked_before_the_next_is_heard() -> None:
    """Its session dies while it tells again what had died with `orders`."""
    plan = attrs.evolve(
        QUIET,
        market=2,
        venues=2,
        partial=True,
        latency_s=0.05,
        faults=(
            EngineFault(kind="crash_after", nth=25, place=session_path("paper")),
            EngineFault(kind="disk_full", nth=35),
        ),
    )

    assert plan.is_harmless
    assert verdict_of(plan).violations == ()


def test_a_venue_may_reject_what_has_traded_and_was_taken_back() -> None:
    plan = draw(516_240).only([0, 3])

    assert [fault.kind for fault in plan.faults] == ["illegal", "busted_fill"]
    assert verdict_of(plan).violations == ()


@pytest.mark.parametrize(
    "death",
    [
        EngineFault(kind="kill", nth=5, place=strategy_path("Trader")),
        EngineFault(kind="kill", nth=8, place=strategy_path("Trader")),
        EngineFault(kind="death_at_record", nth=5),
        EngineFault(kind="death_at_record", nth=11),
    ],
)
def test_what_a_venue_says_besides_is_told_once_whoever_dies(
    death: EngineFault,
) -> None:
    """Each death here comes before a decision that says that it was told."""
    says = (
        VenueFault(kind="ban", op=Op.SUBMIT, nth=1),
        VenueFault(kind="hand_trade", op=Op.HAND, nth=2),
        VenueFault(kind="stray", op=Op.STREAM, nth=1),
    )

    played = play(attrs.evolve(QUIET, faults=(*says, death)))

    told = {type(entry.event) for entry in played.store.read()} & NEWS
    assert told == {ev.VenueSilenced, ev.ExternalFilled, ev.StrayEvidence}
    assert judge(played).violations == ()
