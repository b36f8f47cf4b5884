"""The journal: the one writer of records, with group commit.

After a commit each record goes to its readers, and what its author said is let out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from holdfast_actors.clock import GuardMark, MarketClock
from holdfast_actors.messages import Committed, Note, Report
from holdfast_domain.errors import CommitFailed
from holdfast_domain.events import (
    DecisionMade,
    Entry,
    Event,
    OrderFilled,
    OrderIntended,
)
from holdfast_domain.ports import JournalStore, ThreadHost, WallClock
from holdfast_runtime import Records, Ref

Routes: TypeAlias = Callable[[Event], Sequence[Ref[Any]]]
"""Who reads a record."""

COMMIT_DEADLINE_S = 30.0


class Journal:
    """Makes records durable, in the order in which they come, and passes them on.

    This one commits where it stands: for a store in memory, which does not wait. A
    commit that fails crashes this actor, and with it (by the strategy of its family)
    all who hold memory that is not durable.
    """

    def __init__(
        self,
        *,
        store: JournalStore,
        clock: MarketClock,
        wall: WallClock,
        epoch: int,
        routes: Routes,
        effect: Callable[[Callable[[], None]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._wall = wall
        self._epoch = epoch
        self._routes = routes
        self._effect = effect
        self._sequence = store.last_sequence

    def handle(self, message: Records | Note | Report) -> int:
        """Commit one message's records; return the last durable sequence."""
        if not isinstance(message, Report):
            entries, holds = self._collect((message,))
            if entries:
                self._store.append(entries)
            self._let_out(entries, holds)
        return self._sequence

    def commit(self, events: list[Event]) -> None:
        """Commit what one actor recorded, before it says anything."""
        entries = self._entries_of(events)
        self._store.append(entries)
        self._let_out(entries)

    def _let_out(self, entries: list[Entry], holds: Sequence[Any] = ()) -> None:
        """Tell the readers what is durable now, and let out what hung on it."""
        self._sequence += len(entries)
        routes = self._routes
        for entry in entries:
            readers = routes(entry.event)
            if readers:
                told = Committed(entry)
                for reader in readers:
                    reader.tell(told)
        for hold in holds:
            self._effect(hold.confirm)

    def _collect(
        self, messages: Sequence[Records | Note]
    ) -> tuple[list[Entry], list[Any]]:
        events: list[Event] = []
        holds = []
        for message in messages:
            if isinstance(message, Note):
                events.append(message.event)
            elif not message.hold.failed:
                # Of a hold that failed, the author's memory rests on a lost record.
                holds.append(message.hold)
                events.extend(message.entries)
        return self._entries_of(events), holds

    def _entries_of(self, events: Sequence[Event]) -> list[Entry]:
        """Return the records that come next, one for each event."""
        clock, epoch, wall_us = self._clock, self._epoch, self._wall.now_us()
        cursor, now_us, sequence = clock.cursor, clock.now_us, self._sequence
        entries: list[Entry] = []
        for event in events:
            sequence += 1
            entries.append(Entry(sequence, epoch, cursor, now_us, wall_us, event))
        return entries


class GroupCommit(Journal):
    """A journal whose store waits for a disk: it commits batches on a thread.

    While one batch is being made durable, the next one fills in its mailbox.
    """

    def __init__(self, *, host: ThreadHost, **parts: Any) -> None:  # noqa: ANN401
        """Take what `Journal` takes, and the host of the writer's thread."""
        super().__init__(**parts)
        self._host = host

    # A commit here waits for the disk, so nobody may be kept waiting for it.
    commit = None  # type: ignore[assignment]

    async def handle_batch(self, messages: list[Records | Note]) -> None:
        """Make a batch durable, then let out what hung on it."""
        entries, holds = self._collect(messages)
        if entries:
            await self._host.run(
                self._store.append, entries, deadline_s=COMMIT_DEADLINE_S
            )
        self._let_out(entries, holds)


def route_by_type(
    by_type: Mapping[type, Sequence[Ref[Any]]],
    by_strategy: Mapping[str, Ref[Any]],
    strategy_types: frozenset[type],
    guard: GuardMark,
) -> Routes:
    """Return routes: a record's strategy first, for it waits; then fixed readers.

    Who reads of intents need not hear of those that the ``guard`` has passed.
    """
    own = {
        kind: {name: [ref, *by_type.get(kind, ())] for name, ref in by_strategy.items()}
        for kind in strategy_types
    }

    def routes(event: Event) -> Sequence[Ref[Any]]:
        kind = type(event)
        if kind in own:
            return own[kind].get(_strategy_of(event)) or by_type.get(kind, ())
        if kind is DecisionMade and event.orders:  # type: ignore[union-attr]
            # Its orders are in the same commit, and name it.
            return ()
        if type(event) is OrderIntended and (
            event.decision <= guard.passed.get(event.strategy, 0)
        ):
            return ()
        return by_type.get(kind, ())

    return routes


def _strategy_of(event: Event) -> str:
    if type(event) is OrderFilled:  # the commonest
        return event.fill.strategy
    fill = getattr(event, "fill", None)
    return str(fill.strategy if fill is not None else getattr(event, "strategy", ""))


__all__ = ["CommitFailed", "Journal", "Routes", "route_by_type"]
