"""How long a venue may take is said by a user, checked, and handed on."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import InputError, Strategy
from holdfast.clocks import FixedClock
from holdfast.compose import World, make_parts
from holdfast.dealing import Dealing, read_dealing
from holdfast.options import read_options
from holdfast.testing import flat, market
from holdfast_actors.connection import Deadlines
from holdfast_actors.resolver import Patience
from holdfast_adapters.journal.memory import MemoryJournal

SAID: dict[str, Any] = {
    "command_timeout": "5",
    "query_timeout": 2.5,
    "first_pause": "0.5",
    "longest_pause": "20",
    "call_after": "90",
    "call_after_tries": "4",
    "poll_executions": "15",
}
MEANT = Dealing(
    deadlines=Deadlines(
        command_s=5.0, query_s=2.5, first_pause_s=0.5, limit_pause_s=20.0
    ),
    patience=Patience(
        first_s=0.5, limit_s=20.0, call_after_tries=4, call_after_s=90.0, gap_s=15.0
    ),
)


class Quiet(Strategy):
    def initialize(self, context: object) -> None: ...

    def handle_data(self, context: object, data: object) -> None: ...


def test_what_is_said_is_what_is_meant() -> None:
    assert read_dealing(**SAID) == MEANT


def test_what_is_not_said_are_the_defaults() -> None:
    assert read_dealing() == Dealing()
    assert read_options(Quiet, data=market(AAA=flat(1, 2))).dealing == Dealing()


def test_a_run_is_made_of_it_and_is_no_other_run_by_it() -> None:
    data = market(AAA=flat(1, 2))
    options = read_options(Quiet, data=data, dealing=MEANT)
    world = World(
        store=MemoryJournal(),
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=1,
        finished=lambda: None,
        mode="backtest",
    )

    parts = make_parts(options, world)

    assert (parts.deadlines, parts.patience) == (MEANT.deadlines, MEANT.patience)
    assert options.identity() == read_options(Quiet, data=data).identity()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"command_timeout": "0"}, "command-timeout: expected a positive number"),
        ({"query_timeout": "-1"}, "query-timeout: expected a positive number"),
        ({"first_pause": "soon"}, "first-pause: expected a positive number"),
        ({"first_pause": "61"}, "longest-pause: expected at least the first pause"),
        ({"call_after": "nan"}, "call-after: expected a positive number"),
        ({"call_after_tries": "1.5"}, "call-after-tries: expected a whole number"),
        ({"call_after_tries": "0"}, "call-after-tries: expected a whole number"),
        ({"poll_executions": "0"}, "poll-executions: expected a positive number"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_dealing(**wrong)

    assert str(refused.value).startswith(words)
    assert "\n" not in str(refused.value)
