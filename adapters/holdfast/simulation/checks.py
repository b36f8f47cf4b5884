"""What must hold at the end of each history, whatever happened in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs
from msgspec.structs import replace

from holdfast.compose import VENUE
from holdfast.simulation.plan import Plan
from holdfast.simulation.playing import Played, play
from holdfast.simulation.setaside import set_aside
from holdfast.simulation.twinning import Twinned
from holdfast.testing.outcome import difference, outcome, plain
from holdfast_actors.ledger import Ledger, SubLedger
from holdfast_actors.messages import Report
from holdfast_actors.strategy.news import NEWS
from holdfast_actors.tree import (
    GUARD,
    LEDGER,
    ORDERS,
    session_path,
    strategy_path,
)
from holdfast_adapters.auditor import audit_rows, happening, record
from holdfast_adapters.hostile import HostileVenue
from holdfast_adapters.journal.codec import encode
from holdfast_adapters.journal.records import BEFORE_FIRST, link
from holdfast_adapters.paper.codec import encode as encode_venue
from holdfast_domain import events as ev
from holdfast_domain.fills import account_of
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderState
from holdfast_runtime.cell import State

SubLedgers = dict[str, SubLedger]
RESOLVING = frozenset({
    ev.OrderAccepted,
    ev.OrderFilled,
    ev.OrderCanceled,
    ev.OrderExpired,
    ev.OrderRejected,
    ev.OrderNotSent,
    ev.OrderResolved,
})  # fmt: skip
"""What ends a doubt; anything else would be a guess, which the auditor finds."""


_DOUBTING = frozenset({ev.OrderUnknown, ev.OrderReopened})
_ASKED = frozenset({ev.ReplaceRequested, ev.CancelRequested})
_TOLD = (ev.OrderFilled, ev.OrderCanceled, ev.OrderExpired, ev.OrderRejected)


@attrs.frozen(kw_only=True)
class Verdict:
    """One history, judged; plain values that one process can tell another."""

    seed: int
    violations: tuple[str, ...]
    struck: dict[str, int]
    restarts: int
    """Of actors, and of the process."""

    resolved: dict[str, int]
    """Unknown orders by the record that ended the doubt."""

    open: int
    """Orders that were unknown to the end."""

    digest: str
    """Of the journal: the same for the same seed."""


def judge(played: Played) -> Verdict:
    """Return what is wrong with a history, and what it had to stand."""
    entries = list(played.store.read())
    rows, digest = _journal_rows(entries)
    violations = list(played.complaints)
    if not played.finished and not violations:
        violations.append(f"no end of the data after {played.processes} processes")
    if played.finished:
        violations += _audit(played, rows)
        violations += _engine_complaints(played, entries)
    violations += _sent_again(played, entries)
    for twin in played.twins:
        violations += [f"twin: {said}" for said in _twin(twin, played, entries)]
    if played.plan.is_harmless and not violations:
        violations += _changed(played, entries)
    resolved, still = _doubts(entries)
    restarted = sum(isinstance(e.event, ev.ActorRestarted) for e in entries)
    return Verdict(
        seed=played.plan.seed,
        violations=tuple(violations),
        struck=dict(played.struck),
        restarts=restarted + max(0, played.processes - 1),
        resolved=dict(resolved),
        open=still,
        digest=digest,
    )


def digest_of(played: Played) -> str:
    """Return the digest of a history's journal, which is not judged."""
    return _journal_rows(list(played.store.read()))[1]


def _journal_rows(entries: list[ev.Entry]) -> tuple[list[tuple[Any, ...]], str]:
    """Return the journal as its file would have it, chained."""
    rows: list[tuple[Any, ...]] = []
    last = BEFORE_FIRST
    for e in entries:
        kind, body = encode(e.event)
        head = (e.sequence, e.epoch, e.cursor, e.market_time_us, e.wall_time_us)
        last = link(last, head, kind, body.encode())
        rows.append((*head, kind, body, last))
    return rows, last.hex()


def _audit(played: Played, rows: list[tuple[Any, ...]]) -> Iterator[str]:
    report = audit_rows(
        [record(*row) for row in rows],
        [
            happening(number, *row, venue=name)
            for name, venue in played.venues.items()
            for number, row in enumerate(_truth(venue), 1)
        ],
    )
    for check in report.checks:
        for finding in check.findings:
            yield f"{check.name}: {finding}"


