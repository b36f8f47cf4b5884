"""Files that are there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def sync_file(path: Path) -> None:
    """Return when the contents of ``path`` are on the disk; blocks."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Return when the names in the directory ``path`` are on the disk; blocks."""
    sync_file(path)  # a directory is opened and synced like a file


def put_in_place(made: Path, target: Path) -> None:
    """Give the finished file ``made`` the name ``target``, durably; blocks.

    Both are in one directory. At any moment ``target`` is the old file or the new one.
    """
    sync_file(made)
    made.replace(target)
    sync_directory(target.parent)


@contextlib.contextmanager
def written_whole(target: Path) -> Iterator[TextIO]:
    """Give a text file (UTF-8) that becomes ``target`` at the end of the block.

    If the block raises, ``target`` stays what it was. What is no file, such as a pipe
    or a device, is written to as it stands: a file in its place would be another thing.
    """
    if target.exists() and not (target.is_file() or target.is_dir()):
        with target.open("w", encoding="utf-8") as file:
            yield file
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        put_in_place(made, target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
