"""A configuration is checked against its types, and its secrets stay secret."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from holdfast.configuration import Config, read_config
from holdfast.configuration.reading import credentials_of, source_of
from holdfast_actors.degradation import Degrading, Policy as DegradedPolicy
from holdfast_actors.reconciliation.plan import Policies, ReconcilePlan
from holdfast_adapters.binance import Credentials
from holdfast_domain.errors import InputError
from holdfast_domain.reconciliation import Policy

GOOD = """\
mode: paper
strategies:
  - class: mine.py
    params: {fast: 3}
    capital: 1000
venues:
  binance:
    adapter: binance
    symbols: [BTCUSDT]
    credentials: {key: "${KEY}", secret: "${SECRET}"}
engine: {state: "runs/${NAME:-first}"}
data: {interval: 15m}
"""
SET = {"KEY": "the-key", "SECRET": "the-secret"}
MINE = """\
from holdfast import Strategy, param
class Mine(Strategy):
    fast: int = param(5)
    def initialize(self, context): ...
    def handle_data(self, context, data): ...
"""


def read(
    folder: Path, text: str = GOOD, environ: dict[str, str] | None = None
) -> Config:
    path = folder / "holdfast.yaml"
    path.write_text(text)
    return read_config(path, SET if environ is None else environ)


def test_texts_become_types(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.strategies[0].capital == Decimal(1000)
    assert config.data.interval == 900_000_000
    assert config.engine.state == tmp_path / "runs/first"


def with_policies(text: str) -> str:
    """Return the good configuration, with policies of reconciliation on line 11."""
    said = f"reconciliation: {{every_s: 60, policies: {{{text}}}}}"
    return GOOD.replace("engine: {", f"engine: {{{said}, ")


def test_policies_of_reconciliation_are_by_severity(tmp_path: Path) -> None:
    assert read(tmp_path).engine.reconciliation.plan() == ReconcilePlan()

    text = with_policies("minor: warn, moderate: sync_to_local, consent: true")
    plan = read(tmp_path, text).engine.reconciliation.plan()

    assert plan == ReconcilePlan(
        every_s=60.0,
        policies=Policies(minor=Policy.WARN, moderate=Policy.SYNC_TO_LOCAL),
    )


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("minor: wurn", "58, minor", "one of warn, sync_to_broker, sync_to_local"),
        ("small: warn", "51", "one of minor, moderate, critical, consent"),
        ("critical: sync_to_local", "50", "consent: true"),
    ],
)
def test_a_policy_that_there_is_not_or_that_would_trade_unasked_is_refused(
    tmp_path: Path, text: str, column: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, with_policies(text))
    assert f"line 11, column {column}" in caught.value.where
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        ("mode: paper", "mode: papre", "line 1, column 7, mode", "one of paper, live"),
        ("capital: 1000", "capital: 0", "line 5, column 14, capital", "above 0"),
        ("mine.py", "mine.py\n    name: a/b", "line 4, column 11, name", "letters"),
        ("  binance:", "  a/b:", "line 8, column 5", "a venue's name"),
        ("  adapter", "  adaptor", "line 8, column 5", "one of adapter, symbols"),
        ("[BTCUSDT]", "BTCUSDT", "line 9, column 14", "a list"),
        ("[BTCUSDT]", "[]", "line 8, column 5", "at least one symbol"),
        ("[BTCUSDT]", "[A, A]", "line 8, column 5", "each symbol once"),
        ("15m", "quick", "line 12, column 18, interval", "an interval such as"),
        ("engine: {state", "engine: {stat", "line 11, column 10", "one of state"),
        ("${NAME:-first}", "${NAME}", "line 11, column 17, state", "variable NAME"),
        ("mode: paper", "mode: [", "line", "YAML"),
        ("mode: paper\n", "", "line 1, column 1", "the key mode"),
        ("mode: paper", "mode: paper\nmode: live", "line 2, column 1", "each key once"),
    ],
)
def test_an_error_names_line_and_column(
    tmp_path: Path, old: str, new: str, place: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert f"holdfast.yaml, {place}" in caught.value.where
    assert expected in caught.value.expected


def test_what_is_done_about_a_venue_that_is_away_is_read(tmp_path: Path) -> None:
    assert read(tmp_path).venues["binance"].degraded.plan() == Degrading()
    for policy in get_args(DegradedPolicy):
        said = f"{{after_s: 30, policy: {policy}, resume: venue}}"
        venue = read(tmp_path, with_degraded(said)).venues["binance"]
        plan = Degrading(after_s=30.0, policy=policy, resume="venue")
        assert venue.degraded.plan() == plan


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{policy: stop}", "keep, halt, cancel or paper"),
        ("{after_s: 0}", "a positive number of seconds"),
        ("{resume: nobody}", "one of person, venue"),
    ],
)
def test_what_cannot_be_done_about_it_is_refused(
    tmp_path: Path, said: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, with_degraded(said))
    assert expected in caught.value.expected


def test_when_a_venue_is_known_to_be_away_is_read(tmp_path: Path) -> None:
    assert read(tmp_path).venues["binance"].maintenance is None
    said = "{from: 23:45, until: 00:45, orders: refuse}"
    found = read(tmp_path, with_said(f"maintenance: {said}")).venues["binance"]
    assert found.maintenance is not None
    plan = found.maintenance.plan("America/New_York", lambda: 0)
    assert str(plan.window) == "23:45 to 00:45 America/New_York"
    assert plan.refuses
    with pytest.raises(InputError) as caught:
        found.maintenance.plan("Nowhere", lambda: 0)
    assert "line 9, column 18" in caught.value.where
    empty = with_said("maintenance: {from: 23:45, until: 23:45}")
    nothing = read(tmp_path, empty).venues["binance"].maintenance
    assert nothing is not None
    with pytest.raises(InputError, match="a part of the day"):
        nothing.plan("UTC", lambda: 0)
    with pytest.raises(InputError, match="a time of day such as 23:45"):
        read(tmp_path, with_said("maintenance: {from: 9, until: 10:00}"))


def with_degraded(said: str) -> str:
    return with_said(f"degraded: {said}")


def with_said(said: str) -> str:
    """Return the good configuration, with something more of the venue on line 9."""
    adapter = "    adapter: binance\n"
    return GOOD.replace(adapter, f"{adapter}    {said}\n")


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace('"${SECRET}"', "the-secret"),
        GOOD.replace('{key: "${KEY}", secret: "${SECRET}"}', "the-secret"),
        GOOD.replace("mode: paper", "mode: ${SECRET}"),
        GOOD.replace('"${SECRET}"', '"x${SECRET}"'),
    ],
)
def test_an_error_shows_no_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert "the-secret" not in str(caught.value)


def test_nothing_shows_a_secret_that_was_read(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert "the-" not in repr(config) + str(config)
    who = credentials_of(config.venues["binance"])
    assert who.key == "the-key"
    assert "the-secret" not in repr(who)


def test_secrets_come_from_a_file_that_nobody_else_may_read(tmp_path: Path) -> None:
    beside = tmp_path / ".env"
    beside.write_text("# mine\nexport KEY='the-key'\nSECRET=the-secret\n")
    beside.chmod(0o600)
    assert credentials_of(read(tmp_path, environ={}).venues["binance"]).key == "the-key"
    beside.chmod(0o640)
    with pytest.raises(InputError, match=r"mode 0600.*mode 0640") as caught:
        read(tmp_path)
    assert "the-secret" not in str(caught.value)


def test_credentials_may_have_a_file_of_their_own(tmp_path: Path) -> None:
    text = GOOD.replace('{key: "${KEY}", secret: "${SECRET}"}', "{file: who}")
    venue = read(tmp_path, text).venues["binance"]
    with pytest.raises(InputError, match="NAME=VALUE"):
        credentials_of(venue)
    (tmp_path / "who").write_text("key=the-key\nsecret=the-secret\n")
    (tmp_path / "who").chmod(0o600)
    assert credentials_of(venue).key == "the-key"
    (tmp_path / "who").write_text("key=the-key\n")
    with pytest.raises(InputError, match="both a key and a secret"):
        credentials_of(venue)


IN_KEYRING = GOOD.replace('{key: "${KEY}", secret: "${SECRET}"}', "{keyring: desk}")


def test_credentials_may_be_in_the_keyring_of_the_system(tmp_path: Path) -> None:
    config = read(tmp_path, IN_KEYRING)
    venue = config.venues["binance"]
    made = pytest.importorskip("tests.holdfast.keyrings").keyring_with
    with made(tmp_path / "ring", "desk", key="the-key") as ring:
        with pytest.raises(InputError, match="both a key and a secret"):
            credentials_of(venue)
        ring.set_password("desk", "secret", "the-secret")
        who = credentials_of(venue)
        assert (who.key, who.signature("x")) == (
            "the-key",
            Credentials("the-key", "the-secret").signature("x"),
        )
        assert "the-" not in repr(config)
        assert "the-secret" not in repr(who)
        ring.is_locked = True
        with pytest.raises(InputError, match="can be read, got PermissionError") as no:
            credentials_of(venue)
        assert "line 10, column 18, keyring" in no.value.where
        assert "the-" not in str(no.value)
        assert no.value.__suppress_context__


def test_a_keyring_needs_its_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = read(tmp_path, IN_KEYRING).venues["binance"]
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(InputError, match=r"pip install 'holdfast\[keyring\]'"):
        credentials_of(venue)


def test_credentials_are_in_one_place(tmp_path: Path) -> None:
    venue = read(tmp_path, IN_KEYRING.replace("desk", "desk, file: who"))
    with pytest.raises(InputError, match="one of key and secret, file, keyring"):
        credentials_of(venue.venues["binance"])


def test_trades_that_paper_fills_from_are_not_let_go(tmp_path: Path) -> None:
    text = GOOD.replace("engine: {", "engine: {tape: {keep_days: 7}, ")
    assert read(tmp_path, text).engine.tape.keep_days == 7
    with pytest.raises(InputError, match="no keep_days where paper fills orders from"):
        read(tmp_path, text.replace("interval: 15m", "interval: 15m, trades: true"))


def test_live_wants_credentials(tmp_path: Path) -> None:
    text = GOOD.replace("mode: paper", "mode: live")
    read(tmp_path, text)
    without = "".join(line for line in text.splitlines(True) if "credent" not in line)
    with pytest.raises(InputError, match="credentials of binance"):
        read(tmp_path, without)


def test_a_wrong_parameter_leads_to_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    (strategy,) = read(tmp_path).strategies
    assert source_of(tmp_path / "holdfast.yaml", strategy) == f"{tmp_path}/mine.py"
    (strategy,) = read(tmp_path, GOOD.replace("fast: 3", "fast: x")).strategies
    with pytest.raises(InputError, match=r"line 3, column 5: --param fast.*type int"):
        source_of(tmp_path / "holdfast.yaml", strategy)
