"""Accepting: the messages that an actor takes, read from its `handle`."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from holdfast_runtime.messages import MANNERS, Manners

Classes: TypeAlias = "tuple[type, ...]"

_NUMBERS: dict[type, Classes] = {float: (float, int), complex: (complex, float, int)}
"""What a type checker takes where these are asked for."""


def manners_for(handler: Callable[..., Any]) -> Manners:
    """Return the manners of messages for an actor with this ``handle``.

    ``handle(self, message: A | B)`` takes `A`, `B` and their subclasses. Without an
    annotation, with ``object`` or ``Any``, or with one that cannot be read while the
    program runs, it takes anything.
    """
    function = getattr(handler, "__func__", handler)
    return _read(function) if isinstance(function, types.FunctionType) else MANNERS


@lru_cache(maxsize=1_024)
def manners_of(taken: Classes | None) -> Manners:
    """Return the manners of messages for an actor that takes these classes, or any."""
    return MANNERS if taken is None else Manners(taken)


@lru_cache(maxsize=1_024)
def _read(function: types.FunctionType) -> Manners:
    parameters = [*inspect.signature(function).parameters.values()]
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - whatever an annotation that is not for us raises
        return MANNERS
    classes = _classes(hints.get(parameters[-1].name)) if parameters else None
    return MANNERS if classes is None else Manners(classes)


def _classes(hint: Any) -> Classes | None:  # noqa: ANN401 - any annotation
    """Return the classes that ``hint`` names, or None if it may be anything."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        found = [_classes(each) for each in get_args(hint)]
        named = [each for each in found if each is not None]
        return sum(named, ()) if len(named) == len(found) else None
    if origin is Annotated:
        return _classes(get_args(hint)[0])
    if isinstance(origin, type):
        return (origin,)
    if not isinstance(hint, type) or hint in (object, Any):
        return None
    if getattr(hint, "_is_protocol", False):
        return None
    return _NUMBERS.get(hint, (hint,))
