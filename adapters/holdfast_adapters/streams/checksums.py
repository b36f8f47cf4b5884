"""Checksums of order books, as venues compute them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import chain, zip_longest
from zlib import crc32

from holdfast_domain.book import Level

_KRAKEN_LEVELS = 10
_OKX_LEVELS = 25
_SIGN = 1 << 31


def kraken(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """Return Kraken's: digits of ten asks and ten bids, without leading zeros.

    Source: Kraken's WebSocket API v1, "How to maintain a valid order book".
    """
    levels = chain(asks[:_KRAKEN_LEVELS], bids[:_KRAKEN_LEVELS])
    return crc32("".join(_digits(each) for level in levels for each in level).encode())


def okx(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """Return OKX's, which is signed: 25 levels, bid and ask in turn, as written.

    Source: OKX's API v5, "Order book channel", checksum.
    """
    pairs = zip_longest(bids[:_OKX_LEVELS], asks[:_OKX_LEVELS])
    levels = (level for pair in pairs for level in pair if level is not None)
    text = ":".join(f"{each:f}" for level in levels for each in level)
    unsigned = crc32(text.encode())
    return unsigned - 2 * _SIGN if unsigned >= _SIGN else unsigned


def _digits(number: Decimal) -> str:
    return f"{number:f}".replace(".", "").lstrip("0")
