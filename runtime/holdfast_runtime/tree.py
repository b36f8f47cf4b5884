"""A picture of the running tree: plain data for people, health checks and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from holdfast_runtime.cell import Cell
from holdfast_runtime.family import Family
from holdfast_runtime.kernel import Kernel


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
    handled = waiting = dropped = left = 0
    high_water: dict[str, int] = {}
    if isinstance(child, Family):
        children = tuple(_node(each) for each in child.children)
    else:
        handled = child.handled
        waiting, dropped = child.mailbox.size, child.mailbox.dropped
        left = child.left
        child.mailbox.look()
        high_water = {box.lane.name: box.high_water for box in child.mailbox.active}
    error = ""
    if child.error is not None:
        error = f"{type(child.error).__name__}: {child.error}"
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
        error=error,
        children=children,
    )
