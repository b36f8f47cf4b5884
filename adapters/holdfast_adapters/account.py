"""The lock of an account at a venue: one engine trades it, whatever its directory.

The file holds the pid and the epoch of the engine that trades. The epoch only grows: it
is in every client order id, so what an engine that was replaced still sends is known.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import attrs

from holdfast_adapters.files import sync_directory
from holdfast_adapters.locks import open_lock, pid_in, taken, write_in
from holdfast_domain.errors import InputError


@attrs.define(eq=False)
class AccountLock:
    """The right to trade an account, for as long as nobody has taken it over."""

    path: Path
    epoch: int
    """Above all that traded the account before."""

    _descriptor: int | None = attrs.field(repr=False)

    @classmethod
    def take(
        cls, path: Path, pid: int, *, above: int = 0, take_over: bool = False
    ) -> Self:
        """Take the account whose lock is at ``path``, for the process ``pid``; blocks.

        Its epoch is above that of the last engine, and above ``above``. With
        ``take_over`` an engine that has it loses it: it sees so by `is_ours`, and the
        venue by the epoch.

        Raises:
            InputError: another process has it (which), or the file cannot be written.
        """
        try:
            return cls._take(path, pid, above, take_over=take_over)
        except OSError as error:
            came = error.strerror or str(error)
            expected = "the lock of an account, to be written"
            raise InputError(str(path), expected, came, "check permissions") from error

    @classmethod
    def _take(cls, path: Path, pid: int, above: int, *, take_over: bool) -> Self:
        while True:
            descriptor = open_lock(path)
            try:
                is_free = taken(descriptor)
                if not is_free and not take_over:
                    raise _traded(path, descriptor)
                if is_free and not _is_at(path, descriptor):
                    continue  # it was taken over, and given back, meanwhile
                epoch = 1 + max(above, _epoch_in(descriptor))
                line = f"{pid} {epoch}\n"
                if is_free:
                    kept = os.dup(descriptor)
                    write_in(kept, line)
                else:
                    kept = _made(path, line)
            finally:
                os.close(descriptor)
            sync_directory(path.parent)
            return cls(path, epoch, kept)

    def is_ours(self) -> bool:
        """Tell whether nobody has taken the account over, or removed its lock."""
        return self._descriptor is not None and _is_at(self.path, self._descriptor)

    def close(self) -> None:
        """Give the account back; idempotent. Its epoch stays in the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _made(path: Path, line: str) -> int:
    """Put a new file, locked by us, in the place of the one that another has locked.

    It holds ``line`` before it is there: whoever dies here must not leave a file that
    knows no epoch, for at a real venue no other record does.
    """
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    descriptor = open_lock(made)
    # Locked before it has its name: nobody can come between.
    taken(descriptor)
    write_in(descriptor, line)
    made.replace(path)
    return descriptor


def _epoch_in(descriptor: int) -> int:
    words = os.pread(descriptor, 64, 0).split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _traded(path: Path, descriptor: int) -> InputError:
    pid = pid_in(descriptor)
    return InputError(
        str(path),
        "an account that no other engine trades",
        f"one traded by process {'unknown' if pid is None else pid}",
        "stop that engine; or start with --take-over, which fences it off",
    )
