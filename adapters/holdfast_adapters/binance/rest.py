"""HTTP to Binance: one attempt for what changes something, a few for what only asks.

Nothing of the credentials is ever in an error, a log or a `repr`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import attrs
import httpx

from holdfast_adapters.binance.budget import RESERVE, Budget
from holdfast_adapters.binance.credentials import Credentials, Parameters, encoded
from holdfast_adapters.binance.errors import CLOCK, OK, Answer, Silence, Verdict, judge
from holdfast_adapters.binance.routes import SPOT, Routes
from holdfast_adapters.binance.telling import decoded
from holdfast_adapters.binance.wire import ServerTime
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueError, VenueRefused
from holdfast_domain.ports import WallClock

T = TypeVar("T")

ATTEMPTS: Final = 5
"""How often a question is asked before it fails."""

FIRST_PAUSE_S: Final = 0.25
"""The pause after the first failure of a question; it doubles from there."""

NEVER_LEFT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)
"""Failures in which no byte of the request left us; in all others some may have."""


HEADERS: Final = {"Accept-Encoding": "gzip, deflate", "User-Agent": "holdfast"}
"""Of each request."""

_SHARES: Final = {"GET": 1.0 - RESERVE, "DELETE": 1.0}
"""How much of the limit may be used when a request leaves; orders are between both."""


@attrs.frozen(kw_only=True)
class Timing:
    """How long things may take, in seconds."""

    connect_s: float = 3.0
    read_s: float = 12.0
    """Longer than the venue's own 10 s for the matching engine (-1007)."""

    recv_window_s: float = 5.0
    """For how long after its time stamp the venue may still take a request up."""


TIMING: Final = Timing()


@attrs.define(eq=False)
class VenueTime:
    """The venue's clock, as far as it is known from ours."""

    clock: WallClock
    offset_us: int = 0
    """What is added to our clock to get the venue's."""

    def now_ms(self) -> int:
        """Return the venue's time."""
        return (self.clock.now_us() + self.offset_us) // 1000

    def learn(self, sent_us: int, server_ms: int, received_us: int) -> None:
        """Take the venue's clock to have been read half-way between the two moments."""
        self.offset_us = server_ms * 1000 - (sent_us + received_us) // 2


