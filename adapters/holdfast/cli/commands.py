"""The commands of ``holdfast``, each where it is."""

from __future__ import annotations

import click

from holdfast.cli.lazy import Later, LazyGroup

_LATER = {
    "backtest": Later(
        "holdfast.cli.backtest", "backtest", "Run strategies over recorded data, fast."
    ),
    "paper": Later(
        "holdfast.cli.paper", "paper", "Run strategies live, on a replay of the data."
    ),
    "run": Later(
        "holdfast.cli.run", "run", "Trade a live market, as a YAML file says."
    ),
    "replay": Later(
        "holdfast.cli.replay", "replay", "Run a live run again, from its tape."
    ),
    "doctor": Later(
        "holdfast.cli.doctor", "doctor", "Check what a run would need, and do nothing."
    ),
    "venue": Later("holdfast.cli.venue", "venue", "Run a venue in a process apart."),
    "status": Later("holdfast.cli.console", "status", "Show a running engine."),
    "top": Later("holdfast.cli.top", "top", "Watch the actors of a running engine."),
    "halt": Later("holdfast.cli.console", "halt", "Stop orders, not the engine."),
    "resume": Later("holdfast.cli.console", "resume", "Lift a halt."),
    "orders": Later(
        "holdfast.cli.orders", "orders", "Show orders, and resolve one in doubt."
    ),
    "reconcile": Later(
        "holdfast.cli.reconcile", "reconcile", "Compare the books with the venue, now."
    ),
    "journal": Later(
        "holdfast.cli.journal",
        "journal",
        "Check, read and repair the journal of a run.",
    ),
    "ledger": Later(
        "holdfast.cli.ledger", "ledger", "Show the books, now or as of a record."
    ),
    "recover": Later(
        "holdfast.cli.recover", "recover", "Show what a start would do, and do nothing."
    ),
    "state": Later("holdfast.cli.state", "state", "Show, export and import snapshots."),
    "audit": Later(
        "holdfast.cli.audit",
        "audit",
        "Compare a run's journal with its venue's record.",
    ),
    "sim": Later(
        "holdfast.cli.sim", "sim", "Play seeded histories against a hostile venue."
    ),
    "demo": Later(
        "holdfast.demo", "demo_command", "Watch an engine being broken, and healing."
    ),
}


@click.group(
    cls=LazyGroup,
    later=_LATER,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'holdfast COMMAND --help' shows each with an example.",
)
@click.version_option(package_name="holdfast", message="holdfast %(version)s")
def holdfast() -> None:
    """Trade live, on paper or over recorded data, under a tree of supervisors.

    Example: holdfast backtest sma_cross.py --data prices/ --capital 100000
    """