def _twin(twin: Twinned, played: Played, live: list[ev.Entry]) -> Iterator[str]:
    """Yield what is wrong with a twin, by both journals and its venue's record."""
    if not twin.finished:
        yield "no end of the data"
    rows = [happening(n, *encode_venue(row)) for n, (_, row) in enumerate(twin.rows, 1)]
    report = audit_rows([record(*row) for row in _journal_rows(twin.entries)[0]], rows)
    for check in report.checks:
        yield from (f"{check.name}: {finding}" for finding in check.findings)
    own = set(twin.own_orders())
    for entry in live:
        fill = getattr(entry.event, "fill", entry.event)
        if getattr(fill, "order_id", "") in own:
            yield f"its order is in the live journal: {entry.event}"
    for fork in twin.fork.forked():
        history = [entry for entry in live if entry.sequence <= fork.record]
        ledger = Ledger(
            history=history, instruments=played.options.instruments, venue=VENUE
        )
        true = ledger.sub_ledgers()[fork.strategy]
        held = {s: p.amount for s, p in true.positions.items() if p.amount}
        begun = {each.instrument: each.amount for each in fork.positions}
        cash = true.cash[fork.cash.currency]
        if (held, cash) != (begun, fork.cash.amount):
            yield f"{fork.strategy}: begins with {fork}, the ledger had {true}"


def _truth(venue: HostileVenue) -> Iterator[tuple[str, str, str]]:
    """Yield kind, order and body of all that happened at a venue."""
    for _, each in venue.truth():
        yield encode_venue(each)
    for moved in venue.elsewhere.moves():
        body = {"unit": moved.unit, "amount": str(moved.amount)}
        yield "moved", "", json.dumps({**body, "is_cash": moved.is_cash})
    yield from venue.changes.written()


def _sent_again(played: Played, entries: list[ev.Entry]) -> Iterator[str]:
    proofs = Counter(
        e.event.order_id for e in entries if isinstance(e.event, ev.OrderNotSent)
    )
    for order_id, times in played.sends.items():
        if times > 1 + proofs[order_id]:
            yield (
                f"orders sent again without proof: {order_id} {times} times, "
                f"{proofs[order_id]} proofs that it was not there"
            )


def _changed(played: Played, entries: list[ev.Entry]) -> Iterator[str]:
    """Compare with the run in which nothing happened to the engine.

    A doubt takes market time at a venue with a processing bound: what follows it is
    another history.
    """
    if any(isinstance(entry.event, ev.OrderUnknown) for entry in entries):
        return
    if change_in_doubt(entries):
        return
    expected = _undisturbed(played.plan.undisturbed())
    actual = _outcome(played, entries)
    said = difference(expected, actual)
    if said:
        yield f"not the outcome of the undisturbed run: {' '.join(said.split())}"


def change_in_doubt(entries: list[ev.Entry]) -> bool:
    """Whether a session, `orders` or the process died with a change in its hands.

    New terms and cancels are in doubt then, without a record that says so: they are
    asked for again when the venue's processing bound is over. `orders` may have died
    between the record and the request.
    """
    sessions: dict[str, str] = {}
    pending: dict[str, str] = {}
    for entry in entries:
        event: Any = entry.event
        kind = type(event)
        if kind is ev.OrderIntended:
            sessions[event.order_id] = session_path(event.venue)
        elif kind in _ASKED:
            pending[event.order_id] = sessions[event.order_id]
        elif not pending:
            continue
        elif kind is ev.ActorRestarted:
            if event.path in (ORDERS, *pending.values()):
                return True
        elif kind is ev.EngineStarted:
            return True
        else:
            pending.pop(getattr(event, "order_id", ""), None)
    return False


@cache
def _undisturbed(plan: Plan) -> dict[str, list[str]]:
    played = play(plan)
    return _outcome(played, list(played.store.read()))


def _outcome(played: Played, entries: list[ev.Entry]) -> dict[str, list[str]]:
    """Return what no fault may change: also in which order each strategy was told."""
    told = [
        (each.fill.strategy, plain(replace(each.fill, execution_id="")))
        if isinstance(each, ev.OrderFilled)
        else (each.strategy, plain(each))
        for each in (entry.event for entry in entries)
        if isinstance(each, _TOLD)
    ]
    told.sort(key=lambda each: each[0])
    traded = outcome(entries, played.options.instruments, VENUE)
    return traded | {"told": [text for _, text in told]}


def _doubts(entries: list[ev.Entry]) -> tuple[Counter[str], int]:
    unknown: set[str] = set()
    resolved: Counter[str] = Counter()
    for entry in entries:
        event: Any = entry.event
        kind = type(event)
        if kind in _DOUBTING:
            unknown.add(event.order_id)
        elif unknown and kind in RESOLVING:
            order = event.fill if kind is ev.OrderFilled else event
            if order.order_id in unknown:
                unknown.discard(order.order_id)
                resolved[kind.__name__] += 1
    return resolved, len(unknown)


