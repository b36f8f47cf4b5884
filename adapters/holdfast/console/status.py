"""The status of a running engine: plain values, made from what its owners answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from holdfast.console.orders import order_json
from holdfast.console.reconciliation import report_json
from holdfast.console.venues import ASK_S, venue_status
from holdfast_actors.messages import Report
from holdfast_actors.orderbook import OrderRow
from holdfast_actors.tree import LEDGER, ORDERS, RECONCILER, Parts
from holdfast_domain.fills import NOT_STRATEGIES
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderState
from holdfast_domain.positions import Position
from holdfast_runtime import ActorError, LiveEngine
from holdfast_runtime.tree import snapshot

if TYPE_CHECKING:
    from holdfast.console.actor import Desk
    from holdfast_actors.ledger import SubLedger


async def status_of(desk: Desk, engine: LiveEngine, parts: Parts) -> dict[str, Any]:
    """Return the status as JSON-able values; decimals as texts."""
    ledgers: dict[str, SubLedger] = await engine.ref(LEDGER).ask(
        Report(), deadline_s=ASK_S
    )
    rows: list[OrderRow] = await engine.ref(ORDERS).ask(Report(), deadline_s=ASK_S)
    holders = {name: _strategy(ledger, parts) for name, ledger in ledgers.items()}
    others = {n: each for n, each in holders.items() if n in NOT_STRATEGIES}
    strategies = {n: each for n, each in holders.items() if n not in others}
    totals = {
        key: str(sum((Decimal(each[key]) for each in holders.values()), ZERO))
        for key in ("equity", "cash", "profit_and_loss")
    }
    now_us = parts.clock.now_us
    return {
        "pid": desk.pid,
        "mode": desk.mode,
        "halted": parts.gate.halted,
        "halt_reason": parts.gate.reason,
        "market_time": utc_from_us(now_us).isoformat() if now_us else None,
        "positions": _positions(ledgers),
        "orders": [order_json(row) for row in rows if row.is_open],
        "unknown_orders": sum(row.state is OrderState.UNKNOWN for row in rows),
        "orders_for_a_person": sum(row.called and row.is_in_doubt for row in rows),
        **totals,
        "strategies": strategies,
        "others": others,
        "reconciliation": await _reconciliation(engine),
        "venues": {
            name: await venue_status(engine, parts, name) | _twin(desk, name)
            for name in parts.venues
        },
        "data_age_s": _age_s(parts),
        "snapshot": _snapshot(desk),
        "tree": snapshot(engine).to_json(),
    }


def _twin(desk: Desk, venue: str) -> dict[str, Any]:
    """Return how strategies go on on paper, where they would if the venue were away."""
    return {"twin": desk.twins[venue]()} if venue in desk.twins else {}


async def _reconciliation(engine: LiveEngine) -> dict[str, Any] | None:
    """Return how the last comparison with the venue ended; None if nobody answers."""
    try:
        report = await engine.ref(RECONCILER).ask(Report(), deadline_s=ASK_S)
    except ActorError:
        return None
    return report_json(report)


def _snapshot(desk: Desk) -> dict[str, Any] | None:
    """Return the newest snapshot of this start, and why the last try failed."""
    keeper = desk.keeper
    if keeper is None:
        return None
    last = keeper.last
    return {
        "record": None if last is None else last.sequence,
        "made_at": None if last is None else last.made_at.isoformat(),
        "error": keeper.error or None,
    }


def _strategy(ledger: SubLedger, parts: Parts) -> dict[str, Any]:
    cash = sum(ledger.cash.values(), ZERO)
    worth = sum(
        (_worth(symbol, held, parts) for symbol, held in ledger.positions.items()),
        ZERO,
    )
    return {
        "cash": str(cash),
        "equity": str(cash + worth),
        "profit_and_loss": str(cash + worth - sum(ledger.capital.values(), ZERO)),
        "positions": {
            symbol: str(held.amount)
            for symbol, held in ledger.positions.items()
            if held.amount
        },
    }


def _worth(symbol: str, held: Position, parts: Parts) -> Decimal:
    """Return what a position is worth; one that was adopted may be of anything."""
    instrument = parts.instruments.get(symbol)
    if instrument is None:
        return held.cost_basis * held.amount
    price = parts.prices.last(symbol) or held.cost_basis
    return instrument.notional(price, held.amount)


def _positions(ledgers: dict[str, SubLedger]) -> dict[str, str]:
    total: dict[str, Decimal] = {}
    for ledger in ledgers.values():
        for symbol, held in ledger.positions.items():
            total[symbol] = total.get(symbol, ZERO) + held.amount
    return {symbol: str(amount) for symbol, amount in total.items() if amount}


def _age_s(parts: Parts) -> float | None:
    """Return how old the newest bar is, in market time."""
    if parts.prices.step < 0:
        return None
    return (parts.clock.now_us - parts.data.times_us[parts.prices.step]) / 1_000_000
