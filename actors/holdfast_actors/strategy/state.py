"""What a strategy remembers, as text: exact, readable, and restored as it was.

Plain values, Decimal, datetime, containers, attrs classes, msgspec structs and
polars frames can be saved. Anything else is an error that names the attribute.
"""

from __future__ import annotations

import base64
import enum
import importlib
import io
import math
from collections import Counter, OrderedDict, defaultdict, deque
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

_PLAIN_KINDS = frozenset({type(None), bool, str, int})
"""What JSON has a word for."""

_IMMUTABLE = _PLAIN_KINDS | {
    float,
    Decimal,
    Amount,
    Instrument,
    datetime,
    date,
    timedelta,
    bytes,
}

_LOOK = object()
"""Stands for a value that may have changed inside of itself."""

to_json = msgspec.json.Encoder().encode
"""Writes plain values."""


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
    return to_json(_encode(attribute, value)).decode()


def decode(text: str, symbols: Symbols) -> Any:  # noqa: ANN401 - whatever was saved
    """Return what `encode` was given."""
    return _decode(msgspec.json.decode(text), symbols)


def _encode(attribute: str, value: Any) -> Any:  # noqa: ANN401
    # By the very type: a subclass would come back as what it derives from.
    kind = type(value)
    if kind in _PLAIN_KINDS:
        return value
    if kind is float:
        # JSON has no word for them.
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is list:
        return _encode_sequence(attribute, value)
    if kind in _WRITERS:
        tag, write = _WRITERS[kind]
        return {tag: write(attribute, value)}
    name = _name_of(kind)
    if name is None:
        raise CannotSave(attribute, value)
    if isinstance(value, enum.Enum):
        return {"$enum": [name, value.name]}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return {"$named": [name, *_encode_sequence(attribute, value)]}
    if attrs.has(kind) or issubclass(kind, msgspec.Struct):
        return {"$attrs": [name, _encode_attrs(attribute, value)]}
    raise CannotSave(attribute, value)


