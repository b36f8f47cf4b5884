"""How long a venue may take, and how often it is asked, as a user says it."""

from __future__ import annotations

import attrs

from holdfast.numbers import read_number
from holdfast_actors.connection import Deadlines
from holdfast_actors.resolver import Patience
from holdfast_domain.errors import InputError
from holdfast_domain.money import ZERO, Numeric


@attrs.frozen(kw_only=True)
class Dealing:
    """How a run deals with its venues; it may differ from start to start."""

    deadlines: Deadlines = attrs.field(factory=Deadlines)
    patience: Patience = attrs.field(factory=Patience)


def read_dealing(
    *,
    command_timeout: Numeric = 30,
    query_timeout: Numeric = 10,
    first_pause: Numeric = 1,
    longest_pause: Numeric = 60,
    call_after: Numeric = 120,
    call_after_tries: Numeric = 10,
    poll_executions: Numeric | None = None,
) -> Dealing:
    """Check how a run deals with its venues; all but the tries are seconds.

    Pauses are those between two questions about one order, and between two connections.
    Without ``poll_executions`` a venue is asked for executions after connects alone.

    Raises:
        InputError: in one line, what was expected, what came, where, what to do.
    """
    first_s = _seconds("first-pause", first_pause)
    limit_s = _seconds("longest-pause", longest_pause)
    if limit_s < first_s:
        expected = f"at least the first pause of {first_s:g} s"
        raise InputError("longest-pause", expected, f"{limit_s:g}", "give it as 60")
    tries = read_number(
        "call-after-tries", call_after_tries, "a whole number from 1", "give it as 10"
    )
    if tries < 1 or tries != int(tries):
        raise InputError(
            "call-after-tries",
            "a whole number from 1",
            str(call_after_tries),
            "give it as 10",
        )
    gap = poll_executions
    return Dealing(
        deadlines=Deadlines(
            command_s=_seconds("command-timeout", command_timeout),
            query_s=_seconds("query-timeout", query_timeout),
            first_pause_s=first_s,
            limit_pause_s=limit_s,
        ),
        patience=Patience(
            first_s=first_s,
            limit_s=limit_s,
            call_after_tries=int(tries),
            call_after_s=_seconds("call-after", call_after),
            gap_s=None if gap is None else _seconds("poll-executions", gap),
        ),
    )


def _seconds(where: str, value: Numeric) -> float:
    expected = "a positive number of seconds"
    return float(read_number(where, value, expected, "give it as 10", above=ZERO))
