"""The port of what a venue knows of its market's past."""

from __future__ import annotations

from typing import Protocol

from holdfast_domain.marketdata import Bar


class PastBars(Protocol):
    """A venue's own bars of what is over; they are those that its trades give.

    Blocks for some seconds at most. A bar that is still forming is never among them.
    An interval in which nothing was traded may have a flat bar, or none.
    """

    async def last(self, count: int, until_us: int) -> list[Bar]:
        """Return the last ``count`` bars of each instrument that end by ``until_us``.

        There are fewer of one that was not traded for so long.

        Raises:
            VenueError: it was asked a few times, and did not give them; or it has no
                bars of this length.
        """

    async def between(self, after_us: int, until_us: int) -> list[Bar]:
        """Return the bars that begin at ``after_us`` or later and end by ``until_us``.

        Raises:
            VenueError: as `last`.
        """
