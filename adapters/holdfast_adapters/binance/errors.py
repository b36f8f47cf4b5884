"""What an answer that is no success means, by what one may do next.

The table is from binance-spot-api-docs (errors.md and rest-api.md, "HTTP return
codes") and that of USD-M futures ("Error Codes"). What is not in it is judged by the
rule at its end: a well-formed 4xx is a refusal, all else leaves a command in doubt.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Final

import attrs
import msgspec

from holdfast_adapters.binance.wire import (
    ChangeRefusal,
    LimitData,
    LimitRefusal,
    Refusal,
)
from holdfast_domain.errors import (
    DuplicateOrder,
    NotSent,
    OutcomeUnknown,
    VenueError,
    VenueRefused,
)

OK: Final = 200
LIMITED: Final = (429, 418)
"""Too many requests, and banned for not having listened."""

FIREWALL: Final = 403
NOT_FOUND: Final = (-2013,)
ARCHIVED: Final = -2026
CLOCK: Final = -1021

_DOUBT: Final = frozenset({
    -1000,  # unknown error while processing
    -1001,  # disconnected, internal error
    -1006,  # unexpected response, execution status unknown
    -1007,  # time-out of the matching engine, execution status unknown
    -1008,  # overloaded
    -1016,  # shutting down
})  # fmt: skip
_LIMITS: Final = frozenset({
    -1003,  # too many requests
    -1015,  # too many orders
    -1034,  # too many connections
})  # fmt: skip

TOO_MANY_ORDERS: Final = -1015
BANNED: Final = 418

_PER: Final = re.compile(r"per (\d+) (SECOND|MINUTE)")
_UNIT_S: Final = {"SECOND": 1.0, "MINUTE": 60.0}
_DUPLICATE: Final = "Duplicate order sent"
_DUPLICATES: Final = frozenset({
    -4116,  # futures: the client order id is that of an open order
})  # fmt: skip
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})")
DEFAULT_PAUSE_S: Final = 60.0
"""How long to be silent where a limit does not say it: a window of the limits."""


class Kind(enum.Enum):
    """What an answer means."""

    REFUSED = "refused"
    """It was read and turned down."""

    NOT_TAKEN = "not taken"
    """It was turned down before it was read: the same request may be made later."""

    DUPLICATE = "duplicate"
    DOUBT = "doubt"


@attrs.frozen
class Answer:
    """An answer over HTTP, or one over the WebSocket API, which has no headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict)


class Silence(enum.Enum):
    """What may not be asked for a while."""

    NOTHING = "nothing"
    ORDERS = "new orders"
    QUESTIONS = "all but cancels"
    ALL = "everything"


@attrs.frozen
class Verdict:
    """What an answer that is no success means."""

    kind: Kind
    reason: str
    code: int | None = None
    silence: Silence = Silence.NOTHING
    retry_after_s: float = 0.0
    """For how long."""

    def error(self, venue: str) -> VenueError:
        """Return it as the port says it."""
        code = "" if self.code is None else str(self.code)
        if self.kind is Kind.REFUSED:
            return VenueRefused(self.reason, code)
        text = f"{venue}: {self.reason} ({code})" if code else f"{venue}: {self.reason}"
        if self.kind is Kind.DUPLICATE:
            return DuplicateOrder(text)
        if self.kind is Kind.DOUBT:
            return OutcomeUnknown(text)
        return NotSent(
            text,
            retry_after_s=self.retry_after_s,
            only_limits=self.silence not in (Silence.NOTHING, Silence.ALL),
        )


def refusal_of(body: bytes) -> Refusal | None:
    """Return the venue's code and text, if ``body`` has them."""
    try:
        return msgspec.json.decode(body, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def judge(answer: Answer, now_ms: int) -> Verdict:
    """Return what ``answer``, which is no success, means; ``now_ms`` is venue time."""
    said = refusal_of(answer.body)
    if answer.status in LIMITED or (said is not None and said.code in _LIMITS):
        return _limited(answer, said, now_ms)
    if answer.status == FIREWALL:
        return Verdict(Kind.REFUSED, "the firewall of the venue refused it", FIREWALL)
    if said is None or not _is_client_error(answer.status):
        # 5xx: "execution status is UNKNOWN and could have been a success".
        reason = f"HTTP {answer.status}, {_words(said, answer.body)}"
        return Verdict(Kind.DOUBT, reason, said.code if said else None)
    half = _failed_half(answer.body)
    return meaning(half or said)


def meaning(said: Refusal) -> Verdict:
    """Return what a well-formed refusal means, whatever brought it."""
    kind = Kind.REFUSED
    if said.code in _DOUBT:
        kind = Kind.DOUBT
    elif said.code == CLOCK or said.code in _LIMITS:
        kind = Kind.NOT_TAKEN
    elif _DUPLICATE in said.msg or said.code in _DUPLICATES:
        kind = Kind.DUPLICATE
    return Verdict(kind, said.msg, said.code)


def _is_client_error(status: int) -> bool:
    return 400 <= status < 500  # noqa: PLR2004 - the 4xx of HTTP


def _failed_half(body: bytes) -> Refusal | None:
    """Return what failed in a cancel-replace: its own code only says that it did."""
    try:
        change = msgspec.json.decode(body, type=ChangeRefusal)
    except msgspec.DecodeError:
        return None
    if change.data is None:
        return None
    for half in (change.data.cancel_response, change.data.new_order_response):
        if half is not None and "code" in half:
            return Refusal(code=int(half["code"]), msg=str(half.get("msg", "")))
    return None


def _limited(answer: Answer, said: Refusal | None, now_ms: int) -> Verdict:
    banned = _BANNED_UNTIL.search(said.msg) if said is not None else None
    header = {name.lower(): text for name, text in answer.headers.items()}
    wait, until = header.get("retry-after", ""), _until(answer.body)
    per = None if said is None else _PER.search(said.msg)
    if wait.isdecimal():
        pause_s = float(wait)
    elif until is not None:
        pause_s = max(0.0, (until.retry_after - until.server_time) / 1000)
    elif banned is not None:
        pause_s = max(0.0, (int(banned[1]) - now_ms) / 1000)
    elif per is not None:
        pause_s = int(per[1]) * _UNIT_S[per[2]]
    else:
        pause_s = DEFAULT_PAUSE_S
    silence = Silence.ALL if answer.status == BANNED or banned else Silence.QUESTIONS
    if said is not None and said.code == TOO_MANY_ORDERS:
        silence = Silence.ORDERS
    code = answer.status if said is None else said.code
    reason = _words(said, answer.body)
    return Verdict(Kind.NOT_TAKEN, reason, code, silence, pause_s)


def _until(body: bytes) -> LimitData | None:
    try:
        return msgspec.json.decode(body, type=LimitRefusal).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _words(said: Refusal | None, body: bytes) -> str:
    """Return what was said, or the beginning of what cannot be read."""
    return said.msg if said is not None else f"a body of {body[:60]!r}"
