"""One connection to TWS or IB Gateway, in the loop of ib_async: it opens and ends.

Of ib_async, the client and the decoder are used, which read and write the wire. What
the wire says is kept in a `Book`.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from holdfast_adapters.ib.addresses import Line
from holdfast_adapters.ib.book import Book
from holdfast_adapters.ib.ears import Ears
from holdfast_adapters.ib.errors import NO_LINE_S
from holdfast_adapters.ib.library import new_client
from holdfast_adapters.ib.pacing import Pacer
from holdfast_domain.errors import NotSent
from holdfast_domain.ports import VenueEvent
from holdfast_domain.sight import Limiter


class Connection:
    """What the requests of a `Gateway` go through; a new one is made for the next."""

    def __init__(
        self,
        line: Line,
        tell: Callable[[VenueEvent], None],
        miss: Callable[[str], None],
        names: Mapping[int, str],
    ) -> None:
        """``tell`` and ``miss`` may be called from any thread."""
        self._line = line
        self._miss = miss
        self.book = Book(line.client_id, tell, names)
        self._pacer = Pacer()
        self._ears = Ears(self.book, self._pacer, line.zone, self._lost, miss)
        self._client = new_client(self._ears, self._unreadable)
        self._next = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._was_open = self._is_over = False

    # --- the session ------------------------------------------------------------------

    async def connect(self) -> list[str]:
        """Open the connection, and return the accounts that it may trade.

        Raises:
            NotSent: nobody listens, or who does is not TWS.
            VenueRefused: TWS does not let us in.
        """
        address = self._line.address
        # ib_async's own way takes the first loop of the process, whichever it was.
        self._client.conn.connectAsync = self._dial
        opening = asyncio.ensure_future(
            self._client.connectAsync(
                address.host, address.port, self._line.client_id, timeout=None
            )
        )
        turned_away = asyncio.ensure_future(self._ears.turned_away.wait())
        try:
            await asyncio.wait(
                {opening, turned_away}, return_when=asyncio.FIRST_COMPLETED
            )
            if self._ears.refused is not None:
                raise self._ears.refused
            if not opening.done():
                raise NotSent(f"{address} closed the connection while it was opened")
            opening.result()
        except OSError as error:
            text = f"nobody listens at {address}: {error.strerror or error}"
            raise NotSent(f"{text}; is TWS running, and its API enabled?") from error
        finally:
            for each in (opening, turned_away):
                each.cancel()
        self._next = self._client.getReqId()
        self._was_open = True
        self._start(self._beat())
        return list(self._client.getAccounts())

    async def _dial(self, host: str, port: int) -> None:
        conn = self._client.conn
        loop = asyncio.get_running_loop()
        conn.transport, _ = await loop.create_connection(lambda: conn, host, port)

    async def close(self) -> None:
        """End the connection; idempotent."""
        self.abort("it was closed")

    def abort(self, why: str) -> None:
        """End the connection at once, and throw away what has not left."""
        if self._is_over:
            return
        self._lost(why)
        if (transport := self._client.conn.transport) is not None:
            transport.abort()

    def _lost(self, why: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        error = ConnectionError(f"the connection to {self._line.address} ended: {why}")
        self._ears.fail(error)
        self.book.fail(error)
        for each in self._tasks:
            each.cancel()
        if self._was_open:
            self._miss(str(error))

    def _unreadable(self, why: str) -> None:
        self.abort(f"a message could not be read: {why}")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _beat(self) -> None:
        """Ask for the time, for ever: a half-open connection looks like a quiet one.

        It ends with its loop, and the connection with it: TWS keeps a client id for it.
        """
        pause_s, why = self._line.heartbeat_s, "its loop has ended"
        try:
            while True:
                await asyncio.sleep(pause_s)
                await asyncio.wait_for(self._time(), pause_s)
        except TimeoutError:
            why = f"no heartbeat within {pause_s:g} s"
        finally:
            self.abort(why)

    def sight(self) -> Limiter:
        """Return how much of the limit of messages is used; from any thread."""
        return self._pacer.sight()

    def check(self) -> None:
        """See that something can be asked.

        Raises:
            NotSent: the connection has ended, or TWS has no line to IB's servers.
        """
        if self._is_over or not self._client.isReady():
            raise NotSent(f"there is no connection to {self._line.address}")
        if self._ears.has_no_line:
            text = f"TWS has no line to IB's servers ({self._ears.no_line_code})"
            raise NotSent(text, retry_after_s=NO_LINE_S)

    async def _pace(self, *, cancel: bool = False) -> None:
        self.check()
        await self._pacer.pace(cancel=cancel)
        self.check()

    async def _time(self) -> int:
        await self._pacer.pace(cancel=True)
        answer = self._ears.times.ask()
        self._client.reqCurrentTime()
        return (await answer)[0]


async def read_on() -> None:
    """Return after what came to the sockets of this loop by now was read and told.

    One read takes up to 256 kB; the first turn asks the system what can be read.
    """
    for _turn in range(2):
        await asyncio.sleep(0)
