"""From threads to trio: results and events over a deque and one pending wake."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar

import attrs
import pykka
import trio

from holdfast_runtime.bridge import Bridge
from holdfast_runtime.errors import EventsLost, HostRefused

E = TypeVar("E")

SWITCH_INTERVAL_S = 0.0005
"""How soon a busy thread gives the interpreter to one that was woken."""

HUNG_MAX = 4
CALLS_MAX = 1_024
EVENTS_MAX = 4_096

Full: TypeAlias = Literal["drop_oldest", "fail"]
"""What becomes of an event for which there is no room.

``drop_oldest`` drops the event that waits longest, and counts it: for tickers.
``fail`` drops the new one and fails the host, which from then on refuses all calls by
`EventsLost`: for fills, whose reader must begin anew from a snapshot.
"""


@attrs.frozen(kw_only=True)
class Trouble:
    """What the owner of a host is told, on trio's thread; it may raise an alert."""

    host: str
    """The name of the host."""

    what: Literal["abandoned", "returned", "events_lost"]
    """A thread was given up; one that was given up came back; a queue was full."""

    text: str
    hung: int
    """How many threads hang now."""


Report: TypeAlias = Callable[[Trouble], None]


class Hung:
    """Counts the threads that were given up and have not come back.

    Hosts that follow one another share it, so that an owner that crashes on each hung
    thread and is restarted cannot leave any number of them.
    """

    def __init__(self, limit: int = HUNG_MAX) -> None:
        """Allow at most ``limit`` threads at once; one more is refused."""
        self.limit = limit
        self.count = 0

    def check(self, host: str) -> None:
        """Refuse to go on where too many threads hang.

        Raises:
            HostRefused: naming the host; nothing was called.
        """
        if self.count >= self.limit:
            message = (
                f"{host}: {self.count} threads hang, and at most {self.limit} may; "
                "no more are started: restart the process, or mend what hangs"
            )
            raise HostRefused(message)


class Thread(pykka.ThreadingActor):
    """Makes one call after the other, away from trio's thread.

    A call catches all that it raises: pykka would end all actors on a `SystemExit`.
    """

    use_daemon_thread = True

    def on_receive(self, message: Callable[[], None]) -> None:
        """Make one call."""
        message()


