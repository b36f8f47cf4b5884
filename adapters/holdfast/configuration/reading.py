"""A configuration from its file, and what its parts must be together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import available_timezones

import attrs
import yaml

from holdfast.configuration.binding import Binder, plain_name
from holdfast.configuration.model import (
    Config,
    CredentialsConfig,
    ReconciliationConfig,
    StrategyConfig,
    VenueConfig,
)
from holdfast.configuration.secrets import (
    PAIR,
    Secret,
    keyring_pairs,
    read_pairs,
)
from holdfast.loading import load_strategy
from holdfast_actors.strategy.params import parse_params
from holdfast_adapters.binance import Credentials
from holdfast_adapters.data.yamlfile import root_of
from holdfast_adapters.ib import Address
from holdfast_domain.errors import InputError


def read_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration in a file, checked as far as no venue is needed for it.

    Variables are those of ``environ`` (the process's own unless it is given), and
    where they are not set there, of the file ``.env`` beside the configuration.

    Raises:
        InputError: with line and column, what was expected and what came.
    """
    environ = os.environ if environ is None else environ
    beside = path.parent / ".env"
    pairs = read_pairs(beside) if beside.exists() else {}
    root = root_of(path)
    if not isinstance(root, yaml.MappingNode):
        raise InputError(str(path), "a mapping with mode, strategies, venues", "none")
    config = Binder(path, {**pairs, **environ}).bind(Config, root)
    _check(config)
    return config


def _check(config: Config) -> None:
    where = config.place
    if not config.strategies:
        raise InputError(where, "at least one strategy", "none", "name a class")
    if len(config.venues) != 1:
        came = str(len(config.venues))
        raise InputError(where, "one venue", came, "run an engine for each")
    for name, venue in config.venues.items():
        _check_venue(name, venue, config.mode)
        if venue.adapter == "ib" and config.data.record is not None:
            came, todo = "record with ib", "leave it out: IB's line is not recorded"
            raise InputError(venue.place, "data that is not recorded", came, todo)
    _check_consent(config.engine.reconciliation)
    if config.engine.tape.keep_days and config.mode == "paper" and config.data.trades:
        expected = "no keep_days where paper fills orders from trades"
        todo = "leave it out: an order that rests may need all trades since it came"
        raise InputError(where, expected, str(config.engine.tape.keep_days), todo)


def _check_venue(name: str, venue: VenueConfig, mode: str) -> None:
    try:
        plain_name(name)
    except ValueError:
        expected = "a venue's name of letters, digits, '.', '_' and '-'"
        raise InputError(venue.place, expected, repr(name), "rename it") from None
    if not venue.symbols:
        raise InputError(venue.place, "at least one symbol", "none", "such as BTCUSDT")
    twice = sorted({each for each in venue.symbols if venue.symbols.count(each) > 1})
    if twice:
        raise InputError(venue.place, "each symbol once", f"{twice[0]} again")
    if venue.adapter == "ib":
        _check_ib(venue)
    elif mode == "live" and venue.credentials is None:
        todo = "write credentials: {key: ${NAME}, secret: ${NAME}}"
        raise InputError(venue.place, f"credentials of {name}", "none", todo)


def _check_ib(venue: VenueConfig) -> None:
    Address.parse(venue.address, venue.place, live=venue.live)
    if venue.credentials is not None:
        came, todo = "credentials", "TWS or Gateway is logged in; leave them out"
        raise InputError(venue.place, "an ib venue without any", came, todo)
    if venue.timezone not in available_timezones():
        todo = "such as America/New_York"
        raise InputError(venue.place, "a time zone", repr(venue.timezone), todo)
    for name in sorted(venue.contracts.keys() - set(venue.symbols)):
        expected = f"contracts of {', '.join(venue.symbols)}"
        raise InputError(venue.contracts[name].place, expected, repr(name))


def _check_consent(reconciliation: ReconciliationConfig) -> None:
    said = reconciliation.policies
    if reconciliation.plan().policies.trades and not said.consent:
        expected = "consent: true, for sync_to_local trades to bring the venue there"
        raise InputError(said.place, expected, "none", "write it, or another policy")


def source_of(config_path: Path, strategy: StrategyConfig) -> str:
    """Return a strategy's class as `load_strategy` wants it.

    Raises:
        InputError: there is no such strategy, or a parameter is none of its own.
    """
    file, colon, name = strategy.class_.partition(":")
    text = f"{config_path.parent / file}{colon}{name}"
    try:
        parse_params(load_strategy(text).strategy, strategy.params)
    except InputError as error:
        # What is wrong is said with its own place; the line of the file leads there.
        where = f"{strategy.place}: {error.where}"
        raise InputError(where, error.expected, error.came, error.todo) from None
    return text


def credentials_of(venue: VenueConfig) -> Credentials:
    """Return who trades at ``venue``; blocks, where a keyring asks a person.

    Raises:
        InputError: it is not said, only by half, or in two places.
    """
    said = venue.credentials
    if said is None:
        return _whole(venue, said)
    named = [bool(said.key or said.secret), said.file is not None, bool(said.keyring)]
    if sum(named) > 1:
        expected = "one of key and secret, file, keyring"
        raise InputError(said.place, expected, "several", "leave the others out")
    if not named[0]:
        pairs: dict[str, str] = {}
        if said.file is not None:
            pairs = read_pairs(said.file)
        elif said.keyring:
            pairs = keyring_pairs(said.keyring, f"{said.place}, keyring")
        key, secret = (Secret(pairs[n]) if pairs.get(n) else None for n in PAIR)
        said = attrs.evolve(said, key=key, secret=secret)
    return _whole(venue, said)


def _whole(venue: VenueConfig, said: CredentialsConfig | None) -> Credentials:
    if said is None or said.key is None or said.secret is None:
        where = venue.place if said is None else said.place
        raise InputError(where, "both a key and a secret", "one of them at most")
    return Credentials(said.key.reveal(), said.secret.reveal())
