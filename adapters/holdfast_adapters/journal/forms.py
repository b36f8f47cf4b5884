"""How each kind of record is written and read: made once, from the kind's fields.

Generic code would look at the type of each field of each record again. Here a kind is
one expression that names its fields, which is several times faster.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from holdfast_domain.money import Price, Quantity

_write = msgspec.json.Encoder().encode


def writer_of(kind: type[Struct]) -> Callable[[Any], bytes]:
    """Return what writes a record of ``kind`` as a JSON object."""
    return _made(f"write({_written(kind, 'each')})", {"write": _write})


def values_of(kind: type[Struct]) -> Callable[[Any], dict[str, Any]]:
    """Return what takes a record of ``kind`` apart, into values that JSON has."""
    return _made(_written(kind, "each"), {})


def reader_of(kind: type[Struct]) -> Callable[[str | bytes], Any]:
    """Return what reads back what `writer_of` writes; unknown fields are ignored."""
    if _is_plain(kind):
        return msgspec.json.Decoder(kind).decode
    names: dict[str, Any] = {}
    built = _built(kind, "each", names)
    make = _made(built, names)
    read = msgspec.json.Decoder(_wire_of(kind)).decode
    return lambda body: make(read(body))


def _made(expression: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    known = {
        "Decimal": Decimal,
        "Price": Price,
        "Quantity": Quantity,
        "moment": _moment,
        "moment_text": _moment_text,
    }
    made: Callable[[Any], Any] = eval(f"lambda each: {expression}", known | names)
    return made


# --- what a field is ----------------------------------------------------------


def _is_plain(kind: Any) -> bool:  # noqa: ANN401 - whatever a field is declared as
    """Tell whether JSON and msgspec agree on ``kind`` without help."""
    if kind in (str, int, bool) or typing.get_origin(kind) is typing.Literal:
        return True
    item = _item_of(kind) or _or_none(kind)
    if item is not None:
        return _is_plain(item)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return True
    return _is_record(kind) and all(_is_plain(each.type) for each in fields(kind))


def _is_record(kind: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(kind, type)
        and issubclass(kind, Struct)
        and kind not in (Price, Quantity)
    )


def _item_of(kind: Any) -> Any:  # noqa: ANN401
    """Return what a tuple of any length holds; None for what is no such tuple."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else None


def _or_none(kind: Any) -> Any:  # noqa: ANN401
    """Return what ``kind`` is if it is not None; None where it may not be None."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return None
    (other,) = (each for each in typing.get_args(kind) if each is not type(None))
    return other


# --- writing ------------------------------------------------------------------


def _written(kind: Any, name: str) -> str:  # noqa: ANN401
    """Return the expression that makes JSON's values of what ``name`` stands for."""
    if (inner := _or_none(kind)) is not None:
        return f"(None if {name} is None else {_written(inner, name)})"
    if (item := _item_of(kind)) is not None and not _is_plain(item):
        return f"[{_written(item, 'item')} for item in {name}]"
    if kind in (Price, Quantity):
        return f"str({name}.value)"
    if kind is Decimal:
        return f"str({name})"
    if kind is datetime:
        return f"moment_text({name})"
    if _is_record(kind):
        parts = (
            f"{field.name!r}: {_written(field.type, f'{name}.{field.name}')}"
            for field in fields(kind)
        )
        return f"{{{', '.join(parts)}}}"
    return name


def _moment_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        message = f"expected a time with its zone, got {moment!r}"
        raise ValueError(message)
    if moment.tzinfo is UTC:
        # As `isoformat` has it, in a tenth of the time.
        return f"{_write(moment)[1:-2].decode()}+00:00"
    return moment.isoformat()


# --- reading ------------------------------------------------------------------


def _wire_of(kind: Any) -> Any:  # noqa: ANN401
    """Return ``kind`` as it is in JSON: with texts for what JSON has no word for.

    A JSON number where a decimal is meant is refused by that: it would have been a
    binary float on its way.
    """
    if _is_plain(kind):
        return kind
    if (inner := _or_none(kind)) is not None:
        return _wire_of(inner) | None
    if (item := _item_of(kind)) is not None:
        return tuple[_wire_of(item), ...]  # type: ignore[misc]
    if not _is_record(kind):
        return str
    return msgspec.defstruct(kind.__name__, [_wire_field(f) for f in fields(kind)])


def _wire_field(field: FieldInfo) -> Any:  # noqa: ANN401
    wire = _wire_of(field.type)
    if field.default is NODEFAULT:
        return field.name, wire
    return field.name, wire, field.default


def _built(kind: Any, name: str, names: dict[str, Any]) -> str:  # noqa: ANN401
    """Return the expression that makes a ``kind`` of its form in JSON.

    Puts the classes that it needs into ``names``.
    """
    if _is_plain(kind):
        return name
    if (inner := _or_none(kind)) is not None:
        return f"(None if {name} is None else {_built(inner, name, names)})"
    if (item := _item_of(kind)) is not None:
        return f"tuple([{_built(item, 'item', names)} for item in {name}])"
    if kind in (Price, Quantity):
        return f"{kind.__name__}(Decimal({name}))"
    if kind is Decimal:
        return f"Decimal({name})"
    if kind is datetime:
        return f"moment({name})"
    names[kind.__name__] = kind
    parts = (
        f"{field.name}={_built(field.type, f'{name}.{field.name}', names)}"
        for field in fields(kind)
    )
    return f"{kind.__name__}({', '.join(parts)})"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"expected a time with its offset, got {text!r}"
        raise ValueError(message)
    return moment
