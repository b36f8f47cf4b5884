"""Pickles in which a reference travels as the path of its place."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from holdfast_runtime.refs import Ref


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> str | None:
        return value.path if isinstance(value, Ref) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, ref: Callable[[str], Ref[Any]]) -> None:
        super().__init__(io.BytesIO(data))
        self._ref = ref

    def persistent_load(self, path: str) -> Ref[Any]:
        return self._ref(path)


def dump(value: object) -> bytes:
    """Return ``value`` as bytes.

    Raises whatever pickle raises, which is any exception.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def load(data: bytes, ref: Callable[[str], Ref[Any]]) -> Any:  # noqa: ANN401
    """Return the value in ``data``; ``ref`` makes references of paths.

    Raises whatever pickle raises, which is any exception.
    """
    return _Unpickler(data, ref).load()
