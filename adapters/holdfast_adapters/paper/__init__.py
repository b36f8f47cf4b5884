"""The paper venue: a venue in replayed market time, with a memory of its own.

Read from the bottom up: `world`, `records`, `codec`, `store`, `account`, `market`,
`history`, `core`, `venue`.
"""

from holdfast_adapters.paper.venue import PaperVenue
from holdfast_adapters.paper.world import OpenedAt, opened_at_us_of

__all__ = ["OpenedAt", "PaperVenue", "opened_at_us_of"]
