"""A snapshot and the records after it give the state of a full replay, anywhere."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.sampling import some_of

from holdfast.testing import TradingRun
from holdfast_actors import folding
from holdfast_actors.clock import HaltGate
from holdfast_actors.folding import Fold
from holdfast_actors.guard import Guard
from holdfast_actors.ledger import Ledger
from holdfast_actors.orders import Orders
from holdfast_actors.recovery import Recovery
from holdfast_actors.scheduler import Scheduler
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.journal.snapshots import read_snapshot, text_of
from holdfast_domain import events as ev
from holdfast_domain.snapshots import Snapshot

from .simulations import CutJournal, run
from .test_backtest_restore import Album, Mute, options, picture, restored


def snapshot_of(ran: TradingRun, store: MemoryJournal, upto: int) -> Snapshot:
    """Return the snapshot of the first records, by way of a file's text."""
    fold = Fold(ran.parts.shape, codec)
    fold.take(list(store.read())[:upto])
    last = fold.last
    assert last is not None
    made = Snapshot(
        engine=0,
        sequence=upto,
        hash=store.hash_of(upto),
        epoch=last.epoch,
        cursor=last.cursor,
        market_time_us=last.market_time_us,
        wall_time_us=0,
        why="test",
        sections=fold.save(),
    )
    return read_snapshot(text_of(made).encode())


def owners(ran: TradingRun, recovery: Recovery) -> dict[str, Any]:
    """Build each owner of the core, and return all that it knows."""
    parts, mute = ran.parts, Mute()
    gate = HaltGate()
    common: Any = {"record": mute.told.append}
    orders = Orders(
        history=recovery.history(folding.ORDERS),
        sessions={parts.venue: mute},  # type: ignore[dict-item]
        venue_of=parts.venue_of,
        guard=mute,  # type: ignore[arg-type]
        strategies={},
        after=lambda _delay_s, _message: None,
        now_us=lambda: 0,
        now_s=lambda: 0.0,
        **common,
    )
    guard = Guard(
        history=recovery.history(folding.GUARD),
        instruments=parts.instruments,
        limits=parts.limits,
        prices=parts.prices,
        clock=parts.clock,
        gate=gate,
        orders=mute,  # type: ignore[arg-type]
        effect=lambda _call: None,
        **common,
    )
    ledger = Ledger(
        history=recovery.history(folding.LEDGER),
        instruments=parts.instruments,
        venue=parts.venue,
    )
    scheduler = Scheduler(
        history=recovery.scheduler(),
        calendars=parts.calendars,
        clock=parts.clock,
        strategies={},
        feed=mute,  # type: ignore[arg-type]
        span_us=lambda: (0, 1),
        **common,
    )
    book = orders._book
    return {
        "orders": vars(book),
        "replayed": (orders._replayed, guard._applied, ledger._applied),
        "guard": guard._book.save(),
        "gate": (gate.halted, gate.reason, gate.generation),
        "ledger": (ledger.balances, ledger.sub_ledgers()),
        "scheduler": scheduler._declared,
        "run": recovery.run_so_far(),
    }


def journal_of(entries: list[ev.Entry]) -> MemoryJournal:
    store = MemoryJournal()
    store.append(entries)
    return store


@pytest.mark.parametrize("seed", some_of(range(6)))
def test_every_owner_is_what_a_full_replay_makes_of_it(seed: int) -> None:
    store = CutJournal(0, written=True)
    ran = run(options(seed), poke=Album(saves=2).watch, store=store)
    assert len(ran.events(ev.OrderFilled)) > 5
    draw = random.Random(seed)

    for end in draw.sample(range(4, len(ran.entries) + 1), 12):
        records = ran.entries[:end]
        whole = journal_of(records)
        expected = owners(ran, Recovery(whole, codec))
        cuts = {1, end, *draw.sample(range(1, end + 1), 3)}
        for cut in cuts:
            snapshot = snapshot_of(ran, whole, cut)
            recovery = Recovery(whole, codec, lambda each=snapshot: [each])  # type: ignore[misc]
            used = recovery.used()
            assert used is not None
            assert used.sequence == cut
            assert owners(ran, recovery) == expected, f"cut {cut} of {end}"


@pytest.mark.parametrize("saves", [0, 2])
@pytest.mark.parametrize("seed", some_of(range(6)))
def test_a_strategy_is_what_a_full_replay_makes_of_it(seed: int, saves: int) -> None:
    store = CutJournal(0, written=True)
    ran = run(options(seed), poke=Album(saves=saves).watch, store=store)
    draw = random.Random(seed)

    for end in draw.sample(store.ends[1:], 12):
        records = ran.entries[:end]
        expected, decided = restored(ran, records)
        for cut in {1, end, *draw.sample(range(1, end + 1), 3)}:
            snapshot = snapshot_of(ran, store, cut)
            recovery = Recovery(journal_of(records), codec, lambda s=snapshot: [s])  # type: ignore[misc]
            actor, guard = restored(ran, records, history=recovery.strategy("Dice"))
            assert picture(actor) == picture(expected), f"cut {cut} of {end}"
            assert actor._applied == expected._applied
            assert guard.told == decided.told


def test_a_fold_that_goes_on_is_one_that_was_loaded() -> None:
    ran = run(options(1), poke=Album(saves=2).watch)
    going, store = Fold(ran.parts.shape, codec), journal_of(ran.entries)

    for at in range(0, len(ran.entries), 7):
        going.take(ran.entries[at : at + 7])
        sequence = going.sequence
        loaded = Fold(ran.parts.shape, codec)
        loaded.load(snapshot_of(ran, store, sequence).sections, sequence)
        assert loaded.save() == going.save()
