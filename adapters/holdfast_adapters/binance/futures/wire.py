"""What Binance futures answer over HTTP, where it is not as on spot.

Source: developers.binance.com, USD-M futures, Trade and Account. `UNUSED` names what
is left out, as in `holdfast_adapters.binance.wire`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

from holdfast_adapters.binance.wire import Millis, OrderRow, TradeRow, Wire
from holdfast_domain.money import ZERO

Number: TypeAlias = Annotated[str, Meta(pattern=r"^(\d+(\.\d+)?)?$")]
"""A number as text, or nothing."""


class FuturesTrade(TradeRow, frozen=True, kw_only=True):
    """One of our trades: ``GET /fapi/v1/userTrades``."""

    is_buyer: bool = field(name="buyer")


class AlgoRow(Wire, frozen=True, kw_only=True):
    """A stop that waits, as the algo service shows it.

    What the type of an order does not have is empty, or nothing.
    """

    algo_id: int
    client_algo_id: str
    order_type: str
    symbol: str
    side: Literal["BUY", "SELL"]
    time_in_force: str
    quantity: Decimal
    algo_status: str
    trigger_price: Number | None = None
    callback_rate: Number | None = None
    """How far it trails, in percent."""

    price: Decimal = ZERO
    reduce_only: bool = False
    create_time: Millis
    update_time: Millis

    def as_order(self) -> OrderRow:
        """Return it as an order of which nothing is executed.

        Where a trailing stop stands just now is none of its terms.
        """
        trailing = int(Decimal(self.callback_rate or 0) * 100)
        stop_price = ZERO if trailing else Decimal(self.trigger_price or 0)
        return OrderRow(
            symbol=self.symbol,
            order_id=self.algo_id,
            client_order_id=self.client_algo_id,
            price=self.price,
            orig_qty=self.quantity,
            executed_qty=ZERO,
            status=self.algo_status,
            time_in_force=self.time_in_force,
            type=self.order_type,
            side=self.side,
            stop_price=stop_price,
            trailing_delta=trailing,
            time=self.create_time,
            update_time=self.update_time,
            reduce_only=self.reduce_only,
        )


class AlgoCanceled(Wire, frozen=True, kw_only=True):
    """The answer to the cancel of a stop that waits."""

    algo_id: int
    client_algo_id: str


class Amendment(Wire, frozen=True, kw_only=True):
    """New terms that an order got: ``GET /fapi/v1/orderAmendment``."""

    client_order_id: str
    time: Millis


class AssetRow(Wire, frozen=True, kw_only=True):
    """What the account holds of a margin asset."""

    asset: str
    wallet_balance: Decimal
    """Without what open positions have won or lost."""

    available_balance: Decimal


class PositionRow(Wire, frozen=True, kw_only=True):
    """A position of the account, in one-way mode."""

    symbol: str
    position_side: str
    position_amt: Decimal
    """Negative is short."""

    unrealized_profit: Decimal
    notional: Decimal
    """What it is worth at the mark price, with its sign."""

    @property
    def cost(self) -> Decimal:
        """What was paid for it, fees apart; negative for what was sold short."""
        return self.notional - self.unrealized_profit


class FuturesAccount(Wire, frozen=True, kw_only=True):
    """``GET /fapi/v3/account``: balances and positions of one moment."""

    assets: list[AssetRow]
    positions: list[PositionRow]


class ListenKey(Wire, frozen=True, kw_only=True):
    """``POST /fapi/v1/listenKey``: where user data is to be heard, for an hour."""

    listen_key: str


class Countdown(Wire, frozen=True, kw_only=True):
    """The answer to a countdown after which all orders of a symbol are canceled."""

    symbol: str


_MARGINS: Final = frozenset({
    "unrealizedProfit", "marginBalance", "maintMargin", "initialMargin",
    "positionInitialMargin", "openOrderInitialMargin", "crossWalletBalance",
    "crossUnPnl", "maxWithdrawAmount", "marginAvailable", "updateTime",
})  # fmt: skip

UNUSED: Final[dict[type[Struct], frozenset[str]]] = {
    FuturesTrade: frozenset({
        "realizedPnl", "marginAsset", "quoteQty", "positionSide", "maker", "side",
    }),
    AlgoRow: frozenset({
        "algoType", "positionSide", "actualOrderId", "actualPrice", "icebergQuantity",
        "tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice", "tpOrderType",
        "selfTradePreventionMode", "workingType", "priceMatch", "closePosition",
        "priceProtect", "triggerTime", "goodTillDate", "activatePrice",
    }),
    AssetRow: _MARGINS,
    PositionRow: _MARGINS | {
        "isolatedMargin", "isolatedWallet", "leverage", "isolated", "entryPrice",
        "maxNotional", "bidNotional", "askNotional",
    },
    FuturesAccount: frozenset({
        "feeTier", "canTrade", "canDeposit", "canWithdraw", "updateTime",
        "multiAssetsMargin", "tradeGroupId", "totalInitialMargin", "totalMaintMargin",
        "totalWalletBalance", "totalUnrealizedProfit", "totalMarginBalance",
        "totalPositionInitialMargin", "totalOpenOrderInitialMargin",
        "totalCrossWalletBalance", "totalCrossUnPnl", "availableBalance",
        "maxWithdrawAmount",
    }),
}  # fmt: skip
"""Fields that Binance sends and that this adapter has no use for, by struct."""
