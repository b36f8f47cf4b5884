"""What is traded: contracts as a configuration says them, and their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from holdfast_adapters.ib.hours import sessions_of
from holdfast_adapters.ib.library import library
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Band, Instrument
from holdfast_domain.money import to_decimal

if TYPE_CHECKING:
    from ib_async.contract import Contract, ContractDetails

PAIR: Final = 2
"""A currency pair has two parts."""

SHOWN: Final = 8
"""How many contracts are shown of those that fit."""

NEAR_US: Final = 4 * 86_400_000_000
"""How far away the next session may be: over a weekend with a holiday."""

CODE: Final = 3
"""The length of a currency's name."""


@attrs.frozen(kw_only=True)
class ContractSpec:
    """Which contract is meant. A stock by default, at IB's router, in dollars."""

    symbol: str
    kind: str = "STK"
    """``STK``, ``OPT``, ``FUT``, ``CASH`` (forex) or ``CRYPTO``."""

    exchange: str = "SMART"
    primary: str = ""
    currency: str = "USD"
    expiry: str = ""
    """``202603`` or ``20260320``."""

    strike: Decimal | None = None
    right: str = ""
    """``C`` or ``P``."""

    multiplier: str = ""
    lot: Decimal | None = None
    """The step of quantities; 1 for stocks, and else what IB says."""

    @classmethod
    def named(cls, name: str) -> ContractSpec:
        """Return what a bare name means: ``EUR.USD`` is a pair, all else a stock.

        >>> ContractSpec.named("EUR.USD").exchange, ContractSpec.named("BRK B").kind
        ('IDEALPRO', 'STK')
        """
        parts = name.split(".")
        if len(parts) == PAIR and all(len(each) == CODE for each in parts):
            base, quote = parts
            return cls(symbol=base, kind="CASH", exchange="IDEALPRO", currency=quote)
        return cls(symbol=name)

    def contract(self) -> Contract:
        """Return it as ib_async has it; without IB's own id."""
        made: Contract = library().Contract(
            symbol=self.symbol,
            secType=self.kind,
            exchange=self.exchange,
            primaryExchange=self.primary,
            currency=self.currency,
            lastTradeDateOrContractMonth=self.expiry,
            strike=0.0 if self.strike is None else float(self.strike),
            right=self.right,
            multiplier=self.multiplier,
        )
        return made


@attrs.frozen
class Listed:
    """A contract that IB knows, with its rules."""

    contract: Contract
    instrument: Instrument
    hours: str
    """When it can be traded, as IB writes it."""

    liquid: str
    """The same of its regular hours: those of day orders, and of its calendar."""

    zone: str

    def is_closed(self, now_us: int) -> bool:
        """Tell whether it is known not to trade now, whatever the hours are called.

        Hours that were told of other days say nothing of now.
        """
        sessions = sessions_of(self.hours, self.zone)
        if any(begin <= now_us < end for begin, end in sessions):
            return False
        return any(now_us < begin <= now_us + NEAR_US for begin, _ in sessions)


def only_one(name: str, found: Sequence[ContractDetails]) -> ContractDetails:
    """Return the details of the only contract that fits.

    Raises:
        VenueRefused: IB knows none, or several; they are told by what tells them apart.
    """
    if len(found) == 1:
        return found[0]
    some = "; ".join(_told(_of(each)) for each in found[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    came = f"{len(found)}: {some}{more}; say more of it" if found else "none"
    raise VenueRefused(f"expected one contract for {name!r}, got {came}", "200")


def _of(details: ContractDetails) -> Contract:
    assert details.contract is not None  # the decoder makes both at once
    return details.contract


def _told(contract: Contract) -> str:
    """Return a contract as a configuration would say it, and by IB's own id."""
    words = (
        contract.localSymbol or contract.symbol,
        contract.secType,
        contract.lastTradeDateOrContractMonth,
        f"{contract.strike:g}" if contract.strike else "",
        contract.right,
        f"x {contract.multiplier}" if contract.multiplier else "",
        contract.exchange or contract.primaryExchange,
        contract.currency,
        f"({contract.conId})",
    )
    return " ".join(each for each in words if each)


def rule_of(details: ContractDetails, exchange: str) -> int | None:
    """Return the number of the market rule at ``exchange``; None if none is told.

    Source: TWS API, "Minimum Price Increment": the rules stand in the order of the
    exchanges where the contract is valid.
    """
    rules = [each for each in details.marketRuleIds.split(",") if each]
    places = details.validExchanges.split(",")
    by_place = dict(zip(places, rules, strict=False))
    found = by_place.get(exchange, rules[0] if rules else "")
    return int(found) if found.isdecimal() else None


def listed(
    name: str,
    spec: ContractSpec,
    details: ContractDetails,
    bands: Sequence[Band],
    venue: str,
) -> Listed:
    """Return a contract with its rules; one band alone is a tick."""
    contract = _of(details)
    tick = to_decimal(details.minTick) or None
    if len(bands) == 1:
        tick = bands[0].tick
    stepped = tuple(sorted(bands, key=lambda each: each.low)) if len(bands) > 1 else ()
    contract.exchange = spec.exchange
    lot = spec.lot
    if lot is None:
        is_whole = spec.kind in ("STK", "OPT", "FUT")
        lot = Decimal(1) if is_whole else to_decimal(details.sizeIncrement or 1)
    instrument = Instrument(
        symbol=name,
        venue=venue,
        currency=contract.currency,
        tick=tick,
        bands=stepped,
        lot=lot.normalize(),
        multiplier=to_decimal(contract.multiplier or 1),
    )
    return Listed(
        contract,
        instrument,
        details.tradingHours,
        details.liquidHours or details.tradingHours,
        details.timeZoneId,
    )


def specs_of(
    symbols: tuple[str, ...], contracts: Mapping[str, ContractSpec]
) -> dict[str, ContractSpec]:
    """Return what each symbol means."""
    return {name: contracts.get(name) or ContractSpec.named(name) for name in symbols}
