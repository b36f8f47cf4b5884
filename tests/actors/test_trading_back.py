"""`sync_to_local` to its end: the venue is brought to the books, once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.runtime.worlds import on_each_engine

from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.reconciliation.plan import Policies, ReconcilePlan
from holdfast_adapters.matching import FillAt, FillModel
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState
from holdfast_domain.reconciliation import Policy, Reconciled, ReconcilePolicySet

from .reconciling import Account, everywhere

D = Decimal


def account() -> Account:
    """Return an account whose venue fills at once, at the last close."""
    return Account(
        plan=ReconcilePlan(policies=everywhere(Policy.SYNC_TO_LOCAL)),
        model=FillModel(fill=FillAt.THIS_CLOSE),
    )


def at_the_venue(account: Account) -> Decimal:
    positions = account.venue.elsewhere.positions().positions
    return sum((each.quantity for each in positions), D(0))


@on_each_engine
@pytest.mark.parametrize("units", [D(-4), D(4)])
def test_the_order_of_the_house_is_filled_and_both_sides_agree(
    kind: str, units: D
) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", units)
        differed = await account.reconcile()
        assert (differed.verdict, len(differed.findings)) == ("differed", 1)

        (intent,) = (
            e for e in account.events(ev.OrderIntended) if e.strategy == "house"
        )
        assert account.row(4).state is OrderState.FILLED
        (fill,) = (
            e.fill
            for e in account.events(ev.OrderFilled)
            if e.fill.order_id == intent.order_id
        )
        assert fill.strategy == "house"
        # The house gave what the books had lost, and has it back; nobody else did.
        assert account.held("house") == 0
        assert account.held("Holder") == account.held() == at_the_venue(account) == 100
        assert account.report().owed == {}

        agreed = await account.reconcile()
        assert (agreed.verdict, agreed.findings) == ("agreed", ())

    account().play(scenario, kind)


def test_when_it_is_done_a_comparison_changes_nothing_however_often() -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        await account.reconcile()
        before = account.store.last_sequence
        books = account.held(), account.cash()

        for _ in range(2):
            await account.reconcile()

        after = [e.event for e in account.store.read(before)]
        assert {type(event) for event in after} == {Reconciled}
        assert (account.held(), account.cash()) == books

    account().play(scenario)


def test_a_start_with_another_plan_owes_nothing_any_more() -> None:
    async def disturbed(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        await account.reconcile()
        assert account.report().owed == {"SPY": 4}

    async def starts_anew(account: Account) -> None:
        assert account.report().owed == {}

    account = Account(plan=ReconcilePlan(policies=everywhere(Policy.SYNC_TO_LOCAL)))
    account.play(disturbed)
    account.plan = ReconcilePlan(policies=everywhere(Policy.WARN))
    account.play(starts_anew)


def test_a_snapshot_keeps_what_a_person_chose_and_not_what_is_configured() -> None:
    before = ReconcileBook(everywhere(Policy.HALT_AND_ALERT))
    after = ReconcileBook(everywhere(Policy.WARN))

    after.load(before.save())
    assert after.policies == everywhere(Policy.WARN)

    minor, other = Policy.SYNC_TO_BROKER, Policy.HALT_AND_ALERT
    before.apply(
        ReconcilePolicySet(minor=minor, moderate=other, critical=other, by="ann")
    )
    after.load(before.save())
    assert (
        after.policies
        == before.policies
        == Policies(minor=minor, moderate=other, critical=other)
    )
