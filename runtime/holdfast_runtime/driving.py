"""How an asynchronous handler is driven, on either engine."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell
    from holdfast_runtime.delivery import Delivery


def is_async(handler: Callable[..., Any]) -> bool:
    """Tell whether ``handler`` returns a coroutine."""
    return inspect.iscoroutinefunction(handler)


def is_coroutine(value: object) -> bool:
    """Tell whether ``value`` must be awaited."""
    return type(value) is types.CoroutineType


class Driven:
    """Awaits a handler's coroutine; what it says while it runs is its cell's."""

    __slots__ = ("_cell", "_coroutine", "_kernel")

    def __init__(self, kernel: Delivery, cell: Cell, coroutine: Any) -> None:  # noqa: ANN401
        self._kernel = kernel
        self._cell = cell
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        kernel, cell, coroutine = self._kernel, self._cell, self._coroutine
        value: Any = None
        error: BaseException | None = None
        while True:
            kernel.current = cell
            try:
                if error is None:
                    trap = coroutine.send(value)
                else:
                    trap = coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
            finally:
                kernel.current = None
            if type(error) is GeneratorExit:
                # It is being closed: whatever it still awaits ends in the same way.
                continue
            try:
                value = yield trap
                error = None
            except BaseException as thrown:  # noqa: BLE001 - passed on to the coroutine
                error = thrown
