"""What Binance sends over WebSockets: user data, market data, answers to requests.

Names are one letter on the wire; here they are words. `UNUSED_FRAMES` names what is
left out, as in `wire`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeAlias

from msgspec import Raw, Struct, field

from holdfast_adapters.binance.wire import Millis, Refusal
from holdfast_domain.money import ZERO


class Frame(Struct, frozen=True, kw_only=True, gc=False):
    """The base of all frames."""


class ExecutionReport(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="executionReport"
):
    """Something happened to an order (user-data-stream.md, "Order Update")."""

    symbol: str = field(name="s")
    client_order_id: str = field(name="c")
    original_client_order_id: str = field(name="C", default="")
    """Of a cancel: the order that it cancels; ``client_order_id`` is then its own."""

    side: str = field(name="S")
    type: str = field(name="o")
    time_in_force: str = field(name="f")
    quantity: Decimal = field(name="q")
    price: Decimal = field(name="p")
    stop_price: Decimal = field(name="P")
    trailing_delta: int | None = field(name="d", default=None)
    shown: Decimal = field(name="F", default=ZERO)
    what: str = field(name="x")
    status: str = field(name="X")
    reject_reason: str = field(name="r")
    expiry_reason: str | int = field(name="eR", default="")
    order_id: int = field(name="i")
    last_quantity: Decimal = field(name="l")
    cumulative: Decimal = field(name="z")
    last_price: Decimal = field(name="L")
    commission: Decimal = field(name="n")
    commission_asset: str | None = field(name="N")
    transaction_time: Millis = field(name="T")
    trade_id: int = field(name="t")
    list_id: int = field(name="g", default=-1)
    """Of the list that it is a leg of; -1 for an order alone."""


class AssetBalance(Frame, frozen=True, kw_only=True):
    """What the account holds of one asset after a change."""

    asset: str = field(name="a")
    free: Decimal = field(name="f")
    locked: Decimal = field(name="l")


class AccountPosition(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="outboundAccountPosition"
):
    """The balances that an order changed."""

    updated_at: Millis = field(name="u")
    balances: list[AssetBalance] = field(name="B")


class BalanceUpdate(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="balanceUpdate"
):
    """A deposit, a withdrawal or a transfer."""

    asset: str = field(name="a")
    delta: Decimal = field(name="d")
    cleared_at: Millis = field(name="T")


class ListStatus(Frame, frozen=True, kw_only=True, tag_field="e", tag="listStatus"):
    """The state of a list of orders; its orders have reports of their own."""

    symbol: str = field(name="s")
    list_client_order_id: str = field(name="C")
    list_status: str = field(name="l")


class ExternalLockUpdate(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="externalLockUpdate"
):
    """A part of a balance was locked or set free by another system of the venue."""

    asset: str = field(name="a")
    delta: Decimal = field(name="d")
    at: Millis = field(name="T")


class StreamTerminated(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="eventStreamTerminated"
):
    """The subscription has ended: subscribe again, and ask for the gap."""

    at: Millis = field(name="E")


class ListenKeyExpired(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="listenKeyExpired"
):
    """A subscription by token or key has ended."""

    at: Millis = field(name="E")


class ServerShutdown(
    Frame, frozen=True, kw_only=True, tag_field="e", tag="serverShutdown"
):
    """The connection will be closed: connect anew at once."""

    at: Millis = field(name="E")


UserFrame: TypeAlias = (
    ExecutionReport
    | AccountPosition
    | BalanceUpdate
    | ListStatus
    | ExternalLockUpdate
    | StreamTerminated
    | ListenKeyExpired
    | ServerShutdown
)
"""Everything that the user data stream is documented to say."""


class Enveloped(Frame, frozen=True, kw_only=True):
    """A frame of the WebSocket API: an answer (with ``id``) or an event."""

    subscription_id: int | None = field(name="subscriptionId", default=None)
    event: Raw = Raw()
    id: str | int | None = None
    status: int | None = None
    result: Raw = Raw()
    error: Refusal | None = None


class Streamed(Frame, frozen=True, kw_only=True):
    """A frame of a combined market stream, or an answer to a request there."""

    stream: str = ""
    data: Raw = Raw()
    id: str | int | None = None
    result: Any = None
    error: Refusal | None = None


class TradeFrame(Frame, frozen=True, kw_only=True, tag_field="e", tag="trade"):
    """A trade of the market."""

    symbol: str = field(name="s")
    trade_id: int = field(name="t")
    price: float = field(name="p")
    quantity: float = field(name="q")
    traded_at: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")


class AggregateFrame(Frame, frozen=True, kw_only=True, tag_field="e", tag="aggTrade"):
    """Trades of one taker order at one price."""

    symbol: str = field(name="s")
    trade_id: int = field(name="a")
    price: float = field(name="p")
    quantity: float = field(name="q")
    traded_at: Millis = field(name="T")
    buyer_is_maker: bool = field(name="m")


class Kline(Frame, frozen=True, kw_only=True):
    """One bar as it stands."""

    opened_at: Millis = field(name="t")
    closed_at: Millis = field(name="T")
    interval: str = field(name="i")
    open: float = field(name="o")
    high: float = field(name="h")
    low: float = field(name="l")
    close: float = field(name="c")
    volume: float = field(name="v")
    is_closed: bool = field(name="x")


class KlineFrame(Frame, frozen=True, kw_only=True, tag_field="e", tag="kline"):
    """A bar that changed, or that has ended."""

    symbol: str = field(name="s")
    kline: Kline = field(name="k")


class DepthFrame(Frame, frozen=True, kw_only=True, tag_field="e", tag="depthUpdate"):
    """A change of the order book: levels with their new quantity, 0 removes one."""

    previous_id: int | None = field(name="pu", default=None)
    """The last id of the update before; futures number with holes, and say it."""

    symbol: str = field(name="s")
    at: Millis = field(name="E")
    first_id: int = field(name="U")
    last_id: int = field(name="u")
    bids: list[tuple[Decimal, Decimal]] = field(name="b")
    asks: list[tuple[Decimal, Decimal]] = field(name="a")


class BookTicker(Frame, frozen=True, kw_only=True):
    """The best bid and ask; spot sends neither a kind nor a time with it."""

    update_id: int = field(name="u")
    symbol: str = field(name="s")
    bid: float = field(name="b")
    bid_size: float = field(name="B")
    ask: float = field(name="a")
    ask_size: float = field(name="A")


MarketFrame: TypeAlias = (
    TradeFrame | AggregateFrame | KlineFrame | DepthFrame | ServerShutdown
)
"""What names its kind; `BookTicker` does not."""


UNUSED_FRAMES: Final[dict[type[Struct], frozenset[str]]] = {
    ExecutionReport: frozenset("EIMmOQVvWwYZDjJuUABAkbas")
    | {"Cs", "pl", "pL", "pY", "gP", "gOT", "gOV", "gp", "uS", "pN"},
    AccountPosition: frozenset("E"),
    BalanceUpdate: frozenset("E"),
    ListStatus: frozenset("EgcLrTO"),
    ExternalLockUpdate: frozenset("E"),
    ListenKeyExpired: frozenset({"listenKey"}),
    Enveloped: frozenset({"rateLimits"}),
    TradeFrame: frozenset("EMba"),
    AggregateFrame: frozenset("EflM") | {"st"},
    KlineFrame: frozenset("E"),
    Kline: frozenset("sfLnqVQB"),
    BookTicker: frozenset({"e", "E", "T"}),
}
"""Fields that this adapter has no use for, by struct."""
