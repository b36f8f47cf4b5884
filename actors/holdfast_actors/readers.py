"""Who is told of which committed record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast_actors.clock import GuardMark
from holdfast_actors.journal import Routes, route_by_type
from holdfast_actors.strategy.news import NEWS
from holdfast_actors.strategy.restore import TOLD
from holdfast_domain import events as ev
from holdfast_runtime import Ref

_GUARD_READS = (
    ev.CapitalAllotted,
    ev.StrategyForked,
    ev.DecisionMade,
    ev.OrderIntended,
    ev.OrderRefused,
    ev.OrderFilled,
    ev.OrderCanceled,
    ev.OrderExpired,
    ev.OrderNotPlaced,
    ev.OrderRejected,
    ev.OrderReplaced,
    ev.OrderResolved,
    ev.OrderReopened,
    ev.FillCorrected,
    ev.FillBusted,
    ev.ReplaceRefused,
    ev.ReplaceRequested,
    ev.ExternalFilled,
    ev.BooksAdjusted,
    ev.Quarantined,
    ev.QuarantineReleased,
)
_LEDGER_READS = (
    ev.CapitalAllotted,
    ev.StrategyForked,
    ev.OrderFilled,
    ev.FillCorrected,
    ev.FillBusted,
    ev.ExternalFilled,
    ev.BooksAdjusted,
)
_RECONCILER_READS = (
    ev.OrderFilled,
    ev.ExternalFilled,
    ev.FillCorrected,
    ev.FillBusted,
)


def routes_to(
    *,
    ledger: Ref[Any],
    guard: Ref[Any],
    reconciler: Ref[Any] | None = None,
    strategies: Mapping[str, Ref[Any]],
    passed: GuardMark,
) -> Routes:
    """Return who is told of a record, first the books and then whoever uses them.

    Of intents the guard alone is told, and only of those that it has not ``passed``:
    it was built anew while they were under way.
    """
    by_type: dict[type, list[Any]] = {kind: [guard] for kind in _GUARD_READS}
    for kind in _LEDGER_READS:
        by_type.setdefault(kind, []).insert(0, ledger)
    if reconciler is not None:
        for kind in _RECONCILER_READS:
            by_type[kind].append(reconciler)
    for news in NEWS:
        by_type.setdefault(news, []).extend(strategies.values())
    return route_by_type(by_type, strategies, TOLD, passed)
