"""When snapshots are made, when they are not, and what a start says of their age."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast.clocks import FixedClock
from holdfast.keeping import Recovered, check_age
from holdfast.testing import TradingRun
from holdfast_actors.folding import Fold
from holdfast_actors.keeping import Keeper
from holdfast_actors.recovery import Recovery
from holdfast_actors.snapshots import SnapshotPlan, Snapshots
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.journal.snapshots import SnapshotFiles
from holdfast_domain import events as ev
from holdfast_domain.errors import InputError, SnapshotFailed
from holdfast_domain.snapshots import Snapshot

from .simulations import run
from .test_backtest_restore import Mute, options

NOW = datetime(2024, 1, 2, tzinfo=UTC)


class Shelf:
    """Keeps snapshots in memory."""

    def __init__(self) -> None:
        self.kept: list[Snapshot] = []

    def save(self, snapshot: Snapshot) -> int:
        self.kept.append(snapshot)
        return self.kept[max(0, len(self.kept) - 5)].sequence

    def newest_first(self) -> Iterator[Snapshot]:
        return reversed(self.kept)


def keeper(ran: TradingRun, store: MemoryJournal, shelf: Any, **more: Any) -> Keeper:
    return Keeper(
        store=store,
        snapshots=shelf,
        recovery=Recovery(store, codec, shelf.newest_first),
        fold=lambda: Fold(ran.parts.shape, codec),
        engine=7,
        wall=FixedClock(NOW),
        **more,
    )


def part_of(ran: TradingRun, upto: int) -> MemoryJournal:
    store = MemoryJournal()
    store.append(ran.entries[:upto])
    return store


def quarantined(sequence: int, origin: str, *, released: bool = False) -> ev.Entry:
    event: ev.Event = (
        ev.QuarantineReleased(subject="strategy/Dice", origin=origin, by="ann")
        if released
        else ev.Quarantined(
            subject="strategy/Dice", reader="x", origin=origin, error="boom"
        )
    )
    return ev.Entry(
        sequence=sequence,
        epoch=1,
        cursor=0,
        market_time_us=0,
        wall_time_us=0,
        event=event,
    )


def test_the_journal_is_compacted_up_to_the_oldest_snapshot_that_is_kept() -> None:
    ran, shelf, compacted = run(options(1)), Shelf(), list[int]()
    store = part_of(ran, 20)
    made = keeper(ran, store, shelf, compact=compacted.append, compact_after=10)

    for upto in range(20, 80, 5):
        store.append(ran.entries[upto : upto + 5])
        made.take("timer")

    assert compacted == [25, 35, 45, 55]


class Interrupted(MemoryJournal):
    """Lets something happen in the middle of its next read, as another thread may."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def read(self, after: int = 0) -> Iterator[ev.Entry]:
        for number, entry in enumerate(super().read(after)):
            if number == 5 and self.meanwhile is not None:
                meanwhile, self.meanwhile = self.meanwhile, None
                meanwhile()
            yield entry


def test_two_that_are_made_at_once_take_no_record_twice() -> None:
    ran, shelf = run(options(1)), Shelf()
    store = Interrupted()
    store.append(ran.entries[:20])
    made = keeper(ran, store, shelf)
    made.take("timer")
    store.append(ran.entries[20:])

    store.meanwhile = lambda: made.take("shutdown")
    made.take("timer")
    made.take("timer")

    expected = Fold(ran.parts.shape, codec)
    expected.take(ran.entries)
    assert [each.why for each in shelf.kept] == ["timer", "shutdown", "timer", "timer"]
    assert {each.sequence for each in shelf.kept[1:]} == {len(ran.entries)}
    assert [each.sections for each in shelf.kept[1:]] == [expected.save()] * 3


def test_nothing_is_saved_while_a_record_is_in_quarantine() -> None:
    ran, shelf = run(options(1)), Shelf()
    store = part_of(ran, 20)
    made = keeper(ran, store, shelf)
    made.take("timer")

    store.append([quarantined(21, "journal:9")])

    with pytest.raises(SnapshotFailed, match="quarantine"):
        made.take("timer")
    assert "quarantine" in made.error
    # The one before it holds what a restart must pass over now.
    assert Recovery(store, codec, shelf.newest_first).used() is None

    store.append([quarantined(22, "journal:9", released=True)])
    again = keeper(ran, store, shelf)
    again.take("timer")
    assert shelf.kept[-1].sequence == 22
    assert Recovery(store, codec, shelf.newest_first).used() == shelf.kept[-1]


