"""`holdfast demo`: a live engine on paper that is hurt on purpose, and goes on.

Bottom up: `samples` (what it runs), `engine` (the process), `child` (its parent's
view), `plot` (what is done to it), `screen`, `director`, `ending`, `stage` (all of
them together).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

__all__ = ["demo_command"]


@click.command("demo")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="State directory; must be new. Default: a fresh one in the data directory.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=25e6,
    show_default=True,
    help="How many times faster than it happened.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Where the HTML report goes. Default: the state directory.",
)
@click.option("--plain", is_flag=True, help="Lines instead of a live display.")
@click.option(
    "--log",
    type=click.Choice(["json", "console"]),
    default="json",
    show_default=True,
    help="How its engine logs, in engine.log in the state directory.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least that is logged.",
)
@click.option("--backoff", type=float, default=0.4, hidden=True)
@click.option("--limit", "limit_s", type=float, default=120.0, hidden=True)
@click.pass_context
def demo_command(
    context: click.Context,
    *,
    state: Path | None,
    speed: float,
    report: Path | None,
    plain: bool,
    log: Literal["json", "console"],
    log_level: Literal["debug", "info", "warning", "error"],
    backoff: float,
    limit_s: float,
) -> None:
    """Trade fourteen years of real prices on paper while parts of it are crashed.

    Crashes the feed, a strategy and the venue session, kills the whole process once
    with SIGKILL, and ends with the auditor's verdict. The exit status is 0 only if
    the auditor found nothing and the result equals an undisturbed backtest.
    """
    # What a run needs takes a moment to import; `holdfast --help` does without it.
    from holdfast.demo.stage import perform  # noqa: PLC0415
    from holdfast.logs import Logs  # noqa: PLC0415

    context.exit(
        perform(
            state=state,
            speed=speed,
            report=report,
            plain=plain,
            backoff_s=backoff,
            limit_s=limit_s,
            logs=Logs(log, log_level),
        )
    )
