"""Interactive Brokers: ib_async reads and writes the wire, and nothing else of it.

Bottom up. `library` (ib_async, if it is there), `rows` (what TWS tells), `errors` (what
its codes mean), `contracts`, `telling` (rows in the port's words) and `ticks`: pure. In
the loop of ib_async: `pacing`, `pending` (who waits for what), `book` (orders and
executions as they were told), `ears` (what the decoder calls) and `gateway` (one
connection). On the actors' thread: `hub` (who hears the account), `memory` (what was
sent), `session`, `venue`, and `market` (what trades).
"""

from holdfast_adapters.ib.addresses import LIVE_PORTS, PAPER_PORTS, Address, Line
from holdfast_adapters.ib.bars import IBBars
from holdfast_adapters.ib.contracts import ContractSpec
from holdfast_adapters.ib.hours import Hours
from holdfast_adapters.ib.hub import Hub
from holdfast_adapters.ib.market import IBMarket
from holdfast_adapters.ib.memory import Memory
from holdfast_adapters.ib.session import Session, Timing
from holdfast_adapters.ib.venue import IBVenue

__all__ = [
    "LIVE_PORTS",
    "PAPER_PORTS",
    "Address",
    "ContractSpec",
    "Hours",
    "Hub",
    "IBBars",
    "IBMarket",
    "IBVenue",
    "Line",
    "Memory",
    "Session",
    "Timing",
]
