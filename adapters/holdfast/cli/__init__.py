"""The command line ``holdfast``: `main` is its entry point.

Bottom up: `failing` (errors in one line), `lazy` (commands that are imported when they
are asked for), `output` (what is printed where), `render` (status and tree for people),
`running` (which engines run), `sharing` (the options of a run), `recording` (what a run
leaves behind), and a module for each command, which `commands` names.

Nothing heavy is imported here: ``holdfast --help`` must be quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from click.exceptions import Exit

from holdfast.cli.commands import holdfast
from holdfast.cli.failing import ending_well


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; errors are one line each.

    ``arguments`` are those of the process if they are not given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with ending_well() as outcome:
        outcome.status = _run(given or ["--help"])
        sys.stdout.flush()
    return outcome.status


def _run(given: list[str]) -> int:
    # Not by click's own `main`, which words some endings itself.
    try:
        with holdfast.make_context("holdfast", list(given), obj=tuple(given)) as ctx:
            status = holdfast.invoke(ctx)
    except Exit as ended:
        return ended.exit_code
    return status if isinstance(status, int) else 0
