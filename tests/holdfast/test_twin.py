"""A live account whose venue is degraded: a twin of its strategies goes on on paper."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.venuelines import venue_lines
from holdfast.console.client import NotRunning
from holdfast.console.orders import orders_of
from holdfast.listing import kept_listing
from holdfast.tally import ENDED, KEPT, forget_old
from holdfast_actors.places import TWINS, twin_path
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import Desk, desk, futures_config, live_config
from .twins_at import (
    asked,
    be_away,
    be_back,
    findings,
    in_starts,
    killed_until,
    live,
    lose,
    place,
    played,
    told,
    trades_again,
    twin,
    twin_fills,
    until,
    with_twins,
)

RAISING = """\
from holdfast import Context, Strategy


class Once(Strategy):
    \"\"\"Buys a little with every bar, and cannot be started anew.\"\"\"

    def initialize(self, context: Context) -> None:
        self.asset = self.symbol("BTCUSDT")

    def handle_data(self, context: Context, data: object) -> None:
        self.order(self.asset, "0.001")

    def on_restart(self, context: Context, gap: object) -> None:
        raise RuntimeError("once was enough")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration whose venue is replaced by paper when it is away."""
    return with_twins(live_config(tmp_path))


async def test_a_twin_trades_on_paper_while_the_venue_is_away_and_no_live_book_knows(
    path: Path,
) -> None:
    seen: dict[str, Any] = {}

    async def play(here: Desk) -> None:
        await be_away(here)
        before = len(live(here, ev.OrderIntended))
        seen["status"] = (await asked(here.state, {"command": "status"}))["status"]
        seen["orders"] = (await asked(here.state, {"command": "orders"}))["orders"]
        seen["twin"] = (await asked(place(here).path, {"command": "status"}))["status"]
        # No order of the real ones went out meanwhile.
        assert len(live(here, ev.OrderIntended)) == before
        await be_back(here)
        await until(lambda: len(live(here, ev.OrderIntended)) > before)

    here, found = await played(path, path.parent / "state", play)
    assert found == []
    own = {each.order_id for each in twin(here, ev.OrderIntended) if each.decision}
    real = {each["order_id"] for each in orders_of(StateDir(here.state).journal)}
    assert own
    assert not own & real
    assert not own & {each["order_id"] for each in seen["orders"]}
    assert own & {each["order_id"] for each in orders_of(place(here).journal)}
    said = seen["status"]["venues"]["binance"]["twin"]
    assert said["directory"] == str(place(here).path)
    assert (said["orders"] >= 2, said["fills"] >= 2) == (True, True)
    assert "a twin trades on paper" in str(venue_lines(seen["status"]["venues"]))
    assert seen["twin"]["mode"] == "paper"
    assert told(here, "a twin goes on on paper, with its journal in")
    ended = json.loads((place(here).path / ENDED).read_text())
    assert ended["fills"] == twin_fills(here)
    words = f"{ended['orders']} orders, {ended['fills']} fills, profit"
    assert told(
        here, f"the twin has ended, for the venue is not degraded any more: {words}"
    )
    assert set(kept_listing(place(here))) == {"BTCUSDT"}
    with pytest.raises(NotRunning):
        await asked(place(here).path, {"command": "status"})


async def test_it_begins_with_the_state_cash_and_positions_of_the_live_books(
    path: Path,
) -> None:
    here, found = await played(path, path.parent / "state", be_away)
    assert found == []
    forks = {each.strategy: each for each in twin(here, ev.StrategyForked)}
    assert set(forks) == {"fast", "slow"}
    fork = forks["fast"]
    entries = [each for each in here.entries() if each.sequence <= fork.record]
    saved = [e.event.strategy for e in entries if type(e.event) is ev.StrategySaved]
    assert set(saved) == {"fast", "slow"}
    cash, held = {}, {}
    for name in forks:
        cash[name], held[name] = Decimal(20_000), Decimal(0)
        for each in entries:
            if (
                isinstance(each.event, ev.OrderFilled)
                and each.event.fill.strategy == name
            ):
                fill = each.event.fill
                units = fill.quantity.value * fill.side.sign
                held[name] += units
                cash[name] -= units * fill.price.value
                if fill.fee.currency == "USDT":
                    cash[name] -= fill.fee.amount
                else:  # in kind
                    held[name] -= fill.fee.amount
    assert {name: each.cash.amount for name, each in forks.items()} == cash
    assert {
        name: sum(p.amount for p in each.positions) for name, each in forks.items()
    } == held
    said: dict[str, str | None] = {}
    for each in entries:
        if isinstance(each.event, ev.StrategySaved | ev.DecisionMade):
            said |= (
                json.loads(each.event.state) if each.event.strategy == "fast" else {}
            )
    # What `initialize` sets anew is in it only if nothing was decided since the save.
    state = json.loads(fork.state)
    assert state["context.holds"] == said["context.holds"]
    assert state.items() <= said.items()


async def test_a_start_while_the_venue_is_away_goes_on_with_the_twin(
    path: Path,
) -> None:
    async def go_on(here: Desk) -> None:
        before = len(twin(here, ev.DecisionMade))
        await until(lambda: len(twin(here, ev.DecisionMade)) > before + 2)
        await be_back(here)

    async with desk(path.parent / "state") as here:
        await in_starts(path, here, be_away, go_on, settled=True)
        assert findings(here) == []
    assert len(twin(here, ev.EngineStarted)) == 2
    assert len(twin(here, ev.StrategyForked)) == 2
    assert told(here, "its twin goes on on paper")
    assert not place(here, 2).path.exists()
    made = twin(here, ev.DecisionMade)
    numbers = [each.number for each in made if each.strategy == "fast"]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_twin_whose_journal_is_damaged_ends_at_the_next_start(
    path: Path,
) -> None:
    async def damaged(here: Desk) -> None:
        await until((place(here).path / ENDED).exists)
        await trades_again(here)

    async with desk(path.parent / "state") as here:
        await in_starts(path, here, be_away)
        with sqlite3.connect(place(here).journal) as file:
            file.execute("UPDATE records SET body = '{}' WHERE sequence = 4")
        await in_starts(path, here, damaged)
    assert told(here, "the twin has ended, because it failed (")
    assert told(here, "record 4")


async def test_the_next_time_a_new_twin_is_forked_and_old_ones_are_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.tally.KEPT", 1)
    first: list[ev.StrategyForked] = []

    async def play(here: Desk) -> None:
        await be_away(here)
        await be_back(here)
        first.append(twin(here, ev.StrategyForked)[0])
        await until(lambda: here.parts and not here.parts.gate.degraded)
        lose(here)
        await until(lambda: twin(here, ev.OrderFilled, nth=2))
        assert place(here).path.exists()
        await be_back(here, nth=2)
        await until(lambda: not place(here).path.exists())

    async with desk(path.parent / "state") as here:
        await in_starts(path, here, play)
    assert twin(here, ev.StrategyForked, nth=2)[0].record > first[0].record


async def test_positions_of_either_sign_are_taken_along(tmp_path: Path) -> None:
    path = with_twins(futures_config(tmp_path))

    async def play(here: Desk) -> None:
        await be_away(here, fills=1)

    async with desk(tmp_path / "state", futures=True) as here:
        await in_starts(path, here, play, settled=True)
        assert findings(here) == []
    held = [each for fork in twin(here, ev.StrategyForked) for each in fork.positions]
    assert min(each.amount for each in held) < 0


@pytest.mark.parametrize(
    "killed",
    ["core/journal", "core/orders", "core/guard", "trading/venues/binance/session",
     "trading/feeds/replay", "trading/strategies/fast/strategy"],
)  # fmt: skip
async def test_what_dies_in_the_twin_comes_back_there(path: Path, killed: str) -> None:
    async def play(here: Desk) -> None:
        await be_away(here)
        kill = {"command": "kill", "path": f"engine/{killed}", "reason": "a drill"}
        await asked(place(here).path, kill)
        before = twin_fills(here)
        await until(lambda: twin(here, ev.ActorRestarted))
        await until(lambda: twin_fills(here) > before)

    here, found = await played(path, path.parent / "state", play)
    assert found == []
    assert live(here, ev.ActorRestarted) == []


async def test_who_runs_the_twin_may_die_and_the_twin_goes_on(path: Path) -> None:
    async def play(here: Desk) -> None:
        await be_away(here)
        kill = {"command": "kill", "path": twin_path("binance"), "reason": "a drill"}
        await asked(here.state, kill)
        await until(lambda: len(twin(here, ev.EngineStarted)) == 2)
        before = twin_fills(here)
        await until(lambda: twin_fills(here) > before)
        await be_back(here)

    here, found = await played(path, path.parent / "state", play)
    assert found == []
    assert len(twin(here, ev.StrategyForked)) == 2


async def test_a_twin_that_cannot_be_healed_ends_and_the_live_engine_trades_on(
    path: Path,
) -> None:
    async def play(here: Desk) -> None:
        await be_away(here)
        ended = place(here).path / ENDED
        await killed_until(place(here).path, "engine/core/orders", ended.exists)
        before = len(live(here, ev.OrderRefused))
        await until(lambda: len(live(here, ev.OrderRefused)) > before + 8)
        await trades_again(here)

    here, found = await played(path, path.parent / "state", play, is_torn=True)
    assert found == []
    assert told(here, "the twin has ended, because it failed (")
    assert not told(here, "its twin goes on on paper")
    assert live(here, ev.ActorRestarted) == []
    assert len(twin(here, ev.StrategyForked)) == 2


async def test_nobody_who_looks_after_twins_is_no_trouble_of_the_feed(
    path: Path,
) -> None:
    async def play(here: Desk) -> None:
        await be_away(here)
        at = twin_path("binance")
        await killed_until(here.state, at, lambda: live(here, ev.ActorParked))
        await trades_again(here)

    here, found = await played(path, path.parent / "state", play, is_torn=True)
    assert found == []
    assert {each.path for each in live(here, ev.ActorParked)} == {TWINS}
    assert {each.path for each in live(here, ev.ActorRestarted)} == {
        twin_path("binance")
    }


@pytest.fixture
def once(path: Path) -> Path:
    """The same, of a strategy that cannot be started anew."""
    (path.parent / "once.py").write_text(RAISING)
    text = path.read_text()
    own = "strategies:\n  - {class: once.py, capital: 20000}\n"
    path.write_text("mode: live\n" + own + text[text.index("venues:") :])
    return path


async def test_a_strategy_that_cannot_be_started_anew_has_no_twin_and_it_is_told(
    once: Path,
) -> None:
    async def play(here: Desk) -> None:
        await until(lambda: here.parts and len(live(here, ev.OrderFilled)) >= 2)
        lose(here)
        ended = place(here).path / ENDED
        await until(ended.exists)
        before = len(live(here, ev.OrderRefused))
        await until(lambda: len(live(here, ev.OrderRefused)) > before)

    here, _ = await played(once, once.parent / "state", play)
    assert told(here, "once was enough")
    assert live(here, ev.ActorRestarted) == []


def test_only_so_many_twins_are_kept(tmp_path: Path) -> None:
    for name in (*(f"binance-{n}" for n in range(1, 13)), "binance-x", "ib-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "journal.sqlite").touch()
    forget_old(tmp_path, "binance")
    kept = {f"binance-{n}" for n in range(13 - KEPT, 13)}
    assert {each.name for each in tmp_path.iterdir()} == kept | {"binance-x", "ib-1"}
