"""What a start would do on a state directory, found out without doing it.

It reads what a start reads, builds `orders` as a start does, and listens to what that
asks of its venues. Nothing in the directory is changed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import attrs

from holdfast.account import last_epoch
from holdfast.console.orders import order_json
from holdfast.keeping import STALE_AFTER_S
from holdfast.listing import kept_listing
from holdfast.venues import VENUE
from holdfast_actors import folding
from holdfast_actors.ledger import Ledger, SubLedger
from holdfast_actors.messages import Readmit
from holdfast_actors.orderbook import OrderBook
from holdfast_actors.orders import Orders
from holdfast_actors.recovery import Recovery
from holdfast_actors.replaying import replay
from holdfast_actors.requests import AskGap, LookUp, SessionUp
from holdfast_actors.strategy.restore import Past
from holdfast_actors.tree import ORDERS, strategy_path
from holdfast_adapters.data.instruments import AnyInstrument
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.snapshots import SnapshotFiles
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.paper.store import fence_of
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.tape import Extent, extent_of
from holdfast_domain import events as ev
from holdfast_domain.cursor import SLICE_SLOT, cursor_at, slot_of, step_of
from holdfast_domain.errors import JournalError
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.ports import VenuePromises, WallClock
from holdfast_runtime import Ref

_PROMISES = VenuePromises(proves_absence=False, processing_bound_s=0.0)
"""What a venue promises counts for its answers, and not for what it is asked."""


class _Listener:
    """Stands where a reference is, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, message: object) -> None:
        self.told.append(message)

    @property
    def ref(self) -> Ref[Any]:
        return cast("Ref[Any]", self)


def preview(directory: StateDir, wall: WallClock) -> dict[str, Any]:
    """Return what a start on ``directory`` would do, as JSON-able values.

    Where a start would refuse, ``refuses`` says why, and what comes after it is not
    known. An engine may be running on it; what it writes meanwhile may be missing.
    """
    found: dict[str, Any] = {
        "directory": str(directory.path),
        "in_use_by": StateDir.owner(directory.path),
        "refuses": "",
        "last_record": None,
    }
    if not directory.journal.exists():
        return found
    try:
        with _readable(directory, found["in_use_by"]) as copy:
            store = SqliteJournal(copy.journal, 0, read_only=True)
            with contextlib.closing(store):
                found |= _Preview(directory, copy, store, wall).all()
    except JournalError as error:
        found["refuses"] = str(error).replace(str(copy.path), str(directory.path))
    return found


@contextlib.contextmanager
def _readable(directory: StateDir, owner: int | None) -> Iterator[StateDir]:
    """Give a directory whose databases can be read without a trace.

    SQLite makes and changes files beside one that nobody has open, so those are copied.
    Where an engine runs they are there, and its own.
    """
    if owner is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="holdfast-recover-") as folder:
        for path in (directory.journal, *directory.venues().values()):
            for end in ("", "-wal"):
                part = path.with_name(f"{path.name}{end}")
                if part.exists():
                    shutil.copyfile(part, Path(folder) / part.name)
        yield StateDir(Path(folder))


