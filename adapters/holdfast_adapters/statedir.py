"""The state directory: one engine's files, and the lock that keeps it to one process.

``journal.sqlite`` (its older records in ``archive``), ``snapshots``, ``tape.sqlite``
and ``instruments.json`` (of a live market), ``venue-NAME.sqlite``, ``control.sock``,
``HALT`` (a halt from outside), ``lock`` (the pid of its user), ``version`` (of this
layout), and ``paper`` (of a live run: directories like this one, of its twins).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from holdfast_adapters.files import written_whole
from holdfast_adapters.locks import holder, open_lock, pid_in, taken, write_in
from holdfast_domain.errors import InputError

VERSION = 1
"""The layout that this version reads and writes."""


@attrs.define(eq=False)
class StateDir:
    """The paths in a state directory; `open` gives one that no other process has."""

    path: Path
    _lock: int | None = attrs.field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path, pid: int) -> Self:
        """Take the directory for the process ``pid``, making it (0700) if need be.

        It is given back by `close`, at the end of a ``with`` block, or by the system
        when the process ends, however it ends.

        Raises:
            InputError: if it is in use (by which pid), not a directory, written by a
                newer version, or cannot be made or written.
        """
        with _said(path):
            if not path.exists():
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            cls.at(path)
            state = cls(path, _locked(path, pid))
            try:
                state._write_version()
            except BaseException:
                state.close()
                raise
        return state

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the existing directory to read in, without taking it.

        Raises:
            InputError: if there is none, or a newer version wrote it.
        """
        state = cls(path)
        with _said(path):
            if not path.is_dir():
                came = "a file" if path.exists() else "nothing there"
                raise InputError(
                    str(path), "a state directory", came, "give another path"
                )
            state._check_version()
        return state

    @staticmethod
    def owner(path: Path) -> int | None:
        """Return the pid of the live process that has the directory, if one has.

        Raises:
            InputError: if the lock cannot be read.
        """
        with _said(path), contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path / "lock", os.O_RDONLY)
            try:
                return holder(descriptor)
            finally:
                os.close(descriptor)
        return None

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / "journal.sqlite"

    @property
    def tape(self) -> Path:
        """The file of what a live feed saw."""
        return self.path / "tape.sqlite"

    @property
    def listing(self) -> Path:
        """What the venue said of the instruments, for a start without an answer."""
        return self.path / "instruments.json"

    @property
    def hours(self) -> Path:
        """When the venue's instruments trade, as far as it has told."""
        return self.path / "hours.json"

    @property
    def snapshots(self) -> Path:
        """The directory of the snapshots."""
        return self.path / "snapshots"

    @property
    def control_socket(self) -> Path:
        """Where a running engine listens."""
        return self.path / "control.sock"

    @property
    def halt(self) -> Path:
        """A file that halts the engine while it is there."""
        return self.path / "HALT"

    @property
    def version(self) -> Path:
        """Holds the version of the directory's layout."""
        return self.path / "version"

    def venue(self, name: str) -> Path:
        """Return the file of the venue ``name``, if that venue keeps one.

        Raises:
            InputError: if ``name`` cannot be a part of a file's name.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            expected = "a venue's name of letters, digits, '.', '_' and '-'"
            raise InputError(str(self.path), expected, repr(name), "rename the venue")
        return self.path / f"venue-{name}.sqlite"

    def venues(self) -> dict[str, Path]:
        """Return the files of all venues that keep one, by name."""
        files = sorted(self.path.glob("venue-*.sqlite"))
        return {file.stem.removeprefix("venue-"): file for file in files}

    def close(self) -> None:
        """Give the directory back; idempotent."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_version(self) -> None:
        try:
            text = self.version.read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return
        if not text.isdecimal() or not 0 < int(text) <= VERSION:
            raise InputError(
                str(self.version),
                f"version {VERSION}",
                text[:40] or "an empty file",
                "use the version of holdfast that wrote it, or another directory",
            )

    def _write_version(self) -> None:
        if not self.version.exists():
            with written_whole(self.version) as file:
                file.write(f"{VERSION}\n")


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say in one line what the system refused."""
    try:
        yield
    except OSError as error:
        raise InputError(
            str(path),
            "a state directory that can be read and written",
            error.strerror or str(error),
            "check permissions and free space, or give another path",
        ) from error


def _locked(path: Path, pid: int) -> int:
    """Return the descriptor that holds the lock of ``path`` for ``pid``."""
    descriptor = open_lock(path / "lock")
    try:
        if not taken(descriptor):
            raise _in_use(path, descriptor)
        write_in(descriptor, f"{pid}\n")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _in_use(path: Path, descriptor: int) -> InputError:
    pid = pid_in(descriptor)
    return InputError(
        str(path),
        "a state directory that no other process uses",
        f"one in use by process {'unknown' if pid is None else pid}",
        "ask it with 'holdfast status DIR', stop it, or give another directory",
    )
