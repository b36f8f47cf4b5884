"""Who is told of which record: the guard, of an intent that it does not have."""

from __future__ import annotations

from typing import Any

from holdfast_actors.readers import routes_to
from holdfast_domain import events as ev

from .desk import Inbox, filled, intended, terms
from .gate import Gate


def told_of(gate: Gate, event: ev.Event) -> list[Any]:
    """Return who of ledger, guard and strategy is told of ``event``, by name."""
    names = {"ledger": Inbox(), "guard": Inbox(), "one": Inbox()}
    routes = routes_to(
        ledger=names["ledger"].ref,
        guard=names["guard"].ref,
        strategies={"one": names["one"].ref},
        passed=gate.passed,
    )
    found = routes(event)
    return [name for name, inbox in names.items() if inbox.ref in found]


def test_a_guard_is_not_told_of_an_intent_that_it_has_passed_itself() -> None:
    gate = Gate()
    gate.decide(terms(1))

    assert told_of(gate, intended("one-1", terms(1), decision=1)) == []
    assert told_of(gate, filled("one-1", terms(1), 1, 100)) == [
        "ledger",
        "guard",
        "one",
    ]


def test_a_guard_built_anew_is_told_of_what_was_not_durable_by_then() -> None:
    gate = Gate()
    gate.decide(terms(1))
    before = gate.free()
    # The second decision had passed the guard before, and was on its way at its death.
    gate.build()
    second = intended("one-2", terms(1), decision=2, reserved=100)

    assert told_of(gate, intended("one-1", terms(1), decision=1)) == []
    assert told_of(gate, second) == ["guard"]

    gate.commit(second)

    assert gate.free() == before - 100
    assert told_of(gate, second) == []
