"""Faults: what a test does to a tree, on either engine."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from math import inf
from random import Random  # noqa: TID251 - the test's seed comes in here
from typing import Any

from holdfast_runtime.cell import Cell
from holdfast_runtime.errors import SpecError
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.refs import Ref
from holdfast_runtime.testing.fault import ON_LINKS, WAITING, Fault, Injected, What
from holdfast_runtime.testing.handling import Handling, kill, pause
from holdfast_runtime.testing.history import History

Place = str | Ref[Any]
"""A reference, or a path, in which ``*`` stands for anything."""


class Faults:
    """Faults for one engine, given before it starts or while it runs.

    Inside of an actor: `crash_on`, `crash_start`, `hang`, `slow`. Between two of its
    messages: `kill`, `pause`. On the way to it: `drop`, `delay`, `duplicate`,
    `reorder`; these need the simulated `FaultyEngine`, the others work on each engine.

    On the way, faults keep what the engine promises: messages of one sender to one
    receiver in one lane never overtake each other, only a message with an ``origin``
    comes twice, only one without is lost, and records reach their recorder.
    """

    def __init__(self, *, seed: int = 0, keeps_history: bool = True) -> None:
        """Take the dice of faults with a ``rate`` from ``seed``.

        Without its history a run is quicker, and only what it came to can be seen.
        """
        self.history = History(keeps=keeps_history)
        self.faults: list[Fault] = []
        self._seed = seed
        self._engine: Kernel | None = None
        self._by_path: dict[str, list[Fault]] = {}
        self._handlings: dict[str, Handling] = {}
        self._timed: list[Callable[[Kernel], object]] = []

    # --- inside ----------------------------------------------------------------

    def crash_on(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        times: float = 1,
        rate: float | None = None,
        after: bool = False,
        error: type[Exception] = Injected,
    ) -> Fault:
        """Raise inside the handler of the ``nth`` message of class ``on``.

        ``after`` raises when the handler has done its work; nothing of that leaves.
        """
        return self._add(
            What.CRASH,
            place,
            on,
            nth,
            times=times,
            rate=rate,
            after=after,
            error=error,
        )

    def crash_start(
        self, place: Place, nth: int = 1, *, times: float = 1, rate: float | None = None
    ) -> Fault:
        """Let the ``nth`` incarnation fail before its `start`."""
        return self._add(What.CRASH_START, place, object, nth, times=times, rate=rate)

    def hang(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        times: float = 1,
        rate: float | None = None,
    ) -> Fault:
        """Let the handler of the ``nth`` message wait until it is killed or cut.

        A synchronous actor is made asynchronous for that: others go on meanwhile.
        """
        return self._add(What.HANG, place, on, nth, times=times, rate=rate, for_s=inf)

    def slow(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        by_s: float,
        times: float = inf,
        rate: float | None = None,
    ) -> Fault:
        """Let each handler wait ``by_s`` first, from the ``nth`` message on."""
        return self._add(What.SLOW, place, on, nth, times=times, rate=rate, for_s=by_s)

    # --- between -----------------------------------------------------------------

    def kill(
        self,
        place: Place,
        on: type | None = None,
        nth: int = 1,
        *,
        times: float = 1,
        rate: float | None = None,
        after_s: float | None = None,
        at_once: bool = True,
    ) -> Fault | None:
        """End the incarnation between two messages.

        After the ``nth`` message of class ``on``; or in ``after_s`` seconds; or now, if
        neither is said. In simulation a kill ``at_once`` comes before anything else is
        handled; otherwise, and on the live engine, it waits for its turn.
        """
        if on is not None:
            return self._add(
                What.KILL, place, on, nth, times=times, rate=rate, at_once=at_once
            )
        self._at(after_s, place, lambda cell: kill(cell, self.history))
        return None

    def pause(
        self,
        place: Place,
        on: type | None = None,
        nth: int = 1,
        *,
        for_s: float,
        times: float = 1,
        rate: float | None = None,
        after_s: float | None = None,
    ) -> Fault | None:
        """Let the place read none of its mail for a while; a stop still reaches it.

        When it begins is said as for `kill`.
        """
        if on is not None:
            return self._add(
                What.PAUSE, place, on, nth, times=times, rate=rate, for_s=for_s
            )
        self._at(after_s, place, lambda cell: pause(cell, self.history, for_s))
        return None

    # --- on the way ----------------------------------------------------------------

    def drop(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        times: float = 1,
        rate: float | None = None,
    ) -> Fault:
        """Lose the ``nth`` message: a dead letter, or a question without an answer.

        Never a message with an ``origin``: those are lost only with their reader or
        their sender, so kill one of them.
        """
        return self._add(What.DROP, place, on, nth, times=times, rate=rate)

    def delay(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        by_s: float,
        times: float = 1,
        rate: float | None = None,
    ) -> Fault:
        """Let the ``nth`` message arrive ``by_s`` later, and all that its sender says.

        Market time does not pass it by: to an engine in lock-step it is under way.
        """
        return self._add(What.DELAY, place, on, nth, times=times, rate=rate, for_s=by_s)

    def duplicate(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        after_s: float = 0.0,
        times: float = 1,
        rate: float | None = None,
    ) -> Fault:
        """Let the ``nth`` message with an ``origin`` come once more, ``after_s`` later.

        A source that was restarted says again what it said, so its readers must know
        what they have read.
        """
        return self._add(
            What.DUPLICATE, place, on, nth, times=times, rate=rate, for_s=after_s
        )

    def reorder(
        self,
        place: Place,
        on: type = object,
        nth: int = 1,
        *,
        times: float = 1,
        rate: float | None = None,
    ) -> Fault:
        """Let all that others say at this moment arrive before the ``nth`` message."""
        return self._add(What.REORDER, place, on, nth, times=times, rate=rate)

    # --- for engines -------------------------------------------------------------

    def attach(self, engine: Kernel) -> None:
        """Put the faults into ``engine``: the ``prepare`` of `open_engine`.

        `FaultyEngine` does it by itself.

        Raises:
            SpecError: a fault cannot be done there, or these have an engine already.
        """
        if self._engine is not None:
            message = "expected faults of their own for each engine, was the second one"
            raise SpecError(message)
        self._engine = engine
        self.history.set_clock(engine.now_s)
        engine.on_built.append(self._built)
        engine.on_lifecycle.append(self.history.lifecycle)
        engine.on_dead_letter.append(self.history.dead_letter)
        engine.on_quarantine.append(self._quarantined)
        for cell in engine.cells.values():
            if cell.actor is not None:
                self._built(cell)
        for fault in self.faults:
            self._fit(fault, engine)
        for timed in self._timed:
            timed(engine)

    def leaves_alone(self, path: str) -> bool:
        """Whether nothing is done to the actor at ``path``, and nothing is kept."""
        mine = self._by_path.get(path)
        if mine is None:
            mine = self.of(path)
        return not mine and not self.history.keeps

    def of(self, path: str) -> list[Fault]:
        """Return the faults for the actor at ``path``; those to come will be in it."""
        if path not in self._by_path:
            self._by_path[path] = [each for each in self.faults if each.hits(path)]
        return self._by_path[path]

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults)) or "no faults"

    def _add(
        self,
        what: What,
        place: Place,
        on: type,
        nth: int,
        **more: Any,  # noqa: ANN401 - fields of `Fault`
    ) -> Fault:
        random = Random(f"{self._seed}/{len(self.faults)}")
        path = place if isinstance(place, str) else place.path
        fault = Fault(what=what, path=path, on=on, nth=nth, random=random, **more)
        if self._engine is not None:
            self._fit(fault, self._engine)
        self.faults.append(fault)
        for path, mine in self._by_path.items():
            if fault.hits(path):
                mine.append(fault)
        return fault

    def _fit(self, fault: Fault, engine: Kernel) -> None:
        """Refuse a fault that could never happen, and prepare for one that can."""
        cells = _cells(engine, fault.what.value, fault.path)
        if fault.what in ON_LINKS and not getattr(engine, "has_links", False):
            message = (
                f"{fault.what.value} {fault.path}: expected a FaultyEngine, "
                f"was a {type(engine).__name__}"
            )
            raise SpecError(message)
        for cell in cells if fault.what in WAITING else ():
            if cell.actor is not None:
                self._handlings[cell.path].let_wait()

    def _at(
        self, after_s: float | None, place: Place, strike: Callable[[Cell], None]
    ) -> None:
        path = place if isinstance(place, str) else place.path

        def timed(engine: Kernel) -> None:
            for cell in _cells(engine, "kill or pause", path):
                if after_s is None:
                    strike(cell)
                else:
                    engine.call_later(after_s, partial(strike, cell))

        if self._engine is not None:
            timed(self._engine)
        elif after_s is None:
            message = f"{path}: expected on, after_s, or an engine that runs, was none"
            raise SpecError(message)
        else:
            self._timed.append(timed)

    def _built(self, cell: Cell) -> None:
        if self.leaves_alone(cell.path):
            return
        handling = Handling(cell, self.of(cell.path), self.history)
        self._handlings[cell.path] = handling
        handling.install()

    def _quarantined(
        self, cell: Cell, origin: Hashable, message: object, error: Exception
    ) -> None:
        text = f"{origin!r}: {error!r}"
        self.history.add("quarantined", cell.path, message, note=text)


def _cells(engine: Kernel, what: str, path: str) -> list[Cell]:
    """Return the places that ``path`` means.

    Raises:
        SpecError: there are none.
    """
    probe = Fault(what=What.KILL, path=path, random=Random(0))
    cells = [cell for each, cell in engine.cells.items() if probe.hits(each)]
    if not cells:
        message = f"{what}: expected one of {sorted(engine.cells)}, was {path!r}"
        raise SpecError(message)
    return cells
