"""A thread of its own for an actor of the live engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from holdfast_runtime.errors import Overdue
from holdfast_runtime.moving.moved import Nearby, beat_of
from holdfast_runtime.threads.current import tell_threads_apart
from holdfast_runtime.threads.hosting import PykkaThreadHost
from holdfast_runtime.threads.hosts import Hung

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell


class OwnThread:
    """Calls the actor in its thread, which is abandoned if it does not come back."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._nearby = Nearby(cell, partial(self._beat, beat_of(cell)))
        self._host: PykkaThreadHost | None = None

    async def open(self) -> None:
        """Start the thread.

        Raises:
            HostRefused: too many threads of this place hang.
        """
        cell = self._cell
        tell_threads_apart(cell.kernel)
        if cell.hung is None:
            cell.hung = Hung()
        self._host = PykkaThreadHost(name=cell.path, hung=cell.hung, report=cell.report)
        cell.at_end.append(self._host.close)

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Call the actor, and wait; cancelled, it abandons the thread.

        Raises:
            Overdue: the spec's ``give_up_s`` have passed.
        """
        assert self._host is not None
        limit_s = self._cell.spec.give_up_s
        now_s = self._cell.kernel.now_s()
        try:
            said = await self._host.run(
                self._nearby.call,
                kind,
                self._nearby.send(argument),
                now_s,
                deadline_s=inf if limit_s is None else limit_s,
            )
        except TimeoutError:
            raise Overdue(self._cell.path, kind, limit_s) from None
        return self._nearby.take(said)

    def _beat(self, beat: Callable[[], None]) -> None:
        """Let the engine's thread note it, while the handler goes on in this one."""
        kernel = self._cell.kernel
        kernel.bridge.offer(beat)  # type: ignore[attr-defined]
