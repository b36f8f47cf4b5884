"""The exchange on a port: REST, the WebSocket API with user data, market streams."""

from __future__ import annotations

import json
from typing import Any

import attrs
import trio

from holdfast_adapters.simulators.binance import shapes
from holdfast_adapters.simulators.binance.answering import (
    HTML,
    PAGE,
    Account,
    Answering,
)
from holdfast_adapters.simulators.binance.answers import Answers
from holdfast_adapters.simulators.binance.exchange import BaseExchange
from holdfast_adapters.simulators.binance.faults import Fault, Faults
from holdfast_adapters.simulators.binance.model import Refused
from holdfast_adapters.simulators.binance.spot import Exchange
from holdfast_adapters.simulators.serving import Request, Response, Socket

_DOWN = Response(status=503, body=PAGE, headers=HTML)
_NONSENSE = '{"subscriptionId": 0, "event": '
"""A half of a frame, whole as a message."""


@attrs.define(eq=False)
class Peer:
    """A socket, and what it has subscribed to."""

    socket: Socket
    path: str
    streams: set[str] = attrs.field(factory=set)
    combined: bool = False
    subscription: int | None = None


class BinanceSimulator:
    """An `App` for `serving`: one exchange, one account, and faults to switch on."""

    def __init__(self, exchange: BaseExchange, account: Account) -> None:
        """Serve ``exchange`` to ``account``."""
        self.exchange = exchange
        self.faults = Faults()
        self.answers = self._answers(account)
        self.asked = trio.Event()
        """Set, and made anew, whenever a request was answered or is held."""

        self.is_down = False
        """Whether nothing is answered but that it is under maintenance."""

        self.slow_s = 0.0
        """How much longer each answer takes."""

        self.answered = 0
        """How many requests over HTTP were answered."""

        self.turned_away = 0
        """How many requests and connections came while it was down."""

        self.heard = 0
        """How many events of the market somebody heard."""

        self._peers: dict[Socket, Peer] = {}
        self._subscriptions = 0
        self._late: list[shapes.Shape] = []
        exchange.on_user.append(self._tell_user)
        exchange.on_market.append(self._tell_market)

    def _answers(self, account: Account) -> Answering:
        assert isinstance(self.exchange, Exchange)
        return Answers(self.exchange, account, self.faults)

    @property
    def user_streams(self) -> int:
        """How many sockets hear user data now."""
        return sum(each.subscription is not None for each in self._peers.values())

    @property
    def is_visited(self) -> bool:
        """Whether somebody hears the market, or has placed an order."""
        return bool(self.exchange.orders) or any(
            p.streams for p in self._peers.values()
        )

    @property
    def sockets(self) -> list[Socket]:
        """All sockets that are open."""
        return list(self._peers)

    # --- `App` ----------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """Answer one request over HTTP."""
        self.answered += 1
        response = self._down() or self.answers.answer(request)
        self._ring()
        if self.slow_s:
            await trio.sleep(self.slow_s)
        return response

    def refusal(self, request: Request) -> Response | None:
        """Take every socket, unless it is down."""
        del request
        return self._down()

    def _down(self) -> Response | None:
        self.turned_away += self.is_down
        return _DOWN if self.is_down else None

    def opened(self, socket: Socket, request: Request) -> None:
        """Take a new socket; a market stream may name its streams in the target."""
        peer = Peer(socket, request.path)
        names = request.parameters.get("streams", "")
        if request.path.startswith("/stream"):
            peer.combined = True
        elif request.path.startswith("/ws/"):
            names = request.path.removeprefix("/ws/")
        peer.streams.update(name for name in names.split("/") if name)
        self._peers[socket] = peer
        self._ring()

    def closed(self, socket: Socket) -> None:
        """Forget a socket."""
        self._peers.pop(socket, None)

    def received(self, socket: Socket, text: str) -> None:
        """Take a request of a socket."""
        peer = self._peers[socket]
        try:
            asked = json.loads(text)
        except ValueError:
            socket.push(json.dumps({"error": {"code": 3, "msg": "Invalid JSON"}}))
            return
        if peer.path.startswith("/ws-api"):
            socket.push(json.dumps(self._api(peer, asked)))
        else:
            socket.push(json.dumps(_market(peer, asked)))
        self._ring()

    def _ring(self) -> None:
        self.asked.set()
        self.asked = trio.Event()

    # --- the WebSocket API ----------------------------------------------------------

    def _api(self, peer: Peer, asked: dict[str, Any]) -> shapes.Shape:
        head = {"id": asked.get("id"), "status": 200, "rateLimits": shapes.LIMITS}
        try:
            return {**head, "result": self._api_result(peer, asked)}
        except Refused as refused:
            return {**head, "status": refused.status, "error": refused.body()}

    def _api_result(self, peer: Peer, asked: dict[str, Any]) -> shapes.Shape:
        match asked.get("method"):
            case "ping":
                return {}
            case "time":
                return {"serverTime": self.exchange.now_ms}
            case "userDataStream.subscribe.signature":
                self.answers.check_frame(asked.get("params", {}))
                if peer.subscription is None:
                    peer.subscription = self._subscriptions
                    self._subscriptions += 1
                return {"subscriptionId": peer.subscription}
            case "userDataStream.unsubscribe":
                peer.subscription = None
                return {}
            case other:
                raise Refused(-1000, f"Unknown method {other!r}.")

    def _tell_user(self, event: shapes.Shape) -> None:
        """Send an event to all who hear user data, or play the fault that waits."""
        if not self.user_streams:
            return
        fault = self.faults.take("user_stream")
        late, self._late = self._late, []
        for peer in list(self._peers.values()):
            if peer.subscription is not None:
                self._push(peer, self._framed(peer, event), fault)
                for each in late:
                    peer.socket.push(self._framed(peer, each))
        if fault is not None and fault.kind == "reordered":
            self._late.append(event)

    def _framed(self, peer: Peer, event: shapes.Shape) -> str:
        """Return an event of user data as it is sent."""
        return json.dumps({"subscriptionId": peer.subscription, "event": event})

    def _gone(self, peer: Peer) -> str:
        """End what a peer hears; return what tells it."""
        return self._framed(peer, {"e": "eventStreamTerminated", "E": 0})

    def _push(self, peer: Peer, frame: str, fault: Fault | None) -> None:
        socket = peer.socket
        match None if fault is None else fault.kind:
            case None:
                socket.push(frame)
            case "duplicate":
                socket.push(frame)
                socket.push(frame)
            case "torn_frame":
                socket.tear(frame)
            case "closed":
                socket.close(int(fault.value) if fault else 1000)
            case "half_open":
                socket.is_mute = True
            case "nonsense":
                socket.push(_NONSENSE)
                socket.push(frame)
            case "terminated":
                socket.push(self._gone(peer))
            case _:  # missing; reordered is kept for later
                pass

    def _tell_market(self, stream: str, event: shapes.Shape) -> None:
        hearing = [each for each in self._peers.values() if stream in each.streams]
        fault = self.faults.take("market") if hearing else None
        self.heard += bool(hearing)
        for peer in hearing:
            wrapped = {"stream": stream, "data": event}
            self._push(peer, json.dumps(wrapped if peer.combined else event), fault)


def _market(peer: Peer, asked: dict[str, Any]) -> shapes.Shape:
    names = [str(each) for each in asked.get("params", [])]
    match asked.get("method"):
        case "SUBSCRIBE":
            peer.streams.update(names)
        case "UNSUBSCRIBE":
            peer.streams.difference_update(names)
        case "LIST_SUBSCRIPTIONS":
            return {"result": sorted(peer.streams), "id": asked.get("id")}
        case other:
            message = f"Invalid request: unknown method {other!r}"
            return {"error": {"code": 2, "msg": message}, "id": asked.get("id")}
    return {"result": None, "id": asked.get("id")}
