"""What a run leaves behind: its record, and its report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from holdfast.cli.failing import say
from holdfast.options import RunOptions
from holdfast.results.measure import RunResult
from holdfast.results.report import write_report
from holdfast.results.runs import (
    DIRECTORY_VARIABLE,
    RunRecord,
    StrategyRun,
    data_directory,
    save_run,
)
from holdfast_adapters.data import load_instruments
from holdfast_domain.errors import InputError
from holdfast_domain.events import Entry
from holdfast_domain.marketdata import utc_from_us

_KEPT = (
    "data",
    "capital",
    "start",
    "end",
    "tz",
    "commission",
    "slippage_bps",
    "fill",
    "fractional",
    "instruments",
)
_INSTALL = "install it with: pip install 'holdfast[report]'"


@attrs.frozen(kw_only=True)
class Finished:
    """A run that came to its end."""

    kind: str
    options: RunOptions
    given: Mapping[str, Any]
    """The options of the command line."""

    result: RunResult
    entries: Iterable[Entry]
    started_at: datetime
    finished_at: datetime


@attrs.frozen
class Keeping:
    """Where a run's record and report go; made, and so checked, before it begins."""

    directory: Path
    report: Path | None
    """Where the report was asked for."""

    wants_report: bool

    @classmethod
    def of(cls, given: Mapping[str, Any], environ: Mapping[str, str]) -> Keeping:
        """Check the places that the command line names.

        Raises:
            InputError: one of them cannot be written to, or plotly is not installed.
        """
        report = Path(given["report"]) if given["report"] is not None else None
        directory = data_directory(environ)
        todo = f"make it writable or set {DIRECTORY_VARIABLE}"
        _check_writable(directory / "runs", todo)
        if report is not None:
            if find_spec("plotly") is None:
                raise InputError("--report", "plotly", "no such package", _INSTALL)
            folder = report.parent if report.suffix == ".html" else report
            _check_writable(folder, "name another place for the report")
        return cls(directory, report, report is not None or not given["as_json"])

    def keep(self, run: Finished) -> Path | None:
        """Save the record of ``run``, and its report, whose path is returned.

        Raises:
            InputError: one of them cannot be written.
        """
        record = save_run(self.directory, _record(run))
        if not self.wants_report:
            return None
        if self.report is None and find_spec("plotly") is None:
            say(f"no report: expected plotly, got no such package; {_INSTALL}")
            return None
        return write_report(
            run.result,
            run.entries,
            run.options.data,
            self.report or record.with_suffix(".html"),
            title=" and ".join(run.options.names),
            details=_details(run),
        )


def _check_writable(folder: Path, todo: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        came = error.strerror or str(error)
        raise InputError(str(folder), "a directory to write to", came, todo) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            str(folder), "a directory to write to", "Permission denied", todo
        )


def _record(run: Finished) -> RunRecord:
    result = run.result.to_json()
    if run.kind == "paper":
        # The same run leaves the same record, however often its end is printed.
        result = _without_pace(run.result).to_json()
    times_us = run.options.data.times_us
    return RunRecord(
        kind=run.kind,
        strategies=tuple(_strategies(run.options)),
        data_digest=run.options.data.digest,
        first_at=utc_from_us(int(times_us[0])).isoformat(),
        last_at=utc_from_us(int(times_us[-1])).isoformat(),
        options={name: run.given[name] for name in _KEPT},
        result=result,
        started_at=run.started_at.isoformat(),
        finished_at=run.finished_at.isoformat(),
        engine_version=version("holdfast"),
    )


def _without_pace(result: RunResult) -> RunResult:
    parts = {name: _without_pace(each) for name, each in result.strategies.items()}
    return attrs.evolve(result, bars_per_s=None, strategies=parts)


def _strategies(options: RunOptions) -> Iterable[StrategyRun]:
    for name, loaded, params in zip(
        options.names, options.strategies, options.params, strict=True
    ):
        yield StrategyRun(
            name=name,
            class_name=loaded.strategy.__name__,
            digest=loaded.digest,
            parameters={each: _plain(value) for each, value in params.items()},
        )


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if isinstance(value, float) else str(value)


def _details(run: Finished) -> dict[str, str]:
    """Return what the report says of how it was run."""
    given = {
        "Run": run.kind,
        "Strategies": ", ".join(each.source for each in run.options.strategies),
        "Data": str(run.given["data"]),
        "Capital": str(run.options.capital),
        "Commission": str(run.options.model.commission),
        "Slippage (bps)": str(run.options.model.slippage_bps),
        "Fills": run.options.model.fill.value,
        "Engine": version("holdfast"),
    }
    params = {
        f"{name}.{key}": str(value)
        for name, values in zip(run.options.names, run.options.params, strict=True)
        for key, value in values.items()
    }
    return {**given, **params}


def multipliers_of(path: str | None) -> dict[str, Decimal]:
    """Return the multipliers of the instruments in the file ``path``, if there is one.

    Raises:
        InputError: it is no file of instruments.
    """
    if path is None:
        return {}
    found = load_instruments(Path(path))
    return {symbol: each.multiplier for symbol, each in found.items()}
