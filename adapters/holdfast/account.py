"""The right to trade at a venue: one engine for each account, and the newest epoch."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import attrs

from holdfast.options import Market
from holdfast.venues import remote_venue
from holdfast_adapters.account import AccountLock
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.paper.store import fence_of
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import Fenced, InputError


@attrs.frozen
class Elsewhere:
    """Venues in other processes."""

    sockets: Mapping[str, Path]
    """By venue, where it listens; the lock of its account lies beside it."""

    take_over: bool = False
    """Whether an engine that trades there is fenced off."""

    @property
    def locks(self) -> list[Path]:
        """Where the locks of the accounts are."""
        return [lock_of(socket) for _, socket in sorted(self.sockets.items())]


@attrs.frozen
class AtVenue:
    """An account at a real venue, which knows nothing of our epochs."""

    lock: Path
    """Of the account, whatever the state directory: see `lock_at`."""

    take_over: bool = False
    """Whether an engine that trades it is fenced off."""

    @property
    def locks(self) -> list[Path]:
        """The same, as a list."""
        return [self.lock]


@attrs.frozen
class Account:
    """What a start was given; its epoch is above ``epoch_floor``."""

    epoch_floor: int
    sockets: Mapping[str, Path] = attrs.field(factory=dict)
    """Of the venues in other processes."""

    fence: Callable[[], str] = str
    """Why this engine may not send any more; empty while it may."""


@asynccontextmanager
async def account_of(
    elsewhere: Elsewhere | AtVenue | None,
    market: Market,
    directory: StateDir,
    store: SqliteJournal,
) -> AsyncIterator[Account]:
    """Give the right to trade for as long as the block lasts.

    A venue in this process has its file in the state directory, whose lock is the
    account's too, and the file knows the highest epoch. A venue in another process has
    a lock beside its socket, and is asked whether it is there. That of a real account
    lies in the user's data directory, and the engine is all that looks at it.

    Raises:
        InputError: another engine trades there, or nobody answers.
    """
    fences = [fence_of(path) for path in directory.venues().values()]
    floor = max(store.epoch_floor, last_epoch(store), *fences, 0)
    if elsewhere is None:
        yield Account(floor)
        return
    locks = _locked(elsewhere, floor)
    try:
        if isinstance(elsewhere, AtVenue):
            yield Account(_epoch(locks) - 1, fence=_fence(locks))
            return
        try:
            await _greet(elsewhere, market, store, _epoch(locks))
        except Fenced as error:
            # A lock was removed, or is another one: the venue knows better.
            if not elsewhere.take_over:
                todo = "if no other engine trades there, start with --take-over"
                came = str(error)
                expected = "an account that no other engine trades"
                where = ", ".join(map(str, elsewhere.sockets.values()))
                raise InputError(where, expected, came, todo) from error
            _close(locks)
            locks = _locked(elsewhere, error.epoch)
            await _greet(elsewhere, market, store, _epoch(locks))
        yield Account(_epoch(locks) - 1, elsewhere.sockets, _fence(locks))
    finally:
        _close(locks)


def _fence(locks: Sequence[AccountLock]) -> Callable[[], str]:
    def lost() -> str:
        gone = (lock.path for lock in locks if not lock.is_ours())
        return next((f"{path} is another engine's now" for path in gone), "")

    return lost


def last_epoch(store: SqliteJournal) -> int:
    """Return the epoch of the last record; 0 without one."""
    last = next(iter(store.read(max(0, store.last_sequence - 1))), None)
    return 0 if last is None else last.epoch


def lock_of(socket: Path) -> Path:
    """Return where the lock of the account is at the venue that listens there."""
    return socket.with_name(f"{socket.name}.lock")


def lock_at(
    directory: Path, adapter: str, address: str, key: str, *, testnet: bool
) -> Path:
    """Return where the lock of a real account is, in the user's data ``directory``.

    It is made if need be. An account is told by the key that trades it; the name of
    the file gives the key to nobody.

    Raises:
        InputError: the directory cannot be written to.
    """
    folder = directory / "accounts"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        came = error.strerror or str(error)
        raise InputError(str(folder), "a directory to write to", came) from error
    words = "\n".join((adapter, address or f"testnet={testnet}", key))
    return folder / f"{adapter}-{sha256(words.encode()).hexdigest()[:16]}.lock"


def _locked(elsewhere: Elsewhere | AtVenue, above: int) -> list[AccountLock]:
    """Take all locks, each with an epoch above ``above`` and those before it."""
    locks: list[AccountLock] = []
    try:
        for path in elsewhere.locks:
            take_over = elsewhere.take_over
            lock = AccountLock.take(path, os.getpid(), above=above, take_over=take_over)
            locks.append(lock)
            above = lock.epoch
    except BaseException:
        _close(locks)
        raise
    return locks


def _epoch(locks: Sequence[AccountLock]) -> int:
    return max(lock.epoch for lock in locks)


def _close(locks: Iterable[AccountLock]) -> None:
    for lock in locks:
        lock.close()


async def _greet(
    elsewhere: Elsewhere, market: Market, store: SqliteJournal, epoch: int
) -> None:
    for name, socket in elsewhere.sockets.items():
        venue = remote_venue(name, market, socket, store.engine, epoch)()
        try:
            await venue.connect()
        except ConnectionError as error:
            raise InputError(
                str(socket),
                f"the venue {name}, to listen there",
                str(error),
                "start it with 'holdfast venue paper'",
            ) from error
        finally:
            await venue.close()
