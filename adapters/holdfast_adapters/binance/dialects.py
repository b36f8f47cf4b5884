"""What Binance spot says on its two kinds of stream, for `holdfast_adapters.streams`.

User data comes over the WebSocket API by a signed subscription, for the exchange has no
listen keys any more. Market streams are combined ones (``/stream``): each frame names
its stream, and a subscription's key is that name, such as ``btcusdt@trade``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from holdfast_adapters.binance.credentials import Credentials, Value
from holdfast_adapters.binance.frames import (
    AggregateFrame,
    BookTicker,
    DepthFrame,
    KlineFrame,
    MarketFrame,
    ServerShutdown,
    Streamed,
    TradeFrame,
)
from holdfast_adapters.binance.userdata import (
    AccountChanged,
    Answered,
    StreamEnded,
    Unread,
    UserMessage,
    heard,
)
from holdfast_adapters.streams import (
    Ask,
    Beat,
    Confirmed,
    Data,
    Denied,
    Heard,
    Leaving,
    LoggedIn,
    Malformed,
)
from holdfast_domain.book import BookUpdate
from holdfast_domain.marketdata import Bar, Quote, Trade, utc_from_us
from holdfast_domain.ports import Executed

USER: Final = "user"
"""The key of the one subscription that a user data stream has."""

OK: Final = 200
NAMES_AT_ONCE: Final = 100
"""How many streams one message asks for."""

_MILLI_US: Final = 1000


class UserDialect:
    """The user data stream: the login is the subscription, and its answer is both."""

    def __init__(
        self, credentials: Credentials, now_ms: Callable[[], int], recv_window_ms: int
    ) -> None:
        """Sign by the venue's clock, ``now_ms``."""
        self._credentials = credentials
        self._now_ms = now_ms
        self._recv_window_ms = recv_window_ms

    def login(self) -> Ask:
        """Return the signed subscription."""
        stamped: dict[str, Value] = {
            "timestamp": self._now_ms(),
            "recvWindow": self._recv_window_ms,
        }
        frame = {
            "id": USER,
            "method": "userDataStream.subscribe.signature",
            "params": self._credentials.signed_frame(stamped),
        }
        payload = msgspec.json.encode(frame).decode()
        return Ask(payload=payload, is_secret=True)

    def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return nothing: the login subscribes."""
        return ()

    def unsubscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return nothing: the subscription ends with its connection."""
        return ()

    def heartbeat(self) -> Ask | None:
        """Return nothing: the venue wants the protocol's ping."""
        return None

    def read(self, payload: bytes, received_s: float) -> Sequence[Heard]:
        """Return what a frame means.

        Raises:
            Malformed: it says what this adapter does not know.
        """
        said: list[Heard] = []
        for each in heard(payload):
            said += _user(each, received_s)
        return said


def _user(said: UserMessage, received_s: float) -> list[Heard]:
    match said:
        case Unread(text=text):
            raise Malformed(text)
        case StreamEnded(why=why):
            return [Leaving(why)]
        case Answered(status=status, refusal=None) if status == OK:
            return [LoggedIn(), Confirmed(keys=[USER])]
        case Answered(status=status, refusal=refusal):
            code = str(status if refusal is None else refusal.code)
            reason = "" if refusal is None else refusal.msg
            return [Denied(key=None, code=code, reason=reason)]
        case AccountChanged():
            return [Data(key=USER, value=said, received_s=received_s)]
        case Executed():
            name = said.execution_id
            return [Data(key=USER, value=said, received_s=received_s, identity=name)]
        case _:
            return [Data(key=USER, value=said, received_s=received_s)]


