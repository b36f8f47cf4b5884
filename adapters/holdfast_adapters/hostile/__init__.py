"""The hostile venue: a venue that does to an engine what venues have been seen to do.

It matches like the paper venue and keeps a truthful record for the auditor; what it
says, and when, is another matter. Bottom up: `faults`, `arrivals`,
`stream`, `changes`, `elsewhere`, `venue`.
"""

from holdfast_adapters.hostile.arrivals import VenueClock
from holdfast_adapters.hostile.faults import KINDS, Op, VenueFault
from holdfast_adapters.hostile.venue import HostileVenue

__all__ = ["KINDS", "HostileVenue", "Op", "VenueClock", "VenueFault"]
