"""The options that say how a run deals with its venues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from holdfast.dealing import Dealing, read_dealing

F = TypeVar("F", bound=Callable[..., Any])

# All are texts: `read_dealing` converts them, and words its refusals itself.
_ALL = (
    click.option(
        "--command-timeout",
        default="30",
        show_default=True,
        metavar="SECONDS",
        help="How long a venue may take for a submit, a cancel or new terms.",
    ),
    click.option(
        "--query-timeout",
        default="10",
        show_default=True,
        metavar="SECONDS",
        help="How long it may take for everything else.",
    ),
    click.option(
        "--first-pause",
        default="1",
        show_default=True,
        metavar="SECONDS",
        help="Before a venue is asked or connected to again; then twice that, and on.",
    ),
    click.option(
        "--longest-pause",
        default="60",
        show_default=True,
        metavar="SECONDS",
        help="The pause that is not doubled any more.",
    ),
    click.option(
        "--call-after",
        default="120",
        show_default=True,
        metavar="SECONDS",
        help="When a person is called because of an order in doubt.",
    ),
    click.option(
        "--call-after-tries",
        default="10",
        show_default=True,
        metavar="N",
        help="Or after how many questions, whichever comes first.",
    ),
    click.option(
        "--poll-executions",
        metavar="SECONDS",
        help="How often the list of executions is asked for; else after connects.",
    ),
)


def dealing_options(command: F) -> F:
    """Add the options to ``command``, in this order."""
    for option in reversed(_ALL):
        command = option(command)
    return command


def dealing_of(given: Mapping[str, Any]) -> Dealing:
    """Return what the options say.

    Raises:
        InputError: in one line, what was expected, what came, where, what to do.
    """
    return read_dealing(
        command_timeout=given["command_timeout"],
        query_timeout=given["query_timeout"],
        first_pause=given["first_pause"],
        longest_pause=given["longest_pause"],
        call_after=given["call_after"],
        call_after_tries=given["call_after_tries"],
        poll_executions=given["poll_executions"],
    )
