"""Replay: how a projection is rebuilt from the journal, around what is quarantined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs

from holdfast_domain.events import Entry, Quarantined, QuarantineReleased
from holdfast_runtime import Poisoned
from holdfast_runtime.ids import origin_text


@attrs.frozen
class History:
    """What one owner is rebuilt from: its part of a snapshot, and what came since."""

    entries: Sequence[Entry]
    """The records with a sequence above ``after``, in order."""

    after: int = 0
    """The record up to which ``saved`` is; 0 without a snapshot."""

    saved: Any = None
    """The owner's part of the snapshot, as plain values; None without one."""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


def replay(
    history: Iterable[Entry],
    apply: Callable[[Entry], None],
    path: str,
    load: Callable[[Any], None] | None = None,
) -> int:
    """Give each record to ``apply``, in order; return the last one's sequence.

    A `History` with a snapshot is first given to ``load``. Records that are
    quarantined for the reader at ``path`` are passed over.

    Raises:
        Poisoned: a record could not be applied; its origin names it.
    """
    after = 0
    if isinstance(history, History) and history.saved is not None and load is not None:
        load(history.saved)
        after = history.after
    entries = list(history)
    skipped = quarantined_for(path, entries)
    taken = after
    try:
        for entry in entries:
            taken = entry.sequence
            if skipped and origin_text(("journal", taken)) in skipped:
                continue
            apply(entry)
    except Exception as error:
        raise Poisoned(("journal", taken), repr(error)) from error
    return taken


def quarantined_for(path: str, entries: Iterable[Entry]) -> set[str]:
    """Return the origins that the reader at ``path`` must not take."""
    found: set[str] = set()
    for entry in entries:
        event = entry.event
        if type(event) not in _QUARANTINE:
            continue
        if isinstance(event, Quarantined) and event.reader == path:
            found.add(event.origin)
        elif isinstance(event, QuarantineReleased):
            found.discard(event.origin)
    return found


_QUARANTINE = frozenset({Quarantined, QuarantineReleased})
"""Looked for by their very type: a start looks at each record for each reader."""
