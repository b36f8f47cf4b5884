"""`holdfast doctor` says what a run would meet, and shows no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from holdfast import doctor
from holdfast.configuration.secrets import Secret
from holdfast.doctor import examine
from holdfast_adapters.simulators.binance.futures import FuturesSimulator

from .live_desk import (
    EXAMPLE,
    SECRET,
    Desk,
    FastClock,
    desk,
    futures_config,
    live_config,
)


async def found(here: Desk, path: Path, **given: Any) -> dict[str, str]:
    config = given.pop("config", None) or here.config(path)
    clock = given.get("clock", here.clock)
    findings = [each async for each in examine(config, path, clock)]
    assert SECRET not in repr(findings)
    return {each.what: each.verdict for each in findings}


async def test_all_is_well(tmp_path: Path) -> None:
    async with desk(tmp_path / "state") as here:
        verdicts = await found(here, live_config(tmp_path))
    assert set(verdicts.values()) == {"ok"}
    assert list(verdicts) == [
        "versions",
        "strategy fast",
        "strategy slow",
        "state",
        "clock",
        "symbol BTCUSDT",
        "account",
        "market stream",
        "user stream",
    ]


@pytest.mark.parametrize("hedges", [False, True])
async def test_futures_are_looked_at_and_hedge_mode_is_found(
    tmp_path: Path, hedges: bool
) -> None:
    async with desk(tmp_path / "state", futures=True) as here:
        assert isinstance(here.simulator, FuturesSimulator)
        here.simulator.exchange.hedges = hedges
        config = here.config(futures_config(tmp_path))
        path = tmp_path / "futures.yaml"
        findings = [each async for each in examine(config, path, here.clock)]
    wrong = [(each.what, each.text) for each in findings if each.verdict != "ok"]
    mode = "it is in hedge mode: set one-way mode at the exchange"
    assert wrong == ([("account", mode)] if hedges else [])


async def test_a_wrong_key_and_a_missing_strategy_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ANSWER_S", 0.5)
    path = live_config(tmp_path)
    path.write_text(path.read_text().replace("breakout.py", "nowhere.py", 1))
    async with desk(tmp_path / "state") as here:
        config = here.config(path)
        venue = config.venues["binance"]
        who = attrs.evolve(venue.credentials, secret=Secret("another"))
        venues = {"binance": attrs.evolve(venue, credentials=who)}
        config = attrs.evolve(config, venues=venues)
        verdicts = await found(here, path, config=config)
    failed = [what for what, verdict in verdicts.items() if verdict == "failed"]
    assert failed == ["strategy fast", "account", "user stream"]


@pytest.mark.parametrize(("off_s", "verdict"), [(3, "warning"), (-8, "failed")])
async def test_a_clock_that_differs_is_found(
    off_s: int, verdict: str, tmp_path: Path
) -> None:
    class Skewed(FastClock):
        def now_us(self) -> int:
            return here.clock.now_us() + off_s * 1_000_000

    async with desk(tmp_path / "state") as here:
        verdicts = await found(here, EXAMPLE, clock=Skewed())
    assert verdicts["clock"] == verdict
    assert (verdicts["account"], verdicts["market stream"]) == ("skipped", "ok")
