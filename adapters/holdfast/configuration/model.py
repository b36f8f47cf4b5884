"""What may be configured. A field is a key of the file, in the type that it wants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args
from zoneinfo import available_timezones

import attrs

from holdfast.configuration.binding import Check, at_least_0, plain_name, positive
from holdfast.configuration.secrets import Secret
from holdfast.logs import Form, Level
from holdfast_actors.degradation import (
    By,
    Degrading,
    Maintenance,
    Policy as DegradedPolicy,
)
from holdfast_actors.reconciliation.plan import Policies, ReconcilePlan
from holdfast_actors.snapshots import SnapshotPlan
from holdfast_actors.strategy.history import frequency_us
from holdfast_domain.errors import InputError
from holdfast_domain.reconciliation import Policy
from holdfast_domain.windows import DailyWindow

Seconds: TypeAlias = Annotated[
    float, Check("a positive number of seconds", lambda text: float(positive(text)))
]
Positive: TypeAlias = Annotated[Decimal, Check("a number above 0", positive)]
Amount: TypeAlias = Annotated[Decimal, Check("a number of at least 0", at_least_0)]
Interval: TypeAlias = Annotated[
    int, Check("an interval such as 1s, 1m, 15m or 1h", frequency_us)
]
"""Microseconds; written as ``1m``."""


Name: TypeAlias = Annotated[
    str, Check("a name of letters, digits, '.', '_' and '-'", plain_name)
]


_POLICIES = ", ".join(each.value for each in Policy)
WhatToDo: TypeAlias = Annotated[Policy, Check(f"one of {_POLICIES}", Policy)]
"""Written as ``halt_and_alert``."""


@attrs.frozen(kw_only=True)
class StrategyConfig:
    """One strategy; two of one class need a name each."""

    class_: str
    """``FILE.py`` or ``FILE.py:Class``; the file is beside the configuration."""

    name: Name = ""
    params: dict[str, str] = attrs.field(factory=dict)
    capital: Positive | None = None
    """What it may use; equal shares of what is left, where it is not said."""

    place: str = ""


@attrs.frozen(kw_only=True)
class CredentialsConfig:
    """Who trades: two variables, or where ``key`` and ``secret`` are kept."""

    key: Secret | None = None
    secret: Secret | None = None
    file: Path | None = None
    """Of the mode 0600, with a line for each."""

    keyring: str = ""
    """The service under whose name the system's keyring has both."""

    place: str = ""


@attrs.frozen(kw_only=True)
class ConnectionConfig:
    """How long a venue may take, and how often it is asked."""

    command_timeout_s: Seconds = 30.0
    query_timeout_s: Seconds = 10.0
    poll_executions_s: Seconds = 30.0
    cancel_all_after_s: Seconds | None = None
    """How long after the engine's last sign of life the venue cancels all orders."""


def _policy(text: str) -> str:
    """Return what is done with a venue that is away for long.

    Raises:
        ValueError: it is nothing that can be done.
    """
    if text not in get_args(DegradedPolicy):
        raise ValueError(text)
    return text


def _clock(text: str) -> time:
    """Return a time of day.

    Raises:
        ValueError: it is none, or says more than hours and minutes.
    """
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a clock's face


@attrs.frozen(kw_only=True)
class DegradedConfig:
    """What is done when the venue is away, or its breaker open, for long."""

    after_s: Seconds = 60.0
    policy: Annotated[
        DegradedPolicy,
        Check("keep, halt, cancel or paper", _policy),
    ] = "keep"
    resume: By = "person"
    """Who takes all but ``keep`` back."""

    def plan(self) -> Degrading:
        """Return it as the engine wants it."""
        return Degrading(after_s=self.after_s, policy=self.policy, resume=self.resume)


Clock: TypeAlias = Annotated[time, Check("a time of day such as 23:45", _clock)]


@attrs.frozen(kw_only=True)
class MaintenanceConfig:
    """When the venue is known to be away each day, by its ``timezone``."""

    from_: Clock
    until: Clock
    orders: Literal["wait", "refuse"] = "wait"
    """What becomes of new orders then."""

    place: str = ""

    def plan(self, zone: str, now_us: Callable[[], int]) -> Maintenance:
        """Return it as the engine wants it.

        Raises:
            InputError: it is empty, or there is no such time zone.
        """
        if self.from_ == self.until:
            came = f"from {self.from_:%H:%M} until {self.until:%H:%M}"
            raise InputError(self.place, "a part of the day", came, "write another end")
        if zone not in available_timezones():
            todo = "write it as America/New_York"
            raise InputError(self.place, "a time zone of the venue", zone, todo)
        window = DailyWindow(begin=self.from_, end=self.until, zone=zone)
        refuses = self.orders == "refuse"
        return Maintenance(window=window, refuses=refuses, now_us=now_us)


@attrs.frozen(kw_only=True)
class ContractConfig:
    """A contract at Interactive Brokers."""

    symbol: str
    kind: Literal["STK", "OPT", "FUT", "CASH", "CRYPTO"] = "STK"
    exchange: str = "SMART"
    primary: str = ""
    currency: str = "USD"
    expiry: str = ""
    """``202603`` or ``20260320``; in quotes."""

    strike: Positive | None = None
    right: Literal["", "C", "P"] = ""
    multiplier: str = ""
    lot: Positive | None = None
    """The step of quantities; 1 for stocks, options and futures."""

    place: str = ""


