"""Where an exchange is: its own addresses, its testnet's, or those of a stand-in.

Source: binance-spot-api-docs, rest-api.md, web-socket-api.md, web-socket-streams.md
and testnet/general-info.md; USD-M futures, "General Info" and "Websocket Streams".
"""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Addresses:
    """The doors of one exchange."""

    rest: str
    api: str
    """Where user data is heard."""

    market: str
    """The combined market streams."""

    quotes: str
    """Those of quotes; on spot they are the same."""


@attrs.frozen(kw_only=True)
class Doors:
    """Where one exchange has its doors, wherever it is."""

    real: Addresses
    testnet: Addresses
    api: str
    market: str
    quotes: str
    """Paths on a stand-in, which has all doors at one address."""

    def at(self, address: str, *, testnet: bool) -> Addresses:
        """Return the doors of the exchange at ``address``, or its own ones without.

        >>> SPOT_DOORS.at("http://127.0.0.1:9000", testnet=True).market
        'ws://127.0.0.1:9000/stream'
        """
        if not address:
            return self.testnet if testnet else self.real
        base = address.rstrip("/")
        socket = base.replace("http", "ws", 1)
        return Addresses(
            rest=base,
            api=f"{socket}{self.api}",
            market=f"{socket}{self.market}",
            quotes=f"{socket}{self.quotes}",
        )


SPOT_DOORS: Final = Doors(
    real=Addresses(
        rest="https://api.binance.com",
        api="wss://ws-api.binance.com:443/ws-api/v3",
        market="wss://stream.binance.com:9443/stream",
        quotes="wss://stream.binance.com:9443/stream",
    ),
    testnet=Addresses(
        rest="https://testnet.binance.vision",
        api="wss://ws-api.testnet.binance.vision/ws-api/v3",
        market="wss://stream.testnet.binance.vision/stream",
        quotes="wss://stream.testnet.binance.vision/stream",
    ),
    api="/ws-api/v3",
    market="/stream",
    quotes="/stream",
)
FUTURES_DOORS: Final = Doors(
    real=Addresses(
        rest="https://fapi.binance.com",
        api="wss://fstream.binance.com/private/ws",
        market="wss://fstream.binance.com/market/stream",
        quotes="wss://fstream.binance.com/public/stream",
    ),
    testnet=Addresses(
        rest="https://testnet.binancefuture.com",
        api="wss://fstream.binancefuture.com/private/ws",
        market="wss://fstream.binancefuture.com/market/stream",
        quotes="wss://fstream.binancefuture.com/public/stream",
    ),
    api="/private/ws",
    market="/market/stream",
    quotes="/public/stream",
)
