"""A stream as it came: append-only segments of records, each with a checksum.

A record is a head (time in ns since 1970, kind, connection, length, CRC-32 of all the
rest) and its payload. A segment that a crash tore is read up to the tear; a record that
is whole and does not fit its checksum is damage.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

import attrs

from holdfast_domain.errors import DomainError

SUFFIX: Final = ".stream"
SEGMENT_BYTES: Final = 64 * 2**20
_HEAD = struct.Struct("<QBIII")
_UNSUMMED = struct.Struct("<QBII")


class RecordingDamaged(DomainError):
    """A record of a recording does not fit its checksum."""


class Kind(IntEnum):
    """What a record is of."""

    CONNECTED = 1
    HEARD = 2
    SAID = 3
    """Its payload is empty where the message was secret."""

    ENDED = 4
    """Its payload says why."""


@attrs.frozen(kw_only=True)
class Record:
    """One thing that happened on a stream."""

    at_ns: int
    kind: Kind
    number: int
    """The connection."""

    payload: bytes


class Recorder:
    """Writes what a stream tells its tap to a folder; never raises to the stream.

    What it writes is in the system's hands at each `flush`, and on disk when the
    system says so: it is evidence for people and tests, and no journal. When the disk
    fails it stops, and `failed` says why.
    """

    def __init__(
        self,
        folder: Path,
        now_ns: Callable[[], int],
        *,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Take an existing folder and the host's clock; older segments are kept."""
        self._folder = folder
        self._now_ns = now_ns
        self._segment_bytes = segment_bytes
        self._file: BinaryIO | None = None
        self._written = 0
        self.failed: str | None = None

    def connected(self, number: int) -> None:
        """Record that a connection stands."""
        self._write(Kind.CONNECTED, number, b"")

    def heard(self, number: int, payload: bytes) -> None:
        """Record a message that came."""
        self._write(Kind.HEARD, number, payload)

    def said(self, number: int, payload: str | None) -> None:
        """Record a message that left; of a secret one, that there was one."""
        self._write(Kind.SAID, number, (payload or "").encode())

    def ended(self, number: int, why: str) -> None:
        """Record that a connection was given up."""
        self._write(Kind.ENDED, number, why.encode())
        self.flush()

    def flush(self) -> None:
        """Hand to the system what was recorded so far."""
        if self._file is not None and self.failed is None:
            try:
                self._file.flush()
            except OSError as error:
                self.failed = str(error)

    def close(self) -> None:
        """End the segment."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, kind: Kind, number: int, payload: bytes) -> None:
        if self.failed is not None:
            return
        try:
            if self._file is None or self._written >= self._segment_bytes:
                self._next_segment()
            assert self._file is not None
            head = _UNSUMMED.pack(self._now_ns(), kind, number, len(payload))
            check = crc32(payload, crc32(head))
            self._written += self._file.write(head + check.to_bytes(4, "little"))
            self._written += self._file.write(payload)
        except OSError as error:
            self.failed = str(error)

    def _next_segment(self) -> None:
        self.close()
        count = len(segments(self._folder))
        self._file = (self._folder / f"{count + 1:06}{SUFFIX}").open("xb")
        self._written = 0


def segments(folder: Path) -> list[Path]:
    """Return a recording's segments, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def records(folder: Path) -> Iterator[Record]:
    """Yield a recording's records in order; a torn end of a segment is passed over.

    Raises:
        RecordingDamaged: a whole record does not fit its checksum.
    """
    for path in segments(folder):
        with path.open("rb") as file:
            yield from _of_segment(path, file)


def _of_segment(path: Path, file: BinaryIO) -> Iterator[Record]:
    while True:
        place = file.tell()
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        at_ns, kind, number, size, check = _HEAD.unpack(head)
        payload = file.read(size)
        if len(payload) < size:
            return
        if crc32(payload, crc32(head[: _UNSUMMED.size])) != check:
            message = f"{path}: the record at byte {place} does not fit its checksum"
            raise RecordingDamaged(message)
        yield Record(at_ns=at_ns, kind=Kind(kind), number=number, payload=payload)
