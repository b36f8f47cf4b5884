"""What is traded: contracts as a configuration says them, and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from holdfast_adapters.ib.library import library
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import to_decimal

if TYPE_CHECKING:
    from ib_async.contract import Contract

PAIR: Final = 2
"""A currency pair has two parts."""

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

    zone: str


def listed(name: str, spec: ContractSpec, found: list[Any], venue: str) -> Listed:
    """Return the contract that ``spec`` means.

    Raises:
        VenueRefused: IB knows none, or several.
    """
    if len(found) != 1:
        names = ", ".join(each.contract.localSymbol for each in found[:3])
        came = f"several ({names} ...): say more of it" if found else "none"
        reason = f"expected one contract for {name!r}, got {came}"
        raise VenueRefused(reason, "200")
    (details,) = found
    contract = details.contract
    contract.exchange = spec.exchange
    lot = spec.lot
    if lot is None:
        is_whole = spec.kind in ("STK", "OPT", "FUT")
        lot = Decimal(1) if is_whole else to_decimal(details.sizeIncrement or 1)
    instrument = Instrument(
        symbol=name,
        venue=venue,
        currency=contract.currency,
        tick=to_decimal(details.minTick) or None,
        lot=lot.normalize(),
        multiplier=to_decimal(contract.multiplier or 1),
    )
    return Listed(contract, instrument, details.tradingHours, details.timeZoneId)


def specs_of(
    symbols: tuple[str, ...], contracts: Mapping[str, ContractSpec]
) -> dict[str, ContractSpec]:
    """Return what each symbol means."""
    return {name: contracts.get(name) or ContractSpec.named(name) for name in symbols}
