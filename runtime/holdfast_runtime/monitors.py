"""Monitors: who wants to be told what happens to a place, and streams of all of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self

from holdfast_runtime.cell import Cell, Child, State
from holdfast_runtime.errors import SpecError
from holdfast_runtime.family import Family
from holdfast_runtime.messages import Lifecycle, text_of

if TYPE_CHECKING:
    from holdfast_runtime.bells import Bell
    from holdfast_runtime.kernel import Kernel

EVENTS_KEPT = 1_024
"""Events that a stream keeps for its reader."""


class Monitors:
    """Who watches whom, place by place; so it outlives restarts of either."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._watchers: dict[str, dict[Cell, None]] = {}
        kernel.on_lifecycle.append(self._tell)

    def add(self, watcher: Cell, path: str) -> None:
        """Tell ``watcher`` what happens at ``path``, and at once how it stands there.

        Raises:
            SpecError: there is no such place.
        """
        child = _find(self._kernel.root, path)
        if child is None:
            message = f"{watcher.path}: expected a place to monitor, was {path!r}"
            raise SpecError(message)
        self._watchers.setdefault(path, {})[watcher] = None
        now = _standing(child)
        if now is not None:
            self._kernel.post(watcher, now, None)

    def remove(self, watcher: Cell, path: str) -> None:
        """Tell ``watcher`` no more; nothing happens if it was not told."""
        watchers = self._watchers.get(path, {})
        watchers.pop(watcher, None)
        if not watchers:
            self._watchers.pop(path, None)

    def _tell(self, event: Lifecycle) -> None:
        """Tell those who watch the place, or one below it: it went with its family."""
        if not self._watchers:
            return
        for watcher in tuple(self._watchers.get(event.path, ())):
            self._kernel.post(watcher, event, None)
        if event.path in self._kernel.cells:
            return
        below = f"{event.path}/"
        for path, watchers in tuple(self._watchers.items()):
            if path.startswith(below):
                for watcher in tuple(watchers):
                    self._kernel.post(watcher, event, None)


def _find(root: Family, path: str) -> Cell | Family | None:
    todo: list[Cell | Family] = [root]
    while todo:
        child = todo.pop()
        if child.path == path:
            return child
        if isinstance(child, Family) and path.startswith(f"{child.path}/"):
            todo.extend(child.children)
    return None


_WORDS = {
    State.STOPPED: "stopped",
    State.PARKED: "parked",
    State.CRASHED: "crashed",
    State.DOWN: "crashed",
}


def _standing(child: Child) -> Lifecycle | None:
    """Return what was told last of ``child``; None of one that is not up yet."""
    what = _WORDS.get(child.state)
    if child.state in (State.RUNNING, State.STOPPING):
        what = "started" if child.incarnation == 1 else "restarted"
    if what is None or not child.incarnation:
        return None
    return Lifecycle(
        path=child.path,
        what=what,
        incarnation=child.incarnation,
        error="" if what == "stopped" else text_of(child.error),
        at_s=child.kernel.now_s(),
    )


class Events:
    """A stream of what happens from now on: ``async for event in events``.

    A reader that is slow does not hold up the engine: of more than `EVENTS_KEPT` that
    wait the oldest are dropped, and counted.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._bell: Bell = kernel.new_bell()
        self._waiting: deque[Lifecycle] = deque(maxlen=EVENTS_KEPT)
        self.dropped = 0
        """How many events the reader was too slow for."""

    def __enter__(self) -> Self:
        self._kernel.on_lifecycle.append(self._tell)
        return self

    def __exit__(self, *raised: object) -> None:
        self._kernel.on_lifecycle.remove(self._tell)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Lifecycle:
        while not self._waiting:
            await self._bell.wait()
        return self._waiting.popleft()

    def _tell(self, event: Lifecycle) -> None:
        self.dropped += len(self._waiting) == EVENTS_KEPT
        self._waiting.append(event)
        self._bell.ring()
