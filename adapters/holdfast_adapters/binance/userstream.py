"""Hears what happens to the account, and says when something may have been missed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251 - the composition root seeds it
from typing import Final

import attrs
import trio

from holdfast_adapters.binance.credentials import Credentials
from holdfast_adapters.binance.dialects import USER, UserDialect
from holdfast_adapters.binance.userdata import AccountChanged, StreamEnded
from holdfast_adapters.streams import (
    Data,
    Dialect,
    Dropped,
    Garbled,
    Overflow,
    Rotated,
    Stream,
    StreamClient,
    StreamEvent,
    StreamPlan,
    Subscription,
    Up,
)
from holdfast_domain.answers import VenueEvent

RECV_WINDOW_MS: Final = 5000


@attrs.frozen(kw_only=True)
class Listener:
    """Who wants to know; each is called on the task of the stream, and returns soon."""

    event: Callable[[VenueEvent], None]
    """Something happened to an order; it may be told again."""

    account: Callable[[], None]
    """Balances changed."""

    hole: Callable[[str], None]
    """Events may be missing, for a reason: ask for the executions."""


class AccountStream:
    """The events of one account over one stream, for as long as `run` runs."""

    def __init__(
        self,
        plan: StreamPlan,
        dialect: Callable[[], Dialect],
        random: Random,
        listener: Listener,
    ) -> None:
        """Connect as ``plan`` says, and read by a ``dialect`` for each connection."""
        self.client = StreamClient(Stream(plan, dialect, random))
        self._listener = listener

    async def run(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Stay connected and tell what comes, until cancelled.

        It returns where the stream says that nothing more will come at its address.

        Raises:
            Exception: a listener failed.
        """
        # Silence means nothing here: an account may do nothing for days.
        user = Subscription(key=USER, overflow=Overflow.RECONNECT)
        async with trio.open_nursery() as nursery:
            await nursery.start(self.client.run)
            self.client.subscribe([user])
            task_status.started()
            while True:
                for event in await self.client.batch():
                    if isinstance(event, Data) and isinstance(event.value, StreamEnded):
                        nursery.cancel_scope.cancel()
                        return
                    self._tell(event)

    def _tell(self, event: StreamEvent) -> None:
        match event:
            case Data(value=AccountChanged()):
                self._listener.account()
            case Data(value=value):
                self._listener.event(value)  # type: ignore[arg-type]
            case Up(hole_s=None):
                self._listener.hole("first connected")
            case Up(hole_s=hole_s):
                self._listener.hole(f"nothing was heard for {hole_s:.3f} s")
            case Rotated(why=why):
                # The old subscription may have ended before the new one began.
                self._listener.hole(f"connected anew: {why}")
            case Garbled(why=why):
                self._listener.hole(f"a frame could not be read: {why}")
            case Dropped(count=count):
                self._listener.hole(f"{count} events were let go")
            case _:
                pass  # how the connection lives; nothing was heard, and nothing lost


class UserStream(AccountStream):
    """The user data of one spot account: a signed subscription is its login."""

    def __init__(
        self,
        plan: StreamPlan,
        credentials: Credentials,
        now_ms: Callable[[], int],
        random: Random,
        listener: Listener,
    ) -> None:
        """Connect as ``plan`` says, and sign by the venue's clock, ``now_ms``."""

        def dialect() -> UserDialect:
            return UserDialect(credentials, now_ms, RECV_WINDOW_MS)

        super().__init__(plan, dialect, random, listener)
