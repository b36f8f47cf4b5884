"""Fills: what a venue says was traded, and the postings that book it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Currency, Money, Price, Quantity
from holdfast_domain.orders import Side

HOUSE: Final = "house"
"""The sub-ledger of what reconciliation found, and nobody can be charged with."""

EXTERNAL: Final = "external"
"""The sub-ledger of what other hands traded in the account."""

NOT_STRATEGIES: Final = frozenset({HOUSE, EXTERNAL})
"""Sub-ledgers that are no strategy's; no strategy may have their names."""

_BUY: Final = Side.BUY


class Fill(Struct, frozen=True, kw_only=True, gc=False):
    """One execution at a venue, recorded once under the venue's execution id."""

    execution_id: str
    """The venue's id; a second fill with it is the same fill."""

    order_id: str
    """Our client order id."""

    strategy: str
    instrument: str
    side: Side
    quantity: Quantity
    price: Price
    fee: Money
    """What the venue charged; positive costs us, negative is a rebate."""

    filled_at: datetime
    """UTC, by the venue's clock."""

    def traded(self) -> Decimal:
        """Return the signed units that changed hands: negative is sold."""
        units = self.quantity.value
        return units if self.side is _BUY else -units

    def settle(self, cash: Decimal, instrument: Instrument) -> tuple[Decimal, Decimal]:
        """Return what is left of ``cash``, and by how many units the position changes.

        A fee in another currency, which is no unit either, is paid from neither.
        """
        traded, fee = self.traded(), self.fee
        left = cash - instrument.notional(self.price.value, traded)
        if fee.currency == instrument.currency:
            left -= fee.amount
        if instrument.base:
            traded -= instrument.in_kind(fee)
        return left, traded

    def units(self, instrument: Instrument) -> Decimal:
        """Return by how many units the position changes: less a fee in kind."""
        _, units = self.settle(ZERO, instrument)
        return units

    def fee_value(self, instrument: Instrument) -> Decimal:
        """Return what the fee costs: in its currency, or, in kind, at the price."""
        if not instrument.base:
            return self.fee.amount
        in_kind = instrument.in_kind(self.fee)
        if not in_kind:
            return self.fee.amount
        return instrument.notional(self.price.value, in_kind)

    @property
    def reversed(self) -> Fill:
        """The opposite trade at the same price: booking it takes this fill back."""
        fee = Money(-self.fee.amount, self.fee.currency)
        return replace(self, side=self.side.opposite, fee=fee)


class Posting(Struct, frozen=True, gc=False):
    """One leg of a double entry: ``amount`` of ``unit`` into ``account``.

    An account is a path such as ``strategy/momentum/cash``, ``house/position`` or
    ``venue/paper``. A unit is a currency or an instrument's symbol. The postings of
    one fill sum to zero for each unit.
    """

    account: str
    unit: Currency
    amount: Decimal


def account_of(sub_ledger: str) -> str:
    """Return where a sub-ledger's accounts are.

    >>> account_of("momentum"), account_of("house")
    ('strategy/momentum', 'house')
    """
    return sub_ledger if sub_ledger in NOT_STRATEGIES else f"strategy/{sub_ledger}"


def postings_of(fill: Fill, instrument: Instrument, venue: str) -> tuple[Posting, ...]:
    """Return the double entry of ``fill``: it sums to zero for each unit.

    Units and money change hands between the strategy and the venue; the fee goes from
    the strategy to the venue's fees, in the fee's own currency, or in kind.
    """
    us, them = account_of(fill.strategy), f"venue/{venue}"
    units = fill.traded()
    money = -instrument.notional(fill.price.value, units)
    legs = [
        Posting(f"{us}/position", fill.instrument, units),
        Posting(f"{them}/position", fill.instrument, -units),
        Posting(f"{us}/cash", instrument.currency, money),
        Posting(f"{them}/cash", instrument.currency, -money),
    ]
    fee = fill.fee.amount
    if instrument.in_kind(fill.fee):
        legs.append(Posting(f"{us}/position", fill.instrument, -fee))
        legs.append(Posting(f"{them}/fees/position", fill.instrument, fee))
    elif fee != ZERO:
        legs.append(Posting(f"{us}/cash", fill.fee.currency, -fee))
        legs.append(Posting(f"{them}/fees", fill.fee.currency, fee))
    return tuple(legs)
