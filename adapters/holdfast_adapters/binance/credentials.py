"""Who we are to Binance, and how a request is signed; the secret is never shown."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias
from urllib.parse import quote, urlencode

import attrs

Value: TypeAlias = str | int | Decimal
"""What a parameter may be."""

Parameters: TypeAlias = Mapping[str, Value]
"""The parameters of a request, in the order in which they are sent."""


@attrs.frozen(repr=False)
class Credentials:
    """An API key with its secret, for HMAC.

    >>> Credentials("abcdefghijkl", "secret")
    Credentials(key='abcd...')
    """

    key: str
    _secret: str = attrs.field(alias="secret")

    def __repr__(self) -> str:
        return f"Credentials(key='{self.key[:4]}...')"

    def signature(self, payload: str) -> str:
        """Return the signature of ``payload``: HMAC-SHA256, in lowercase hex.

        Source: binance-spot-api-docs, rest-api.md, "SIGNED request security".
        """
        secret, text = self._secret.encode(), payload.encode()
        return hmac.new(secret, text, hashlib.sha256).hexdigest()

    def signed(self, parameters: Parameters) -> str:
        """Return ``parameters`` as a query that ends with its signature."""
        payload = encoded(parameters)
        return f"{payload}&signature={self.signature(payload)}"

    def signed_frame(self, parameters: Parameters) -> dict[str, Value]:
        """Return ``parameters`` of the WebSocket API, with key and signature.

        What is signed is sorted by name there.
        """
        named = {"apiKey": self.key, **parameters}
        payload = encoded({name: named[name] for name in sorted(named)})
        return {**named, "signature": self.signature(payload)}


def encoded(parameters: Parameters) -> str:
    """Return ``parameters`` as a query, percent-encoded as it is signed and sent.

    >>> encoded({"symbol": "BTCUSDT", "price": Decimal("0.1")})
    'symbol=BTCUSDT&price=0.1'
    """
    texts = {name: plain(value) for name, value in parameters.items()}
    return urlencode(texts, quote_via=quote)


def plain(value: Value) -> str:
    """Return ``value`` as text; a number never gets an exponent.

    >>> plain(Decimal("1E-8")), plain(Decimal("1E+3"))
    ('0.00000001', '1000')
    """
    return format(value, "f") if isinstance(value, Decimal) else str(value)
