"""Supervision as OTP's manual tells it: an oracle that shares nothing with the runtime.

It knows no messages, no time and no engine: a death is a call, and what follows of it
has happened when the call returns. Two rules are not OTP's, and on purpose: a family
may park, and who ended for good is not brought back by the restart of a sibling.
"""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class Leaf:
    """An actor."""

    name: str
    kind: str = "permanent"
    up: bool = False
    parent: Group | None = None


@attrs.define(eq=False)
class Group:
    """A family, and how many restarts it has counted, in this life and in all."""

    name: str
    strategy: str
    limit: int
    parks: bool
    children: list[Leaf | Group]
    kind: str = "permanent"
    up: bool = False
    parked: bool = False
    parent: Group | None = None
    counted: int = 0
    counted_ever: int = 0

    def __attrs_post_init__(self) -> None:
        for child in self.children:
            child.parent = self


@attrs.define
class Oracle:
    """What a tree does: its log has each birth and each orderly stop."""

    root: Group
    log: list[str] = attrs.field(factory=list)
    bad_starts: set[str] = attrs.field(factory=set)
    """Actors whose next start fails."""

    hanging: set[str] = attrs.field(factory=set)
    """Actors that do not stop until they are cut."""

    def __attrs_post_init__(self) -> None:
        self._start(self.root)

    # --- what may happen to an actor ------------------------------------------

    def crashes(self, leaf: Leaf) -> None:
        """It fails while it runs."""
        if leaf.up:
            leaf.up = False
            if leaf.kind != "temporary":
                self._died(leaf)

    def ends(self, leaf: Leaf) -> None:
        """It ends by itself, in order."""
        if leaf.up:
            self._stop(leaf)
            if leaf.kind == "permanent":
                self._died(leaf)

    def is_restarted(self, leaf: Leaf) -> None:
        """Somebody asks for it: nobody has died, so nothing is counted."""
        group = parent_of(leaf)
        if group.up:
            self._restart(group, leaf, [])

    # --- the rules ------------------------------------------------------------

    def _died(
        self, child: Leaf | Group, waiting: list[Leaf | Group] | None = None
    ) -> None:
        """Restart ``child``; ``waiting`` are siblings whose start was due next."""
        group = parent_of(child)
        group.counted += 1
        group.counted_ever += 1
        if group.counted <= group.limit:
            self._restart(group, child, waiting or [])
            return
        self._stop(group)
        if group.parks:
            group.parked = True
        else:
            self._died(group)

    def _restart(
        self, group: Group, child: Leaf | Group, waiting: list[Leaf | Group]
    ) -> None:
        place = group.children.index(child)
        sharing = {
            "one_for_one": [child],
            "one_for_all": group.children,
            "rest_for_one": group.children[place:],
        }[group.strategy]
        due = [child, *waiting]
        for each in reversed(sharing):
            if each.up:
                self._stop(each)
                if each.kind != "temporary":
                    due.append(each)
        self._start_in_order([each for each in group.children if each in due])

    def _start_in_order(self, due: list[Leaf | Group]) -> None:
        for place, child in enumerate(due):
            if not self._start(child) and child.kind != "temporary":
                self._died(child, due[place + 1 :])
                return

    def _start(self, child: Leaf | Group) -> bool:
        """Return whether it came up."""
        if isinstance(child, Group):
            child.up, child.parked, child.counted = True, False, 0
            self._start_in_order(child.children)
            return True
        self.log.append(f"{child.name}: born")
        child.up = child.name not in self.bad_starts
        self.bad_starts.discard(child.name)
        return child.up

    def _stop(self, child: Leaf | Group) -> None:
        if isinstance(child, Group):
            for each in reversed(child.children):
                if each.up:
                    self._stop(each)
        else:
            how = "is cut" if child.name in self.hanging else "stops"
            self.hanging.discard(child.name)
            self.log.append(f"{child.name}: {how}")
        child.up = False


def parent_of(child: Leaf | Group) -> Group:
    """Return the family of ``child``."""
    assert child.parent is not None, "nobody is above the root"
    return child.parent
