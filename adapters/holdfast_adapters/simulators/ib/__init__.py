"""TWS, or IB Gateway, on the desk: the text protocol of versions 157 to 178 on a port.

What it says follows the wire format that ib_async reads; `layouts` is compared with
recorded messages. It keeps a record that the auditor reads, and plays the `faults` that
are switched on. Bottom up: `wire`, `layouts`, `model`, `messages`, `record`, `terms`,
`brackets`, `desk`, `faults`, `peers`, `answers`, `server`.
"""

from holdfast_adapters.simulators.ib.brackets import Exits, Parked
from holdfast_adapters.simulators.ib.desk import Desk
from holdfast_adapters.simulators.ib.faults import AFTER, BEFORE, TELLING, Fault
from holdfast_adapters.simulators.ib.model import SimContract
from holdfast_adapters.simulators.ib.server import TwsSimulator, serving_tws

__all__ = [
    "AFTER",
    "BEFORE",
    "TELLING",
    "Desk",
    "Exits",
    "Fault",
    "Parked",
    "SimContract",
    "TwsSimulator",
    "serving_tws",
]
