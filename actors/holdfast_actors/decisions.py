"""The records that a vetted decision makes: pure."""

from __future__ import annotations

from holdfast_actors.messages import Change, Decision, Draft, Vetted
from holdfast_domain import events as ev
from holdfast_domain.money import Money


def decision_made(decision: Decision) -> ev.DecisionMade:
    """Return the record of ``decision``; those of its orders follow it."""
    return ev.DecisionMade(
        strategy=decision.strategy,
        number=decision.number,
        cursor=decision.cursor,
        applied=decision.applied,
        phase=decision.phase,
        orders=_ids_of(decision.drafts),
        cancels=decision.cancels,
        replaces=_ids_of(decision.changes) if decision.changes else (),
        state=decision.state,
    )


def _ids_of(asked: tuple[Draft, ...] | tuple[Change, ...]) -> tuple[str, ...]:
    if len(asked) == 1:  # the commonest, without a loop
        return (asked[0].order_id,)
    return tuple([each.order_id for each in asked])


def intended(
    vetted: Vetted, draft: Draft, index: int, reserved: Money, venue: str
) -> ev.OrderIntended:
    """Return the record of a draft that passed, the one at ``index``."""
    decision = vetted.decision
    return ev.OrderIntended(
        order_id=draft.order_id,
        strategy=decision.strategy,
        decision=decision.number,
        index=index,
        venue=venue,
        terms=draft.terms,
        reserved=reserved,
        valid_until_us=vetted.valid_until_us,
        leg=draft.leg,
    )


def refused(vetted: Vetted, draft: Draft, index: int, reason: str) -> ev.OrderRefused:
    """Return the record of a draft that did not pass, the one at ``index``."""
    decision = vetted.decision
    return ev.OrderRefused(
        order_id=draft.order_id,
        strategy=decision.strategy,
        decision=decision.number,
        index=index,
        terms=draft.terms,
        reason=reason,
    )
