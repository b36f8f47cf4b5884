"""Streams: one WebSocket client for all venues, and what is made of its messages.

Bottom up. Pure, without I/O, clock or task: `wire` (frames), `phases` (the table of a
connection's life), `limits` (sending, backoff), `dialect` (what a venue says),
`plan` and `events`, `watching` (one subscription), `line` (one connection), `stream`
(the machine), `inbox`; `books` and `checksums` keep an order book whole. The shell:
`client` on trio, `recording` on disk, and `replaying`, a server for what was recorded.
"""

from holdfast_adapters.streams.client import StreamClient, open_socket
from holdfast_adapters.streams.dialect import (
    Ask,
    Beat,
    Confirmed,
    Data,
    Denied,
    Dialect,
    Heard,
    Leaving,
    LoggedIn,
    Malformed,
    Reply,
    Tap,
)
from holdfast_adapters.streams.events import (
    Down,
    Dropped,
    Fresh,
    Gap,
    Garbled,
    Notice,
    Refused,
    Rotated,
    Stale,
    StreamEvent,
    Up,
)
from holdfast_adapters.streams.plan import Overflow, StreamPlan, Subscription
from holdfast_adapters.streams.stream import Stream

__all__ = [
    "Ask",
    "Beat",
    "Confirmed",
    "Data",
    "Denied",
    "Dialect",
    "Down",
    "Dropped",
    "Fresh",
    "Gap",
    "Garbled",
    "Heard",
    "Leaving",
    "LoggedIn",
    "Malformed",
    "Notice",
    "Overflow",
    "Refused",
    "Reply",
    "Rotated",
    "Stale",
    "Stream",
    "StreamClient",
    "StreamEvent",
    "StreamPlan",
    "Subscription",
    "Tap",
    "Up",
    "open_socket",
]
