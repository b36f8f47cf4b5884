"""What a run is made of, as its user says it, and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from holdfast.dealing import Dealing
from holdfast.loading import Loaded, check_strategy, load_strategy
from holdfast.numbers import read_number
from holdfast_actors.strategy.api import Strategy
from holdfast_actors.strategy.params import declared_params, parse_params
from holdfast_adapters.data import instruments_for, load_bars, load_instruments
from holdfast_adapters.matching import FillAt, FillModel
from holdfast_domain.errors import InputError
from holdfast_domain.fills import NOT_STRATEGIES
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import ZERO, Numeric

_AS_FRACTION = "give 10 bps as 0.001"


@attrs.frozen(kw_only=True)
class Market:
    """What a venue on paper is made of. Made by `read_market`."""

    data: MarketData
    instruments: Mapping[str, Instrument]
    capital: Decimal
    """What the account begins with."""

    model: FillModel

    @property
    def currency(self) -> str:
        """The currency of the capital: that of all instruments, or dollars."""
        currencies = {each.currency for each in self.instruments.values()}
        return currencies.pop() if len(currencies) == 1 else "USD"

    def values(self) -> dict[str, Any]:
        """Return what must not differ between two starts, as plain values."""
        return {
            "data": self.data.digest,
            # The rules of a live market may change from start to start.
            "instruments": [
                each.symbol if self.data.grows else repr(each)
                for each in self.instruments.values()
            ],
            "capital": str(self.capital),
            "commission": str(self.model.commission),
            "slippage_bps": str(self.model.slippage_bps),
            "fill": self.model.fill.value,
        } | ({} if self.model.in_kind else {"in_kind": "false"})


@attrs.frozen(kw_only=True)
class RunOptions:
    """A run of strategies over recorded data. Made by `read_options`."""

    strategies: tuple[Loaded, ...]
    names: tuple[str, ...]
    """One for each strategy, all different."""

    params: tuple[dict[str, Any], ...]
    data: MarketData
    instruments: Mapping[str, Instrument]
    capital: Decimal
    model: FillModel
    allotted: tuple[Decimal | None, ...] = ()
    """What each strategy may use; None, and no word at all, is an equal share."""

    dealing: Dealing = attrs.field(factory=Dealing)

    @property
    def market(self) -> Market:
        """Where the strategies trade."""
        return Market(
            data=self.data,
            instruments=self.instruments,
            capital=self.capital,
            model=self.model,
        )

    def identity(self) -> str:
        """Return what must not differ between two starts of one run, as JSON."""
        return json.dumps(
            {
                "strategies": [
                    [name, loaded.strategy.__name__, loaded.digest]
                    for name, loaded in zip(self.names, self.strategies, strict=True)
                ],
                "params": [
                    {name: repr(value) for name, value in sorted(each.items())}
                    for each in self.params
                ],
                **self.market.values(),
            },
            sort_keys=True,
        )

    def shares(self) -> list[Decimal]:
        """Return each strategy's capital: what was said, or an equal share of the rest.

        The remainder is for the first that shares.
        """
        said = self.allotted or (None,) * len(self.strategies)
        rest = self.capital - sum(each or ZERO for each in said)
        count = said.count(None)
        if not count:
            return [each or ZERO for each in said]
        share = (rest / count).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
        shares = iter([rest - share * (count - 1)] + [share] * (count - 1))
        return [next(shares) if each is None else each for each in said]


def read_options(
    strategies: Sequence[str | type[Strategy]] | str | type[Strategy],
    *,
    data: str | Path | MarketData,
    capital: Numeric = 100_000,
    start: str | None = None,
    end: str | None = None,
    tz: str | None = None,
    commission: Numeric = 0,
    slippage_bps: Numeric = 0,
    fill: str = "next_open",
    fractional: bool = False,
    params: Mapping[str, Any] | None = None,
    instruments: str | Path | Mapping[str, Instrument] | None = None,
    dealing: Dealing | None = None,
) -> RunOptions:
    """Check and load all that a run needs.

    Raises:
        InputError: in one line, what was expected, what came, where, what to do.
    """
    many = [strategies] if isinstance(strategies, str | type) else list(strategies)
    if not many:
        raise InputError("strategies", "at least one", "none", "name a FILE.py")
    loaded = [_load(each) for each in many]
    market = read_market(
        data=data,
        capital=capital,
        start=start,
        end=end,
        tz=tz,
        commission=commission,
        slippage_bps=slippage_bps,
        fill=fill,
        fractional=fractional,
        instruments=instruments,
    )
    return RunOptions(
        strategies=tuple(loaded),
        names=names_of(loaded),
        params=_params(loaded, params or {}),
        data=market.data,
        instruments=market.instruments,
        capital=market.capital,
        model=market.model,
        dealing=dealing or Dealing(),
    )


def read_market(
    *,
    data: str | Path | MarketData,
    capital: Numeric = 100_000,
    start: str | None = None,
    end: str | None = None,
    tz: str | None = None,
    commission: Numeric = 0,
    slippage_bps: Numeric = 0,
    fill: str = "next_open",
    fractional: bool = False,
    instruments: str | Path | Mapping[str, Instrument] | None = None,
) -> Market:
    """Check and load all that a venue on paper needs.

    Raises:
        InputError: in one line, what was expected, what came, where, what to do.
    """
    money = read_number(
        "capital", capital, "a positive number", "give it as 100000", above=ZERO
    )
    model = _model(fill, commission, slippage_bps)
    bars = (
        data
        if isinstance(data, MarketData)
        else load_bars(Path(data), timezone=tz, start=start, end=end)
    )
    configured = _instruments(instruments)
    return Market(
        data=bars,
        instruments=instruments_for(bars, configured, fractional=fractional),
        capital=money,
        model=model,
    )


def _model(fill: str, commission: Numeric, slippage_bps: Numeric) -> FillModel:
    model = FillModel(
        fill=_fill(fill),
        commission=read_number(
            "commission", commission, "a fraction from 0 to below 1", _AS_FRACTION
        ),
        slippage_bps=read_number(
            "slippage-bps", slippage_bps, "a number of at least 0", "give it as 5"
        ),
    )
    if model.commission >= 1:
        raise InputError(
            "commission",
            "a fraction from 0 to below 1",
            str(commission),
            _AS_FRACTION,
        )
    return model


def _load(each: str | type[Strategy]) -> Loaded:
    if isinstance(each, str):
        return load_strategy(each)
    return Loaded(strategy=check_strategy(each), source=each.__qualname__, digest="")


def names_of(loaded: Sequence[Loaded]) -> tuple[str, ...]:
    """Return a name for each strategy: that of its class, numbered where need be."""
    names: list[str] = []
    for each in loaded:
        name = base = each.strategy.__name__
        count = 1
        while name in names or name in NOT_STRATEGIES:
            count += 1
            name = f"{base}-{count}"
        names.append(name)
    return tuple(names)


def _params(
    loaded: Sequence[Loaded], given: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """Give each strategy those parameters that it declares."""
    if len(loaded) == 1:
        return (parse_params(loaded[0].strategy, given),)
    for name in given:
        if not any(name in declared_params(each.strategy) for each in loaded):
            parse_params(loaded[0].strategy, {name: given[name]})
    return tuple(
        parse_params(
            each.strategy,
            {k: v for k, v in given.items() if k in declared_params(each.strategy)},
        )
        for each in loaded
    )


def _instruments(
    given: str | Path | Mapping[str, Instrument] | None,
) -> Mapping[str, Instrument]:
    if given is None:
        return {}
    if isinstance(given, str | Path):
        return load_instruments(Path(given))
    return given


def _fill(text: str) -> FillAt:
    try:
        return FillAt(text)
    except ValueError:
        known = ", ".join(each.value for each in FillAt)
        raise InputError(
            "fill", f"one of {known}", repr(text), "choose one of them"
        ) from None
