"""Events to text and back: the kind is the class's name, the body a JSON object.

Prices, quantities and other decimals are decimal strings, enums their value, times
ISO 8601 with their offset, tuples lists, nested values objects, ``None`` null.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import attrs
import msgspec
from cattrs.gen import make_dict_unstructure_fn
from cattrs.preconf.msgspec import MsgspecJsonConverter, make_converter

from holdfast_domain.errors import DomainError, JournalError, JournalTooNew
from holdfast_domain.events import Event
from holdfast_domain.money import Price, Quantity

KINDS: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Event)}
"""Every kind of record by its name."""


def encode(event: Event) -> tuple[str, str]:
    """Return the kind of ``event`` and its body.

    A text that UTF-8 cannot hold (a lone surrogate, as in the error text of a user's
    strategy) is written with backslash escapes instead: it is better to journal it so
    than to stop the engine for it.

    Raises:
        JournalError: if a field holds what its type does not allow, such as a time
            without a zone.
    """
    kind = event.__class__
    try:
        body = _WRITERS[kind](event)
    except UnicodeEncodeError:
        body = _write(_without_surrogates(_CONVERTER.unstructure(event)))
    except _CANNOT_ENCODE as error:
        message = f"expected an event to journal, got {event!r}: {error}"
        raise JournalError(message) from error
    return kind.__name__, body.decode()


def decode(kind: str, body: str | bytes) -> Event:
    """Return the event that `encode` wrote; fields it does not know are ignored.

    Raises:
        JournalTooNew: if there is no such kind in this version.
        JournalError: if ``body`` is not what `encode` writes for ``kind``.
    """
    read = _READERS.get(kind)
    if read is None:
        message = (
            f"expected a kind of record that this version knows, got {kind!r}; "
            "use the version of holdfast that wrote it, or a newer one"
        )
        raise JournalTooNew(message)
    try:
        return cast("Event", read(body))
    except _CANNOT_DECODE as error:
        message = f"not the body of a record of kind {kind}: {_reason(error)}"
        raise JournalError(message) from error


_CANNOT_ENCODE = (TypeError, ValueError, AttributeError, KeyError, OverflowError)
_CANNOT_DECODE = (
    TypeError,
    ValueError,
    AttributeError,
    KeyError,
    ArithmeticError,
    DomainError,
    RecursionError,
)


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"no field {error}"
    return str(error) or type(error).__name__


def _decimal(text: object, _kind: object = None) -> Decimal:
    # A JSON number would have been a binary float on its way.
    if not isinstance(text, str):
        message = f"expected a decimal as text, got {text!r}"
        raise TypeError(message)
    return Decimal(text)


def _moment_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        message = f"expected a time with its zone, got {moment!r}"
        raise ValueError(message)
    return moment.isoformat()


def _moment(text: str, _kind: object = None) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"expected a time with its offset, got {text!r}"
        raise ValueError(message)
    return moment


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


def _converter() -> MsgspecJsonConverter:
    made = make_converter(detailed_validation=False)
    # msgspec would write the fields in the order of slots; people read this.
    made.register_unstructure_hook_factory(
        attrs.has, lambda kind: make_dict_unstructure_fn(kind, made)
    )
    made.register_unstructure_hook(Decimal, str)
    made.register_structure_hook(Decimal, _decimal)
    made.register_unstructure_hook(datetime, _moment_text)
    made.register_structure_hook(datetime, _moment)
    made.register_unstructure_hook(Price, lambda price: str(price.value))
    made.register_structure_hook(Price, lambda text, _: Price(_decimal(text)))
    made.register_unstructure_hook(Quantity, lambda quantity: str(quantity.value))
    made.register_structure_hook(Quantity, lambda text, _: Quantity(_decimal(text)))
    return made


def _writer_of(kind: type) -> Callable[[Any], bytes]:
    to_builtins = _CONVERTER.get_unstructure_hook(kind)
    return lambda event: _write(to_builtins(event))


def _reader_of(kind: type) -> Callable[[str | bytes], Any]:
    structure = _CONVERTER.get_structure_hook(kind)
    if all(field.type in _PLAIN for field in attrs.fields(kind)):
        return msgspec.json.Decoder(kind).decode  # several times faster
    return lambda body: structure(_read(body), kind)


_PLAIN = (str, int, bool, tuple[str, ...])
_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder().decode
_CONVERTER = _converter()
_WRITERS = {kind: _writer_of(kind) for kind in KINDS.values()}
_READERS = {name: _reader_of(kind) for name, kind in KINDS.items()}
