"""What a live run wants of a venue, whatever its adapter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import attrs

from holdfast.configuration.model import DataConfig
from holdfast.hosts import Hosts
from holdfast_actors.parts import LiveAccount
from holdfast_adapters.calendars import TableCalendar
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.streams.recording import Recorder
from holdfast_domain.instruments import Instrument
from holdfast_domain.pastbars import PastBars
from holdfast_domain.ports import MarketSource, WallClock


@attrs.frozen
class Learned:
    """What a venue says before anything is built."""

    instruments: Mapping[str, Instrument]
    offset_us: int
    """What is added to our clock to get the venue's."""


@attrs.frozen(kw_only=True)
class Hearing:
    """How a market is listened to."""

    data: DataConfig
    clock: WallClock
    offset_us: int
    said: Callable[[str], None]
    recorder: Recorder | None


class Place(Protocol):
    """A venue of a configuration."""

    @property
    def where(self) -> str:
        """Its address, for people."""

    async def learn(self, clock: WallClock) -> Learned:
        """Ask it for its rules.

        Raises:
            VenueError: it is not reached, or does not know a symbol.
        """

    def calendars(self, directory: StateDir) -> Mapping[str, TableCalendar]:
        """Return the sessions that it has told of, by symbol, now and at other starts.

        They go on as it tells more; what is known by now is kept in ``directory``.

        Raises:
            InputError: what was kept cannot be read.
        """

    def account(
        self,
        clock: WallClock,
        offset_us: int,
        begun_us: int,
        say: Callable[[str], None],
    ) -> Callable[[Hosts], LiveAccount]:
        """Return what makes the account; executions count from ``begun_us`` on.

        Raises:
            InputError: credentials are missing, or something is asked for that the
                venue does not have.
        """

    def past(
        self, clock: WallClock, offset_us: int, interval_us: int
    ) -> PastBars | None:
        """Return whom to ask for bars of ``interval_us`` that are over, if anybody."""

    def listener(self, hosts: Hosts) -> Callable[[Hearing], MarketSource]:
        """Return what makes who listens to the market, for each time that one does."""
