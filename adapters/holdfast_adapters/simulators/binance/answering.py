"""Requests to an exchange and their answers, faults included; no sockets here."""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

import attrs

from holdfast_adapters.simulators.binance.faults import AFTER, Fault, Faults
from holdfast_adapters.simulators.binance.model import Refused
from holdfast_adapters.simulators.serving import How, Request, Response

PAGE: Final = b"<html><head><title>502 Bad Gateway</title></head></html>"
HTML: Final = {"content-type": "text/html"}
RECV_WINDOW_MS: Final = 5000
MINUTE_MS: Final = 60_000
AHEAD_MS: Final = 1000
"""How far a time stamp may be ahead of the exchange's clock."""


@attrs.frozen
class Account:
    """Who may trade."""

    key: str
    secret: str = attrs.field(repr=False)


class Clocked(Protocol):
    """An exchange, as far as its clock goes."""

    @property
    def now_ms(self) -> int:
        """The exchange's time."""


Doing = Mapping[str, Callable[[Mapping[str, str]], object]]


class Answering(ABC):
    """Answers over HTTP: checks who asks, and plays the faults that wait."""

    public: ClassVar[Mapping[tuple[str, str], str]]
    """Operations that anybody may ask for, by method and path."""

    signed: ClassVar[Mapping[tuple[str, str], str]]
    """Operations for which a request must be signed."""

    def __init__(self, exchange: Clocked, account: Account, faults: Faults) -> None:
        """Serve ``account`` alone."""
        self.seen: list[tuple[str, dict[str, str]]] = []
        """Every request that came: its operation and its parameters."""

        self._clock = exchange
        self._account = account
        self._faults = faults
        self.weight = 0
        """What the address has used in the minute; each request weighs one."""

        self._minute = 0

        self._doing = self._operations()

    @abstractmethod
    def _operations(self) -> Doing:
        """Return what does each operation."""

    def answer(self, request: Request) -> Response:
        """Answer one request, or play the fault that waits for it."""
        place = (request.method, request.path)
        operation = self.public.get(place) or self.signed.get(place)
        if operation is None:
            return self._made(404, {"code": -1000, "msg": "Path not found."})
        self.seen.append((operation, request.parameters))
        fault = self._faults.take(operation)
        if fault is not None and fault.kind not in AFTER:
            return _unanswered(fault)
        try:
            if place in self.signed:
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
        at_ms, now_ms = int(parameters.get("timestamp", 0)), self._clock.now_ms
        window_ms = int(parameters.get("recvWindow", RECV_WINDOW_MS))
        if at_ms >= now_ms + AHEAD_MS:
            message = (
                "Timestamp for this request was 1000ms ahead of the server's time."
            )
            raise Refused(-1021, message)
        if now_ms - at_ms > window_ms:
            message = "Timestamp for this request is outside of the recvWindow."
            raise Refused(-1021, message)

    def _made(self, status: int, body: object) -> Response:
        minute = self._clock.now_ms // MINUTE_MS
        if minute != self._minute:
            self._minute, self.weight = minute, 0
        self.weight += 1
        return Response(
            status=status,
            body=json.dumps(body).encode(),
            headers={"x-mbx-used-weight-1m": str(self.weight)},
        )


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
