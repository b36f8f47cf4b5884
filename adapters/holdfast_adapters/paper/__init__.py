"""The paper venue: a venue in replayed market time, with a memory of its own.

Read from the bottom up: `records`, `codec`, `store`, `core`, `venue`.
"""

from holdfast_adapters.paper.core import OpenedAt, opened_at_us_of
from holdfast_adapters.paper.venue import PaperVenue

__all__ = ["OpenedAt", "PaperVenue", "opened_at_us_of"]
