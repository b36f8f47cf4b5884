"""What a strategy remembers, as text: exact, readable, and restored as it was.

Plain values, Decimal, datetime, containers, attrs classes and polars frames can be
saved. Anything else is an error that names the attribute.
"""

from __future__ import annotations

import base64
import enum
import importlib
import io
import math
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import polars as pl

from holdfast_actors.strategy.amount import Amount
from holdfast_domain.errors import DomainError
from holdfast_domain.instruments import Instrument

Symbols = Mapping[str, Instrument]

_IMMUTABLE = (str, int, float, bool, type(None), Decimal, Instrument, datetime)


class CannotSave(DomainError):
    """An attribute holds something that cannot be saved; ``attribute`` names it."""

    def __init__(self, attribute: str, value: object) -> None:
        self.attribute = attribute
        self.value = value
        super().__init__(
            f"attribute {attribute} of type {type(value).__name__} cannot be saved"
        )


def encode(attribute: str, value: object) -> str:
    """Return ``value`` as JSON text.

    Raises:
        CannotSave: naming ``attribute``.
    """
    return _text(_encode(attribute, value))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def decode(text: str, symbols: Symbols) -> Any:  # noqa: ANN401 - whatever was saved
    """Return what `encode` was given."""
    return _decode(msgspec.json.decode(text), symbols)


def _encode(attribute: str, value: Any) -> Any:  # noqa: ANN401
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if type(value) is float:
        # JSON has no word for them.
        return value if math.isfinite(value) else {"$float": repr(value)}
    for kind, tag, write in _WRITERS:
        if isinstance(value, kind):
            return {tag: write(attribute, value)}
    if type(value) is list:
        return [_encode(f"{attribute}[{i}]", each) for i, each in enumerate(value)]
    if attrs.has(type(value)):
        return {"$attrs": _encode_attrs(attribute, value)}
    raise CannotSave(attribute, value)


def _encode_attrs(attribute: str, value: Any) -> Any:  # noqa: ANN401
    kind = type(value)
    fields = {
        field.name: _encode(f"{attribute}.{field.name}", getattr(value, field.name))
        for field in attrs.fields(kind)
    }
    return [f"{kind.__module__}:{kind.__qualname__}", fields]


def _encode_dict(attribute: str, value: dict[Any, Any]) -> Any:  # noqa: ANN401
    return [
        [_encode(f"{attribute} key", key), _encode(f"{attribute}[{key!r}]", each)]
        for key, each in value.items()
    ]


def _encode_set(attribute: str, value: set[Any]) -> Any:  # noqa: ANN401
    items = [_encode(f"{attribute} item", each) for each in value]
    return sorted(items, key=_text)


def _encode_sequence(attribute: str, value: Any) -> Any:  # noqa: ANN401
    return [_encode(f"{attribute}[{i}]", each) for i, each in enumerate(value)]


def _encode_deque(attribute: str, value: deque[Any]) -> Any:  # noqa: ANN401
    return [value.maxlen, _encode_sequence(attribute, value)]


def _encode_frame(_attribute: str, value: pl.DataFrame) -> str:
    buffer = io.BytesIO()
    value.write_ipc(buffer)
    return base64.b64encode(buffer.getvalue()).decode()


def _encode_enum(_attribute: str, value: enum.Enum) -> Any:  # noqa: ANN401
    kind = type(value)
    return [f"{kind.__module__}:{kind.__qualname__}", value.name]


_WRITERS: list[tuple[type, str, Callable[[str, Any], Any]]] = [
    (Instrument, "$instrument", lambda _, value: value.symbol),
    (Amount, "$amount", lambda _, value: str(value)),
    (Decimal, "$decimal", lambda _, value: str(value)),
    (datetime, "$datetime", lambda _, value: value.isoformat()),
    (date, "$date", lambda _, value: value.isoformat()),
    (
        timedelta,
        "$timedelta",
        lambda _, value: [value.days, value.seconds, value.microseconds],
    ),
    (enum.Enum, "$enum", _encode_enum),
    (bytes, "$bytes", lambda _, value: base64.b64encode(value).decode()),
    (dict, "$dict", _encode_dict),
    (tuple, "$tuple", _encode_sequence),
    (set, "$set", _encode_set),
    (frozenset, "$frozenset", _encode_set),
    (deque, "$deque", _encode_deque),
    (pl.Series, "$series", lambda at, value: _encode_frame(at, value.to_frame())),
    (pl.DataFrame, "$frame", _encode_frame),
]


def _decode(value: Any, symbols: Symbols) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_decode(each, symbols) for each in value]
    if not isinstance(value, dict):
        return value
    ((tag, body),) = value.items()
    if tag == "$instrument":
        return symbols[body]
    if tag in _PLAIN:
        return _PLAIN[tag](body)
    if tag == "$dict":
        return {_decode(k, symbols): _decode(v, symbols) for k, v in body}
    if tag == "$deque":
        return deque(_decode(body[1], symbols), maxlen=body[0])
    if tag == "$attrs":
        fields = {name: _decode(each, symbols) for name, each in body[1].items()}
        return _restore_attrs(_find(body[0]), fields)
    return _CONTAINERS[tag](_decode(body, symbols))


def _restore_attrs(kind: Any, fields: dict[str, Any]) -> Any:  # noqa: ANN401
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def _find(path: str) -> Any:  # noqa: ANN401
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _read_frame(text: str) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(base64.b64decode(text)))


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "$float": float,
    "$amount": Amount,
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$timedelta": lambda body: timedelta(*body),
    "$enum": lambda body: _find(body[0])[body[1]],
    "$bytes": base64.b64decode,
    "$series": lambda body: _read_frame(body).to_series(),
    "$frame": _read_frame,
}
_CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
}


class Memory:
    """Tells what changed in a strategy's attributes since it was last asked."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._values: dict[str, object] = {}

    def changes(self, attributes: Mapping[str, Any]) -> dict[str, str | None]:
        """Return the changed attributes as texts; None for one that is gone.

        Raises:
            CannotSave: naming the attribute.
        """
        changed: dict[str, str | None] = {}
        values, texts = self._values, self._texts
        for name, value in attributes.items():
            if name in values and values[name] is value and type(value) in _IMMUTABLE:
                continue
            text = encode(name, value)
            if texts.get(name) != text:
                changed[name] = texts[name] = text
            values[name] = value
        if len(texts) != len(attributes):
            for name in [name for name in texts if name not in attributes]:
                changed[name] = None
                del texts[name]
                values.pop(name, None)
        return changed

    def whole(self, attributes: Mapping[str, Any]) -> dict[str, str | None]:
        """Return every attribute as text."""
        self.changes(attributes)
        return dict(self._texts)
