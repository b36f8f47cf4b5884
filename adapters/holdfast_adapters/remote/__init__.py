"""A venue in another process: served over a Unix socket, and reached over it.

Read from the bottom up: `wire` (what is said), `server`, `venue` (the port over it).
"""

from holdfast_adapters.remote.server import VenueServer
from holdfast_adapters.remote.venue import RemoteVenue

__all__ = ["RemoteVenue", "VenueServer"]
