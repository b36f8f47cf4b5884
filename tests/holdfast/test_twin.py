"""A live account whose venue is degraded: a twin of its strategies goes on on paper."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio

from holdfast.cli.venuelines import venue_lines
from holdfast.console.client import NotRunning, ask
from holdfast.console.orders import orders_of
from holdfast.paper import run_entries
from holdfast.tally import ENDED, KEPT, forget_old
from holdfast_actors.places import TWINS, twin_path
from holdfast_adapters.auditor import audit
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import Desk, desk, live_config

POLICY = "    degraded: {after_s: 0.2, policy: paper}\n"
RESUME = {"command": "resume", "venue": "binance", "reason": "seen", "by": "ann"}
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
    made = live_config(tmp_path)
    address = "    address: ${BINANCE}\n"
    made.write_text(made.read_text().replace(address, address + POLICY))
    return made


async def asked(state: Path, request: dict[str, Any]) -> dict[str, Any]:
    return await trio.to_thread.run_sync(ask, state, request)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - no one tells
        await trio.sleep(0.05)


def place(here: Desk, nth: int = 1) -> StateDir:
    return StateDir(here.state / "paper" / f"binance-{nth}")


def twin(here: Desk, kind: type[Any] = object, nth: int = 1) -> list[Any]:
    """Return the records of one kind that a twin's journal has."""
    directory = place(here, nth)
    entries = run_entries(directory) if directory.journal.exists() else []
    return [each.event for each in entries if isinstance(each.event, kind)]


def live(here: Desk, kind: type[Any]) -> list[Any]:
    return [each.event for each in here.entries() if isinstance(each.event, kind)]


def twin_fills(here: Desk) -> int:
    return len(twin(here, ev.OrderFilled))


def told(here: Desk, text: str) -> bool:
    return any(text in each for each in here.said)


def set_by(event: trio.Event) -> Callable[[object], bool]:
    return lambda _entries: event.is_set()


async def be_away(here: Desk, fills: int = 2) -> None:
    """Lose the venue, once something is held, until the twin has traded."""
    await until(lambda: here.parts and len(live(here, ev.OrderFilled)) >= 2)
    lose(here)
    await until(lambda: twin_fills(here) >= fills)


def lose(here: Desk) -> None:
    assert here.engine is not None
    assert here.parts is not None
    here.parts.reaches["binance"].lose(here.engine.now_s())


async def be_back(here: Desk) -> None:
    assert here.parts is not None
    here.parts.reaches["binance"].find()
    await asked(here.state, RESUME)
    await until((place(here).path / ENDED).exists)


def findings(here: Desk) -> list[str]:
    """Return what the auditor says of the live books, and of the twin's."""
    record = {"binance": here.state.with_suffix(".sqlite")}
    reports = [
        audit(StateDir(here.state).journal, record),
        audit(place(here).journal, place(here).venues()),
    ]
    return [
        line for each in reports for check in each.checks for line in check.findings
    ]


async def played(
    path: Path, state: Path, play: Callable[[Desk], Awaitable[None]]
) -> tuple[Desk, list[str]]:
    """Run an engine while ``play`` does something to it; what the auditor says."""
    over = trio.Event()

    async def to_its_end(here: Desk) -> None:
        await play(here)
        over.set()

    async with desk(state) as here, trio.open_nursery() as nursery:
        nursery.start_soon(to_its_end, here)
        await here.run(path, set_by(over))
        return here, findings(here)


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
    assert {name: each.cash.amount for name, each in forks.items()} == cash
    assert {
        name: sum(p.amount for p in each.positions) for name, each in forks.items()
    } == held
    assert json.loads(fork.state)["self.window"] == "2"


async def test_a_start_while_the_venue_is_away_goes_on_with_the_twin(
    path: Path,
) -> None:
    state = path.parent / "state"
    async with desk(state) as here:
        for starts in (1, 2):
            over = trio.Event()

            async def play(over: trio.Event = over, starts: int = starts) -> None:
                if starts == 1:
                    await be_away(here)
                else:
                    before = len(twin(here, ev.DecisionMade))
                    await until(lambda: len(twin(here, ev.DecisionMade)) > before + 2)
                    await be_back(here)
                over.set()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(play)
                await here.run(path, set_by(over))
        assert findings(here) == []
    assert len(twin(here, ev.EngineStarted)) == 2
    assert len(twin(here, ev.StrategyForked)) == 2
    assert told(here, "its twin goes on on paper")
    assert not place(here, 2).path.exists()
    numbers = [
        each.number for each in twin(here, ev.DecisionMade) if each.strategy == "fast"
    ]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_the_next_time_a_new_twin_is_forked(path: Path) -> None:
    async def play(here: Desk) -> None:
        await be_away(here)
        await be_back(here)
        await until(lambda: here.parts and not here.parts.gate.degraded)
        lose(here)
        await until(lambda: twin(here, ev.OrderFilled, nth=2))

    here, found = await played(path, path.parent / "state", play)
    assert found == []
    first, second = (twin(here, ev.StrategyForked, nth=n)[0] for n in (1, 2))
    assert second.record > first.record


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


async def killed_until(state: Path, path: str, is_over: Callable[[], object]) -> None:
    """Kill an actor again and again, whenever there is one."""
    kill = {"command": "kill", "path": path, "reason": "a drill"}
    while not is_over():
        with contextlib.suppress(Exception):  # it is being restarted, or has ended
            await asked(state, kill)
        await trio.sleep(0.05)


async def trades_again(here: Desk) -> None:
    assert here.parts is not None
    here.parts.reaches["binance"].find()
    before = len(live(here, ev.OrderFilled))
    await asked(here.state, RESUME)
    await until(lambda: len(live(here, ev.OrderFilled)) > before)


async def test_a_twin_that_cannot_be_healed_ends_and_the_live_engine_trades_on(
    path: Path,
) -> None:
    async def play(here: Desk) -> None:
        await be_away(here)
        ended = place(here).path / ENDED
        await killed_until(place(here).path, "engine/core/orders", ended.exists)
        await trades_again(here)

    here, found = await played(path, path.parent / "state", play)
    assert found == []
    assert told(here, "the twin has ended, because it failed (")
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

    here, found = await played(path, path.parent / "state", play)
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
