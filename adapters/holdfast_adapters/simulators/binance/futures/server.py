"""The futures exchange on a port: REST, user data by listen key, market streams."""

from __future__ import annotations

import json

from holdfast_adapters.simulators.binance.answering import Account
from holdfast_adapters.simulators.binance.futures.answers import FuturesAnswers
from holdfast_adapters.simulators.binance.futures.exchange import FuturesExchange
from holdfast_adapters.simulators.binance.server import BinanceSimulator, Peer
from holdfast_adapters.simulators.binance.shapes import Shape
from holdfast_adapters.simulators.serving import Request, Socket


class FuturesSimulator(BinanceSimulator):
    """An `App` for `serving`: the futures exchange, one account, and faults.

    Market streams are at ``/market`` and ``/public``, user data at ``/private``, as
    they are since 2026-04-23.
    """

    exchange: FuturesExchange
    answers: FuturesAnswers

    def _answers(self, account: Account) -> FuturesAnswers:
        return FuturesAnswers(self.exchange, account, self.faults)

    def opened(self, socket: Socket, request: Request) -> None:
        """Take a new socket; who has a listen key that holds hears user data."""
        super().opened(socket, request)
        peer = self._peers[socket]
        peer.combined = request.path.endswith("/stream")
        key = request.parameters.get("listenKey", "")
        if request.path.startswith("/private") and self.answers.is_good(key):
            peer.subscription = 0
        self._ring()

    def _framed(self, peer: Peer, event: Shape) -> str:
        return json.dumps(event)

    def _gone(self, peer: Peer) -> str:
        peer.subscription = None
        key, self.answers.listen_key = self.answers.listen_key, ""
        return json.dumps({"e": "listenKeyExpired", "E": 0, "listenKey": key})
