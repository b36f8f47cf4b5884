"""``holdfast replay``: a live run once more, from its tape."""

from __future__ import annotations

import os
from pathlib import Path

import click

from holdfast.backtest import finish
from holdfast.cli.failing import FAILED, say
from holdfast.cli.output import Meter, kept_for_json, show, show_json, show_line
from holdfast.configuration import read_config
from holdfast.results.summary import summary
from holdfast.taped import play_tape
from holdfast_adapters.statedir import StateDir


@click.command(epilog="Example: holdfast replay examples/binance_paper.yaml")
@click.argument("file", metavar="CONFIG.yaml")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def replay(file: str, *, as_json: bool) -> int:
    """Run the strategies of CONFIG.yaml on the tape that 'holdfast run' left.

    It is a backtest of what the run saw, orders filled on paper. With 'mode: paper' its
    records must be the journal's; the exit status is 1 if one is not. Change a
    strategy or its parameters, and see what it would have done.

    Nothing in the state directory is changed; no engine may be running on it.
    """
    path = Path(file)
    config = read_config(path)
    StateDir.at(config.engine.state)  # to open it would make it
    with (
        StateDir.open(config.engine.state, os.getpid()) as directory,
        kept_for_json(as_json),
        Meter("replay") as meter,
    ):
        progress = meter.at if meter.is_shown else None
        taped = play_tape(config, path, directory, progress)
        result = finish(taped.options, taped.run)
    found = taped.likeness
    if as_json:
        said = {
            "same": found.same,
            "unlike": found.unlike,
            "uncompared": found.uncompared,
        }
        show_json({**result.to_json(), "journal": said})
    else:
        show(summary(result))
        if found.uncompared:
            show_line(f"not compared with the journal: {found.uncompared}")
        else:
            show_line(f"the same as in the journal: {found.same} records")
    if found.unlike:
        say(found.unlike)
        return FAILED
    return 0
