"""``holdfast backtest``: strategies over recorded data, in virtual time."""

from __future__ import annotations

import os
from typing import Any

import click

from holdfast.backtest import finish, simulate
from holdfast.cli.output import Meter, kept_for_json, show, show_json, show_line
from holdfast.cli.recording import Finished, Keeping
from holdfast.cli.sharing import options_of, run_options
from holdfast.clocks import SystemClock
from holdfast.results.summary import summary


@click.command(
    epilog="Example: holdfast backtest sma_cross.py --data prices/ --param fast=20"
)
@run_options
def backtest(files: tuple[str, ...], **given: Any) -> int:  # noqa: ANN401
    """Run strategies over recorded data, as fast as it goes.

    Prints what the run came to, writes an HTML report of it, and keeps a record of it
    in the user's data directory. With --json there is a report only if --report says
    where.
    """
    clock = SystemClock()
    started_at = clock.now()
    with kept_for_json(given["as_json"]):
        options = options_of(files, given)
        keeping = Keeping.of(given, os.environ)
        with Meter("backtest") as meter:
            run = simulate(options, progress=meter.at if meter.is_shown else None)
        result = finish(options, run)
    if given["as_json"]:
        show_json(result.to_json())
    else:
        show(summary(result))
    report = keeping.keep(
        Finished(
            kind="backtest",
            options=options,
            given=given,
            result=result,
            entries=run.entries,
            started_at=started_at,
            finished_at=clock.now(),
        )
    )
    if report is not None and not given["as_json"]:
        show_line(f"report: {report}")
    return 0
