"""What Binance futures send of an account over WebSockets.

Source: developers.binance.com, USD-M futures, User Data Streams. `UNUSED_FRAMES` names
what is left out, as in `holdfast_adapters.binance.frames`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeAlias

from msgspec import Raw, Struct, field

from holdfast_adapters.binance.frames import Frame, ListenKeyExpired
from holdfast_adapters.binance.wire import Millis
from holdfast_domain.money import ZERO


class OrderUpdate(Frame, frozen=True, kw_only=True):
    """What happened to an order."""

    symbol: str = field(name="s")
    client_order_id: str = field(name="c")
    side: str = field(name="S")
    type: str = field(name="o")
    time_in_force: str = field(name="f")
    quantity: Decimal = field(name="q")
    price: Decimal = field(name="p")
    what: str = field(name="x")
    status: str = field(name="X")
    order_id: int = field(name="i")
    last_quantity: Decimal = field(name="l")
    cumulative: Decimal = field(name="z")
    last_price: Decimal = field(name="L")
    commission: Decimal | None = field(name="n", default=None)
    commission_asset: str | None = field(name="N", default=None)
    transaction_time: Millis = field(name="T")
    trade_id: int = field(name="t")
    reduce_only: bool = field(name="R", default=False)
    strategy: str = field(name="st", default="")
    """``ALGO_CONDITION``: it is what a stop has become."""

    expiry_reason: str = field(name="er", default="0")


class OrderTradeUpdate(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="ORDER_TRADE_UPDATE"
):
    """Something happened to an order."""

    order: OrderUpdate = field(name="o")


class AlgoOrder(Frame, frozen=True, kw_only=True):
    """A stop as the algo service has it."""

    client_algo_id: str = field(name="caid")
    algo_id: int = field(name="aid")
    status: str = field(name="X")
    executed: Decimal = field(name="aq", default=ZERO)
    reason: str = field(name="rm", default="")


class AlgoUpdate(Frame, frozen=True, kw_only=True, tag_field="e", tag="ALGO_UPDATE"):
    """Something happened to a stop before it became an order, or after it has been."""

    order: AlgoOrder = field(name="o")


class WalletChange(Frame, frozen=True, kw_only=True):
    """A balance after a change."""

    asset: str = field(name="a")


class PositionChange(Frame, frozen=True, kw_only=True):
    """A position after a change."""

    symbol: str = field(name="s")


class Changes(Frame, frozen=True, kw_only=True):
    """What changed in an account, and why."""

    why: str = field(name="m")
    balances: list[WalletChange] = field(name="B", default=[])
    positions: list[PositionChange] = field(name="P", default=[])


class AccountUpdate(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="ACCOUNT_UPDATE"
):
    """Balances or positions changed."""

    changes: Changes = field(name="a")


class MarginCall(Frame, frozen=True, kw_only=True, tag_field="e", tag="MARGIN_CALL"):
    """The margin is nearly used up."""


class ConfigUpdate(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="ACCOUNT_CONFIG_UPDATE"
):
    """Leverage or margin mode changed."""


class TradeLite(Frame, frozen=True, kw_only=True, tag_field="e", tag="TRADE_LITE"):
    """A fill, sooner and without its fee; `OrderTradeUpdate` follows."""


class TriggerRefused(
    Frame,
    frozen=True,
    kw_only=True,
    tag_field="e",
    tag="CONDITIONAL_ORDER_TRIGGER_REJECT",
):
    """A stop was refused when it was to become an order; `AlgoUpdate` says so too."""


FuturesFrame: TypeAlias = (
    OrderTradeUpdate
    | AlgoUpdate
    | AccountUpdate
    | MarginCall
    | ConfigUpdate
    | TradeLite
    | TriggerRefused
    | ListenKeyExpired
)
"""Everything that the user data stream is documented to say, but strategies' grids."""


class Wrapped(Frame, frozen=True, kw_only=True):
    """A frame of the user data stream, with or without the name of its stream."""

    data: Raw = Raw()


UNUSED_FRAMES: Final[dict[type[Struct], frozenset[str]]] = {
    OrderTradeUpdate: frozenset("TE"),
    OrderUpdate: frozenset("bamVW")
    | {"ap", "sp", "wt", "ot", "ps", "cp", "AP", "cr", "rp", "pP", "si", "ss"}
    | {"pm", "gtd"},
    AlgoUpdate: frozenset("TE"),
    AlgoOrder: frozenset("osSfqpVR")
    | {"at", "ps", "ai", "ap", "act", "tp", "wt", "pm", "cp", "pP", "tt", "gtd"},
    AccountUpdate: frozenset("TE"),
    WalletChange: frozenset({"wb", "cw", "bc"}),
    PositionChange: frozenset({"pa", "ep", "bep", "cr", "up", "mt", "iw", "ps"}),
    ListenKeyExpired: frozenset({"listenKey"}),
    TradeLite: frozenset("ETscSqpilLtm"),
    TriggerRefused: frozenset({"T", "E", "or"}),
}
"""Fields that this adapter has no use for, by struct."""
