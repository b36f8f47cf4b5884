"""Where the actors are in the tree: the paths by which they are found."""

from __future__ import annotations

JOURNAL = "engine/core/journal"
ORDERS = "engine/core/orders"
LEDGER = "engine/core/ledger"
GUARD = "engine/core/guard"
FEEDS = "engine/trading/feeds"
FEED = f"{FEEDS}/replay"
SCHEDULER = "engine/trading/scheduler"
RECONCILER = "engine/trading/reconciler"
VENUES = "engine/trading/venues"
BREAKERS = "engine/trading/breakers"
TWINS = "engine/trading/twins"
STRATEGIES = "engine/trading/strategies"


def session_path(venue: str) -> str:
    """Return where a venue's session is."""
    return f"{VENUES}/{venue}/session"


def deadman_path(venue: str) -> str:
    """Return where a venue's dead man's switch is held, if it is."""
    return f"{VENUES}/{venue}/deadman"


def breaker_path(venue: str) -> str:
    """Return where a venue's breaker is, if it has an account."""
    return f"{BREAKERS}/{venue}"


def strategy_path(name: str) -> str:
    """Return where a strategy is."""
    return f"{STRATEGIES}/{name}/strategy"


def twin_path(venue: str) -> str:
    """Return where it is seen to that strategies go on on paper, if it is."""
    return f"{TWINS}/{venue}"
