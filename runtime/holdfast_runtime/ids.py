"""What a line of a log can say of itself: which actor wrote it, and on what message.

Nothing is kept per message for it. A message's class says what it derives from
(``origin``) and with which input that chain began (``correlation``), and whoever
writes a line looks for the message in hand among the calls that led to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, MutableMapping
from typing import Any

from holdfast_runtime.cell import Cell
from holdfast_runtime.kernel import Kernel
from holdfast_runtime.messages import Asked

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


def message_in_hand(cell: Cell) -> Any:  # noqa: ANN401 - any message
    """Return what ``cell`` handles now, called inside its handler; or None."""
    if cell.in_hand:
        return cell.in_hand[0]
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_OURS):
            there = frame.f_locals
            if "message" in there and "cell" in there:
                return there["message"]
        frame = frame.f_back
    return None


class LogIds:
    """A processor for structlog: who writes the line, and the ids of what it is on.

    Adds ``actor``, ``incarnation``, ``correlation`` and ``causation`` inside a handler,
    on either engine, and nothing elsewhere. What the line has already, stays.
    """

    def __init__(
        self, engine: Kernel, *, otherwise: Callable[[], Hashable] = lambda: None
    ) -> None:
        """``otherwise`` gives the correlation of a message that tells none, or None."""
        self._engine = engine
        self._otherwise = otherwise

    def __call__(
        self, logger: object, name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the line with what can be said of it."""
        del logger, name
        cell = self._engine.current
        if cell is not None:
            event.setdefault("actor", cell.path)
            event.setdefault("incarnation", cell.incarnation)
            message = message_in_hand(cell)
            if message is not None:
                for key, text in self.of(message).items():
                    event.setdefault(key, text)
        return event

    def of(self, message: object) -> dict[str, str]:
        """Return the ids of ``message``, with a correlation if there is any."""
        found = ids_of(message)
        otherwise = self._otherwise()
        if "correlation" not in found and otherwise is not None:
            found["correlation"] = origin_text(otherwise)
        return found
