"""The actor where it computes: in a thread, in a process, or inline in simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_runtime.context import Context
from holdfast_runtime.driving import is_async, is_coroutine
from holdfast_runtime.errors import ActorError, SpecError

NOT_MOVED = ("handle_batch", "commit", "run")


class Resident:
    """Builds an actor, and calls it; all in the one thread where it lives."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._actor: Any = None

    def build(self, build: Callable[[Context], Any], context: Context) -> None:
        """Build the actor, and let it start.

        Raises:
            SpecError: it cannot be moved, for it is asynchronous somewhere.
        """
        actor = build(context)
        if getattr(actor, "handle", None) is None:
            message = f"{self._path}: expected an object with handle, was {actor!r}"
            raise SpecError(message)
        for name in NOT_MOVED:
            if hasattr(actor, name):
                message = (
                    f"{self._path}: expected an actor without {name}, for it is moved "
                    f"out of the engine, was {actor!r}"
                )
                raise SpecError(message)
        for name in ("start", "handle", "stop"):
            if is_async(getattr(actor, name, None)):  # type: ignore[arg-type]
                message = (
                    f"{self._path}: expected def {name}, for it is moved out of the "
                    "engine, was async def"
                )
                raise SpecError(message)
        self._actor = actor
        self._call("start")

    def handle(self, message: Any) -> Any:  # noqa: ANN401
        """Return what the handler returns.

        Raises:
            ActorError: it is a coroutine.
        """
        value = self._actor.handle(message)
        if is_coroutine(value):
            value.close()
            text = (
                f"{self._path}: expected handle to return a value, for it is moved out "
                f"of the engine, was the coroutine {value!r}"
            )
            raise ActorError(text)
        return value

    def stop(self) -> None:
        """Let the actor stop in order."""
        self._call("stop")

    def _call(self, name: str) -> None:
        method = getattr(self._actor, name, None)
        if method is not None:
            method()
