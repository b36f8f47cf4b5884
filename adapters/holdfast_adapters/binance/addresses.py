"""Where the exchange is: its own addresses, its testnet's, or those of a stand-in.

Source: binance-spot-api-docs, rest-api.md, web-socket-api.md, web-socket-streams.md
and testnet/general-info.md.
"""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Addresses:
    """The three doors of one exchange."""

    rest: str
    api: str
    """The WebSocket API, which has user data."""

    market: str
    """The combined market streams."""


REAL: Final = Addresses(
    rest="https://api.binance.com",
    api="wss://ws-api.binance.com:443/ws-api/v3",
    market="wss://stream.binance.com:9443/stream",
)
TESTNET: Final = Addresses(
    rest="https://testnet.binance.vision",
    api="wss://ws-api.testnet.binance.vision/ws-api/v3",
    market="wss://stream.testnet.binance.vision/stream",
)


def addresses_of(address: str, *, testnet: bool) -> Addresses:
    """Return the doors of the exchange at ``address``, or of its own ones without.

    >>> addresses_of("http://127.0.0.1:9000", testnet=True).market
    'ws://127.0.0.1:9000/stream'
    """
    if not address:
        return TESTNET if testnet else REAL
    base = address.rstrip("/")
    socket = base.replace("http", "ws", 1)
    return Addresses(rest=base, api=f"{socket}/ws-api/v3", market=f"{socket}/stream")
