"""The fault kit: a simulated system to harm, and words for what must still hold.

`Faults` is what a test does to a tree, `History` what has happened, `System` both with
an engine, `sweep` a check with a fault at each of its opportunities. Without pytest it
works all the same; the plugin (`holdfast_runtime.testing.plugin`) adds the fixtures
``holdfast_system`` and ``holdfast_seed``, and ``--holdfast-seeds``.
"""

from holdfast_runtime.testing.engine import FaultyEngine
from holdfast_runtime.testing.fault import Fault, Injected
from holdfast_runtime.testing.faults import Faults
from holdfast_runtime.testing.history import Event, History
from holdfast_runtime.testing.sweeping import sweep
from holdfast_runtime.testing.system import System

__all__ = [
    "Event",
    "Fault",
    "Faults",
    "FaultyEngine",
    "History",
    "Injected",
    "System",
    "sweep",
]
