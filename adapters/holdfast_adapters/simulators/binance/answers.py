"""Requests to the exchange and their answers, faults included; no sockets here."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from holdfast_adapters.simulators.binance import shapes
from holdfast_adapters.simulators.binance.checks import asked_of
from holdfast_adapters.simulators.binance.exchange import Exchange
from holdfast_adapters.simulators.binance.faults import AFTER, Fault, Faults
from holdfast_adapters.simulators.binance.model import Refused
from holdfast_adapters.simulators.serving import How, Request, Response

PAGE: Final = b"<html><head><title>502 Bad Gateway</title></head></html>"
HTML: Final = {"content-type": "text/html"}
MARKET: Final = {
    ("GET", "/api/v3/ping"): "ping",
    ("GET", "/api/v3/time"): "time",
    ("GET", "/api/v3/exchangeInfo"): "info",
    ("GET", "/api/v3/depth"): "depth",
}
SIGNED: Final = {
    ("POST", "/api/v3/order"): "submit",
    ("DELETE", "/api/v3/order"): "cancel",
    ("POST", "/api/v3/order/cancelReplace"): "replace",
    ("GET", "/api/v3/order"): "order",
    ("GET", "/api/v3/openOrders"): "open_orders",
    ("GET", "/api/v3/myTrades"): "trades",
    ("GET", "/api/v3/account"): "account",
}
CHANGES: Final = frozenset({"submit", "cancel", "replace"})
RECV_WINDOW_MS: Final = 5000
AHEAD_MS: Final = 1000
"""How far a time stamp may be ahead of the exchange's clock."""

MOST_TRADES: Final = 1000


@attrs.frozen
class Account:
    """Who may trade."""

    key: str
    secret: str = attrs.field(repr=False)


