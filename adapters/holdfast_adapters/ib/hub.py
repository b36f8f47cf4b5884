"""Who hears the account: what its session is told, an `AccountSource` passes on.

At IB the connection that places orders is the one that is told of them: a second one
would hear nothing. So the session tells this hub, which outlives it.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from holdfast_domain.ports import VenueEvent


class Hub:
    """An `AccountSource`, fed by the sessions of a venue, one after the other."""

    def __init__(self) -> None:
        self._told: Callable[[VenueEvent], None] | None = None
        self._missed: Callable[[str], None] | None = None

    async def run(
        self, told: Callable[[VenueEvent], None], missed: Callable[[str], None]
    ) -> None:
        """Listen until cancelled; see `AccountSource.run`."""
        self.attach(told, missed)
        try:
            missed("listening begins")
            await trio.sleep_forever()
        finally:
            self._told = self._missed = None

    def attach(
        self, told: Callable[[VenueEvent], None], missed: Callable[[str], None]
    ) -> None:
        """Let these be who hears, from now on."""
        self._told, self._missed = told, missed

    def tell(self, event: VenueEvent) -> None:
        """Pass on what happened; without a listener it is heard when one comes."""
        if self._told is not None:
            self._told(event)

    def miss(self, why: str) -> None:
        """Pass on that something may have been missed."""
        if self._missed is not None:
            self._missed(why)
