"""What a configuration says of an account that is away: unforeseen, or known before."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.configuration import Config
from holdfast_actors.degradation import PAPER, Degrading, Maintenance
from holdfast_domain.ports import WallClock


def degrading_of(config: Config) -> Mapping[str, Degrading]:
    """Return by venue what is done when it is away for long; on paper nothing is."""
    if config.mode == "paper":
        return {}
    return {name: venue.degraded.plan() for name, venue in config.venues.items()}


def goes_on_on_paper(config: Config) -> tuple[str, ...]:
    """Return the venues at whose strategies' place a twin goes on when one is away."""
    plans = degrading_of(config)
    return tuple(name for name, plan in plans.items() if plan.policy == PAPER)


def maintenance_of(config: Config, clock: WallClock) -> Mapping[str, Maintenance]:
    """Return by venue when it is known to be away; on paper it is not.

    Raises:
        InputError: such a window is empty, or its time zone is not known.
    """
    if config.mode == "paper":
        return {}
    return {
        name: venue.maintenance.plan(venue.timezone, clock.now_us)
        for name, venue in config.venues.items()
        if venue.maintenance is not None
    }
