"""Supervision for trio: actors that crash, and a tree that brings them back.

Read from the bottom up; a module imports only those before it in this list: `errors`,
`restarts`, `timers`, `mailbox`, `spec`, `checks`, `bells`, `messages`, `accepting`
(what a reader takes), `holds`, `refs`, `context`, `cell`, `brood` and `family` (a
supervisor), `byhand` (what a user may change of a tree), `driving`, `moving` (actors
that compute elsewhere; `checks` and `cell` ask it what can get there), `engine` (what
the two engines add), `delivery` (who gets what when), `blame` (what becomes of a
message on which an actor died), `meters`, `monitors` and `watchdogs` (what is seen of
actors), `kernel` (how actors live and die), and the engines, `simulated` (on `virtual`)
and `live` (on `livebell` and `pump`). `opening` runs the live one, drained by
`signals`; `background` runs it on a thread. `threads` hosts what blocks, and sees what
hangs; `tree` takes pictures, and `ids` tells logs what is in hand.
"""

from holdfast_runtime.background import EngineHandle, start
from holdfast_runtime.context import Context
from holdfast_runtime.errors import (
    ActorError,
    AskFailed,
    AskTimeout,
    EngineFailed,
    EngineStopped,
    Killed,
    MailboxClosed,
    MailboxFull,
    Overdue,
    Poisoned,
    ProcessDied,
    RecordsLost,
    SpecError,
    UnknownMessage,
    Unpicklable,
)
from holdfast_runtime.live import LiveEngine
from holdfast_runtime.mailbox import Full, Lane, LaneSpec
from holdfast_runtime.messages import DeadLetter, Derived, Lifecycle, Records, Stop
from holdfast_runtime.opening import open_engine, run
from holdfast_runtime.refs import Ref
from holdfast_runtime.restarts import Backoff
from holdfast_runtime.signals import Signals
from holdfast_runtime.simulated import SimulatedEngine
from holdfast_runtime.spec import (
    ActorSpec,
    Beyond,
    Restart,
    RunsIn,
    Strategy,
    SupervisorSpec,
)

__all__ = [
    "ActorError",
    "ActorSpec",
    "AskFailed",
    "AskTimeout",
    "Backoff",
    "Beyond",
    "Context",
    "DeadLetter",
    "Derived",
    "EngineFailed",
    "EngineHandle",
    "EngineStopped",
    "Full",
    "Killed",
    "Lane",
    "LaneSpec",
    "Lifecycle",
    "LiveEngine",
    "MailboxClosed",
    "MailboxFull",
    "Overdue",
    "Poisoned",
    "ProcessDied",
    "Records",
    "RecordsLost",
    "Ref",
    "Restart",
    "RunsIn",
    "Signals",
    "SimulatedEngine",
    "SpecError",
    "Stop",
    "Strategy",
    "SupervisorSpec",
    "UnknownMessage",
    "Unpicklable",
    "open_engine",
    "run",
    "start",
]
