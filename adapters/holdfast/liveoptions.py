"""What a live run is made of, as its configuration says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from holdfast.configuration import Config
from holdfast.configuration.model import StrategyConfig, VenueConfig
from holdfast.configuration.reading import source_of
from holdfast.dealing import Dealing
from holdfast.loading import load_strategy
from holdfast.options import RunOptions, names_of
from holdfast_actors.connection import Deadlines
from holdfast_actors.resolver import Patience
from holdfast_actors.strategy.params import parse_params
from holdfast_adapters.matching import FillAt, FillModel
from holdfast_domain.errors import InputError
from holdfast_domain.fills import NOT_STRATEGIES
from holdfast_domain.growing import GrowingData
from holdfast_domain.instruments import Instrument

CAPITAL = Decimal(100_000)


def live_options(
    config: Config,
    path: Path,
    venue: VenueConfig,
    data: GrowingData,
    instruments: Mapping[str, Instrument],
) -> RunOptions:
    """Return what is run: ``config`` at ``path``, on what ``venue`` tells.

    Raises:
        InputError: a strategy cannot be loaded, or what they share is not right.
    """
    connection = venue.connection
    strategies = config.strategies
    loaded = [load_strategy(source_of(path, each)) for each in strategies]
    numbered = names_of(loaded)
    said = tuple(each.capital for each in strategies)
    return RunOptions(
        strategies=tuple(loaded),
        names=_named(strategies, numbered),
        params=tuple(
            parse_params(each.strategy, own.params)
            for each, own in zip(loaded, strategies, strict=True)
        ),
        data=data,
        instruments={name: instruments[name] for name in venue.symbols},
        capital=_capital(config),
        model=FillModel(
            fill=FillAt(config.paper.fill),
            commission=venue.commission,
            in_kind=config.paper.in_kind,
            slippage_bps=config.paper.slippage_bps,
        ),
        allotted=said,
        dealing=Dealing(
            deadlines=Deadlines(
                command_s=connection.command_timeout_s,
                query_s=connection.query_timeout_s,
            ),
            patience=Patience(gap_s=connection.poll_executions_s),
        ),
    )


def _named(
    strategies: Sequence[StrategyConfig], numbered: Sequence[str]
) -> tuple[str, ...]:
    """Return what each is called in journal and ledger.

    Raises:
        InputError: two have one name, or one has a name that a strategy cannot have.
    """
    names: list[str] = []
    for each, otherwise in zip(strategies, numbered, strict=True):
        name = each.name or otherwise
        if name in names or name in NOT_STRATEGIES:
            came, todo = repr(name), "rename it with name:"
            raise InputError(each.place, "a name of its own", came, todo)
        names.append(name)
    return tuple(names)


def _capital(config: Config) -> Decimal:
    """Return what all strategies have together.

    Raises:
        InputError: they have said more or less than there is.
    """
    said = [each.capital for each in config.strategies]
    used = sum((each for each in said if each is not None), Decimal(0))
    if None not in said:
        if config.paper.capital not in (None, used):
            came, todo = str(config.paper.capital), "leave one of both out"
            raise InputError(config.place, f"paper capital of {used}", came, todo)
        return used
    capital = config.paper.capital or CAPITAL
    if capital <= used:
        where, expected = config.place, f"paper capital above {used}"
        raise InputError(where, expected, str(capital), "others share what is left")
    return capital
