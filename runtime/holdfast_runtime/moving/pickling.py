"""Pickles in which a reference travels as the path of its place, a hold as a number."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from holdfast_runtime.errors import Unpicklable
from holdfast_runtime.holds import Hold
from holdfast_runtime.moving.holds import AwayHold, Crossing
from holdfast_runtime.refs import Ref

Cross = Callable[[Hold], Crossing]
_DEPTH = 8
"""How far down a message is searched for what cannot be pickled."""


class _Pickler(pickle.Pickler):
    cross: Cross | None = None

    def persistent_id(self, value: object) -> str | Crossing | None:
        if isinstance(value, Ref):
            return value.path
        if isinstance(value, AwayHold):
            return value.number, value.owner, value.failed
        if isinstance(value, Hold):
            return (0, None, False) if self.cross is None else self.cross(value)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(
        self,
        data: bytes,
        ref: Callable[[str], Ref[Any]],
        hold: Callable[[Crossing], Hold | None] | None,
    ) -> None:
        super().__init__(io.BytesIO(data))
        self._ref = ref
        self._hold = hold

    def persistent_load(self, name: str | Crossing) -> Ref[Any] | Hold | None:
        if isinstance(name, str):
            return self._ref(name)
        return None if self._hold is None else self._hold(name)


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:  # noqa: ANN401 - bytes, or what is like them
        return len(data)


def dump(value: object, cross: Cross | None = None) -> bytes:
    """Return ``value`` as bytes; ``cross`` names its holds.

    Raises whatever pickle raises, which is any exception.
    """
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.cross = cross
    pickler.dump(value)
    return buffer.getvalue()


def load(
    data: bytes,
    ref: Callable[[str], Ref[Any]],
    hold: Callable[[Crossing], Hold | None] | None = None,
) -> Any:  # noqa: ANN401
    """Return the value in ``data``; ``ref`` makes references of paths, ``hold`` holds.

    Raises whatever pickle raises, which is any exception.
    """
    return _Unpickler(data, ref, hold).load()


def check(path: str, message: object) -> None:
    """Refuse a ``message`` that cannot get to the process of the actor at ``path``.

    Large buffers, such as those of arrays, are not copied for it.

    Raises:
        Unpicklable: naming the message, the part of it that cannot, and the actor.
    """
    try:
        _try(message)
    except Exception as error:
        raise unpicklable(path, "a message", message, error) from error


def unpicklable(path: str, what: str, value: object, error: Exception) -> Unpicklable:
    """Return the error for ``value``, which was said as ``what`` and cannot cross."""
    return Unpicklable(path, what, value, _culprit(value), error)


def _try(value: object) -> None:
    _Pickler(
        _Nowhere(),
        protocol=pickle.HIGHEST_PROTOCOL,
        buffer_callback=lambda _: None,
    ).dump(value)


def _culprit(value: object) -> str:
    """Return the way to the innermost part of ``value`` that cannot be pickled."""
    way, whole = type(value).__qualname__, value
    for _ in range(_DEPTH):
        for step, part in _parts(whole):
            try:
                _try(part)
            except Exception:  # noqa: BLE001 - whatever pickle raises
                way, whole = f"{way}{step}", part
                break
        else:
            break
    return way


def _parts(value: Any) -> Iterable[tuple[str, object]]:  # noqa: ANN401
    if isinstance(value, type | FunctionType | ModuleType):
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield f", key {key!r}", key
            yield f"[{key!r}]", part
    elif isinstance(value, list | tuple | set | frozenset):
        names = getattr(value, "_fields", None)
        for number, part in enumerate(value):
            yield f".{names[number]}" if names else f"[{number}]", part
    for name in _fields(value):
        if hasattr(value, name):
            yield f".{name}", getattr(value, name)


def _fields(value: object) -> list[str]:
    """Return the names under which ``value`` keeps something."""
    names = [*getattr(value, "__dict__", ())]
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
        names += kind.__dict__.get("__struct_fields__", ())
    return [name for name in dict.fromkeys(names) if not name.startswith("__")]
