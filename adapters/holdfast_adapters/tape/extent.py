"""What is on a tape, looked at without a trace; see `holdfast recover`."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

import attrs

from holdfast_adapters.tape.store import TapeDamaged, read_steps, whole_step
from holdfast_domain.growing import Seen


@attrs.frozen
class Extent:
    """From where to where a tape goes; times are of the market, in µs UTC."""

    steps: int
    history: int
    """Steps from before the first start; no strategy is called for them."""

    first_us: int
    last_us: int
    whole_from: int
    """The step from which on trades and quotes are there."""

    whole_from_us: int


def extent_of(path: Path, *, is_open: bool) -> Extent | None:
    """Return the extent of the tape at ``path``; None where nothing is on it.

    Where no engine has it open, nothing is changed beside it: after a death it is a
    copy that is read, for what was written last is not in the file itself then.

    Raises:
        TapeDamaged: it cannot be read.
    """
    if not path.exists():
        return None
    log = path.with_name(f"{path.name}-wal")
    if is_open or not (log.exists() and log.stat().st_size):
        return _read(path, "mode=ro" if is_open else "mode=ro&immutable=1")
    with tempfile.TemporaryDirectory(prefix="holdfast-tape-") as folder:
        for each in (path, log):
            shutil.copyfile(each, Path(folder) / each.name)
        return _read(Path(folder) / path.name, "mode=rw")


def _read(path: Path, how: str) -> Extent | None:
    address = f"{path.absolute().as_uri()}?{how}"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as db:
            return _extent(db, path)
    except sqlite3.Error as error:
        message = f"{path}: {error}"
        raise TapeDamaged(message) from error


def _extent(db: sqlite3.Connection, path: Path) -> Extent | None:
    (count,) = db.execute("SELECT COUNT(*) FROM steps").fetchone()
    if not count:
        return None

    def at(step: int) -> Seen:
        return next(read_steps(db, path, step, 1))

    whole, history = whole_step(db), 0
    for step in read_steps(db, path, 0, count):
        if step.fetched != "before":
            break
        history += 1
    return Extent(
        steps=count,
        history=history,
        first_us=at(0).time_us,
        last_us=at(count - 1).time_us,
        whole_from=whole,
        whole_from_us=at(min(whole, count - 1)).time_us,
    )