class MarketDialect:
    """The combined market streams: `Trade`, `Quote`, `Bar` and `BookUpdate`.

    Trades and updates of a book are numbered without a gap. Of bars only those are told
    that have ended. A quote has no time of its own on spot, so it has that of its
    coming.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        """Take the venue's clock, for what comes without a time."""
        self._now_ms = now_ms
        self._numbers = itertools.count(1)
        self._asked: dict[str, list[str]] = {}

    def login(self) -> Ask | None:
        """Return nothing: the market is public."""
        return None

    def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return the messages that subscribe to ``keys``."""
        return self._messages("SUBSCRIBE", keys)

    def unsubscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        """Return the messages that end the subscriptions of ``keys``."""
        return self._messages("UNSUBSCRIBE", keys)

    def heartbeat(self) -> Ask | None:
        """Return nothing: the venue wants the protocol's ping."""
        return None

    def read(self, payload: bytes, received_s: float) -> Sequence[Heard]:
        """Return what a frame means.

        Raises:
            Malformed: it is neither an answer nor an event of a stream.
        """
        frame = _FRAME.decode(payload)
        if frame.stream:
            return self._told(frame.stream, frame.data, received_s)
        keys = self._asked.pop(str(frame.id), None)
        if keys is None:
            message = f"neither an answer nor an event: {payload[:100]!r}"
            raise Malformed(message)
        if frame.error is None:
            return [Confirmed(keys=keys)]
        code, reason = str(frame.error.code), frame.error.msg
        return [Denied(key=key, code=code, reason=reason) for key in keys]

    def _messages(self, method: str, keys: Sequence[str]) -> Sequence[Ask]:
        asks = []
        for first in range(0, len(keys), NAMES_AT_ONCE):
            names = list(keys[first : first + NAMES_AT_ONCE])
            number = next(self._numbers)
            self._asked[str(number)] = names
            frame = {"method": method, "params": names, "id": number}
            asks.append(Ask(payload=msgspec.json.encode(frame).decode(), keys=names))
        return asks

    def _told(self, key: str, data: msgspec.Raw, received_s: float) -> list[Heard]:
        if key.endswith("@bookTicker"):
            ticker = _TICKER.decode(data)
            quote = _quote(ticker, self._now_ms())
            number = ticker.update_id
            return [_data(key, quote, received_s, number)]
        event = _EVENT.decode(data)
        match event:
            case TradeFrame() | AggregateFrame():
                number = event.trade_id
                return [_data(key, _trade(event), received_s, number, number - 1)]
            case DepthFrame():
                update = _update(event)
                last, before = update.sequence, update.follows
                return [_data(key, update, received_s, last, before)]
            case KlineFrame():
                bar = _bar(event)
                return [Beat() if bar is None else _data(key, bar, received_s)]
            case ServerShutdown():
                return [Leaving("the server shuts down")]


_FRAME = msgspec.json.Decoder(Streamed)
_TICKER = msgspec.json.Decoder(BookTicker, strict=False)
_EVENT: msgspec.json.Decoder[MarketFrame] = msgspec.json.Decoder(
    MarketFrame, strict=False
)


def _data(
    key: str,
    value: object,
    received_s: float,
    sequence: int | None = None,
    follows: int | None = None,
) -> Data:
    return Data(
        key=key,
        value=value,
        received_s=received_s,
        sequence=sequence,
        follows=follows,
    )


def _trade(event: TradeFrame | AggregateFrame) -> Trade:
    return Trade(
        instrument=event.symbol,
        traded_at=utc_from_us(event.traded_at * _MILLI_US),
        price=event.price,
        size=event.quantity,
        id=str(event.trade_id),
        is_buy=not event.buyer_is_maker,
    )


def _quote(ticker: BookTicker, now_ms: int) -> Quote:
    return Quote(
        instrument=ticker.symbol,
        quoted_at=utc_from_us(now_ms * _MILLI_US),
        bid=ticker.bid,
        ask=ticker.ask,
        bid_size=ticker.bid_size,
        ask_size=ticker.ask_size,
    )


def _update(event: DepthFrame) -> BookUpdate:
    previous = event.previous_id
    return BookUpdate(
        instrument=event.symbol,
        sequence=event.last_id,
        follows=event.first_id - 1 if previous is None else previous,
        bids=event.bids,
        asks=event.asks,
    )


def _bar(event: KlineFrame) -> Bar | None:
    """Return a bar that has ended; its interval ends a millisecond after its last."""
    kline = event.kline
    if not kline.is_closed:
        return None
    return Bar(
        instrument=event.symbol,
        ended_at=utc_from_us((kline.closed_at + 1) * _MILLI_US),
        open=kline.open,
        high=kline.high,
        low=kline.low,
        close=kline.close,
        volume=kline.volume,
    )