@attrs.frozen(kw_only=True)
class VenueConfig:
    """Where the market is, and in the mode ``live`` the account."""

    adapter: Literal["binance", "binance_futures", "ib"]
    symbols: tuple[str, ...]
    testnet: bool = True
    address: str = ""
    """In the place of the adapter's own ones; such as http://127.0.0.1:9000."""

    commission: Amount = Decimal("0.001")
    """Part of the notional: what the guard reckons with, and paper takes."""

    credentials: CredentialsConfig | None = None
    connection: ConnectionConfig = attrs.field(factory=ConnectionConfig)
    degraded: DegradedConfig = attrs.field(factory=DegradedConfig)
    maintenance: MaintenanceConfig | None = None
    """When it is known to be away each day, such as for the restart of TWS."""

    live: bool = False
    """Of ``ib``: whether an account with money, and its ports, may be traded."""

    account: str = ""
    """Of ``ib``: which one; the only one, where it is not said."""

    client_id: int = 1
    """Of ``ib``: the first of three in a row, for orders, market and questions."""

    timezone: str = "America/New_York"
    """Of ``ib``: the one that TWS is set to; its day begins at midnight there."""

    contracts: dict[str, ContractConfig] = attrs.field(factory=dict)
    """Of ``ib``: what symbols mean that are no stocks; ``EUR.USD`` is a pair."""

    place: str = ""


@attrs.frozen(kw_only=True)
class DataConfig:
    """What strategies are fed."""

    interval: Interval = 60_000_000
    """The length of a bar."""

    trades: bool = False
    """Whether each trade is told (`on_tick`)."""

    quotes: bool = False
    """Whether the best bid and ask are told (`on_quote`)."""

    pulse_s: Seconds = 0.25
    """Trades and quotes that do not pause are told in batches of this length."""

    history: bool = True
    """Whether the venue is asked for bars that were not heard: those that strategies
    need before the first start, and those that were missed."""

    record: Path | None = None
    """Where each message of the market is kept as it came; or nowhere."""

    grace_s: Seconds = 2.0
    """For how long a bar waits for trades that come late."""


@attrs.frozen(kw_only=True)
class PaperConfig:
    """The venue on paper."""

    capital: Positive | None = None
    """Of all strategies together; what they say themselves, or 100 000."""

    slippage_bps: Amount = Decimal(0)
    in_kind: bool = True
    """Whether a buy at a spot exchange pays its commission out of what it brings, as it
    does where the account pays in no other asset."""

    fill: Literal["next_open", "this_close", "next_close"] = "next_open"


@attrs.frozen(kw_only=True)
class PoliciesConfig:
    """What is done about a difference, by its severity, until a person sets others."""

    minor: WhatToDo = Policy.SYNC_TO_BROKER
    moderate: WhatToDo = Policy.SYNC_TO_BROKER
    critical: WhatToDo = Policy.SYNC_TO_BROKER
    consent: bool = False
    """``sync_to_local`` may trade."""

    place: str = ""


@attrs.frozen(kw_only=True)
class ReconciliationConfig:
    """How the books are compared with the venue's."""

    every_s: Seconds = 300.0
    policies: PoliciesConfig = attrs.field(factory=PoliciesConfig)

    def plan(self) -> ReconcilePlan:
        """Return it as the reconciler wants it."""
        said = self.policies
        policies = Policies(
            minor=said.minor, moderate=said.moderate, critical=said.critical
        )
        return ReconcilePlan(every_s=self.every_s, policies=policies)


@attrs.frozen(kw_only=True)
class TapeConfig:
    """What is kept of the market that was heard."""

    keep_days: int | None = None
    """For how long trades and quotes are kept, at least; bars are kept for ever.

    None: for ever, too.
    """


@attrs.frozen(kw_only=True)
class EngineConfig:
    """The engine itself."""

    state: Path
    """The directory of journal and tape; one engine for each."""

    snapshot_every_s: Seconds = 60.0
    compact_after: int = 10_000
    tape: TapeConfig = attrs.field(factory=TapeConfig)
    reconciliation: ReconciliationConfig = attrs.field(factory=ReconciliationConfig)

    def snapshots(self) -> SnapshotPlan:
        """Return when a snapshot is due, as the engine wants it."""
        return SnapshotPlan(
            every_s=self.snapshot_every_s, compact_after=self.compact_after
        )


@attrs.frozen(kw_only=True)
class LoggingConfig:
    """What is logged on standard error."""

    format: Form = "console"
    level: Level = "info"


@attrs.frozen(kw_only=True)
class Config:
    """One engine."""

    mode: Literal["paper", "live"]
    strategies: tuple[StrategyConfig, ...]
    venues: dict[str, VenueConfig]
    engine: EngineConfig
    data: DataConfig = attrs.field(factory=DataConfig)
    paper: PaperConfig = attrs.field(factory=PaperConfig)
    logging: LoggingConfig | None = None
    """None: nothing is logged."""

    place: str = ""