class Answers:
    """What the exchange answers over HTTP."""

    def __init__(self, exchange: Exchange, account: Account, faults: Faults) -> None:
        """Serve ``account`` alone."""
        self.exchange = exchange
        self.seen: list[tuple[str, dict[str, str]]] = []
        """Every request that came: its operation and its parameters."""

        self._account = account
        self._faults = faults
        self._weight = 0
        self._doing: dict[str, Callable[[Mapping[str, str]], object]] = {
            "ping": lambda _: {},
            "time": lambda _: {"serverTime": exchange.now_ms},
            "info": self._info,
            "depth": self._depth,
            "submit": self._submit,
            "cancel": self._cancel,
            "replace": self._replace,
            "order": lambda asked: shapes.row(exchange.find(asked["symbol"], asked)),
            "open_orders": self._open_orders,
            "trades": self._trades,
            "account": self._balances,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request, or play the fault that waits for it."""
        place = (request.method, request.path)
        operation = MARKET.get(place) or SIGNED.get(place)
        if operation is None:
            return self._made(404, {"code": -1000, "msg": "Path not found."})
        self.seen.append((operation, request.parameters))
        fault = self._faults.take(operation)
        if fault is not None and fault.kind not in AFTER:
            return _unanswered(fault)
        try:
            if place in SIGNED:
                self._check_signature(request)
            made = self._made(200, self._doing[operation](request.parameters))
        except Refused as refused:
            made = self._made(refused.status, refused.body())
        return made if fault is None else _spoilt(fault, made)

    def check_frame(self, parameters: Mapping[str, Any]) -> None:
        """Check the signature of a request of the WebSocket API.

        Raises:
            Refused: it is not ours.
        """
        rest = {k: v for k, v in parameters.items() if k != "signature"}
        payload = "&".join(f"{name}={rest[name]}" for name in sorted(rest))
        self._check(
            key=str(parameters.get("apiKey", "")),
            payload=payload,
            signature=str(parameters.get("signature", "")),
            parameters={name: str(value) for name, value in rest.items()},
        )

    # --- security ------------------------------------------------------------

    def _check_signature(self, request: Request) -> None:
        payload, _, signature = request.query.rpartition("&signature=")
        self._check(
            key=request.headers.get("x-mbx-apikey", ""),
            payload=payload,
            signature=signature,
            parameters=request.parameters,
        )

    def _check(
        self,
        *,
        key: str,
        payload: str,
        signature: str,
        parameters: Mapping[str, str],
    ) -> None:
        if key != self._account.key:
            message = "Invalid API-key, IP, or permissions for action."
            raise Refused(-2015, message, 401)
        secret = self._account.secret.encode()
        wanted = hmac.new(secret, payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, signature):
            raise Refused(-1022, "Signature for this request is not valid.")
        at_ms, now_ms = int(parameters.get("timestamp", 0)), self.exchange.now_ms
        window_ms = int(parameters.get("recvWindow", RECV_WINDOW_MS))
        if at_ms >= now_ms + AHEAD_MS:
            message = (
                "Timestamp for this request was 1000ms ahead of the server's time."
            )
            raise Refused(-1021, message)
        if now_ms - at_ms > window_ms:
            message = "Timestamp for this request is outside of the recvWindow."
            raise Refused(-1021, message)

    # --- operations ------------------------------------------------------------

    def _info(self, asked: Mapping[str, str]) -> object:
        symbols = self.exchange.symbols
        names = json.loads(asked["symbols"]) if "symbols" in asked else list(symbols)
        if any(name not in symbols for name in names):
            raise Refused(-1121, "Invalid symbol.")
        chosen = [symbols[name] for name in names]
        return shapes.exchange_info(chosen, self.exchange.now_ms)

    def _depth(self, asked: Mapping[str, str]) -> object:
        return self.exchange.depth(asked["symbol"])

    def _submit(self, asked: Mapping[str, str]) -> object:
        number = len(self.exchange.orders) + 1
        return shapes.placed(self.exchange.place(asked_of(asked, f"x{number}")))

    def _cancel(self, asked: Mapping[str, str]) -> object:
        order = self._working(asked, "orig")
        cancel_id = asked.get("newClientOrderId", f"c{order.number}")
        self.exchange.cancel(order, cancel_id)
        return shapes.canceled(order, cancel_id)

    def _working(self, asked: Mapping[str, str], prefix: str) -> Any:  # noqa: ANN401
        try:
            return self.exchange.find(asked["symbol"], asked, prefix)
        except Refused as refused:
            if refused.code == -1121:  # noqa: PLR2004 - no such symbol
                raise
            raise Refused(-2011, "Unknown order sent.") from refused

    def _replace(self, asked: Mapping[str, str]) -> object:
        wanted = asked_of(asked, f"x{len(self.exchange.orders) + 1}")
        cancel_id = asked.get("cancelNewClientOrderId", "c")
        try:
            old = self._working(asked, "cancelOrig")
            if asked.get("cancelRestrictions") == "ONLY_NEW" and old.status == (
                "PARTIALLY_FILLED"
            ):
                message = "Order was not canceled due to cancel restrictions."
                raise Refused(-2011, message)
            self.exchange.cancel(old, cancel_id, is_change=True)
        except Refused as refused:
            data = _halves("FAILURE", "NOT_ATTEMPTED", refused.body(), None)
            message = "Order cancel-replace failed."
            raise _change_failed(-2022, message, 400, data) from None
        gone = shapes.canceled(old, cancel_id)
        try:
            new = self.exchange.place(wanted, replaces=old)
        except Refused as refused:
            self.exchange.lost_in_change(old)
            data = _halves("SUCCESS", "FAILURE", gone, refused.body())
            message = "Order cancel-replace partially failed."
            raise _change_failed(-2021, message, 409, data) from None
        return _halves("SUCCESS", "SUCCESS", gone, shapes.placed(new))

    def _open_orders(self, asked: Mapping[str, str]) -> object:
        working = self.exchange.open_orders(asked.get("symbol"))
        return [shapes.row(each) for each in working]

    def _trades(self, asked: Mapping[str, str]) -> object:
        most = int(asked.get("limit", 500))
        first = int(asked.get("fromId", 0))
        since_ms = int(asked.get("startTime", 0))
        found = [
            shapes.trade_row(each)
            for each in self.exchange.trades
            if each.symbol == asked["symbol"]
            and each.number >= first
            and each.at_ms >= since_ms
            and asked.get("orderId") in (None, str(each.order))
        ]
        return found[: min(most, MOST_TRADES)]

    def _balances(self, asked: Mapping[str, str]) -> object:
        omit = asked.get("omitZeroBalances") == "true"
        shown = {
            name: each
            for name, each in self.exchange.balances.items()
            if not omit or each.free or each.locked
        }
        return shapes.account(shown, self.exchange.now_ms)

    def _made(self, status: int, body: object) -> Response:
        self._weight += 1
        return Response(
            status=status,
            body=json.dumps(body).encode(),
            headers={"x-mbx-used-weight-1m": str(self._weight)},
        )


class _ChangeFailed(Refused):
    """A cancel-replace of which not both halves were done."""

    def __init__(self, code: int, msg: str, status: int, data: object) -> None:
        super().__init__(code, msg, status)
        self._data = data

    def body(self) -> dict[str, object]:
        return {**super().body(), "data": self._data}


def _change_failed(code: int, msg: str, status: int, data: object) -> Refused:
    return _ChangeFailed(code, msg, status, data)


def _halves(canceled: str, placed: str, old: object, new: object) -> dict[str, object]:
    return {
        "cancelResult": canceled,
        "newOrderResult": placed,
        "cancelResponse": old,
        "newOrderResponse": new,
    }


def _error(status: int, code: int, msg: str, **headers: str) -> Response:
    body = json.dumps({"code": code, "msg": msg}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, body=body, headers=named)


TIMEOUT: Final = (
    "Timeout waiting for response from backend server. Send status unknown; execution "
    "status unknown."
)
ORDERS: Final = "Too many new orders; current limit is"


def _unanswered(fault: Fault) -> Response:
    """Return the answer of a fault where nothing is done."""
    wait = f"{fault.value:g}"
    answers: dict[str, Response] = {
        "lost_request": Response(how=How.NEVER),
        "reset": Response(how=How.RESET),
        "held": Response(how=How.HELD),
        "error_500": Response(status=500, body=PAGE, headers=HTML),
        "error_503": _error(503, -1007, TIMEOUT),
        "timeout_1007": _error(408, -1007, TIMEOUT),
        "busy": _error(503, -1008, "Server is currently overloaded."),
        "maintenance": Response(status=503, body=PAGE, headers=HTML),
        "limited": _error(429, -1003, "Too many requests.", retry_after=wait),
        "banned": _error(418, -1003, "Way too many requests.", retry_after=wait),
        "too_many_orders": _error(400, -1015, f"{ORDERS} 50 orders per 10 SECOND."),
        "clock_skew": _error(
            400, -1021, "Timestamp for this request is outside of the recvWindow."
        ),
        "expired_key": _error(
            401, -2015, "Invalid API-key, IP, or permissions for action."
        ),
        "firewall": Response(status=403, body=PAGE, headers=HTML),
        "garbage": Response(body=PAGE, headers=HTML),
        "unreadable_400": Response(status=400, body=PAGE, headers=HTML),
    }
    return answers[fault.kind]


def _spoilt(fault: Fault, made: Response) -> Response:
    """Return the answer of a fault where it was done."""
    answers: dict[str, Response] = {
        "lost_ack": Response(how=How.NEVER),
        "reset_after": Response(how=How.RESET),
        "torn_ack": attrs.evolve(made, how=How.TORN),
        "held_ack": Response(how=How.HELD),
        "error_500_after": Response(status=500, body=PAGE, headers=HTML),
        "error_503_after": _error(503, -1007, TIMEOUT),
        "garbage_after": Response(body=PAGE, headers=HTML),
        "strange_status": attrs.evolve(
            made, body=made.body.replace(b'"status": "', b'"status": "SORT_OF_')
        ),
    }
    return answers[fault.kind]
