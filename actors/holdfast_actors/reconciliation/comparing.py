"""What differs between the books and a venue: pure, and of one moment.

What something is under way about is not compared: it is unclear, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import attrs
from msgspec.structs import replace

from holdfast_actors.reconciliation.assets import Assets
from holdfast_actors.reconciliation.messages import OrderLine
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.ports import Busted, Corrected, Executed, Found
from holdfast_domain.reconciliation import Difference, Kind, Severity, Subject

_MODERATE: Final = Decimal("0.01")
_CRITICAL: Final = Decimal("0.05")


@attrs.frozen(kw_only=True)
class Here:
    """The account as the books and `orders` have it."""

    positions: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    lines: Sequence[OrderLine]
    fills: Mapping[str, Fill]
    ended: Mapping[str, OrderLine]
    external: Collection[str]
    """Orders of other hands that are known."""


@attrs.frozen(kw_only=True)
class There:
    """The account as the venue has it."""

    positions: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    orders: Sequence[Found]
    executions: Sequence[Executed | Corrected | Busted]


@attrs.frozen(kw_only=True)
class Compared:
    """What came of it."""

    differences: tuple[Difference, ...]
    unclear: Mapping[str, str]
    """What could not be compared, such as ``position/SPY``, with the reason."""


def compare(
    here: Here,
    there: There,
    instruments: Mapping[str, Instrument],
    plan: ReconcilePlan,
) -> Compared:
    """Return all differences, and what cannot be told now.

    ``instruments`` are those of the venue. What it holds once is compared as a whole.
    """
    assets = Assets.of(instruments)
    here, there = _whole(here, assets), _whole(there, assets)
    busy = {line.instrument: line.order_id for line in here.lines if line.busy}
    moving = {
        place: order_id
        for name, order_id in busy.items()
        for place in (
            assets.touched(instruments[name]) if name in instruments else [name]
        )
    }
    lots = {name: each.lot for name, each in instruments.items()}
    differences: list[Difference] = []
    unclear: dict[str, str] = {}
    _positions(here, there, plan, lots, moving, differences, unclear)
    _cash(here, there, plan, _busy_units(busy, instruments), differences, unclear)
    differences += _orders(here, there, plan, lots)
    differences += _fills(here, there, plan, lots)
    return Compared(differences=tuple(differences), unclear=unclear)


_SideT = TypeVar("_SideT", Here, There)


def _whole(side: _SideT, assets: Assets) -> _SideT:
    positions, cash = assets.whole(side.positions, side.cash)
    return attrs.evolve(side, positions=positions, cash=cash)


def name_of(order: Found) -> str:
    """Return how an order at the venue is called: by its client id if it has one."""
    return order.order_id or order.venue_order_id


def severity_of(amount: Decimal, *sides: Decimal) -> Severity:
    """Return how much ``amount`` is, as a part of the larger of ``sides``."""
    whole = max((abs(side) for side in sides), default=ZERO)
    part = abs(amount) / whole if whole else _CRITICAL + 1
    if part < _MODERATE:
        return Severity.MINOR
    return Severity.MODERATE if part <= _CRITICAL else Severity.CRITICAL


def _difference(
    subject: Subject, name: str, here: Decimal, there: Decimal, kind: Kind | None = None
) -> Difference:
    if kind is None:
        kind = Kind.QUANTITY
        if not here:
            kind = Kind.MISSING_HERE
        elif not there:
            kind = Kind.MISSING_THERE
        elif (here > 0) is not (there > 0):
            kind = Kind.SIDE
    return Difference(
        subject=subject,
        name=name,
        kind=kind,
        severity=severity_of(there - here, here, there),
        here=str(here) if here else "",
        there=str(there) if there else "",
        amount=there - here,
    )


def _counts(amount: Decimal, lot: Decimal | None, plan: ReconcilePlan) -> bool:
    """Tell whether units differ: by a lot, or by more than is tolerated."""
    size = abs(amount)
    return size > plan.quantity or (lot is not None and size >= lot and size > 0)


def _positions(
    here: Here,
    there: There,
    plan: ReconcilePlan,
    lots: Mapping[str, Decimal],
    busy: Mapping[str, str],
    differences: list[Difference],
    unclear: dict[str, str],
) -> None:
    for name in _names(here.positions, there.positions):
        ours, theirs = here.positions.get(name, ZERO), there.positions.get(name, ZERO)
        if not _counts(theirs - ours, lots.get(name), plan):
            continue
        found = _difference(Subject.POSITION, name, ours, theirs)
        if name in busy:
            unclear[found.key] = f"order {busy[name]} is under way"
        else:
            differences.append(found)


def _busy_units(
    busy: Mapping[str, str], instruments: Mapping[str, Instrument]
) -> dict[str, str]:
    """Return the currencies in which something is under way, each with an order."""
    return {
        instruments[name].currency: order_id
        for name, order_id in busy.items()
        if name in instruments
    }


def _cash(
    here: Here,
    there: There,
    plan: ReconcilePlan,
    busy: Mapping[str, str],
    differences: list[Difference],
    unclear: dict[str, str],
) -> None:
    for unit in _names(here.cash, there.cash):
        ours, theirs = here.cash.get(unit, ZERO), there.cash.get(unit, ZERO)
        amount = theirs - ours
        allowed = max(plan.cash_absolute, plan.cash_relative * abs(theirs))
        if abs(amount) <= allowed:
            continue
        found = _difference(Subject.CASH, unit, ours, theirs)
        if unit in busy:
            unclear[found.key] = f"order {busy[unit]} is under way"
        else:
            differences.append(found)


def _orders(
    here: Here, there: There, plan: ReconcilePlan, lots: Mapping[str, Decimal]
) -> Iterable[Difference]:
    by_name = {name_of(each): each for each in there.orders}
    for line in here.lines:
        found = by_name.pop(line.order_id, None)
        if found is None and line.venue_order_id:
            found = by_name.pop(line.venue_order_id, None)
        if not line.busy:
            yield from _order(line, found, plan, lots.get(line.instrument))
    for name, found in by_name.items():
        line_ended = here.ended.get(name)
        amount = found.quantity.value * found.side.sign
        if line_ended is not None:
            yield replace(
                _difference(Subject.ORDER, name, ZERO, amount, Kind.STATUS),
                here=line_ended.state.value,
                there="working",
            )
        elif name not in here.external:
            yield _difference(Subject.ORDER, name, ZERO, amount, Kind.ORPHAN_ORDER)


def _order(
    line: OrderLine, found: Found | None, plan: ReconcilePlan, lot: Decimal | None
) -> Iterable[Difference]:
    ours = line.quantity * line.side.sign
    if found is None:
        yield _difference(Subject.ORDER, line.order_id, ours, ZERO)
        return
    theirs = found.quantity.value * found.side.sign
    if found.side is not line.side or _counts(theirs - ours, lot, plan):
        yield _difference(Subject.ORDER, line.order_id, ours, theirs)
    if found.cumulative is not None:
        filled = found.cumulative.value
        if _counts(filled - line.filled, lot, plan):
            yield _difference(Subject.FILL, line.order_id, line.filled, filled)


def _fills(
    here: Here, there: There, plan: ReconcilePlan, lots: Mapping[str, Decimal]
) -> Iterable[Difference]:
    """Compare what was booked; of what was corrected, the last word is booked."""
    corrected = {
        each.execution_id
        for each in there.executions
        if isinstance(each, Corrected | Busted)
    }
    for event in there.executions:
        fill = here.fills.get(event.execution_id)
        if (
            fill is None
            or not isinstance(event, Executed)
            or event.execution_id in corrected
        ):
            continue
        side = event.side or fill.side
        ours = fill.traded()
        theirs = event.quantity.value * side.sign
        lot = lots.get(fill.instrument)
        if _counts(theirs - ours, lot, plan):
            yield _difference(Subject.FILL, event.execution_id, ours, theirs)


def _names(*sides: Mapping[str, Decimal]) -> list[str]:
    return sorted({name for side in sides for name in side})
