"""The options of a command that runs a live engine: whether and how it is logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from holdfast.logs import FORMS, LEVELS, Logs

F = TypeVar("F", bound=Callable[..., Any])


def log_options(command: F) -> F:
    """Add ``--log`` and ``--log-level`` to a command."""
    level = click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        default="info",
        show_default=True,
        help="The least that is logged.",
    )
    form = click.option(
        "--log",
        type=click.Choice(FORMS),
        help="Log on standard error what happens to actors, and what strategies log.",
    )
    return form(level(command))


def logs_of(form: Any, level: Any) -> Logs | None:  # noqa: ANN401 - click has checked
    """Return how it is logged; None if not."""
    return None if form is None else Logs(form, level)
