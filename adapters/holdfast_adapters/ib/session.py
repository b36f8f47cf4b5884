"""The session of a venue: it connects as the right account, and asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import attrs

from holdfast_adapters.ib.addresses import Line
from holdfast_adapters.ib.connection import read_on
from holdfast_adapters.ib.contracts import (
    ContractSpec,
    Listed,
    listed,
    only_one,
    rule_of,
)
from holdfast_adapters.ib.gateway import Gateway
from holdfast_adapters.ib.hours import Hours, sessions_of
from holdfast_adapters.ib.hub import Hub
from holdfast_adapters.ib.memory import Memory
from holdfast_adapters.ib.ticks import Tick
from holdfast_adapters.owntime import OwnTime
from holdfast_domain.errors import InputError, NotSent, OutcomeUnknown, VenueRefused
from holdfast_domain.instruments import Band, Instrument
from holdfast_domain.ports import AsyncioHost, Events, VenueEvent, WallClock
from holdfast_domain.sight import VenueSight

T = TypeVar("T")

NEW: Final = "a new connection"
TICKS_MAX: Final = 50_000


@attrs.frozen(kw_only=True)
class Timing:
    """How long TWS may take; seconds."""

    connect_s: float = 15.0
    answer_s: float = 15.0
    command_s: float = 30.0


class Session(OwnTime):
    """Whatever needs a connection; `IBVenue` asks by it."""

    def __init__(
        self,
        *,
        host: AsyncioHost,
        line: Line,
        specs: Mapping[str, ContractSpec],
        clock: WallClock,
        account: str = "",
        live: bool = False,
        hub: Hub | None = None,
        memory: Memory | None = None,
        timing: Timing | None = None,
        name: str = "ib",
        hours: Hours | None = None,
    ) -> None:
        """Trade ``specs`` in ``account``, or in the only one that there is.

        Only a paper account is traded, unless it is ``live``. What happens is told to
        ``hub``, and when contracts trade to ``hours``.

        Raises:
            InputError: nothing is to be traded.
        """
        if not specs:
            raise InputError(name, "at least one symbol", "none", "such as AAPL")
        self.name = name
        self.listed: dict[str, Listed] = {}
        """What is traded, by symbol; known once it is connected."""

        self.account_id = account
        self._host, self.line, self.specs, self.clock = host, line, specs, clock
        self._live = live
        self.memory = Memory() if memory is None else memory
        self.memory.begin(clock.now_us())
        self._hours = Hours() if hours is None else hours
        self._timing = Timing() if timing is None else timing
        self.names: dict[int, str] = {}
        self._rules: dict[int, list[Band]] = {}
        """Market rules, which many contracts share."""

        self._gateway: Gateway | None = None
        hub = Hub() if hub is None else hub
        self._tell = host.events(hub.tell).push
        self._miss = host.events(hub.miss).push

    @property
    def instruments(self) -> dict[str, Instrument]:
        """What can be traded, by symbol; known once it is connected."""
        return {name: each.instrument for name, each in self.listed.items()}

    def sight(self) -> VenueSight:
        """Return how the limit of messages stands, while there is a connection."""
        gateway = self._gateway
        return VenueSight(limiter=None if gateway is None else gateway.sight())

    # --- the session --------------------------------------------------------------

    async def connect(self) -> None:
        """Connect, see that it is the right account, and learn what stands; idempotent.

        Executions and orders are asked for at each connect: what happened meanwhile is
        not told otherwise.

        Raises:
            NotSent: TWS is not there, or says nothing.
            VenueRefused: the client id is in use (326), the account is not there or is
                for money, or a contract is not known (200).
        """
        if self._gateway is not None:
            try:
                self._gateway.check()
            except NotSent as error:
                if error.retry_after_s:
                    raise
            else:
                return
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise
        self._miss(NEW)

    async def _open(self) -> None:
        limit_s = self._timing.connect_s
        try:
            accounts = await self._host.run(self._dialed, deadline_s=limit_s)
        except TimeoutError as error:
            text = f"{self.line.address} takes connections and says nothing"
            raise NotSent(f"{text}: does a dialog of TWS wait?") from error
        self._choose(accounts)
        for name, spec in self.specs.items():
            await self._list(name, spec)
        await self.ask(self.there().whole)

    async def _dialed(self) -> list[str]:
        """Make a connection; in the loop of the library."""
        gateway = Gateway(self.line, self._tell, self._miss, self.names)
        self._gateway = gateway
        return await gateway.connect()

    def _choose(self, accounts: Sequence[str]) -> None:
        """Take the account that is meant; paper accounts begin with a D.

        Raises:
            VenueRefused: it is not there, or several are, or it is for money.
        """
        told = ", ".join(accounts)
        if not self.account_id and len(accounts) == 1:
            self.account_id = accounts[0]
        if self.account_id not in accounts:
            wanted = (
                f"account {self.account_id!r}" if self.account_id else "one account"
            )
            reason = f"expected {wanted}, got {told}: name one of them as account"
            raise VenueRefused(reason, "account")
        if not self._live and not self.account_id.startswith("D"):
            reason = f"expected a paper account, got {self.account_id}"
            raise VenueRefused(f"{reason}: say live: true to trade it", "account")

    async def _list(self, name: str, spec: ContractSpec) -> None:
        try:
            found = await self.ask(self.there().details, spec.contract())
        except VenueRefused as error:
            raise VenueRefused(f"{name}: {error.reason}", error.code) from error
        only = only_one(name, found)
        number = rule_of(only, spec.exchange)
        bands = [] if number is None else await self._rule(number)
        each = self.listed[name] = listed(name, spec, only, bands, self.name)
        self.names[each.contract.conId] = name
        self._hours.learn(name, sessions_of(each.liquid, each.zone))

    async def _rule(self, number: int) -> list[Band]:
        if number not in self._rules:
            self._rules[number] = await self.ask(self.there().rule, number)
        return self._rules[number]

    async def close(self) -> None:
        """End the session; idempotent."""
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            try:
                await self._host.run(gateway.close, deadline_s=self._timing.answer_s)
            except TimeoutError:
                return  # its loop hangs, and is given up with all that is in it

    async def listen(self, heard: Callable[[Tick], None]) -> Events[Tick]:
        """Let ``heard`` hear the market; what is dropped is counted where it comes."""
        events = self._host.events(heard, capacity=TICKS_MAX, full="drop_oldest")
        contracts = [each.contract for each in self.listed.values()]
        await self.ask(self.there().listen, contracts, events.push)
        return events

    async def caught_up(self) -> None:
        """Return when what TWS had sent by now was heard.

        Raises:
            ConnectionError: the loop of the library hangs.
        """
        await self.ask(read_on)

    def there(self) -> Gateway:
        """Return the connection.

        Raises:
            NotSent: there is none.
        """
        if self._gateway is None:
            raise NotSent(f"{self.name}: there is no connection")
        return self._gateway

    async def command(
        self, call: Callable[..., Awaitable[list[VenueEvent]]], *args: object
    ) -> list[VenueEvent]:
        """Ask for something to be done, once.

        Raises:
            OutcomeUnknown: no answer came in time.
            ConnectionError: the connection ended before it came.
        """
        limit_s = self._timing.command_s
        try:
            return await self._host.run(call, *args, deadline_s=limit_s)
        except TimeoutError as error:
            message = f"{self.name}: no answer within {limit_s:g} s"
            raise OutcomeUnknown(message) from error

    async def ask(self, call: Callable[..., Awaitable[T]], *args: object) -> T:
        """Ask something; a TWS that does not answer is taken for dead.

        Raises:
            ConnectionError: no answer came.
            VenueError: there is no connection, or the question was turned down.
        """
        limit_s = self._timing.answer_s
        try:
            return await self._host.run(call, *args, deadline_s=limit_s)
        except TimeoutError as error:
            await self.close()
            message = f"{self.name}: no answer within {limit_s:g} s"
            raise ConnectionError(message) from error
