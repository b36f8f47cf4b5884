"""Snapshots as files: JSON that a person can read, whole or not at all.

``snapshots/snapshot-SEQUENCE.json``: a head, the sections with one item on a line, and
the SHA-256 of everything above the last key. What does not fit it is passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import msgspec

from holdfast_adapters.files import sync_directory, written_whole
from holdfast_domain.errors import DomainError, InputError, SnapshotFailed
from holdfast_domain.snapshots import Snapshot

FORMAT = "holdfast snapshot"
VERSION = 1

Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""A pure function from a document of one version to one of the next."""

MIGRATIONS: Mapping[int, Migration] = {}
"""By the version that they read; each gives the version after it."""

KEPT = 5

_UNREADABLE = (
    msgspec.MsgspecError,
    KeyError,
    TypeError,
    UnicodeError,
    RecursionError,
)
_CHECKSUM = b'"checksum"'
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINES_DEEP = 3
"""Objects and arrays down to here have one item on a line."""


class NotASnapshot(DomainError):
    """A file that no state may be restored from; says why."""


def text_of(snapshot: Snapshot) -> str:
    """Return ``snapshot`` as the text of a file."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        **attrs.asdict(snapshot, recurse=False),
        "market_time": _moment(snapshot.market_time_us),
        "wall_time": _moment(snapshot.wall_time_us),
    }
    sections = head.pop("sections")
    parts = [f'"{key}": {_compact(value)}' for key, value in head.items()]
    parts.append('"sections": ' + "".join(_lines(sections, 1)))
    above = "{\n" + ",\n".join(parts) + ",\n"
    return f'{above}"checksum": "{_digest(above.encode())}"\n}}\n'


def read_snapshot(
    data: bytes,
    version: int = VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Snapshot:
    """Return the snapshot that `text_of` wrote, in this version or an older one.

    Raises:
        NotASnapshot: torn, edited, of a newer version, or not a snapshot at all.
    """
    above, _, _ = data.rpartition(_CHECKSUM)
    try:
        document = msgspec.json.decode(data)
        if document["format"] != FORMAT:
            message = f"expected a {FORMAT}, was a {document['format']}"
            raise NotASnapshot(message)
        if document["checksum"] != _digest(above):
            message = "its checksum does not fit: it is torn, or was edited"
            raise NotASnapshot(message)
        document = _migrated(document, version, migrations)
        names = [field.name for field in attrs.fields(Snapshot)]
        return msgspec.convert({name: document[name] for name in names}, Snapshot)
    except _UNREADABLE as error:
        message = f"not the text of a snapshot ({type(error).__name__}: {error})"
        raise NotASnapshot(message) from error


def _migrated(
    document: dict[str, Any], version: int, migrations: Mapping[int, Migration]
) -> dict[str, Any]:
    at = document["version"]
    if type(at) is not int or not 0 < at <= version:
        message = f"expected version {version} or older, was {at!r}"
        raise NotASnapshot(message)
    while at < version:
        document = migrations[at](document)
        at += 1
    return document


class SnapshotFiles:
    """A `SnapshotStore` of files in one directory."""

    def __init__(self, directory: Path, kept: int = KEPT) -> None:
        """Keep the newest ``kept`` in ``directory``, which is made when needed."""
        self._directory = directory
        self._kept = kept
        self.passed_over: dict[Path, str] = {}
        """Files that `newest_first` could not use, with the reason."""

    @property
    def paths(self) -> list[Path]:
        """Return the files, oldest first."""
        found = self._directory.glob("snapshot-*.json")
        return sorted(path for path in found if _is_ours(path))

    def save(self, snapshot: Snapshot) -> int:
        """Write ``snapshot``, durably; return the oldest kept snapshot's sequence.

        Blocks. Those beyond the number that is kept are removed.

        Raises:
            SnapshotFailed: it was not written; those before it are as they were.
        """
        target = self._directory / f"snapshot-{snapshot.sequence:012d}.json"
        try:
            if not self._directory.exists():
                self._directory.mkdir(mode=0o700)
                sync_directory(self._directory.parent)
            with written_whole(target) as file:
                file.write(text_of(snapshot))
            paths = self.paths
            for path in paths[: -self._kept]:
                path.unlink(missing_ok=True)
        except OSError as error:
            message = (
                f"{target}: expected to write a snapshot, got "
                f"{error.strerror or error}; check permissions and free space"
            )
            raise SnapshotFailed(message) from error
        return _sequence_of(paths[-self._kept :][0])

    def newest_first(self) -> Iterator[Snapshot]:
        """Yield those that can be read and are whole, the newest first.

        Others are passed over, and `passed_over` says why.
        """
        for path in reversed(self.paths):
            try:
                yield read_snapshot(path.read_bytes())
            except (NotASnapshot, OSError) as error:
                self.passed_over[path] = str(error)


def export_to(snapshot: Snapshot, target: Path) -> None:
    """Write ``snapshot`` to ``target``, whole or not at all, and durably.

    Raises:
        InputError: it cannot be written; ``target`` is what it was.
    """
    try:
        with written_whole(target) as file:
            file.write(text_of(snapshot))
    except OSError as error:
        came = error.strerror or str(error)
        raise InputError(
            str(target), "a file that can be written", came, "choose another place"
        ) from error


def _is_ours(path: Path) -> bool:
    """Tell whether it is no copy under another name, and no pipe."""
    return path.stem.removeprefix("snapshot-").isdecimal() and path.is_file()


def _sequence_of(path: Path) -> int:
    return int(path.stem.partition("-")[2])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _moment(time_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat()


def _compact(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _lines(value: object, depth: int) -> Iterator[str]:
    """Yield the text of ``value``, in parts: never all of a long list at once."""
    if depth > _LINES_DEEP or not isinstance(value, dict | list) or not value:
        yield _compact(value)
        return
    is_object = isinstance(value, dict)
    yield "{" if is_object else "["
    between = "\n"
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        yield f"{between}{' ' * depth}"
        if is_object:
            yield f"{_compact(key)}: "
        yield from _lines(each, depth + 1)
        between = ",\n"
    yield f"\n{' ' * (depth - 1)}{'}' if is_object else ']'}"
