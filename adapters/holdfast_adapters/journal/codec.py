"""Events to text and back: the kind is the class's name, the body a JSON object.

Prices, quantities and other decimals are decimal strings, enums their value, times
ISO 8601 with their offset, tuples lists, nested values objects, ``None`` null.
"""

from __future__ import annotations

import typing
from typing import cast

import msgspec

from holdfast_adapters.journal.forms import reader_of, values_of, writer_of
from holdfast_domain.errors import DomainError, JournalError, JournalTooNew
from holdfast_domain.events import Event

KINDS: dict[str, type[msgspec.Struct]] = {
    kind.__name__: kind for kind in typing.get_args(Event)
}
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
        body = _write(_without_surrogates(values_of(kind)(event)))
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


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


_write = msgspec.json.Encoder().encode
_WRITERS = {kind: writer_of(kind) for kind in KINDS.values()}
_READERS = {name: reader_of(kind) for name, kind in KINDS.items()}
