"""The simulated engine, with faults on the way from one actor to another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from holdfast_runtime.cell import Cell
from holdfast_runtime.messages import Asked, lane_of
from holdfast_runtime.simulated import SimulatedEngine
from holdfast_runtime.spec import SupervisorSpec
from holdfast_runtime.testing.fault import ON_LINKS, Fault, What
from holdfast_runtime.testing.faults import Faults
from holdfast_runtime.timers import Timer

Link = tuple[Cell | None, Cell, int]
"""Sender, receiver and lane: on one link nothing overtakes."""


class FaultyEngine(SimulatedEngine):
    """Runs a tree in virtual time, with `Faults`; the same for the same seed."""

    has_links = True

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        faults: Faults,
        seed: int = 0,
        shuffle: bool = False,
        lock_step: bool = True,
    ) -> None:
        """Build the tree of ``spec`` with ``faults``; nothing runs yet."""
        super().__init__(spec, seed=seed, shuffle=shuffle, lock_step=lock_step)
        self._faults = faults
        self._history = faults.history
        self._history.sees_sent = True
        self._under_way: dict[Link, int] = {}
        self._clear_s: dict[Link, float] = {}
        self._arrivals: dict[Timer, Callable[[], None]] = {}
        faults.attach(self)

    def stop(self) -> None:
        """Stop the tree; what is still under way arrives at closed doors."""
        super().stop()
        for timer, arrive in list(self._arrivals.items()):
            timer.cancel()
            arrive()

    def post(self, cell: Cell, message: Any, sender: Cell | None) -> None:  # noqa: ANN401
        """Send ``message`` on its way."""
        if self._faults.leaves_alone(cell.path):
            super().post(cell, message, sender)
            return
        self._send(cell, message, sender, partial(super().post, cell, message, sender))

    def put_asked(self, cell: Cell, asked: Asked, lane: int) -> None:
        """Send a question on its way."""
        go_on = partial(super().put_asked, cell, asked, lane)
        self._send(cell, asked, None, go_on)

    # --- the way -----------------------------------------------------------------

    def _send(
        self,
        cell: Cell,
        message: Any,  # noqa: ANN401
        sender: Cell | None,
        arrive: Callable[[], None],
    ) -> None:
        said = message.message if type(message) is Asked else message
        self._history.add(
            "sent", cell.path, said, sender="" if sender is None else sender.path
        )
        due = self._due(cell, said)
        wait_s: float | None = None
        for fault in due:
            self._history.add("fault", cell.path, said, note=fault.what.value)
            if fault.what is What.DROP:
                self._drop(cell, message)
                return
            if fault.what is not What.DUPLICATE:
                wait_s = (wait_s or 0.0) + fault.for_s
        link = (sender, cell, lane_of(message))
        if wait_s is None and not self._under_way.get(link):
            arrive()
        else:
            self._arrive_later(link, wait_s or 0.0, arrive)
        for fault in due:
            if fault.what is What.DUPLICATE:
                self._come_again(fault, link, arrive)

    def _due(self, cell: Cell, said: object) -> list[Fault]:
        # What `isinstance(said, Derived)` asks, at a tenth of its price.
        derived = hasattr(said, "origin")
        return [
            fault
            for fault in self._faults.of(cell.path)
            if fault.what in ON_LINKS and fault.is_due(type(said), derived=derived)
        ]

    def _drop(self, cell: Cell, message: object) -> None:
        if type(message) is not Asked:
            self.bury(cell, message, "dropped by a test")

    def _arrive_later(
        self, link: Link, wait_s: float, arrive: Callable[[], None]
    ) -> None:
        """Let a message arrive, after all that is under way on its link."""
        at_s = max(self.now_s() + wait_s, self._clear_s.get(link, 0.0))
        self._clear_s[link] = at_s
        self._under_way[link] = self._under_way.get(link, 0) + 1
        self._later(at_s - self.now_s(), lambda: self._arrived(link, arrive))

    def _arrived(self, link: Link, arrive: Callable[[], None]) -> None:
        self._under_way[link] -= 1
        arrive()

    def _come_again(self, fault: Fault, link: Link, arrive: Callable[[], None]) -> None:
        if fault.for_s:
            self._later(fault.for_s, arrive)
        elif self._under_way.get(link):
            self._arrive_later(link, 0.0, arrive)
        else:
            arrive()

    def _later(self, wait_s: float, call: Callable[[], None]) -> None:
        """Call later; until then something is pending, and no turn is taken."""
        self.pending += 1

        def arrive() -> None:
            del self._arrivals[timer]
            call()
            self.done()

        timer = self.call_later(wait_s, arrive)
        self._arrivals[timer] = arrive