def _name_of(kind: Any) -> str | None:  # noqa: ANN401 - a class
    """Return where ``kind`` can be found again; None where it cannot."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    try:
        return name if _find(name) is kind else None
    except (ImportError, AttributeError, KeyError):
        return None


def _encode_attrs(attribute: str, value: Any) -> Any:  # noqa: ANN401
    kind = type(value)
    names = getattr(kind, "__struct_fields__", None)
    if names is None:
        names = [field.name for field in attrs.fields(kind)]
    return {
        name: _encode(f"{attribute}.{name}", getattr(value, name)) for name in names
    }


def _encode_default(attribute: str, value: defaultdict[Any, Any]) -> Any:  # noqa: ANN401
    factory = value.default_factory
    name = _name_of(factory) if isinstance(factory, type) else None
    if factory is not None and name is None:
        raise CannotSave(f"{attribute}.default_factory", factory)
    return [name, _encode_dict(attribute, value)]


def _encode_dict(attribute: str, value: dict[Any, Any]) -> Any:  # noqa: ANN401
    return [
        [_encode(f"{attribute} key", key), _encode(f"{attribute}[{key!r}]", each)]
        for key, each in value.items()
    ]


def _encode_set(attribute: str, value: set[Any]) -> Any:  # noqa: ANN401
    items = [_encode(f"{attribute} item", each) for each in value]
    return sorted(items, key=to_json)


def _encode_sequence(attribute: str, value: Any) -> Any:  # noqa: ANN401
    return [_encode(f"{attribute}[{i}]", each) for i, each in enumerate(value)]


def _encode_deque(attribute: str, value: deque[Any]) -> Any:  # noqa: ANN401
    return [value.maxlen, _encode_sequence(attribute, value)]


def _encode_frame(_attribute: str, value: pl.DataFrame) -> str:
    buffer = io.BytesIO()
    value.write_ipc(buffer)
    return base64.b64encode(buffer.getvalue()).decode()


_WRITERS: dict[type, tuple[str, Callable[[str, Any], Any]]] = {
    Instrument: ("$instrument", lambda _, value: value.symbol),
    Amount: ("$amount", lambda _, value: str(value)),
    Decimal: ("$decimal", lambda _, value: str(value)),
    datetime: ("$datetime", lambda _, value: value.isoformat()),
    date: ("$date", lambda _, value: value.isoformat()),
    timedelta: (
        "$timedelta",
        lambda _, value: [value.days, value.seconds, value.microseconds],
    ),
    bytes: ("$bytes", lambda _, value: base64.b64encode(value).decode()),
    dict: ("$dict", _encode_dict),
    defaultdict: ("$default", _encode_default),
    OrderedDict: ("$ordered", _encode_dict),
    Counter: ("$counter", _encode_dict),
    tuple: ("$tuple", _encode_sequence),
    set: ("$set", _encode_set),
    frozenset: ("$frozenset", _encode_set),
    deque: ("$deque", _encode_deque),
    pl.Series: ("$series", lambda at, value: _encode_frame(at, value.to_frame())),
    pl.DataFrame: ("$frame", _encode_frame),
}


def _decode(value: Any, symbols: Symbols) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_decode(each, symbols) for each in value]
    if not isinstance(value, dict):
        return value
    ((tag, body),) = value.items()
    if tag in _PLAIN:
        return _PLAIN[tag](body)
    if tag in _MAPPINGS:
        return _MAPPINGS[tag](_decode_items(body, symbols))
    if tag in _CONTAINERS:
        return _CONTAINERS[tag](_decode(body, symbols))
    return _COMPOSED[tag](body, symbols)


def _decode_items(items: Any, symbols: Symbols) -> dict[Any, Any]:  # noqa: ANN401
    return {_decode(key, symbols): _decode(each, symbols) for key, each in items}


def _restore_attrs(body: Any, symbols: Symbols) -> Any:  # noqa: ANN401
    kind = _find(body[0])
    values = {name: _decode(value, symbols) for name, value in body[1].items()}
    if issubclass(kind, msgspec.Struct):
        return kind(**values)
    made = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def _restore_default(body: Any, symbols: Symbols) -> Any:  # noqa: ANN401
    factory = None if body[0] is None else _find(body[0])
    return defaultdict(factory, _decode_items(body[1], symbols))


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
_MAPPINGS: dict[str, Callable[[dict[Any, Any]], Any]] = {
    "$dict": lambda items: items,
    "$ordered": OrderedDict,
    "$counter": Counter,
}
_COMPOSED: dict[str, Callable[[Any, Symbols], Any]] = {
    "$instrument": lambda body, symbols: symbols[body],
    "$deque": lambda body, symbols: deque(_decode(body[1], symbols), body[0]),
    "$named": lambda body, symbols: _find(body[0])._make(_decode(body[1:], symbols)),
    "$default": _restore_default,
    "$attrs": _restore_attrs,
}
_CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
}


class Memory:
    """Tells what changed in the attributes of its owners since it was last asked.

    They are named after their owner, which is what a record knows them by.
    """

    def __init__(self, owners: Mapping[str, object]) -> None:
        self._owners = owners
        self._seen: list[tuple[str, object, defaultdict[str, object]]] = [
            (f"{name}.", owner, defaultdict(lambda: _LOOK))
            for name, owner in owners.items()
        ]
        """Each with how its names begin, and its attributes as they were told."""

        self._texts: dict[str, str] = {}

    def changes(self) -> dict[str, str | None]:
        """Return the changed attributes as texts; None for one that is gone.

        Raises:
            CannotSave: naming the attribute.
        """
        changed: dict[str, str | None] = {}
        texts, count = self._texts, 0
        for prefix, owner, seen in self._seen:
            attributes = vars(owner)
            if not attributes:
                continue
            count += len(attributes)
            for attribute, value in attributes.items():
                if seen[attribute] is value:
                    continue
                name, kind = prefix + attribute, type(value)
                if kind in _PLAIN_KINDS:
                    text = to_json(value).decode()
                else:
                    text = encode(name, value)
                if texts.get(name) != text:
                    changed[name] = texts[name] = text
                seen[attribute] = value if kind in _IMMUTABLE else _LOOK
        if len(texts) != count:
            self._forget(changed)
        return changed

    def between(self) -> dict[str, str | None]:
        """Return every attribute as text; None for one that is gone since `changes`.

        Changes nothing: what changed is still told from the last `changes` on.

        Raises:
            CannotSave: naming the attribute.
        """
        whole = Memory(self._owners).changes()
        gone = dict.fromkeys(name for name in self._texts if name not in whole)
        return {**gone, **whole}

    def _forget(self, changed: dict[str, str | None]) -> None:
        """Tell what is gone, in the order in which it came."""
        there = {at + name for at, owner, _ in self._seen for name in vars(owner)}
        for name in [name for name in self._texts if name not in there]:
            changed[name] = None
            del self._texts[name]
        for _, owner, seen in self._seen:
            for attribute in seen.keys() - vars(owner).keys():
                del seen[attribute]
