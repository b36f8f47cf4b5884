"""What a line of a log can say of itself: which actor wrote it, and on what message.

Nothing is kept per message for it. A message's class says what it derives from
(``origin``) and with which input that chain began (``correlation``), and whoever
writes a line looks for the message in hand among the calls that led to it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from typing import Any

import attrs

from holdfast_runtime.cell import Cell
from holdfast_runtime.context import Context
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.messages import Asked
from holdfast_runtime.moving.resident import Resident

_OURS = __name__.rpartition(".")[0] + "."


def origin_text(origin: Hashable) -> str:
    """Return an origin as it is written, such as ``input:65535``."""
    return ":".join(map(str, origin)) if isinstance(origin, tuple) else str(origin)


def ids_of(message: object) -> dict[str, str]:
    """Return what is known of ``message``, under ``correlation`` and ``causation``.

    The causation is its ``origin``; of a message without one, its class, with its
    ``order_id`` if it has one. The correlation is what its class declares, or else its
    origin; of other messages it is not known. Both are the same in each replay.
    """
    content = message.message if type(message) is Asked else message
    origin = getattr(content, "origin", None)
    correlation = getattr(content, "correlation", origin)
    found = {}
    if correlation is not None:
        found["correlation"] = origin_text(correlation)
    if origin is not None:
        found["causation"] = origin_text(origin)
    else:
        name, order_id = type(content).__name__, getattr(content, "order_id", None)
        found["causation"] = f"{name}:{order_id}" if order_id else name
    return found


@attrs.frozen
class InHand:
    """Who is handling something, and which message, if it is known."""

    path: str
    incarnation: int
    message: Any = None


def in_hand(engine: Kernel | None) -> InHand | None:
    """Return who called this, inside a handler or in work beside one; or None.

    ``engine`` is that of the actors; an actor in a process has none there.
    """
    cell = None if engine is None else engine.current
    if engine is not None and cell is None:
        return None
    is_speaking, message = False, None
    for code, there in _our_frames():
        if code is Resident.call.__code__:
            return _in_hand_elsewhere(**there)
        # A thread that is no actor's may look while the engine's is in a handler.
        # A recorder that commits in place speaks in the frame of whom it commits for.
        is_speaking = is_speaking or cell in (there.get("cell"), there.get("recorder"))
        if "message" in there and "cell" in there:
            message = there["message"]
            break
    if not is_speaking or not isinstance(cell, Cell):
        return None
    sides = cell.sides
    if sides is not None and sides.stepping is not None:
        message = sides.stepping.begun_on
    elif cell.in_hand:
        message = cell.in_hand[0]
    return InHand(cell.path, cell.incarnation, message)


def _our_frames() -> Iterator[tuple[types.CodeType, dict[str, Any]]]:
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OURS) and module != __name__:
            yield frame.f_code, frame.f_locals
        frame = frame.f_back


def _in_hand_elsewhere(
    kind: str,
    argument: Any,  # noqa: ANN401 - any message, or a batch of them
    context: Context,
    **_: object,
) -> InHand:
    """Return what a moved actor handles, by what `Resident.call` was called with."""
    messages = {"handle": [argument], "batch": argument}.get(kind) or [None]
    return InHand(context.path, context.incarnation, messages[0])


class LogIds:
    """A processor for structlog: who writes the line, and the ids of what it is on.

    Adds ``actor``, ``incarnation``, ``correlation`` and ``causation`` inside a handler
    and in work beside it, on either engine and in an actor's own thread, and nothing
    elsewhere. What the line has already, stays.
    """

    def __init__(
        self,
        engine: Kernel | None = None,
        *,
        otherwise: Callable[[], Hashable] = lambda: None,
    ) -> None:
        """``otherwise`` gives the correlation of a message that tells none, or None.

        Without an engine it is for the process of a moved actor.
        """
        self._engine = engine
        self._otherwise = otherwise

    def __call__(
        self, logger: object, name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the line with what can be said of it."""
        del logger, name
        found = in_hand(self._engine)
        if found is not None:
            event.setdefault("actor", found.path)
            event.setdefault("incarnation", found.incarnation)
            if found.message is not None:
                for key, text in self.of(found.message).items():
                    event.setdefault(key, text)
        return event

    def of(self, message: object) -> dict[str, str]:
        """Return the ids of ``message``, with a correlation if there is any."""
        found = ids_of(message)
        otherwise = self._otherwise()
        if "correlation" not in found and otherwise is not None:
            found["correlation"] = origin_text(otherwise)
        return found
