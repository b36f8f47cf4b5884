"""A live run once more, from its tape: the same strategies, in virtual time.

What was seen is on the tape, what was done is in the journal: the one must follow from
the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import attrs

from holdfast.backtest import Progress, Simulation, simulate
from holdfast.configuration import Config
from holdfast.listing import kept_listing
from holdfast.live import VenueMarket
from holdfast.liveoptions import live_options
from holdfast.options import RunOptions
from holdfast.taping import read_tape
from holdfast.testing.outcome import domain_records
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.tape import SqliteTape, TapeReader
from holdfast_domain import events as ev
from holdfast_domain.errors import InputError


@attrs.frozen(kw_only=True)
class Likeness:
    """How the records of a replay compare with the journal's."""

    same: int = 0
    """How many are equal, from the first on; those of how it ran are left out."""

    unlike: str = ""
    """What the first other one is; empty if there is none."""

    uncompared: str = ""
    """Why nothing was compared; empty if it was."""


@attrs.frozen
class Taped:
    """A run that was played again."""

    options: RunOptions
    run: Simulation
    likeness: Likeness


def play_tape(
    config: Config, path: Path, directory: StateDir, progress: Progress | None = None
) -> Taped:
    """Run ``config`` (of the file ``path``) on the tape in ``directory``, to its end.

    Orders are filled on paper, whatever the mode. Nothing in the directory is changed.

    Raises:
        InputError: there is no tape, or it is not of this configuration, or not whole.
        JournalError, TapeDamaged: what is read is not as it was written.
    """
    ((name, venue),) = config.venues.items()
    market = VenueMarket.of(name, venue, config)
    if not directory.tape.exists():
        expected, todo = "a tape of a live run", "name the configuration of one"
        raise InputError(str(directory.path), expected, "none", todo)
    with (
        closing(SqliteTape(directory.tape, market.identity)) as tape,
        closing(TapeReader(directory.tape)) as reader,
    ):
        if tape.let_go_before and (config.data.trades or config.data.quotes):
            came = f"none before step {tape.let_go_before}"
            todo = "the configuration's keep_days lets go of them; keep more"
            raise InputError(str(directory.tape), "all trades and quotes", came, todo)
        data = market.data(reader)
        read_tape(tape, data)
        data.end()
        listing = kept_listing(directory)
        options = live_options(config, path, venue, data, listing)
        calendars = market.place.calendars(directory)
        run = simulate(options, progress=progress, calendars=calendars)
    return Taped(options, run, _likeness(config, directory, run.entries))


def _likeness(
    config: Config, directory: StateDir, made: Sequence[ev.Entry]
) -> Likeness:
    if config.mode == "live":
        why = "the venue of an account has an order of events of its own"
        return Likeness(uncompared=why)
    store = SqliteJournal(directory.journal, 0, read_only=True)
    with closing(store):
        if store.base:
            return Likeness(uncompared=f"records up to {store.base} are archived")
        kept = list(store.read())
    return compared(kept, made)


def compared(kept: Sequence[ev.Entry], made: Sequence[ev.Entry]) -> Likeness:
    """Compare a journal with what a replay of its tape has made.

    The replay goes on to the end of the tape, and may so have more.
    """
    numbers = [e.sequence for e in kept if not isinstance(e.event, ev.OPERATIONAL)]
    ours, theirs = domain_records(kept), domain_records(made)
    for at, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            words = f"record {numbers[at]} is {one[2]}, the replay has {other[2]}"
            return Likeness(same=at, unlike=words)
    if len(ours) > len(theirs):
        more = f"record {numbers[len(theirs)]} is {ours[len(theirs)][2]}"
        return Likeness(same=len(theirs), unlike=f"{more}, the replay has no more")
    return Likeness(same=len(ours))


__all__ = ["Likeness", "Taped", "compared", "play_tape"]
