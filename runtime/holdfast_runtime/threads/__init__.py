"""Threads: the one place that starts them. pykka hosts what blocks; nothing of ours.

`PykkaThreadHost` makes blocking calls on a thread, `PykkaAsyncioHost` runs coroutines
of an asyncio library on a loop of its own thread. Their results and events come back
to trio over a deque and one pending wake (`bridge`). What does not come back in time
is *abandoned*: its thread is counted, reported and replaced, never waited for. The
inline hosts do the same without a thread, for the simulated engine.
"""

from holdfast_runtime.errors import EventsLost, HostRefused, LoopLost
from holdfast_runtime.threads.hosting import PykkaThreadHost
from holdfast_runtime.threads.hosts import Events, Full, Hung, Trouble
from holdfast_runtime.threads.inline import InlineAsyncioHost, InlineHost
from holdfast_runtime.threads.looping import PykkaAsyncioHost
from holdfast_runtime.threads.starting import Future, start_thread

__all__ = [
    "Events",
    "EventsLost",
    "Full",
    "Future",
    "HostRefused",
    "Hung",
    "InlineAsyncioHost",
    "InlineHost",
    "LoopLost",
    "PykkaAsyncioHost",
    "PykkaThreadHost",
    "Trouble",
    "start_thread",
]
