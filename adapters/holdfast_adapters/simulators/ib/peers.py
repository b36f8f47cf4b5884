"""A client of the desk: what it is told goes out in order, or breaks off."""

from __future__ import annotations

import contextlib
import math
from typing import Final

import attrs
import trio

from holdfast_adapters.simulators.ib.faults import Fault
from holdfast_adapters.simulators.ib.messages import error
from holdfast_adapters.simulators.ib.model import SimContract
from holdfast_adapters.simulators.ib.wire import Value, framed, message
from holdfast_adapters.simulators.serving import BROKEN, reset

RESET: Final = b"reset"
CLOSE: Final = b"close"
NONSENSE: Final = framed(b"4\x002\x00one\x00two\x00")
"""An error whose numbers are none."""


@attrs.define(eq=False)
class Peer:
    """The desk's end of a connection."""

    stream: trio.SocketStream
    version: int = 0
    """Of the server, as agreed with the client."""

    client_id: int | None = None
    is_mute: bool = False
    """Whether it is half-open: nothing is sent any more."""

    unsent: int = 0
    """What would have been sent, were it not."""

    hears_positions: bool = False
    hears_account: bool = False
    tickers: dict[int, SimContract] = attrs.field(factory=dict)
    ticks: dict[int, SimContract] = attrs.field(factory=dict)
    """What is told trade by trade, by request."""

    asked: list[int] = attrs.field(factory=list)
    """When it has asked for something in the last second, in µs."""

    captured: list[bytes] | None = None
    """What would have been sent, while an answer is held back."""

    _send: trio.MemorySendChannel[bytes] = attrs.field(init=False)
    _outbox: trio.MemoryReceiveChannel[bytes] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._send, self._outbox = trio.open_memory_channel[bytes](math.inf)

    def push(self, data: bytes) -> None:
        """Send a message, after all that were pushed before."""
        if self.captured is not None:
            self.captured.append(data)
        elif self.is_mute:
            self.unsent += 1
        else:
            self._send.send_nowait(data)

    def say(self, *fields: Value) -> None:
        """Send a message of fields."""
        self.push(message(*fields))

    def error(self, request_id: int, code: int, words: str) -> None:
        """Send an error, a warning or news."""
        self.push(error(self.version, request_id, code, words))

    def close(self) -> None:
        """Close the connection, after all that was pushed before."""
        self._last(CLOSE)

    def reset(self) -> None:
        """Reset the connection, after all that was pushed before."""
        self._last(RESET)

    def _last(self, word: bytes) -> None:
        self._send.send_nowait(word)
        self.is_mute = True

    def tear(self, data: bytes) -> None:
        """Send a half of a message, and reset the connection."""
        self.push(data[: len(data) // 2])
        self.reset()

    def break_off(self, fault: Fault) -> None:
        """Do what a fault before anything is done does."""
        if fault.kind == "lost_request":
            self.close()
        elif fault.kind == "reset":
            self.reset()

    def hold_back(self) -> None:
        """Keep what is pushed from now on, until `let_go`."""
        self.captured = []

    def let_go(self, fault: Fault) -> None:
        """Do with what was kept what a fault of an answer does."""
        kept, self.captured = self.captured or [], None
        match fault.kind:
            case "lost_ack":
                self.close()
            case "reset_after":
                self.reset()
            case "torn_ack":
                self.tear(b"".join(kept[:1]))
            case "garbage_after":
                self.push(NONSENSE)
            case "warned":
                for data in kept:
                    self.push(data)
            case _:
                pass  # held

    async def write(self) -> None:
        """Send what is pushed, until the connection breaks."""
        with contextlib.suppress(*BROKEN):
            async for data in self._outbox:
                if data is RESET:
                    reset(self.stream)
                    return
                if data is CLOSE:
                    await self.stream.aclose()
                    return
                await self.stream.send_all(data)