def test_an_input_in_quarantine_is_a_part_of_the_snapshot() -> None:
    ran, shelf = run(options(1)), Shelf()
    store = part_of(ran, 20)
    store.append([quarantined(21, "input:300")])

    keeper(ran, store, shelf).take("timer")

    assert Recovery(store, codec, shelf.newest_first).used() == shelf.kept[-1]


def test_a_snapshot_of_records_that_a_repair_has_cut_is_not_used(
    tmp_path: Path,
) -> None:
    ran, files = run(options(1)), SnapshotFiles(tmp_path)
    whole, cut = part_of(ran, 40), part_of(ran, 30)
    made = keeper(ran, whole, files)
    made.take("timer")

    assert Recovery(whole, codec, files.newest_first).used() is not None
    assert Recovery(cut, codec, files.newest_first).used() is None


@pytest.mark.parametrize(
    ("age", "mode", "consent", "said", "refused"),
    [
        (timedelta(minutes=59), "live", False, 0, False),
        (timedelta(minutes=61), "paper", False, 1, False),
        (timedelta(minutes=61), "live", True, 1, False),
        (timedelta(minutes=61), "live", False, 0, True),
    ],
)
def test_stale_state_is_reported_and_live_needs_consent(
    age: timedelta, mode: str, consent: bool, said: int, refused: bool, tmp_path: Path
) -> None:
    store = MemoryJournal()
    made = int((NOW - age).timestamp() * 1_000_000)
    recovered = Recovered(
        Recovery(store, codec),
        SnapshotFiles(tmp_path),
        sequence=9,
        last_wall_us=made,
    )
    lines: list[str] = []

    def check() -> None:
        check_age(
            recovered,
            FixedClock(NOW),
            lines.append,
            mode=mode,
            where=tmp_path,
            consent=consent,
        )

    if refused:
        with pytest.raises(InputError, match="--accept-stale"):
            check()
    else:
        check()
    assert len(lines) == said
    assert all("snapshot of record 9 is 1.0 h old" in line for line in lines)


class Enough(BaseException):
    """The script is at its end."""


class Desk:
    """Time, a ledger and a keeper for `Snapshots`, by a script of values."""

    def __init__(self, values: list[int], error: Exception | None = None) -> None:
        self.values, self.error = values, error
        self.now_s, self.told = 0.0, list[str]()
        self.taken: list[tuple[float, str]] = []
        self.last, self.strategy = None, Mute()

    async def sleep(self, delay_s: float) -> None:
        self.now_s += delay_s
        if delay_s >= 1 and not self.values:
            raise Enough

    async def ask(self, _message: object, *, deadline_s: float) -> Any:
        del deadline_s
        return self.values.pop(0)

    async def run(self, call: Any, why: str, *, deadline_s: float) -> None:
        del call, deadline_s
        self.taken.append((self.now_s // 1, why))
        if self.error is not None:
            raise self.error

    def take(self, why: str) -> None: ...


async def played(desk: Desk, plan: SnapshotPlan) -> None:
    anything: Any = desk
    actor = Snapshots(
        plan=plan,
        keeper=anything,
        host=anything,
        ledger=anything,
        strategies=[desk.strategy],  # type: ignore[list-item]
        worth=Decimal,  # type: ignore[arg-type]
        sleep=desk.sleep,
        now_s=lambda: desk.now_s,
        failed=desk.told.append,
    )
    with pytest.raises(Enough):
        await actor.run()


async def test_one_is_due_by_time_and_when_the_portfolio_moved() -> None:
    desk = Desk([100, 109, 110, 111, 112, 123, 110, *[110] * 61])

    await played(desk, SnapshotPlan())

    assert desk.taken == [
        (4.0, "portfolio moved"),
        (6.0, "portfolio moved"),
        (7.0, "portfolio moved"),
        (67.0, "timer"),
    ]
    assert len(desk.strategy.told) == 4


async def test_a_try_that_fails_is_said_once_and_tried_again() -> None:
    full = SnapshotFailed(f"no room ({errno.ENOSPC})")
    desk = Desk([100] * 9, full)

    await played(desk, SnapshotPlan(every_s=2.0))

    assert len(desk.taken) > 2
    assert desk.told == [f"no snapshot was made: {full}"]
