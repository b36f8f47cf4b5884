"""The actor where it computes: in a thread, in a process, or inline in simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from holdfast_runtime.accepting import manners_for
from holdfast_runtime.context import Context
from holdfast_runtime.driving import is_async, is_coroutine
from holdfast_runtime.errors import ActorError, SpecError
from holdfast_runtime.messages import MANNERS

SYNCHRONOUS = ("start", "handle", "handle_batch", "stop")


@attrs.frozen
class Traits:
    """What the engine must know of an actor that is elsewhere."""

    taken: tuple[type, ...] | None
    """The classes of messages that it takes; None if any."""

    takes_batches: bool


def refuse(path: str, actor: object) -> None:
    """Refuse an actor, or a class of actors, that cannot be moved.

    Raises:
        SpecError: it is asynchronous somewhere.
    """
    if getattr(actor, "run", None) is not None:
        message = (
            f"{path}: expected an actor without run, for it is moved out of the "
            f"engine, was {actor!r}"
        )
        raise SpecError(message)
    for name in SYNCHRONOUS:
        if is_async(getattr(actor, name, None)):  # type: ignore[arg-type]
            message = (
                f"{path}: expected def {name}, for it is moved out of the engine, "
                f"was async def of {actor!r}"
            )
            raise SpecError(message)


class Resident:
    """Builds an actor, and calls it; all in the one thread where it lives."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._actor: Any = None

    def call(self, kind: str, argument: Any, context: Context) -> Any:  # noqa: ANN401
        """Return what the actor's ``build``, ``handle``, ``batch`` or ``stop`` gives.

        ``build`` gives its `Traits`. Raises what it raises.
        """
        if kind == "build":
            return self._build(argument, context)
        if kind == "stop":
            return self._call("stop")
        name = "handle_batch" if kind == "batch" else "handle"
        value = getattr(self._actor, name)(argument)
        if is_coroutine(value):
            value.close()
            text = (
                f"{self._path}: expected {name} to return a value, for it is moved out "
                f"of the engine, was the coroutine {value!r}"
            )
            raise ActorError(text)
        return value

    def _build(self, build: Callable[[Context], Any], context: Context) -> Traits:
        """Build the actor, and let it start.

        Raises:
            SpecError: it cannot be moved, for it is asynchronous somewhere.
        """
        actor = build(context)
        if getattr(actor, "handle", None) is None:
            message = f"{self._path}: expected an object with handle, was {actor!r}"
            raise SpecError(message)
        refuse(self._path, actor)
        self._actor = actor
        self._call("start")
        batches = getattr(actor, "handle_batch", None) is not None
        manners = MANNERS if batches else manners_for(actor.handle)
        taken = None if manners is MANNERS else manners.classes
        return Traits(taken, batches)

    def _call(self, name: str) -> None:
        method = getattr(self._actor, name, None)
        if method is not None:
            method()
