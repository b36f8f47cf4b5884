"""Session tables as files: computed once, by a process of its own, then only read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from holdfast_adapters.calendars.names import calendar_names
from holdfast_adapters.calendars.sessions import TableCalendar
from holdfast_adapters.calendars.tables import FIRST_DAY, LAST_DAY, UNKNOWN
from holdfast_domain.errors import InputError

FORMAT = 1
"""Goes up when the files' content changes its meaning."""

COMPUTE_S = 300.0
"""How long the computation of one table may take, in seconds."""

_NAME_MAX = 40


def table_calendar(name: str, cache_dir: Path) -> TableCalendar:
    """Return the calendar ``name`` from ``cache_dir``, where it is computed if missing.

    Blocks for some seconds when it has to be computed, else for milliseconds.

    Raises:
        InputError: there is no such calendar, or its table cannot be kept.
    """
    if not 0 < len(name) <= _NAME_MAX or (
        calendar_names() and name not in calendar_names()
    ):
        raise _unknown(name)
    path = cache_dir / file_name(name)
    found = _read(name, path)
    if found is None:
        _compute(name, path)
        found = _read(name, path)
    if found is None:
        todo = "check the disk and the folder"
        raise InputError(str(path), "a table of sessions", "a damaged one", todo)
    return found


def file_name(name: str) -> str:
    """Return the name of a calendar's file: it changes with everything it rests on."""
    library = version("exchange_calendars")
    years = f"{FIRST_DAY[:4]}-{LAST_DAY[:4]}"
    return f"{quote(name, safe='')}-{library}-{years}-v{FORMAT}.json"


def _read(name: str, path: Path) -> TableCalendar | None:
    try:
        table = json.loads(path.read_bytes())
        calendar = TableCalendar(name, table["opens"], table["closes"])
        return calendar if calendar.first_us < calendar.last_us else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError):
        # Missing or torn: it can be had again, so nothing is lost by computing it.
        return None


def _compute(name: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".table-")
        os.close(handle)
    except OSError as error:
        todo = "choose another folder"
        where = str(path.parent)
        raise InputError(where, "a folder to write to", str(error), todo) from error
    try:
        _run(name, unfinished)
        Path(unfinished).replace(path)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _run(name: str, out: str) -> None:
    # -P: a file called calendar.py in the user's folder must not be imported.
    program = [sys.executable, "-P", "-m", "holdfast_adapters.calendars.tables"]
    try:
        done = subprocess.run(
            [*program, name, out],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(_import_path())},
            capture_output=True,
            text=True,
            timeout=COMPUTE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        where = f"calendar {name}"
        todo = "try again"
        raise InputError(where, "a table of sessions", str(error), todo) from error
    if done.returncode == UNKNOWN:
        raise _unknown(name)
    if done.returncode != 0:
        came = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        todo = "check the installation of exchange_calendars"
        raise InputError(f"calendar {name}", "a table of sessions", came, todo)


def _import_path() -> list[str]:
    """Return where this process imports from, absolute, without its own folder."""
    return [str(Path(entry).absolute()) for entry in sys.path if entry]


def _unknown(name: str) -> InputError:
    expected = "a name that exchange_calendars knows"
    todo = "write one such as XNYS, XNAS, XLON or 24/7"
    return InputError("calendar", expected, repr(name), todo)