class Rest:
    """One connection pool to one address; `open` comes first."""

    def __init__(
        self,
        *,
        name: str,
        address: str,
        credentials: Credentials | None,
        clock: WallClock,
        sleep: Callable[[float], Awaitable[object]],
        timing: Timing = TIMING,
        routes: Routes = SPOT,
        budget: Budget | None = None,
    ) -> None:
        """Wait by ``sleep`` (seconds) before a question is asked again.

        Without credentials only what is public can be asked for. Who asks the same
        address elsewhere shares the ``budget``, and its breaker.
        """
        self.name = name
        self.routes = routes
        self.time = VenueTime(clock)
        self.budget = Budget() if budget is None else budget
        self.breaker = self.budget.breaker

        self._credentials = credentials
        self._sleep = sleep
        self._timing = timing
        self._pool: httpx.AsyncHTTPTransport | None = None
        self._base = httpx.URL(address)
        self._timeouts = httpx.Timeout(
            timing.read_s, connect=timing.connect_s, pool=1.0
        ).as_dict()
        self._silent_until_ms = dict.fromkeys(Silence, 0)

    def open(self) -> None:
        """Make the pool; idempotent. Nothing is connected by it."""
        if self._pool is None:
            # Not to verify only saves reading the certificates where there is no TLS.
            is_tls = self._base.scheme == "https"
            self._pool = httpx.AsyncHTTPTransport(verify=is_tls, trust_env=False)

    async def close(self) -> None:
        """Give all connections back; idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def sync_time(self) -> None:
        """Learn the venue's clock."""
        clock = self.time.clock
        sent_us = clock.now_us()
        said = await self.ask(self.routes.time, {}, ServerTime, signed=False)
        self.time.learn(sent_us, said.server_time, clock.now_us())

    async def ask(
        self, path: str, parameters: Parameters, kind: type[T], *, signed: bool = True
    ) -> T:
        """Return the answer to a question, which is asked `ATTEMPTS` times at most.

        Raises:
            VenueRefused, NotSent, OutcomeUnknown: what became of the last attempt; a
                refusal and a limit are not asked again, and where the breaker is open
                nothing is asked.
        """
        if wait_s := self.breaker.wait_s(self._now_s()):
            message = f"{self.name}: nobody answers; it is asked again in {wait_s:g} s"
            raise OutcomeUnknown(message)
        is_there = False
        try:
            answer = await self._asked(path, parameters, kind, signed=signed)
            is_there = True
        except VenueError as error:
            # Who refuses or limits is there, and answers.
            is_there = isinstance(error, VenueRefused) or error.retry_after_s > 0
            raise
        finally:  # a question that is cut at its deadline was not answered either
            if is_there:
                self.breaker.answered()
            else:
                self.breaker.failed(self._now_s())
        return answer

    async def _asked(
        self, path: str, parameters: Parameters, kind: type[T], *, signed: bool
    ) -> T:
        """Ask a few times; once where it is only tried whether somebody answers."""
        pause_s, tries = FIRST_PAUSE_S, ATTEMPTS if self.breaker.is_closed else 1
        for left in reversed(range(tries)):
            try:
                answer = await self.send("GET", path, parameters, signed=signed)
                if answer.status == OK:
                    return decoded(answer.body, kind)
                verdict = self.judged(answer)
                if verdict.code == CLOCK and left:
                    await self.sync_time()
                    continue
                raise verdict.error(self.name)
            except VenueRefused:
                raise
            except VenueError as error:
                if not left or error.retry_after_s or self.silent_s():
                    raise
            await self._sleep(pause_s)
            pause_s *= 2
        raise AssertionError  # the last attempt returns or raises

    async def send(
        self, method: str, path: str, parameters: Parameters, *, signed: bool = True
    ) -> Answer:
        """Send one request, once, and return whatever was answered.

        Raises:
            NotSent: no byte of it left.
            OutcomeUnknown: no answer came, or only a part of one.
        """
        if self._pool is None:
            message = f"{self.name}: expected a session, got none; connect first"
            raise NotSent(message)
        if wait_s := self.silent_s(is_cancel=method == "DELETE"):
            message = f"{self.name}: the venue wants to hear nothing for {wait_s:g} s"
            only_limits = not self._left_s(Silence.ALL)
            raise NotSent(message, retry_after_s=wait_s, only_limits=only_limits)
        share = _SHARES.get(method, 1.0 - RESERVE / 2)
        if wait_s := self.budget.wait_s(self.time.now_ms(), share=share):
            message = f"{self.name}: its limit is nearly used, for {wait_s:g} s"
            raise NotSent(message, retry_after_s=wait_s, only_limits=True)
        url = f"{path}?{self._query(parameters, signed=signed)}"
        try:
            response = await self._exchange(self._pool, method, url)
        except NEVER_LEFT as error:
            message = f"{self.name}: {type(error).__name__} before {method} {path} left"
            raise NotSent(message) from None
        except httpx.HTTPError as error:
            message = f"{self.name}: {type(error).__name__} after {method} {path}"
            raise OutcomeUnknown(message) from None
        weight = response.headers.get("x-mbx-used-weight-1m", "")
        if weight.isdecimal():
            self.budget.used(int(weight), self.time.now_ms())
        return Answer(response.status_code, response.content, response.headers)

    async def _exchange(
        self, pool: httpx.AsyncHTTPTransport, method: str, url: str
    ) -> httpx.Response:
        """Send a request and read the whole answer.

        A client over the pool would do it too, and take a fifth of a millisecond more
        over each order: it looks at each part of a URL, which we have quoted ourselves.
        """
        who = self._credentials
        known = {} if who is None else {"X-MBX-APIKEY": who.key}
        target = self._base.raw_path.rstrip(b"/") + url.encode()
        request = httpx.Request(
            method,
            self._base,
            headers={**HEADERS, **known},
            extensions={"timeout": self._timeouts, "target": target},
        )
        response = await pool.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    def _now_s(self) -> float:
        # The venue's time is learned anew at each connect; what all share goes by ours.
        return self.time.clock.now_us() / 1e6

    def judged(self, answer: Answer) -> Verdict:
        """Return what ``answer`` means, and be silent for as long as it says."""
        now_ms = self.time.now_ms()
        verdict = judge(answer, now_ms)
        until_ms = now_ms + round(verdict.retry_after_s * 1000)
        known_ms = self._silent_until_ms[verdict.silence]
        self._silent_until_ms[verdict.silence] = max(known_ms, until_ms)
        return verdict

    def silent_s(self, *, is_cancel: bool = False) -> float:
        """Return for how long the venue wants to hear nothing of the kind; 0: speak.

        A limit of new orders is for the session to keep: who asks it knows what of.
        """
        banned_s = self._left_s(Silence.ALL)
        return banned_s if is_cancel else max(banned_s, self._left_s(Silence.QUESTIONS))

    def _left_s(self, silence: Silence) -> float:
        left_ms = self._silent_until_ms[silence] - self.time.now_ms()
        return max(0.0, left_ms / 1000)

    def _query(self, parameters: Parameters, *, signed: bool) -> str:
        if not signed or self._credentials is None:
            return encoded(parameters)
        window_ms = round(self._timing.recv_window_s * 1000)
        stamped = {
            **parameters,
            "recvWindow": window_ms,
            "timestamp": self.time.now_ms(),
        }
        return self._credentials.signed(stamped)
