"""Hears what happens to an account at futures, with a listen key that is kept alive.

Source: developers.binance.com, USD-M futures, User Data Streams, "Start User Data
Stream": a key holds for an hour; to ask for one again gives the same, for another hour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random  # noqa: TID251 - the composition root seeds it
from typing import Final

import trio

from holdfast_adapters.binance.errors import OK
from holdfast_adapters.binance.futures.paths import LISTEN_KEY
from holdfast_adapters.binance.futures.userdata import FuturesUserDialect
from holdfast_adapters.binance.futures.wire import ListenKey
from holdfast_adapters.binance.rest import Rest
from holdfast_adapters.binance.telling import decoded
from holdfast_adapters.binance.userstream import AccountStream, Listener
from holdfast_adapters.streams import StreamPlan
from holdfast_domain.errors import VenueError

KEEP_S: Final = 1800.0
"""How often the key is asked for again: twice in its life."""

AGAIN_S: Final = 5.0
"""How long to wait after a key was not given."""


class FuturesUserStream:
    """The user data of one account, for as long as `run` runs."""

    def __init__(
        self,
        rest: Rest,
        plan: Callable[[str], StreamPlan],
        random: Random,
        listener: Listener,
        sleep: Callable[[float], Awaitable[object]] = trio.sleep,
    ) -> None:
        """Ask ``rest`` for a key, and connect as ``plan`` says for it.

        ``rest`` is open; who runs this closes it.
        """
        self._rest = rest
        self._plan = plan
        self._random = random
        self._listener = listener
        self._sleep = sleep

    async def run(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Stay connected and tell what comes, until cancelled; a key is asked for anew.

        Raises:
            Exception: a listener failed.
        """
        task_status.started()
        while True:
            key = await self._key()
            stream = AccountStream(
                self._plan(key), FuturesUserDialect, self._random, self._listener
            )
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep, key, nursery.cancel_scope)
                await stream.run()
                nursery.cancel_scope.cancel()

    async def _keep(self, key: str, scope: trio.CancelScope) -> None:
        """Keep ``key`` alive; another one in its stead means that it is dead."""
        while True:
            await self._sleep(KEEP_S)
            if await self._key() != key:
                scope.cancel()

    async def _key(self) -> str:
        """Return a key, however long that takes."""
        while True:
            try:
                answer = await self._rest.send("POST", LISTEN_KEY, {}, signed=False)
                if answer.status == OK:
                    return decoded(answer.body, ListenKey).listen_key
                self._rest.judged(answer)
            except VenueError:
                pass  # nothing is changed by a key: it is asked for again
            await self._sleep(AGAIN_S)
