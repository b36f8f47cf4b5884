"""The reconciler on both engines, at a hostile venue: what differs, what is done."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.runtime.worlds import on_each_engine

from holdfast_actors.reconciliation.messages import SetPolicies
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.requests import Asked, Evidence, How
from holdfast_actors.tree import GUARD, ORDERS, RECONCILER
from holdfast_domain import events as ev
from holdfast_domain.money import Money
from holdfast_domain.orders import OrderState, Side
from holdfast_domain.ports import Ended
from holdfast_domain.reconciliation import Policy
from holdfast_runtime import Killed

from .reconciling import CAPITAL, LONG_S, Account, Idle, actions, everywhere, orphan

D = Decimal
SIZES = {"minor": D("-0.5"), "moderate": D(-4), "critical": D(-40)}
"""Units that go missing of 100, and so how much that is."""

ADJUSTED = {
    Policy.WARN: "reported",
    Policy.SYNC_TO_BROKER: "adjusted",
    Policy.SYNC_TO_LOCAL: "adjusted, and an order brings it back",
    Policy.HALT_AND_ALERT: "halted",
}


def halted(account: Account) -> list[str]:
    return [each.reason for each in account.events(ev.Halted)]


@on_each_engine
def test_an_account_that_agrees_is_left_alone(kind: str) -> None:
    async def scenario(account: Account) -> None:
        last = await account.reconcile()
        assert (last.verdict, last.brackets, last.findings) == ("agreed", 1, ())
        assert account.held() == D(100)

    account = Account().play(scenario, kind)
    triggers = [each.trigger for each in account.events(ev.Reconciled)]
    assert triggers == ["start", "large fill", "asked by ann"]
    assert account.said == []


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("severity", SIZES)
def test_a_position_differs(severity: str, policy: Policy) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", SIZES[severity])
        last = await account.reconcile()
        assert actions(last) == [("position", "quantity", severity, ADJUSTED[policy])]
        adjusts = policy in (Policy.SYNC_TO_BROKER, Policy.SYNC_TO_LOCAL)
        assert account.held() == D(100) + (SIZES[severity] if adjusts else 0)
        assert account.held("Holder") == D(100)

    account = Account(plan=ReconcilePlan(policies=everywhere(policy)))
    account.play(scenario)
    assert bool(halted(account)) is (policy is Policy.HALT_AND_ALERT)
    assert len(account.said) == 1


@on_each_engine
@pytest.mark.parametrize("units", [D(-100), D(-150)])
def test_a_position_is_not_there_or_on_the_other_side(kind: str, units: D) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", units)
        last = await account.reconcile(any_size=True)
        what = "missing there" if units == D(-100) else "side"
        assert actions(last) == [("position", what, "critical", "adjusted")]
        assert account.held() == D(100) + units

    Account().play(scenario, kind)


@on_each_engine
def test_what_we_do_not_have_is_missing_here(kind: str) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("GME", D(3))
        account.venue.elsewhere.transfer(Money(D(40), "EUR"))
        last = await account.reconcile(any_size=True)
        assert actions(last) == [
            ("position", "missing here", "critical", "adjusted"),
            ("cash", "missing here", "critical", "adjusted"),
        ]
        assert (await account.reconcile()).verdict == "agreed"
        assert account.cash("EUR") == D(40)

    Account().play(scenario, kind)


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize(
    ("amount", "severity"), [(D(-1_500), "moderate"), (D(9_000), "critical")]
)
def test_cash_differs(amount: D, severity: str, policy: Policy) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.transfer(Money(amount, "USD"))
        last = await account.reconcile()
        local = policy is Policy.SYNC_TO_LOCAL
        action = "reported" if local else ADJUSTED[policy]
        assert actions(last) == [("cash", "quantity", severity, action)]
        booked = amount if policy is Policy.SYNC_TO_BROKER else D(0)
        assert account.cash() == D(90_000) + booked

    account = Account(plan=ReconcilePlan(policies=everywhere(policy)))
    account.play(scenario)
    assert bool(halted(account)) is (policy is Policy.HALT_AND_ALERT)


@pytest.mark.parametrize("amount", [D("0.9"), D(-880), D(899)])
def test_cash_within_the_tolerance_does_not_differ(amount: D) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.transfer(Money(amount, "USD"))
        assert (await account.reconcile()).verdict == "agreed"

    Account().play(scenario)


def test_cash_of_the_other_sign_differs_whatever_its_size() -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.transfer(Money(D(-180_000), "USD"))
        last = await account.reconcile(any_size=True)
        assert actions(last) == [("cash", "side", "critical", "adjusted")]
        assert account.cash() == D(-90_000)

    Account().play(scenario)


# --- orders -----------------------------------------------------------------------


@on_each_engine
@pytest.mark.parametrize("policy", list(Policy))
def test_an_order_that_the_venue_does_not_list_is_in_doubt_and_looked_up(
    kind: str, policy: Policy
) -> None:
    async def scenario(account: Account) -> None:
        row = account.row()
        account.venue.core.cancel(row.order_id)  # and nobody was told
        assert row.state is OrderState.ACCEPTED
        last = await account.reconcile()
        halts = policy is Policy.HALT_AND_ALERT
        action = "halted" if halts else "in doubt, and looked up"
        assert actions(last) == [("order", "missing there", "critical", action)]
        assert account.row().state is OrderState.CANCELED

    account = Account(plan=ReconcilePlan(policies=everywhere(policy)))
    account.play(scenario, kind)
    (doubt,) = account.events(ev.OrderUnknown)
    (end,) = account.events(ev.OrderCanceled)
    assert doubt.order_id == end.order_id


def test_an_order_that_the_venue_denies_stays_unknown_and_a_person_is_called() -> None:
    async def scenario(account: Account) -> None:
        order_id = account.row().order_id
        account.venue.core.open["SPY"].pop(order_id)  # type: ignore[attr-defined]
        account.venue.core._history.orders.pop(order_id)  # type: ignore[attr-defined]
        await account.reconcile()
        assert account.row().state is OrderState.UNKNOWN
        await account.sleep(600)
        assert account.row().state is OrderState.UNKNOWN
        assert account.row().called

    Account().play(scenario)


@on_each_engine
@pytest.mark.parametrize("policy", list(Policy))
def test_an_order_that_works_there_and_has_ended_here(
    kind: str, policy: Policy
) -> None:
    async def scenario(account: Account) -> None:
        order_id = account.row().order_id
        lie = Ended(order_id=order_id, how="canceled", reason="out of the blue")
        evidence = Evidence("paper", Asked.STREAM, order_id, How.ANSWERED, (lie,))
        await account.tell(ORDERS, evidence)
        assert account.row().state is OrderState.CANCELED
        last = await account.reconcile()
        action = {
            Policy.HALT_AND_ALERT: "halted",
            Policy.SYNC_TO_LOCAL: "cancel asked for",
        }.get(policy, "looked up")
        assert actions(last) == [("order", "status", "critical", action)]
        here = OrderState.CANCELED if action.startswith("cancel") else None
        assert account.row().state is (here or OrderState.ACCEPTED)
        works = order_id in account.venue.core.open.get("SPY", {})
        assert works is (here is None)
        assert (await account.reconcile()).verdict == "agreed"

    plan = ReconcilePlan(policies=everywhere(policy))
    Account(plan=plan).play(scenario, kind)


@on_each_engine
@pytest.mark.parametrize("policy", list(Policy))
def test_an_order_of_another_hand(kind: str, policy: Policy) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.place(orphan())
        last = await account.reconcile()
        action = {Policy.WARN: "reported", Policy.HALT_AND_ALERT: "halted"}
        said = action.get(policy, "adopted as external")
        assert actions(last) == [("order", "orphan order", "critical", said)]
        adopts = policy in (Policy.SYNC_TO_BROKER, Policy.SYNC_TO_LOCAL)
        assert account.report().external_orders == (("M1",) if adopts else ())
        again = await account.reconcile()
        assert again.verdict == ("agreed" if adopts else "differed")
        account.venue.elsewhere.withdraw("M1")
        await account.reconcile()
        assert account.report().external_orders == ()

    plan = ReconcilePlan(policies=everywhere(policy))
    Account(plan=plan).play(scenario, kind)


# --- trades of other hands --------------------------------------------------------


@on_each_engine
def test_a_trade_of_another_hand_is_adopted_once(kind: str) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.trade("SPY", Side.SELL, D(4), D(101), "USD")
        for _ in range(2):
            assert (await account.reconcile()).verdict == "agreed"
        assert (account.held(), account.held("external")) == (D(96), D(-4))
        assert account.held("Holder") == D(100)
        assert account.cash() == D(90_404)

    account = Account().play(scenario, kind)
    (fill,) = (each.fill for each in account.events(ev.ExternalFilled))
    assert (fill.strategy, fill.order_id) == ("external", "paper-hand-1")
    assert account.events(ev.BooksAdjusted) == []


# --- bringing the venue to the books ----------------------------------------------


@on_each_engine
@pytest.mark.parametrize("units", [D(-4), D(4)])
def test_sync_to_local_trades_through_guard_and_orders(kind: str, units: D) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", units)
        await account.reconcile()
        assert account.report().owed == {"SPY": -units}
        (draft,) = (
            e for e in account.events(ev.OrderIntended) if e.strategy == "house"
        )
        side = Side.BUY if units < 0 else Side.SELL
        assert (draft.terms.side, draft.terms.quantity.value) == (side, abs(units))
        assert draft.reserved == Money(D(0), "USD")
        assert account.row(4).state is OrderState.ACCEPTED

    plan = ReconcilePlan(policies=everywhere(Policy.SYNC_TO_LOCAL))
    account = Account(plan=plan).play(scenario, kind)
    assert (
        len([e for e in account.events(ev.DecisionMade) if e.strategy == "house"]) == 1
    )


def test_what_is_owed_is_sent_once_while_its_order_works() -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        for _ in range(3):
            await account.reconcile()
        # The next bar would fill it; here the venue's clock is moved to it.
        (name,) = (
            e.order_id
            for e in account.events(ev.OrderIntended)
            if e.strategy == "house"
        )
        assert account.venue.has_or_will(name)

    plan = ReconcilePlan(policies=everywhere(Policy.SYNC_TO_LOCAL))
    account = Account(plan=plan).play(scenario)
    intents = [e for e in account.events(ev.OrderIntended) if e.strategy == "house"]
    assert len(intents) == 1


def test_another_policy_forgets_what_was_to_be_traded_back() -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        await account.reconcile()
        warn = Policy.WARN
        await account.tell(RECONCILER, SetPolicies(warn, warn, warn, "ann"))
        assert account.report().owed == {}

    plan = ReconcilePlan(policies=everywhere(Policy.SYNC_TO_LOCAL))
    Account(plan=plan).play(scenario)


def test_a_policy_that_trades_needs_consent_and_lasts_over_a_restart() -> None:
    async def scenario(account: Account) -> None:
        local = SetPolicies(None, Policy.SYNC_TO_LOCAL, None, "ann")
        reconciler = account.actor(RECONCILER)
        assert "--consent" in reconciler.handle(local)
        assert account.report().policies["moderate"] == "sync_to_broker"
        consented = SetPolicies(None, Policy.SYNC_TO_LOCAL, None, "ann", consent=True)
        await account.tell(RECONCILER, consented)
        assert account.world is not None
        engine = account.world.engine
        engine.kill(account.world.cell(RECONCILER), Killed("by the test"))
        await account.sleep(5)
        assert account.actor(RECONCILER) is not reconciler
        assert account.report().policies == {
            "minor": "sync_to_broker",
            "moderate": "sync_to_local",
            "critical": "sync_to_broker",
        }

    Account().play(scenario)


# --- limits -----------------------------------------------------------------------


@on_each_engine
def test_what_is_above_the_limit_halts_and_is_not_booked(kind: str) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(101))
        last = await account.reconcile()
        assert actions(last) == [("position", "quantity", "critical", "halted")]
        assert "above the limit of 10000" in last.findings[0].why
        assert account.held() == D(100)
        assert account.actor(GUARD) is not None
        await account.reconcile(any_size=True)
        assert account.held() == D(201)

    account = Account().play(scenario, kind)
    (reason,) = halted(account)
    assert "position SPY: quantity, 100 here, 201 at the venue" in reason


@pytest.mark.parametrize("short", [False, True])
def test_what_the_account_held_before_is_taken_over_but_no_shortage(
    short: bool,
) -> None:
    opening = CAPITAL / 2 if short else CAPITAL * 5

    async def scenario(account: Account) -> None:
        await account.sleep(LONG_S)
        first = account.events(ev.Reconciled)[0]
        action = "halted" if short else "adjusted"
        assert actions(first) == [("cash", "quantity", "critical", action)]
        assert account.cash() == (CAPITAL if short else opening)

    account = Account(strategy=Idle, opening={"USD": opening})
    account.play(scenario)
    assert bool(halted(account)) is short
