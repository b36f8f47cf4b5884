"""Messages as they are on the wire: a length of four bytes, and fields that end in NUL.

From the TWS API's reference ("EReader", and the handshake of "EClient").
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

Value: TypeAlias = str | int | float | bool | Decimal | None

LENGTH: Final = struct.Struct(">I")
LONGEST: Final = 0xFFFFFF
"""No message is longer."""

HELLO: Final = b"API\0"


class Nonsense(Exception):
    """What came is no message of this protocol."""


def text(value: Value) -> str:
    """Return a field as it is written.

    >>> [text(each) for each in (True, None, Decimal("1.50"), 2.0)]
    ['1', '', '1.50', '2.0']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def framed(body: bytes) -> bytes:
    """Return a message with its length."""
    return LENGTH.pack(len(body)) + body


def message(*fields: Value) -> bytes:
    """Return a message of fields."""
    return framed("".join(f"{text(each)}\0" for each in fields).encode())


class Messages:
    """Cuts what comes into messages."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._greeted = False

    def take(self, data: bytes) -> list[list[str]]:
        """Return the fields of the messages that ``data`` completes.

        The first one is the range of versions of the client, after its greeting.

        Raises:
            Nonsense: it is no client of TWS.
        """
        self._data += data
        found: list[list[str]] = []
        if not self._greeted:
            if len(self._data) < len(HELLO):
                return found
            if not self._data.startswith(HELLO):
                raise Nonsense(bytes(self._data[:20]))
            del self._data[: len(HELLO)]
            self._greeted = True
        while (body := self._next()) is not None:
            found.append(body.decode().removesuffix("\0").split("\0"))
        return found

    def _next(self) -> bytes | None:
        if len(self._data) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._data)
        if length > LONGEST:
            raise Nonsense(f"a message of {length} bytes")
        end = LENGTH.size + length
        if len(self._data) < end:
            return None
        body = bytes(self._data[LENGTH.size : end])
        del self._data[:end]
        return body


class Layout:
    """The fields of a message in their order, of which some versions lack some."""

    def __init__(self, written: str) -> None:
        """Read ``name``, ``name=default`` and ``name=default@FROM``, in words.

        ``@FROM`` and ``@-BEFORE`` are versions of the server.
        """
        self._fields: list[tuple[str, str, int, int]] = []
        for word in written.split():
            rest, _, since = word.partition("@")
            name, _, default = rest.partition("=")
            first, before = 0, 1 << 30
            if since.startswith("-"):
                before = int(since[1:])
            elif since:
                first = int(since)
            self._fields.append((name, default, first, before))

    def names(self, version: int) -> list[str]:
        """Return the names of the fields at a server of ``version``."""
        return [each[0] for each in self._of(version)]

    def filled(self, version: int, values: dict[str, Value]) -> list[str]:
        """Return the fields with ``values``, and else as they are by default.

        Raises:
            KeyError: a value has no field.
        """
        fields = self._of(version)
        left = values.keys() - {each[0] for each in self._fields}
        if left:
            raise KeyError(sorted(left))
        return [
            text(values[name]) if name in values else default
            for name, default, _, _ in fields
        ]

    def read(self, version: int, fields: Sequence[str]) -> dict[str, str]:
        """Return the fields by name; what follows them is left alone.

        Raises:
            Nonsense: there are too few.
        """
        names = self.names(version)
        if len(fields) < len(names):
            raise Nonsense(f"{len(fields)} fields of at least {len(names)}")
        return dict(zip(names, fields, strict=False))

    def _of(self, version: int) -> list[tuple[str, str, int, int]]:
        return [each for each in self._fields if each[2] <= version < each[3]]
