"""The guard, called directly: changes, decisions in order, and the kill switch."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from holdfast_actors.messages import (
    CaughtUp,
    Change,
    Decision,
    Draft,
    Halt,
    Missed,
    Readmit,
    Readmitted,
    Report,
    Resume,
    Unchanged,
    Vetted,
)
from holdfast_actors.vetting import Judge, Limits
from holdfast_domain import events as ev
from holdfast_domain.money import Money
from holdfast_runtime import Poisoned

from .desk import T0_US, D, capital, filled, intended, terms
from .gate import Gate

SECOND_US = 1_000_000
HELD = (intended("h", terms(10)), filled("h", terms(10), 10, 100))


# --- changes ------------------------------------------------------------------


def change(wanted: object, order_id: str = "one-1") -> Change:
    return Change(order_id, wanted)  # type: ignore[arg-type]


def test_a_change_is_judged_without_what_the_order_has_reserved_already() -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(10, limit=90))

    (verdict,) = gate.decide(changes=[change(terms(10, limit=100))])

    assert verdict.reserved == Money(D(1_000), "USD")
    assert gate.free() == 0


def test_until_a_change_is_answered_the_larger_need_is_reserved() -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(10, limit=90))
    gate.decide(changes=[change(terms(2, limit=90))])
    assert gate.free() == 100

    requested = ev.ReplaceRequested(
        order_id="one-1",
        strategy="one",
        terms=terms(2, limit=90),
        reserved=Money(D(180), "USD"),
    )
    gate.commit(requested)
    assert gate.free() == 100
    gate.commit(
        ev.OrderReplaced(order_id="one-1", strategy="one", terms=terms(2, limit=90))
    )

    assert gate.free() == 820


@pytest.mark.parametrize("how", ["refused by the venue", "not passed on"])
def test_a_change_that_does_not_happen_gives_back_what_it_reserved(how: str) -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(5, limit=90))
    gate.decide(changes=[change(terms(10, limit=90))])
    assert gate.free() == 100

    if how == "not passed on":
        gate.guard.handle(Unchanged("one-1"))
    else:
        gate.commit(ev.ReplaceRefused(order_id="one-1", strategy="one", reason=""))

    assert gate.free() == 550
    assert gate.guard._reservations.pending_units("one", "SPY", terms(1).side) == 5


def test_a_change_of_a_sell_does_not_count_its_own_units_as_pending() -> None:
    gate = Gate(*HELD, cash=1_000)
    gate.decide(terms(-10, limit=110))

    (verdict,) = gate.decide(changes=[change(terms(-10, limit=111))])

    assert verdict.reserved == Money(D(0), "USD")


def test_a_second_change_waits_for_the_answer_to_the_first() -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(5, limit=90))
    gate.decide(changes=[change(terms(6, limit=90))])

    (verdict,) = gate.decide(changes=[change(terms(7, limit=90))])

    assert verdict.reason == "new terms are under way"


def test_a_change_of_what_is_not_open_is_refused() -> None:
    gate = Gate()

    (verdict,) = gate.decide(changes=[change(terms(1), "gone")])

    assert verdict.reason == "the order is not open"


# --- decisions come once, in their order --------------------------------------


def decision(number: int, *drafts: Draft) -> Decision:
    return Decision(
        strategy="one",
        number=number,
        cursor=0,
        time_us=T0_US,
        applied=0,
        phase="slice",
        drafts=drafts,
        cancels=(),
        changes=(),
        state="{}",
    )


def test_a_decision_is_vetted_once() -> None:
    gate = Gate()

    gate.guard.handle(decision(1))
    gate.guard.handle(decision(1))
    gate.build()
    gate.guard.handle(decision(1))

    # It was not journaled, so the second incarnation has not seen it.
    assert [each.decision.number for each in gate.orders.of(Vetted)] == [1, 1]


def test_a_decision_that_skips_one_is_not_vetted_and_the_missing_one_asked_for() -> (
    None
):
    gate = Gate()
    gate.guard.handle(decision(1))
    gate.orders.take()

    gate.guard.handle(decision(3))
    assert gate.orders.take() == [Missed("one")]
    for number in (2, 3):
        gate.guard.handle(decision(number))

    assert [each.decision.number for each in gate.orders.of(Vetted)] == [2, 3]


def test_a_new_guard_asks_for_what_an_incarnation_before_may_have_taken() -> None:
    gate = Gate()

    gate.guard.start()

    assert gate.orders.take() == [Missed()]


def test_a_guard_built_anew_judges_once_it_knows_what_the_one_before_had_passed() -> (
    None
):
    gate = Gate()
    gate.build(2)
    gate.guard.start()
    assert gate.orders.take() == [Missed(number=2)]

    # An intent of a sibling was on its way when the guard before died.
    gate.guard.handle(decision(1, Draft("one-1", terms(-1))))
    gate.commit(intended("two-1", terms(1, limit=100), strategy="two", decision=1))
    assert gate.orders.take() == []
    gate.guard.handle(CaughtUp(2))

    (vetted,) = gate.orders.of(Vetted)
    assert vetted.drafts[0].reason == "would trade with order two-1 of two"
    gate.guard.handle(decision(2))
    assert gate.orders.of(Vetted)[-1].decision.number == 2


def test_a_question_of_orders_waits_for_nothing_for_nobody_asks_it_again() -> None:
    gate = Gate()
    gate.build(2)

    gate.guard.handle(Readmit("gone", "one", terms(1), T0_US + 60 * SECOND_US))

    assert [each.order_id for each in gate.orders.of(Readmitted)] == ["gone"]


def test_a_decision_that_waited_and_cannot_be_judged_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    gate.build(2)
    gate.guard.handle(decision(1, Draft("one-1", terms(1))))

    def fails(*_: object) -> None:
        message = "it cannot be judged"
        raise ValueError(message)

    monkeypatch.setattr(Judge, "terms", fails)
    with pytest.raises(Poisoned, match="it cannot be judged") as raised:
        gate.guard.handle(CaughtUp(2))
    assert raised.value.origin == ("decision", "one", 1)


def test_what_a_guard_asked_of_orders_that_died_is_asked_again() -> None:
    gate = Gate()
    gate.build(3)
    gate.guard.handle(decision(1))

    gate.guard.handle(CaughtUp(2))  # the answer to a guard that died
    assert gate.orders.take() == []
    gate.guard.handle(CaughtUp())
    assert gate.orders.take() == [Missed(number=3)]
    gate.guard.handle(CaughtUp(3))

    assert [each.decision.number for each in gate.orders.of(Vetted)] == [1]
    gate.orders.take()
    gate.guard.handle(CaughtUp())
    assert gate.orders.take() == []


# --- the kill switch ----------------------------------------------------------


def test_a_halt_refuses_all_that_is_new_and_survives_a_rebuild() -> None:
    gate = Gate()
    gate.decide(terms(1, limit=90))

    gate.guard.handle(Halt("lunch", "ann"))
    assert gate.gate.halted
    for _ in range(2):
        assert gate.reason(terms(1)) == "halted: lunch"
        (verdict,) = gate.decide(changes=[change(terms(2, limit=90))])
        assert verdict.reason == "halted: lunch"
        gate.gate.halted = False
        gate.build()
        assert gate.gate.halted

    halts = [each for each in gate.journal if isinstance(each, ev.Halted)]
    assert halts == [ev.Halted(reason="lunch", by="ann", generation=1)]


def test_a_second_halt_says_nothing_new() -> None:
    gate = Gate()

    for _ in range(2):
        gate.guard.handle(Halt("lunch", "ann"))

    assert gate.gate.generation == 1
    assert len([each for each in gate.journal if isinstance(each, ev.Halted)]) == 1


def stands(gate: Gate) -> str:
    return "halted" if gate.gate.halted else "open"


def test_a_resume_opens_the_gate_when_it_is_durable() -> None:
    gate = Gate()
    gate.guard.handle(Halt("lunch", "ann"))

    gate.guard.handle(Resume("back", "ann"))
    assert stands(gate) == "halted"
    for effect in gate.effects:
        effect()
    assert stands(gate) == "open"
    assert gate.reason(terms(1)) == ""
    gate.build()

    assert stands(gate) == "open"
    # What was vetted before the halt stays stale for ever.
    assert gate.gate.generation == 1


def test_a_resume_without_a_halt_says_nothing() -> None:
    gate = Gate()

    gate.guard.handle(Resume("back", "ann"))

    assert not [each for each in gate.journal if isinstance(each, ev.Resumed)]


@pytest.mark.parametrize(
    ("halted", "valid_until_us", "reason"),
    [
        (False, T0_US, ""),
        (False, T0_US - 1, "its time to be sent has passed"),
        (True, T0_US, "halted: lunch"),
    ],
)
def test_an_order_proven_absent_is_readmitted_if_it_may_still_go_out(
    halted: bool, valid_until_us: int, reason: str
) -> None:
    gate = Gate()
    if halted:
        gate.guard.handle(Halt("lunch", "ann"))

    gate.guard.handle(Readmit("a", "one", terms(1), valid_until_us))

    generation = 1 if halted else 0
    assert gate.orders.take() == [Readmitted("a", reason, generation)]


def test_a_quarantined_strategy_is_stopped_until_it_is_released() -> None:
    gate = Gate()
    gate.commit(
        ev.Quarantined(
            subject="strategy/one", reader="path", origin="journal:7", error="boom"
        )
    )

    assert gate.reason(terms(1)) == "quarantined"
    assert gate.reason(terms(1), strategy="two") == ""
    gate.build()
    assert gate.reason(terms(1)) == "quarantined"
    assert gate.guard.handle(Report()) == {"strategy/one": "boom"}
    gate.commit(
        ev.QuarantineReleased(subject="strategy/one", origin="journal:7", by="ann")
    )

    assert gate.reason(terms(1)) == ""


def test_a_decision_carries_how_long_it_may_be_sent_and_the_halts_before_it() -> None:
    gate = Gate(limits=Limits(submit_valid_s=30))
    gate.gate.generation = 4

    gate.guard.handle(replace(decision(1), time_us=T0_US - SECOND_US))

    (vetted,) = gate.orders.of(Vetted)
    assert vetted.valid_until_us == T0_US + 29 * SECOND_US
    assert vetted.generation == 4


def test_capital_is_added_to_the_cash() -> None:
    gate = Gate(capital("one", 500), cash=1_000)

    assert gate.free() == 1_500
