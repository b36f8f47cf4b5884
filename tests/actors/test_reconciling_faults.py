"""The reconciler when answers fail, lie or race it, twice over, and across restarts."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Any

import pytest
from tests.runtime.worlds import on_each_engine

from holdfast_actors.messages import Committed, Report
from holdfast_actors.reconciliation.actor import Reconciler
from holdfast_actors.reconciliation.messages import ReconcileNow
from holdfast_actors.tree import LEDGER, RECONCILER
from holdfast_adapters.hostile import Op, VenueFault
from holdfast_domain import events as ev
from holdfast_domain.money import Money
from holdfast_domain.orders import OrderState, Side
from holdfast_runtime import Killed

from .reconciling import Account, Idle, orphan

D = Decimal


@on_each_engine
@pytest.mark.parametrize("op", [Op.ACCOUNT, Op.GAP])
@pytest.mark.parametrize("fault", ["lost_request", "busy", "half_open"])
def test_questions_that_fail_for_good_are_inconclusive(
    kind: str, fault: str, op: Op
) -> None:
    faults = [VenueFault(kind=fault, op=op, nth=nth) for nth in range(10, 200)]

    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        for _ in range(6):  # so that the faults are reached
            last = await account.reconcile()
        assert last.verdict == "inconclusive"
        assert last.brackets == account.plan.tries
        assert "the venue did not answer" in last.unclear[0]
        assert last.findings == ()

    account = Account(*faults, strategy=Idle)
    account.play(scenario, kind)
    assert any("inconclusive" in each for each in account.said)


@on_each_engine
@pytest.mark.parametrize("fault", ["lost_request", "disconnect", "reset", "rate_limit"])
def test_a_question_that_fails_once_is_asked_again(kind: str, fault: str) -> None:
    faults = [VenueFault(kind=fault, op=Op.ACCOUNT, nth=nth) for nth in (2, 5, 8)]

    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(4))
        last = await account.reconcile()
        assert last.verdict in ("agreed", "differed")
        assert account.held() == D(4)

    account = Account(*faults, strategy=Idle).play(scenario, kind)
    assert len(account.events(ev.BooksAdjusted)) == 1


def test_a_difference_that_shows_once_is_not_adjusted() -> None:
    """A venue that shows other positions each time is never believed."""

    async def scenario(account: Account) -> None:
        truth = account.venue.elsewhere.positions

        def lie() -> Any:
            account.venue.elsewhere.move_units("SPY", D(1))
            return truth()

        account.venue.elsewhere.positions = lie  # type: ignore[method-assign]
        last = await account.reconcile()
        assert (last.verdict, last.findings) == ("inconclusive", ())
        assert "it has shown once" in last.unclear[0]
        assert account.held() == D(100)

    Account().play(scenario)


def test_a_late_fill_that_races_the_comparison_books_nothing() -> None:
    """The venue holds what its list shows only later: the list comes first."""

    async def scenario(account: Account) -> None:
        listed = account.venue.executions_since
        asked_s: list[float] = []

        async def late(watermark: str) -> Any:
            asked_s.append(account.now_s)
            if len(asked_s) == 3:  # both lists before it were equal
                account.venue.elsewhere.trade("SPY", Side.BUY, D(5), D(100), "USD")
            return await listed(watermark)

        account.venue.executions_since = late  # type: ignore[method-assign]
        last = await account.reconcile()
        assert last.verdict == "agreed"
        assert last.brackets == 2
        assert account.held() == D(105)
        # Nothing was to be confirmed, so nobody waited for what shows late.
        assert asked_s[3] - asked_s[2] == pytest.approx(account.plan.pause_s)

    account = Account().play(scenario)
    assert account.events(ev.BooksAdjusted) == []


def test_while_something_is_under_way_its_instrument_is_not_compared() -> None:
    async def scenario(account: Account) -> None:
        row = account.row()
        row.state = OrderState.CANCEL_PENDING
        account.venue.elsewhere.move_units("SPY", D(-4))
        account.venue.elsewhere.move_units("QQQ", D(2))
        last = await account.reconcile()
        assert [each.difference.name for each in last.findings] == ["QQQ"]
        assert last.verdict == "inconclusive"
        assert "is under way" in last.unclear[0]
        assert account.held() == D(100)

    Account().play(scenario)


# --- twice, and across restarts ---------------------------------------------------


@on_each_engine
def test_the_same_report_twice_changes_nothing_the_second_time(kind: str) -> None:
    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        await account.reconcile()
        before = len(account.events(ev.BooksAdjusted))
        books = account.actor(LEDGER).balances.copy()
        for _ in range(3):
            assert (await account.reconcile()).verdict == "agreed"
        assert len(account.events(ev.BooksAdjusted)) == before == 1
        assert account.actor(LEDGER).balances == books
        # And the record itself, told once more with another number, changes nothing.
        (record,) = account.events(ev.BooksAdjusted)
        last = list(account.store.read())[-1]
        entry = ev.Entry(
            sequence=last.sequence + 1,
            epoch=1,
            cursor=last.cursor,
            market_time_us=last.market_time_us,
            wall_time_us=0,
            event=record,
        )
        account.actor(LEDGER).handle(Committed(entry))
        assert account.actor(LEDGER).balances == books

    Account().play(scenario, kind)


def test_a_restart_at_each_record_gives_the_same_books() -> None:
    async def disturb(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        account.venue.elsewhere.transfer(Money(D(-1_500), "USD"))
        account.venue.elsewhere.trade("SPY", Side.BUY, D(1), D(100), "USD")
        account.venue.elsewhere.place(orphan())
        await account.reconcile()

    async def look(account: Account) -> None:
        await account.sleep(120)
        await account.reconcile()
        assert account.held() == D(97)
        assert account.cash() == D(90_000 - 1_500 - 100)
        assert account.report().external_orders == ("M1",)
        assert account.report().last

    whole = Account().play(disturb)
    entries = list(whole.store.read())
    first = next(e.sequence for e in entries if isinstance(e.event, ev.OrderAccepted))
    for cut in range(first + 8, len(entries) + 1):
        again = Account()
        again.store.append(entries[:cut])
        again.venue = whole.venue
        again.play(look)
        units = [e.unit for e in again.events(ev.BooksAdjusted)]
        assert sorted(units) == ["SPY", "USD"]
        assert len(again.events(ev.ExternalFilled)) == 1


@pytest.mark.parametrize("nth", range(1, 25, 2))
def test_a_reconciler_that_dies_at_each_message_adjusts_once(
    nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = Reconciler.handle
    seen = 0

    @functools.wraps(handle)
    def dies_once(self: Reconciler, message: Any) -> Any:
        nonlocal seen
        seen += account.disturbed
        if account.disturbed and seen == nth:
            raise Killed("by the test")
        return handle(self, message)

    async def scenario(account: Account) -> None:
        account.venue.elsewhere.move_units("SPY", D(-4))
        account.disturbed = True
        await account.tell(RECONCILER, ReconcileNow("ann"))
        await account.sleep(400)
        assert seen > nth
        account.disturbed = False
        assert (await account.reconcile()).verdict == "agreed"
        assert account.held() == D(96)

    monkeypatch.setattr(Reconciler, "handle", dies_once)
    account = Account()
    account.play(scenario)
    assert len(account.events(ev.BooksAdjusted)) == 1


def test_a_report_says_how_it_stands() -> None:
    async def scenario(account: Account) -> None:
        report = account.actor(RECONCILER).handle(Report())
        assert (report.runs, report.running) == (2, False)
        account.actor(RECONCILER).handle(ReconcileNow("ann"))
        assert account.report().running

    Account().play(scenario)
