"""Which engines run: each one's process and directory, in a small file of its own."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import click

from holdfast.results.runs import data_directory
from holdfast_adapters.files import written_whole
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError


@attrs.frozen
class Running:
    """An engine that runs."""

    pid: int
    directory: Path


@contextlib.contextmanager
def registered(directory: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Let others find the engine of this process, on ``directory``, during the block.

    Raises:
        InputError: the user's data directory cannot be written to.
    """
    folder = _folder(environ)
    path = folder / f"{os.getpid()}.json"
    text = json.dumps({"pid": os.getpid(), "directory": str(directory.absolute())})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(text + "\n")
    except OSError as error:
        came = error.strerror or str(error)
        raise InputError(str(folder), "a directory to write to", came) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def running(environ: Mapping[str, str]) -> list[Running]:
    """Return the engines of this user that run; what dead ones left is removed."""
    found = []
    for path in sorted(_folder(environ).glob("*.json")):
        each = _read(path)
        if each is not None and _is_alive(each):
            found.append(each)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return found


def the_running_one(environ: Mapping[str, str]) -> Path:
    """Return the directory of the only engine that runs.

    Raises:
        InputError: there is none, or there are several; they are listed.
    """
    every = running(environ)
    if len(every) == 1:
        return every[0].directory
    listed = ", ".join(f"{each.directory} (process {each.pid})" for each in every)
    raise InputError(
        "DIR",
        "one running engine",
        f"{len(every)}: {listed}" if every else "none",
        "name its state directory" if every else "start one with 'holdfast paper'",
    )


directory_argument = click.argument("directory", metavar="[DIR]", required=False)
"""The state directory of a running engine; without it, the only one that runs."""


def path_of(directory: str | None) -> Path:
    """Return the path that `directory_argument` names.

    Raises:
        InputError: it names none, and there is not exactly one engine that runs.
    """
    return the_running_one(os.environ) if directory is None else Path(directory)


def _folder(environ: Mapping[str, str]) -> Path:
    return data_directory(environ) / "running"


def _read(path: Path) -> Running | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Running(int(found["pid"]), Path(found["directory"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _is_alive(each: Running) -> bool:
    try:
        return StateDir.owner(each.directory) == each.pid
    except InputError:
        return False


def who(by: str | None) -> str:
    """Return who asks: as said, or by the name of the user."""
    if by is not None:
        check_text("--by", by)
        return by
    return os.environ.get("USER") or f"user {os.getuid()}"


def check_text(option: str, text: str) -> None:
    """Refuse a text that says nothing.

    Raises:
        InputError: it does.
    """
    if not text.strip():
        raise InputError(option, "a text that is not empty", repr(text), "say it")
