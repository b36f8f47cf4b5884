"""Run records: what was run, on what, and what came of it, one JSON file for each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import cattrs
import platformdirs

from holdfast_adapters.files import written_whole
from holdfast_domain.errors import InputError

VERSION = 1
"""The version of the files' layout; a reader leaves out what is newer."""

DIRECTORY_VARIABLE = "HOLDFAST_DATA_DIR"
"""The environment variable that names another data directory."""


@attrs.frozen(kw_only=True)
class StrategyRun:
    """One strategy as it was run."""

    name: str
    class_name: str
    digest: str
    """SHA-256 of its source file, as hex digits."""

    parameters: dict[str, Any] = attrs.field(factory=dict)
    """Plain JSON values by name."""


@attrs.frozen(kw_only=True)
class RunRecord:
    """One run, whole: enough to run it again and to compare with."""

    kind: str = attrs.field(validator=attrs.validators.in_(("backtest", "paper")))
    strategies: tuple[StrategyRun, ...]
    data_digest: str
    first_at: str
    """The end of the first bar; ISO 8601 with offset, like all moments here."""

    last_at: str
    options: dict[str, Any]
    """Plain JSON values by name."""

    result: dict[str, Any]
    """What `RunResult.to_json` returned."""

    started_at: str
    finished_at: str
    engine_version: str


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the user's data directory, or what `DIRECTORY_VARIABLE` names instead.

    It need not exist.
    """
    chosen = environ.get(DIRECTORY_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_data_dir("holdfast", appauthor=False))


def save_run(directory: Path, record: RunRecord) -> Path:
    """Write ``record`` to a file of its own in ``directory``/runs, durably; blocks.

    The file is there whole or not at all. Its name ends in a digest of what it says,
    so no other record is ever overwritten.

    Raises:
        InputError: the directory cannot be written to.
    """
    folder = _folder(directory)
    text = json.dumps(
        {"version": VERSION, **cattrs.unstructure(record)}, indent=2, allow_nan=False
    )
    path = folder / f"{_stem(record)}-{sha256(text.encode()).hexdigest()[:8]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(text + "\n")
    except OSError as error:
        came = error.strerror or str(error)
        todo = f"make it writable or set {DIRECTORY_VARIABLE}"
        where = str(folder)
        raise InputError(where, "a directory to write to", came, todo) from error
    return path


def list_runs(directory: Path) -> list[tuple[Path, RunRecord]]:
    """Return the records in ``directory``/runs, those that started first at the front.

    A file that is no record of this version is left out: one damaged file must not
    hide the others.
    """
    read = ((path, _read(path)) for path in _folder(directory).glob("*.json"))
    found = [(path, record) for path, record in read if record is not None]
    return sorted(found, key=lambda run: (run[1].started_at, run[0].name))


def _folder(directory: Path) -> Path:
    return directory / "runs"


def _stem(record: RunRecord) -> str:
    moment = re.sub(r"[^0-9TZ]", "", record.started_at.partition("+")[0])
    names = "-".join(each.name for each in record.strategies)
    plain = re.sub(r"[^A-Za-z0-9]+", "-", names).strip("-").lower()
    return f"{moment}-{record.kind}-{plain[:40] or 'run'}"


def _read(path: Path) -> RunRecord | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.pop("version", None) != VERSION:
            return None
        return cattrs.structure(found, RunRecord)
    except (OSError, ValueError, RecursionError, cattrs.BaseValidationError):
        return None
