"""What Binance answers over HTTP, as it is on the wire; nothing is interpreted here.

Fields that nobody needs are not in the structs; `UNUSED` names them, so that a test can
tell a field that is left out from one that is new. Numbers that count money are text on
the wire and `Decimal` here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

Millis: TypeAlias = int
"""Milliseconds UTC, by the venue's clock."""


class Wire(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """The base of all messages; what is not named is left out."""


class Refusal(Wire, frozen=True, kw_only=True):
    """The body of a 4xx, and of one half of a change that failed."""

    code: int
    msg: str


class LimitData(Wire, frozen=True, kw_only=True):
    """Until when a limit holds."""

    server_time: Millis
    retry_after: Millis


class LimitRefusal(Wire, frozen=True, kw_only=True):
    """A refusal for a limit, as the WebSocket API words it."""

    code: int
    msg: str
    data: LimitData


class ServerTime(Wire, frozen=True, kw_only=True):
    """``GET /api/v3/time``."""

    server_time: Millis


class RateLimit(Wire, frozen=True, kw_only=True):
    """A limit that the exchange sets."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int | UnsetType = UNSET


class Filter(Wire, frozen=True, kw_only=True):
    """One filter of a symbol; which fields are there depends on its type."""

    filter_type: str
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    tick_size: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    step_size: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    apply_to_market: bool = False
    apply_min_to_market: bool = False
    apply_max_to_market: bool = False
    multiplier_up: Decimal | None = None
    multiplier_down: Decimal | None = None
    bid_multiplier_up: Decimal | None = None
    bid_multiplier_down: Decimal | None = None
    ask_multiplier_up: Decimal | None = None
    ask_multiplier_down: Decimal | None = None
    max_num_orders: int | None = None
    notional: Decimal | None = None
    """Of futures: what an order is worth at least."""

    limit: int | None = None
    """Of futures: how many orders may be open at once."""

    max_num_algo_orders: int | None = None
    max_position: Decimal | None = None


class Symbol(Wire, frozen=True, kw_only=True):
    """One symbol of the exchange."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    order_types: list[str]
    filters: list[Filter]


class ExchangeInfo(Wire, frozen=True, kw_only=True):
    """``GET /api/v3/exchangeInfo``."""

    server_time: Millis
    rate_limits: list[RateLimit]
    symbols: list[Symbol]


class FillReport(Wire, frozen=True, kw_only=True):
    """A fill in the answer to a new order."""

    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    trade_id: int
    alloc_id: int | None = None


class OrderReport(Wire, frozen=True, kw_only=True):
    """The answer to a new order (ACK, RESULT or FULL) and to a cancel."""

    symbol: str
    order_id: int
    client_order_id: str
    transact_time: Millis | None = None
    orig_client_order_id: str = ""
    price: Decimal | None = None
    orig_qty: Decimal | None = None
    executed_qty: Decimal | None = None
    status: str = ""
    time_in_force: str = ""
    type: str = ""
    side: str = ""
    stop_price: Decimal | None = None
    expiry_reason: str = ""
    fills: list[FillReport] = []


class ListReport(Wire, frozen=True, kw_only=True):
    """The answer to a new list of orders."""

    order_reports: list[OrderReport]


class CancelAnswer(Wire, frozen=True, kw_only=True):
    """The answer to a cancel: reports are there where it was of a list's leg."""

    order_reports: list[OrderReport] = []


class ChangeReport(Wire, frozen=True, kw_only=True):
    """The answer to a cancel-replace that went through (200)."""

    cancel_result: str
    new_order_result: str
    cancel_response: OrderReport
    new_order_response: OrderReport


class ChangeHalves(Wire, frozen=True, kw_only=True):
    """What became of the two halves of a cancel-replace that did not."""

    cancel_result: str
    new_order_result: str
    cancel_response: dict[str, Any] | None
    new_order_response: dict[str, Any] | None


class ChangeRefusal(Wire, frozen=True, kw_only=True):
    """The answer to a cancel-replace that failed (400) or half of which did (409)."""

    code: int
    msg: str
    data: ChangeHalves | None = None


class OrderRow(Wire, frozen=True, kw_only=True):
    """An order as it stands: `GET /api/v3/order` and ``/openOrders``."""

    symbol: str
    order_id: int
    client_order_id: str
    price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    status: str
    time_in_force: str
    type: str
    side: Literal["BUY", "SELL"]
    stop_price: Decimal | None = None
    trailing_delta: int | None = None
    """How far a stop trails, in basis points."""

    iceberg_qty: Decimal | None = None
    time: Millis
    update_time: Millis
    expiry_reason: str = ""
    reduce_only: bool = False
    """Of futures alone."""

    order_list_id: int = -1
    """Of spot alone; -1 for an order alone."""


class TradeRow(Wire, frozen=True, kw_only=True):
    """One of our trades: ``GET /api/v3/myTrades``."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: Millis
    is_buyer: bool


class BalanceRow(Wire, frozen=True, kw_only=True):
    """What the account holds of one asset."""

    asset: str
    free: Decimal
    locked: Decimal


class Account(Wire, frozen=True, kw_only=True):
    """``GET /api/v3/account``."""

    can_trade: bool
    can_withdraw: bool
    balances: list[BalanceRow]
    update_time: Millis
    permissions: list[str] = []


class RightsRow(Wire, frozen=True, kw_only=True):
    """What says what an account may do, at either exchange."""

    can_trade: bool
    can_withdraw: bool
    dual_side_position: bool = False


class Depth(Wire, frozen=True, kw_only=True):
    """A snapshot of the order book: ``GET /api/v3/depth``."""

    last_update_id: int = field(name="lastUpdateId")
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


_REPORT: Final = frozenset({
    "orderListId", "origQuoteOrderQty", "cummulativeQuoteQty", "workingTime",
    "selfTradePreventionMode", "icebergQty", "strategyId", "strategyType",
    "trailingDelta", "trailingTime", "preventedMatchId", "preventedQuantity",
    "usedSor", "workingFloor", "pegPriceType", "pegOffsetType", "pegOffsetValue",
    "peggedPrice",
})  # fmt: skip

_LIST: Final = frozenset({
    "orderListId", "contingencyType", "listStatusType", "listOrderStatus",
    "listClientOrderId", "transactionTime", "symbol", "orders",
})  # fmt: skip

UNUSED: Final[dict[type[Struct], frozenset[str]]] = {
    ExchangeInfo: frozenset({"timezone", "exchangeFilters", "sors"}),
    Filter: frozenset({
        "avgPriceMins", "maxNumIcebergOrders", "maxNumOrderLists",
        "maxNumOrderAmends", "minTrailingAboveDelta", "maxTrailingAboveDelta",
        "minTrailingBelowDelta", "maxTrailingBelowDelta",
    }),
    Symbol: frozenset({
        "baseAssetPrecision", "quotePrecision", "quoteAssetPrecision",
        "baseCommissionPrecision", "quoteCommissionPrecision", "icebergAllowed",
        "ocoAllowed", "otoAllowed", "opoAllowed", "quoteOrderQtyMarketAllowed",
        "allowTrailingStop", "cancelReplaceAllowed", "amendAllowed",
        "pegInstructionsAllowed", "isSpotTradingAllowed", "isMarginTradingAllowed",
        "permissions", "permissionSets", "defaultSelfTradePreventionMode",
        "allowedSelfTradePreventionModes",
    }),
    FillReport: frozenset({"matchType"}),
    OrderReport: _REPORT,
    ListReport: _LIST,
    CancelAnswer: _LIST,
    OrderRow: _REPORT - {"trailingDelta", "icebergQty", "orderListId"} | {"isWorking"},
    TradeRow: frozenset({"orderListId", "quoteQty", "isMaker", "isBestMatch"}),
    Account: frozenset({
        "makerCommission", "takerCommission", "buyerCommission", "sellerCommission",
        "commissionRates", "canDeposit", "brokered", "requireSelfTradePrevention",
        "preventSor", "accountType", "uid",
    }),
}  # fmt: skip
"""Fields that Binance sends and that this adapter has no use for, by struct."""