@attrs.define
class _Preview:
    directory: StateDir
    copy: StateDir
    store: SqliteJournal
    wall: WallClock

    def all(self) -> dict[str, Any]:
        """Return everything.

        Raises:
            JournalError: a start would refuse.
        """
        files = SnapshotFiles(self.directory.snapshots)
        recovery = Recovery(self.store, codec, files.newest_first)
        used, run = recovery.used(), recovery.run_so_far()
        if not self.store.last_sequence:
            return {}
        entries = self.store.read(self.store.last_sequence - 1)
        last = next(iter(entries))
        after = 0 if used is None else used.sequence
        names = [each[0] for each in json.loads(run.options or "{}")["strategies"]]
        made_us = last.wall_time_us if used is None else used.wall_time_us
        in_use = StateDir.owner(self.directory.path) is not None
        tape = extent_of(self.directory.tape, is_open=in_use)
        begins = 0 if tape is None else tape.history
        age_s = max(0.0, (self.wall.now_us() - made_us) / 1_000_000)
        return {
            "finished": run.finished,
            "last_record": _record(last),
            "epoch": self._epoch(),
            "snapshot": None
            if used is None
            else {"record": after, "made_at": used.made_at.isoformat()},
            "snapshots_not_used": {
                path.name: why for path, why in files.passed_over.items()
            },
            "state_age_s": age_s,
            "stale": age_s > STALE_AFTER_S,
            "records_to_replay": self.store.last_sequence - after,
            "halted": run.halted or self.directory.halt.exists(),
            "quarantined": _quarantined(recovery),
            "strategies": self._held(recovery),
            **self._orders(recovery),
            "tape": None if tape is None else _tape(tape),
            "refeeds": [_refed(name, recovery, last, begins) for name in names],
            "goes_on_after": _input(last.cursor),
        }

    def _epoch(self) -> int:
        fences = [fence_of(path) for path in self.copy.venues().values()]
        return 1 + max(last_epoch(self.store), self.store.epoch_floor, *fences, 0)

    def _held(self, recovery: Recovery) -> dict[str, Any]:
        ledger = Ledger(
            history=recovery.history(folding.LEDGER),
            instruments=AnyInstrument(kept_listing(self.directory)),
            venue=VENUE,
        )
        return {name: _book(part) for name, part in ledger.sub_ledgers().items()}

    def _orders(self, recovery: Recovery) -> dict[str, Any]:
        """Let `orders` start, with venues that are up and strategies that are silent.

        What it was before is read by a book of its own.
        """
        book = OrderBook()
        history = recovery.history(folding.ORDERS)
        replay(
            history, lambda e: book.apply(e.event, e.market_time_us), ORDERS, book.load
        )
        venues = sorted(
            {*self.directory.venues(), *book.executions}
            | {row.venue for row in book.open.values()}
            or {VENUE}
        )
        sessions = {venue: _Listener() for venue in venues}
        guard, doubted = _Listener(), list[ev.Event]()
        orders = Orders(
            history=history,
            sessions={venue: each.ref for venue, each in sessions.items()},
            venue_of=lambda _symbol: VENUE,
            guard=guard.ref,
            strategies={},
            record=doubted.append,
            after=lambda _delay_s, _message: None,
            now_us=lambda: 0,
            now_s=lambda: 0.0,
            path=ORDERS,
        )
        orders.start()
        for venue in venues:
            orders.handle(SessionUp(venue, 1, _PROMISES))
        return {
            "open_orders": [order_json(row) for row in book.open.values()],
            "become_unknown": [
                each.order_id for each in doubted if isinstance(each, ev.OrderUnknown)
            ],
            "asks": [_asked(venue, sessions[venue].told) for venue in venues],
            "guard_judges_anew": [
                each.order_id for each in guard.told if isinstance(each, Readmit)
            ],
        }


def _asked(venue: str, told: list[Any]) -> dict[str, Any]:
    gaps = [each.watermark for each in told if isinstance(each, AskGap)]
    lookups = [each.order_id for each in told if isinstance(each, LookUp)]
    return {"venue": venue, "executions_since": gaps[0], "lookups": lookups}


def _tape(tape: Extent) -> dict[str, Any]:
    first, last, whole = (
        utc_from_us(each).isoformat()
        for each in (tape.first_us, tape.last_us, tape.whole_from_us)
    )
    return {
        "steps": tape.steps,
        "history": tape.history,
        "bars_from": first,
        "trades_and_quotes_from": whole,
        "until": last,
    }


def _refed(
    name: str, recovery: Recovery, last: ev.Entry, begins: int
) -> dict[str, Any]:
    past = Past.read(name, strategy_path(name), recovery.strategy(name))
    steps = [at for at in _steps(past.cursor, last.cursor) if at >= begins]
    return {
        "strategy": name,
        "decision": past.number,
        "state_as_of": _input(past.cursor),
        "until": _input(last.cursor),
        "slices": [steps[0], steps[-1]] if steps else [],
        "records": [
            each.sequence for each in past.entries if each.sequence > past.applied
        ],
    }


def _steps(after: int, until: int) -> list[int]:
    """Return the steps whose slices lie in (after, until]: see `MarketData.slices`."""
    steps = range(max(0, step_of(after)), step_of(until) + 1)
    return [step for step in steps if after < cursor_at(step, SLICE_SLOT) <= until]


def _input(cursor: int) -> dict[str, int]:
    return {"cursor": cursor, "step": step_of(cursor), "slot": slot_of(cursor)}


def _record(entry: ev.Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "kind": type(entry.event).__name__,
        "epoch": entry.epoch,
        "market_time": utc_from_us(entry.market_time_us).isoformat(),
        "wall_time": utc_from_us(entry.wall_time_us).isoformat(),
    }


def _book(part: SubLedger) -> dict[str, Any]:
    return {
        "cash": {unit: str(amount) for unit, amount in part.cash.items()},
        "positions": {
            symbol: {"amount": str(held.amount), "cost_basis": str(held.cost_basis)}
            for symbol, held in part.positions.items()
            if held.amount
        },
    }


def _quarantined(recovery: Recovery) -> dict[str, str]:
    history = recovery.history(folding.GUARD)
    found: dict[str, str] = dict((history.saved or {}).get("quarantined", {}))
    for entry in history.entries:
        if isinstance(entry.event, ev.Quarantined):
            found[entry.event.subject] = entry.event.error
        elif isinstance(entry.event, ev.QuarantineReleased):
            found.pop(entry.event.subject, None)
    return found
