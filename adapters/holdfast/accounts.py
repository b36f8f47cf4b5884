"""An account at a real venue, as a configuration says it: a session, and a listener."""

from __future__ import annotations

from collections.abc import Callable

from holdfast_actors.accountfeed import AccountFeed
from holdfast_actors.deadman import DeadMan
from holdfast_actors.parts import LiveAccount
from holdfast_actors.places import JOURNAL, ORDERS
from holdfast_adapters.binance import Account, Product
from holdfast_domain.errors import InputError
from holdfast_runtime import ActorSpec, Context


def account_at(
    product: Product,
    account: Account,
    *,
    cancel_all_after_s: float | None,
    say: Callable[[str], None],
    place: str,
) -> LiveAccount:
    """Return an ``account`` at the exchange that ``product`` is.

    Raises:
        InputError: the exchange does not cancel orders of its own accord; ``place`` is
            where that was asked for.
    """
    listeners: list[ActorSpec] = []
    if cancel_all_after_s is not None:
        if product.switch is None:
            expected = "a venue that cancels orders when nobody speaks to it"
            todo = "leave cancel_all_after_s out; binance_futures has one"
            raise InputError(place, expected, account.name, todo)
        make, after_s = product.switch, cancel_all_after_s

        def hold(ctx: Context) -> DeadMan:
            return DeadMan(
                switch=make(account),
                after_s=after_s,
                core=(ctx.ref(ORDERS), ctx.ref(JOURNAL)),
                sleep=ctx.sleep,
                now_s=ctx.now_s,
                say=say,
            )

        listeners.append(ActorSpec(name="deadman", build=hold, waits_for=()))

    def build(ctx: Context) -> AccountFeed:
        return AccountFeed(
            venue=account.name,
            source=product.user_data(account),
            orders=ctx.ref(ORDERS),
            now_s=ctx.now_s,
        )

    listener = ActorSpec(name="account", build=build, waits_for=(ORDERS,))
    return LiveAccount(
        connect=lambda: product.venue(account),
        listeners=(listener, *listeners),
        now_us=lambda: account.clock.now_us() + account.offset_us,
        sight=account.sight,
    )
