"""The reconciler as a child of the trading family."""

from __future__ import annotations

from typing import Any

from holdfast_actors import folding
from holdfast_actors.parts import Parts
from holdfast_actors.places import (
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    RECONCILER,
    session_path,
    strategy_path,
)
from holdfast_actors.reconciliation.actor import Reconciler
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.reconciliation.trading_back import order_id_of
from holdfast_domain.fills import HOUSE
from holdfast_runtime import ActorSpec, Context, Ref


def reconcilers(parts: Parts) -> tuple[ActorSpec, ...]:
    """Return the reconciler, where there is a plan for one."""
    plan = parts.reconciling
    if plan is None:
        return ()
    return (
        ActorSpec(
            name="reconciler",
            build=lambda ctx: _build(parts, plan, ctx),
            recorder=JOURNAL,
            waits_for=(),
        ),
    )


def reconciler_of(parts: Parts, ctx: Context) -> Ref[Any] | None:
    """Return the reconciler's place, where there is a plan for one."""
    return None if parts.reconciling is None else ctx.ref(RECONCILER)


def deciders(parts: Parts, ctx: Context) -> dict[str, Ref[Any]]:
    """Return all whose decisions `orders` takes: strategies, and for the house."""
    found = {p.name: ctx.ref(strategy_path(p.name)) for p in parts.plans}
    if parts.reconciling is not None:
        found[HOUSE] = ctx.ref(RECONCILER)
    return found


def _build(parts: Parts, plan: ReconcilePlan, ctx: Context) -> Reconciler:
    return Reconciler(
        history=parts.recovery.history(folding.RECONCILER),
        plan=plan,
        engine=parts.engine,
        instruments=parts.instruments,
        prices=parts.prices,
        clock=parts.clock,
        ids=lambda number, index: order_id_of(parts.engine, parts.epoch, number, index),
        sessions={name: ctx.ref(session_path(name)) for name in parts.venues},
        orders=ctx.ref(ORDERS),
        ledger=ctx.ref(LEDGER),
        guard=ctx.ref(GUARD),
        me=ctx.me,
        record=ctx.record,
        after=ctx.after,
        now_s=ctx.now_s,
        call=lambda text: ctx.effect(lambda: parts.attention(text)),
        incarnation=ctx.incarnation,
        path=ctx.path,
    )
