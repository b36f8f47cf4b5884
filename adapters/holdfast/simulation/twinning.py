"""A twin of a history's strategies, forked from its journal and played to the end.

The market is recorded, so the twin takes what is left of it at once, on an engine of
its own: what it does there must be true by its own record, and known to nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts, write_opening
from holdfast.forking import Fork, fork_of
from holdfast.options import RunOptions
from holdfast_actors.tree import Parts
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.paper.records import Row
from holdfast_adapters.paper.venue import PaperVenue
from holdfast_domain.events import Entry, OrderIntended
from holdfast_runtime import SimulatedEngine
from holdfast_runtime.cell import State

TWIN: Final = 8
"""The identity of a twin's engine."""

FORK_S: Final = 0.0
"""How long after its venue is degraded a twin is forked: as soon as that is handled."""

STEPS_MAX: Final = 200_000


@attrs.frozen(kw_only=True)
class Twinned:
    """What is left of a twin."""

    fork: Fork
    entries: list[Entry]
    rows: Sequence[Row]
    """Its venue's record."""

    finished: bool

    def own_orders(self) -> Iterator[str]:
        """Yield the ids of the orders that were not there at the fork."""
        for entry in self.entries:
            event = entry.event
            if isinstance(event, OrderIntended) and event.decision:
                yield event.order_id


def twin_of(live: Parts, options: RunOptions, venue: str) -> Twinned:
    """Fork all strategies of ``live`` as its journal ends, and play them on paper."""
    fork, done = fork_of(live, venue), list[bool]()
    world = World(
        store=MemoryJournal(),
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=TWIN,
        finished=lambda: done.append(True),
        mode="paper",
        slices_max=1,
        fork=fork,
    )
    parts = make_parts(options, world)
    write_opening(options, parts, world)
    engine = SimulatedEngine(build_tree(parts))
    engine.root.begin()
    for _ in range(STEPS_MAX):
        if done or engine.root.state is State.CRASHED or not engine.step():
            break
    made = parts.venues[venue]()
    assert isinstance(made, PaperVenue)
    return Twinned(
        fork=fork,
        entries=list(parts.store.read()),
        rows=made.rows,
        finished=bool(done),
    )
