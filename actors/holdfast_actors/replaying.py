"""Replay: how a projection is rebuilt from the journal, around what is quarantined."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from holdfast_domain.events import Entry, Quarantined, QuarantineReleased
from holdfast_runtime import Poisoned
from holdfast_runtime.ids import origin_text


def replay(history: Iterable[Entry], apply: Callable[[Entry], None], path: str) -> int:
    """Give each record to ``apply``, in order; return the last one's sequence.

    Records that are quarantined for the reader at ``path`` are passed over.

    Raises:
        Poisoned: a record could not be applied; its origin names it.
    """
    entries = list(history)
    skipped = quarantined_for(path, entries)
    for entry in entries:
        origin = ("journal", entry.sequence)
        if skipped and origin_text(origin) in skipped:
            continue
        try:
            apply(entry)
        except Exception as error:
            raise Poisoned(origin, repr(error)) from error
    return entries[-1].sequence if entries else 0


def quarantined_for(path: str, entries: Iterable[Entry]) -> set[str]:
    """Return the origins that the reader at ``path`` must not take."""
    found: set[str] = set()
    for entry in entries:
        event = entry.event
        if isinstance(event, Quarantined) and event.reader == path:
            found.add(event.origin)
        elif isinstance(event, QuarantineReleased):
            found.discard(event.origin)
    return found
