"""The last word of a strategy: `analyze`, with the result of the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.loading import said, where_of
from holdfast.results.measure import RunResult
from holdfast_actors.strategy.actor import StrategyActor
from holdfast_actors.tree import Parts, strategy_path
from holdfast_domain.errors import InputError
from holdfast_runtime.cell import Cell


def actors_of(parts: Parts, cells: Mapping[str, Cell]) -> dict[str, StrategyActor]:
    """Return the strategies that live at this moment, by their names."""
    found = {plan.name: cells[strategy_path(plan.name)].actor for plan in parts.plans}
    return {name: actor for name, actor in found.items() if actor is not None}


def let_analyze(actors: Mapping[str, StrategyActor], result: RunResult) -> None:
    """Let each strategy that has an `analyze` look at ``result``.

    Raises:
        InputError: an `analyze` raised.
    """
    for name, actor in actors.items():
        analyze: Any = getattr(actor.strategy, "analyze", None)
        if analyze is None:
            continue
        try:
            analyze(actor.context, result)
        except Exception as error:
            expected = f"an analyze of {name} that runs"
            raise InputError(
                where_of(error, name), expected, said(error), "correct it there"
            ) from error