# --- the engine's own views --------------------------------------------------------


def _engine_complaints(played: Played, entries: list[ev.Entry]) -> Iterator[str]:
    instruments = played.options.instruments
    ledger = Ledger(history=entries, instruments=instruments, venue=VENUE)
    true = ledger.sub_ledgers()
    yield from _double_entry(ledger)
    yield from _ledger(played, true)
    yield from _orders(played)
    yield from _guard(played, true)
    yield from _strategies(played, entries, true)
    for entry in entries:
        if isinstance(entry.event, ev.Quarantined):
            yield f"quarantined without a cause: {entry.event}"


def _actor(played: Played, path: str) -> Any:  # noqa: ANN401 - any actor
    cell = None if played.engine is None else played.engine.cells.get(path)
    if cell is None or cell.state is not State.RUNNING:
        return None
    return cell.actor


def _ledger(played: Played, true: SubLedgers) -> Iterator[str]:
    ledger = _actor(played, LEDGER)
    if ledger is not None and ledger.sub_ledgers() != true:
        yield f"ledger: has {ledger.sub_ledgers()}, its journal gives {true}"


def _double_entry(ledger: Ledger) -> Iterator[str]:
    """Compare each strategy's part with its accounts: both are of the same records."""
    for name, sub in ledger.sub_ledgers().items():
        parts = {
            "cash": sub.cash,
            "position": {s: held.amount for s, held in sub.positions.items()},
        }
        for kind, part in parts.items():
            path = f"{account_of(name)}/{kind}"
            booked = {
                unit: n for (at, unit), n in ledger.balances.items() if at == path
            }
            for unit in sorted({*booked, *part}):
                has, said = booked.get(unit, ZERO), part.get(unit, ZERO)
                if has != said:
                    yield f"{path}: {has} {unit}, the sub-ledger has {said}"


def _orders(played: Played) -> Iterator[str]:
    """Compare what is open with us and at the venue, now that all is settled."""
    orders = _actor(played, ORDERS)
    if orders is None:
        yield "orders is down on a good venue"
        return
    rows = orders.handle(Report())
    working = {
        name
        for venue in played.venues.values()
        for book in venue.core.open.values()
        for name in book
    }
    for row in rows:
        if row.state is OrderState.UNKNOWN:
            yield f"still unknown on a good venue: {row.order_id}"
        elif row.is_open is not (row.order_id in working):
            there = "works" if row.order_id in working else "does not work"
            state = row.state.value
            yield f"order states: {row.order_id} is {state}, and {there} there"


def _guard(played: Played, true: SubLedgers) -> Iterator[str]:
    guard, orders = _actor(played, GUARD), _actor(played, ORDERS)
    if guard is None or orders is None:
        return
    reservations = guard._reservations  # noqa: SLF001 - looked at, never changed
    rows = orders.handle(Report())
    open_ = {row.order_id for row in rows if row.is_open}
    if set(reservations.open) != open_:
        differ = sorted(set(reservations.open) ^ open_)
        yield f"reservations: guard and orders differ on {differ}"
    for name, account in reservations.accounts.items():
        mine_open = [r for r in reservations.open.values() if r.strategy == name]
        money = set_aside(mine_open, rows)
        if account.reserved != money:
            yield f"reservations: {name} has {account.reserved}, its orders {money}"
    for name, sub in true.items():
        account = reservations.accounts[name]
        held = {s: p.amount for s, p in sub.positions.items() if p.amount}
        mine = {s: units for s, units in account.positions.items() if units}
        if held != mine or account.cash != sub.cash.get("USD", ZERO):
            yield f"guard: {name} has {mine} and {account.cash}, the ledger {sub}"


def _strategies(
    played: Played, entries: list[ev.Entry], true: SubLedgers
) -> Iterator[str]:
    fills = Counter(
        e.event.fill.strategy for e in entries if isinstance(e.event, ev.OrderFilled)
    )
    messages = sum(type(entry.event) in NEWS for entry in entries)
    for name in played.options.names:
        actor = _actor(played, strategy_path(name))
        if actor is None:
            continue
        cash = actor.handle(Report())["cash"]
        if cash != true[name].cash.get("USD", ZERO):
            yield f"{name}: sees {cash}, the ledger says {true[name].cash}"
        for symbol, held in true[name].positions.items():
            units = actor._portfolio.amount(symbol)  # noqa: SLF001 - as above
            if units != held.amount:
                yield f"{name}: sees {units} of {symbol}, the ledger says {held.amount}"
        heard = actor.context.heard
        for what, count in (("fills", fills[name]), ("messages", messages)):
            if heard[what] != count:
                yield f"{name}: heard of {heard[what]} {what}, the journal has {count}"
