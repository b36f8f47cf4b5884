"""An account at a real venue, as a configuration says it: a session, and a listener."""

from __future__ import annotations

from holdfast_actors.accountfeed import AccountFeed
from holdfast_actors.parts import LiveAccount
from holdfast_actors.places import ORDERS
from holdfast_adapters.binance import Account, Product
from holdfast_runtime import ActorSpec, Context


def account_at(product: Product, account: Account) -> LiveAccount:
    """Return an ``account`` at the exchange that ``product`` is."""

    def build(ctx: Context) -> AccountFeed:
        return AccountFeed(
            venue=account.name,
            source=product.user_data(account),
            orders=ctx.ref(ORDERS),
        )

    listener = ActorSpec(name="account", build=build, waits_for=(ORDERS,))
    return LiveAccount(
        connect=lambda: product.venue(account),
        listeners=(listener,),
        now_us=lambda: account.clock.now_us() + account.offset_us,
    )