class Call:
    """One call, until somebody knows how it ended; trio's side of it."""

    __slots__ = ("_task", "ended", "error", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self._task: trio.lowlevel.Task | None = None

    def end(self, value: Any, error: BaseException | None) -> None:  # noqa: ANN401
        """Say how it ended, and wake who waits; the first end counts."""
        if self.ended:
            return
        self.value, self.error, self.ended = value, error, True
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    async def wait(self, within_s: float) -> bool:
        """Return whether it ended within ``within_s`` seconds; waits for no thread."""
        with trio.move_on_after(within_s):
            if self.ended:
                await trio.lowlevel.checkpoint_if_cancelled()
            else:
                await self._park()
        return self.ended

    async def _park(self) -> None:
        self._task = trio.lowlevel.current_task()

        def abort(_: Any) -> trio.lowlevel.Abort:  # noqa: ANN401 - trio's type
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def result(self) -> Any:  # noqa: ANN401 - whatever was called
        """Return what the call returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return self.value


class Events(Generic[E]):
    """Takes events in any thread, and gives them to one function on trio's.

    In their order, also relative to the results of calls: what was pushed before a
    call returned is given before its caller goes on. At most ``capacity`` wait.
    """

    def __init__(
        self,
        bridge: Bridge,
        take: Callable[[E], None],
        capacity: int,
        lost: Callable[[str], None] | None,
    ) -> None:
        """``lost`` is told why, on trio's thread, when one is lost; None drops it."""
        self._bridge = bridge
        self._take = take
        self._capacity = capacity
        self._lost = lost
        self._lock = threading.Lock()
        self._waiting: deque[E] = deque()
        self._closed = False
        self.dropped = 0
        """How many events found no room, or made room for others."""

    def push(self, event: E) -> None:
        """Give ``event`` to trio's thread; from any thread, never blocks or raises."""
        with self._lock:
            if self._closed:
                return
            if len(self._waiting) < self._capacity:
                self._waiting.append(event)
                call = self._give
            else:
                self.dropped += 1
                if self._lost is None:
                    # One wake is pending for each that waits: none is added.
                    self._waiting.popleft()
                    self._waiting.append(event)
                    return
                self._closed = True
                call = partial(self._lost, f"more than {self._capacity} waited")
        self._bridge.offer(call)

    def close(self) -> None:
        """Give nothing any more, not even what waits; idempotent."""
        with self._lock:
            self._closed = True
            self._waiting.clear()

    def _give(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            event = self._waiting.popleft()
        try:
            self._take(event)
        except Exception as error:  # noqa: BLE001 - the owner is told, or it is counted
            self.dropped += 1
            if self._lost is not None:
                self.close()
                self._lost(repr(error))


class Options(TypedDict, total=False):
    """What a host may be told; see `Host`."""

    name: str
    hung: Hung | None
    calls_max: int
    report: Report | None


class Host:
    """What both hosts have: a name, a bridge, a count of hung threads, events."""

    def __init__(
        self,
        *,
        name: str = "threads",
        hung: Hung | None = None,
        calls_max: int = CALLS_MAX,
        report: Report | None = None,
    ) -> None:
        """Host calls; inside a trio run.

        ``hung`` counts hung threads together with other hosts; ``calls_max`` calls
        may wait or run at once; ``report`` is told of trouble, on trio's thread.

        Raises:
            HostRefused: too many threads hang already.
        """
        self.name = name
        self.hung = Hung() if hung is None else hung
        self.hung.check(name)
        self._calls_max = calls_max
        self._report = report
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._bridge = Bridge()
        self._events: list[Events[Any]] = []
        self._closed = False
        self._failed: HostRefused | None = None

    @property
    def abandoned(self) -> int:
        """How many threads hang now: they were given up and have not come back."""
        return self.hung.count

    def events(
        self,
        take: Callable[[E], None],
        *,
        capacity: int = EVENTS_MAX,
        full: Full = "fail",
    ) -> Events[E]:
        """Return where a library's callbacks `push` events, from whatever thread.

        ``take`` is called with each on trio's thread; the ``tell`` of a reference
        will do. An event on which it raises is lost, as if there were no room.
        """
        lost = self._lose_events if full == "fail" else None
        opened = Events(self._bridge, take, capacity, lost)
        self._events.append(opened)
        return opened

    def _lose_events(self, why: str) -> None:
        if self._failed is None:
            text = (
                f"{self.name}: events were lost ({why}); "
                "make a new host, and begin from a snapshot"
            )
            self._failed = EventsLost(text)
            self._tell("events_lost", text)

    def _tell(
        self, what: Literal["abandoned", "returned", "events_lost"], text: str
    ) -> None:
        if self._report is None or self._closed:
            return
        # Told outside of any handler: the one that hung may crash of it, and what it
        # says then never leaves.
        trouble = Trouble(host=self.name, what=what, text=text, hung=self.hung.count)
        self._bridge.offer(partial(self._report_now, self._report, trouble))

    def _report_now(self, report: Report, trouble: Trouble) -> None:
        try:
            report(trouble)
        except Exception as error:  # noqa: BLE001 - the next call raises it
            text = f"{self.name}: nobody could be told that {trouble.text}: {error!r}"
            self._failed = HostRefused(text)

    def _check(self, calls: int) -> None:
        """Refuse a call that could not be made.

        Raises:
            HostRefused: nothing was called.
        """
        if self._closed:
            message = f"{self.name}: the host is closed"
            raise HostRefused(message)
        if self._failed is not None:
            raise self._failed
        self.hung.check(self.name)
        if calls >= self._calls_max:
            message = (
                f"{self.name}: {calls} calls wait or run, and at most "
                f"{self._calls_max} may: call less often"
            )
            raise HostRefused(message)

    def _close_events(self) -> None:
        for each in self._events:
            each.close()
        self._events.clear()
