"""What a run came to: its result, the report of it, and the record that is kept.

From the bottom up: `numbers` words figures, `books` gathers the journal, `curve` makes
the equity of it, `ratios` and `trades` sum it up, `measure` is the result, `summary`
shows it in a terminal; `thinning`, `charts`, `incidents`, `tables` and `tiles` make the
parts of the page that `report` writes; `runs` keeps the records of runs.
"""

from __future__ import annotations

from holdfast.results.measure import RunResult, measure
from holdfast.results.report import write_report
from holdfast.results.runs import (
    RunRecord,
    StrategyRun,
    data_directory,
    list_runs,
    save_run,
)
from holdfast.results.summary import summary

__all__ = [
    "RunRecord",
    "RunResult",
    "StrategyRun",
    "data_directory",
    "list_runs",
    "measure",
    "save_run",
    "summary",
    "write_report",
]
