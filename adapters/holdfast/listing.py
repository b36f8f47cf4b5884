"""What a venue said of its instruments, kept in the state directory of a live run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from holdfast_adapters.files import written_whole
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument

Sessions: TypeAlias = Sequence[tuple[int, int]]
"""Opens and closes, in microseconds UTC."""


def keep_listing(directory: StateDir, instruments: Mapping[str, Instrument]) -> None:
    """Keep ``instruments`` for starts without an answer, and for readers of books."""
    text = msgspec.json.encode(dict(instruments), order="deterministic").decode()
    with written_whole(directory.listing) as file:
        file.write(text)


def kept_listing(directory: StateDir) -> dict[str, Instrument]:
    """Return what was kept; nothing where the run was no live one.

    Raises:
        InputError: the file is not as it was written.
    """
    if not directory.listing.exists():
        return {}
    try:
        return msgspec.json.decode(
            directory.listing.read_bytes(), type=dict[str, Instrument]
        )
    except (OSError, msgspec.DecodeError) as error:
        where, expected = str(directory.listing), "the instruments of the run"
        todo = "remove it, and start with the venue in reach"
        raise InputError(where, expected, str(error), todo) from error


def keep_hours(directory: StateDir, hours: Mapping[str, Sessions]) -> None:
    """Keep when instruments trade, for starts after what the venue tells by then."""
    if hours:
        text = msgspec.json.encode(dict(hours), order="deterministic").decode()
        with written_whole(directory.hours) as file:
            file.write(text)


def kept_hours(directory: StateDir) -> dict[str, list[tuple[int, int]]]:
    """Return what was kept of it; nothing where nothing was told.

    Raises:
        InputError: the file is not as it was written.
    """
    if not directory.hours.exists():
        return {}
    try:
        return msgspec.json.decode(
            directory.hours.read_bytes(), type=dict[str, list[tuple[int, int]]]
        )
    except (OSError, msgspec.DecodeError) as error:
        where, expected = str(directory.hours), "the hours of the run's instruments"
        raise InputError(where, expected, str(error), "remove it") from error
