"""A picture of the running tree: plain data for people, health checks and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from holdfast_runtime.cell import Cell
from holdfast_runtime.family import Family
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.messages import text_of
from holdfast_runtime.meters import Meter


@attrs.frozen(kw_only=True)
class Node:
    """One place of the tree at one moment."""

    name: str
    path: str
    state: str
    incarnation: int
    restarts: int
    handled: int
    waiting: int
    dropped: int
    left: int
    """Messages that still waited, all in all, when the actor was stopped."""

    high_water: Mapping[str, int]
    """The most that waited in each lane in use, at most 7 messages short."""

    error: str
    rate_per_s: float = 0.0
    """Messages handled each second, over a second or more until now."""

    handling_p50_s: float | None = None
    """How long its handler takes; of an asynchronous one, until it has returned.

    None before anything was measured. Of a batch, the whole.
    """

    handling_p99_s: float | None = None
    waiting_p50_s: float | None = None
    """How long a message waits in the mailbox before its handler is called."""

    waiting_p99_s: float | None = None
    overruns: int = 0
    """How many handlers were over the budget of the spec."""

    age_s: float | None = None
    """How long ago it handled a message; of a busy actor the last measured one."""

    children: tuple[Node, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the node and all below it as JSON-able values."""
        return attrs.asdict(self)

    def walk(self) -> list[Node]:
        """Return the node and all below it, each before its children."""
        return [self, *(node for child in self.children for node in child.walk())]


def snapshot(kernel: Kernel) -> Node:
    """Return the tree of ``kernel`` as it stands."""
    return _node(kernel.root)


def _node(child: Cell | Family) -> Node:
    children: tuple[Node, ...] = ()
    handled = waiting = dropped = left = overruns = 0
    high_water: dict[str, int] = {}
    if isinstance(child, Family):
        children = tuple(_node(each) for each in child.children)
    else:
        handled, overruns, left = child.handled, child.overruns, child.left
        waiting = child.mailbox.size + child.direct
        dropped = child.mailbox.dropped
        child.mailbox.look()
        high_water = {box.lane.name: box.high_water for box in child.mailbox.active}
    return Node(
        name=child.name,
        path=child.path,
        state=child.state.value,
        incarnation=child.incarnation,
        restarts=max(0, child.incarnation - 1),
        handled=handled,
        waiting=waiting,
        dropped=dropped,
        left=left,
        high_water=high_water,
        error=text_of(child.error),
        overruns=overruns,
        children=children,
        **(_measures(child.meter) if isinstance(child, Cell) and child.meter else {}),
    )


def _measures(meter: Meter) -> dict[str, Any]:
    found: dict[str, Any] = {"rate_per_s": meter.rate_per_s(), "age_s": meter.age_s()}
    for name, histogram in (("handling", meter.handling), ("waiting", meter.waiting)):
        if histogram is not None:
            found[f"{name}_p50_s"] = histogram.quantile(0.50)
            found[f"{name}_p99_s"] = histogram.quantile(0.99)
    return found
