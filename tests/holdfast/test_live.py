"""`holdfast run`, in this process, on an exchange on the desk whose time goes fast."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from holdfast.account import AtVenue, lock_at
from holdfast.cli import main
from holdfast.cli.venuelines import venue_lines
from holdfast.console.venues import venue_status
from holdfast.live import LiveRun, run_live
from holdfast_adapters.auditor import audit
from holdfast_adapters.auditor.reading import read_venue
from holdfast_adapters.simulators.binance.recorded import recorded_trades
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.errors import Fenced, InputError
from holdfast_domain.ids import ClientOrderId

from .live_desk import (
    EXAMPLE,
    KEY,
    SECRET,
    Desk,
    desk,
    futures_config,
    live_config,
)

IN_KEYRING = "{keyring: desk}"


def fills(entries: list[ev.Entry]) -> Counter[str]:
    found = [e.event.fill for e in entries if isinstance(e.event, ev.OrderFilled)]
    return Counter(fill.strategy for fill in found)


async def test_the_example_trades_two_siblings_and_goes_on_after_a_stop(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path / "state") as here:
        await here.run(EXAMPLE, lambda entries: fills(entries)["fast"] >= 2)
        before = fills(here.entries())
        # The connection breaks, and the feed lives on.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_break, here)
            await here.run(
                EXAMPLE,
                lambda entries: (
                    fills(entries)["fast"] >= before["fast"] + 2
                    and fills(entries)["slow"] >= 1
                    and any("is heard after" in text for text in here.said)
                ),
            )
        assert here.complaints() == []
        kinds = Counter(type(entry.event) for entry in here.entries())
        assert kinds[ev.EngineStarted] == 2
        assert kinds[ev.ActorRestarted] == kinds[ev.ActorParked] == 0


async def test_an_account_is_traded_and_nothing_is_lost_on_the_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = live_config(tmp_path)
    async with desk(tmp_path / "state") as here:
        # Its answer is lost, and its fills come by the stream, or are asked for.
        here.simulator.faults.on("lost_ack", "submit")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_see_the_venue, here)
            await here.run(path, lambda entries: fills(entries)["slow"] >= 1)
        here.simulator.faults.on("torn_ack", "submit")
        here.simulator.faults.on("closed", "user_stream", skip=2)
        before = fills(here.entries())["fast"]
        await here.run(
            path,
            lambda entries: fills(entries)["fast"] >= before + 3,
            settled=True,
        )
        # What the exchange recorded is judged against what the engine booked.
        record = {"binance": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        assert [line for check in report.checks for line in check.findings] == []
        kinds = Counter(type(entry.event) for entry in here.entries())
        assert kinds[ev.OrderUnknown] > 0
        assert kinds[ev.ActorRestarted] == kinds[ev.ActorParked] == 0
    assert_never_written(tmp_path, "".join(here.said) + capfd.readouterr().err)


async def test_futures_are_traded_short_and_long_and_the_books_agree(
    tmp_path: Path, tmp_path_factory: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    path = futures_config(tmp_path)
    text = path.read_text()
    path.write_text(text.replace('{key: "${KEY}", secret: "${SECRET}"}', IN_KEYRING))
    ring = tmp_path_factory.mktemp("ring") / "ring"
    made = pytest.importorskip("tests.holdfast.keyrings").keyring_with
    with made(ring, "desk", key=KEY, secret=SECRET):
        said = await _trade_futures(tmp_path, path)
    assert_never_written(tmp_path, said + capfd.readouterr().err)


async def _trade_futures(folder: Path, path: Path) -> str:
    """Return what the engine said."""
    async with desk(folder / "state", futures=True) as here:
        here.simulator.faults.on("lost_ack", "submit")
        is_seen = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_see_the_switch, here, is_seen)
            await here.run(
                path,
                lambda entries: fills(entries)["fast"] >= 2 and is_seen.is_set(),
            )
        # The listen key dies, and an answer is torn.
        here.simulator.faults.on("terminated", "user_stream", skip=1)
        here.simulator.faults.on("torn_ack", "submit", skip=1)
        before = here.entries()
        await here.run(
            path,
            lambda entries: fills(entries)["slow"] >= fills(before)["slow"] + 3,
            settled=True,
        )
        record = {"binance": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        assert [line for check in report.checks for line in check.findings] == []
        kinds = Counter(type(entry.event) for entry in here.entries())
        assert kinds[ev.OrderUnknown] > 0
        assert kinds[ev.ActorRestarted] == kinds[ev.ActorParked] == 0
    assert min(holdings(here.entries(), "fast")) < 0 < max(holdings(before, "fast"))
    return "".join(here.said)


async def _see_the_venue(here: Desk) -> None:
    """Wait until a fill was heard, and until status shows all of the venue."""
    heard: dict[str, float | None] = {}
    used = 0
    while heard.get("account") is None or not used:
        await trio.sleep(0.02)
        if here.engine is not None and here.parts is not None:
            status = await venue_status(here.engine, here.parts, "binance")
            heard, used = status["silent_s"], status["limiter"]["used"]
    assert heard["BTCUSDT trades"] is not None
    assert status["state"] == "running"
    assert status["away_s"] is None
    assert used < status["limiter"]["limit"]
    assert status["breaker"]["state"] == "closed"
    assert f"of {status['limiter']['limit']} in 60 s" in str(venue_lines({"b": status}))


async def _see_the_switch(here: Desk, is_seen: trio.Event) -> None:
    """Wait until it is put off, and until status says so."""
    left_s = 0.0
    while not left_s:
        await trio.sleep(0.02)
        if here.engine is not None and here.parts is not None:
            status = await venue_status(here.engine, here.parts, "binance")
            left_s = status["deadman"]["cancels_in_s"] or 0.0
    is_seen.set()
    assert left_s <= 8
    assert status["deadman"]["why"] == ""
    assert "cancels all orders in" in str(venue_lines({"binance": status}))
    asked = [each for what, each in here.simulator.answers.seen if what == "countdown"]
    assert asked[0]["countdownTime"] == "8000"


def holdings(entries: list[ev.Entry], strategy: str) -> list[Decimal]:
    """What a strategy held after each of its fills."""
    held, all_ = Decimal(0), []
    for each in entries:
        if isinstance(each.event, ev.OrderFilled):
            fill = each.event.fill
            if fill.strategy == strategy:
                held += fill.quantity.value * fill.side.sign
                all_.append(held)
    return all_


def assert_never_written(folder: Path, said: str) -> None:
    """The secret is in no file of the run, and in nothing that was said or logged."""
    written = files_under(folder)
    assert len(written) > 4
    assert [name for name, each in written.items() if SECRET.encode() in each] == []
    assert said
    assert SECRET not in said


def files_under(folder: Path) -> dict[str, bytes]:
    found = (each for each in folder.rglob("*") if each.is_file())
    return {each.name: each.read_bytes() for each in found}


async def _break(here: Desk) -> None:
    while not any(  # noqa: ASYNC110 - no one tells
        "is heard" in text for text in here.said
    ):
        await trio.sleep(0.05)
    await trio.sleep(0.3)
    for socket in here.simulator.sockets:
        socket.reset()


async def test_what_was_recorded_is_what_the_exchange_told(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    path = tmp_path / "recording.yaml"
    text = EXAMPLE.read_text().replace(
        "interval: 1s", f"interval: 1s\n  record: {folder}"
    )
    path.write_text(text.replace("strategies/", f"{EXAMPLE.parent}/strategies/"))
    told: list[tuple[str, str]] = []
    async with desk(tmp_path / "state") as here:
        here.simulator.exchange.on_market.append(
            lambda _, event: (
                told.append((event["p"], event["q"]))
                if event.get("e") == "trade"
                else None
            )
        )
        await here.run(path, lambda entries: len(told) > 200)
    found = [(str(t.price), str(t.quantity)) for t in recorded_trades(folder)]
    first = told.index(found[0])
    assert len(found) > 50
    assert found == told[first : first + len(found)]


async def test_a_symbol_that_is_not_listed_is_one_line(tmp_path: Path) -> None:
    async with desk(tmp_path / "state") as here:
        config = here.config(EXAMPLE)
        venue = attrs.evolve(config.venues["binance"], symbols=("NOSUCH",))
        with StateDir.open(here.state, os.getpid()) as directory:
            share = LiveRun(
                config=attrs.evolve(config, venues={"binance": venue}),
                path=EXAMPLE, directory=directory, clock=here.clock,
            )  # fmt: skip
            with pytest.raises(InputError, match=r"knows the symbols.*Invalid symbol"):
                await run_live(share)


async def test_a_switch_that_the_venue_does_not_have_is_refused(
    tmp_path: Path,
) -> None:
    path = live_config(tmp_path)
    switch = "connection: {cancel_all_after_s: 60}\n    credentials:"
    path.write_text(path.read_text().replace("credentials:", switch))
    async with desk(tmp_path / "state") as here:
        with pytest.raises(InputError, match="cancels orders when nobody speaks to it"):
            await here.run(path, lambda entries: True)


async def test_two_strategies_need_two_names(tmp_path: Path) -> None:
    async with desk(tmp_path / "state") as here:
        config = here.config(EXAMPLE)
        slow = attrs.evolve(config.strategies[1], name="fast")
        with StateDir.open(here.state, os.getpid()) as directory:
            share = LiveRun(
                config=attrs.evolve(config, strategies=(config.strategies[0], slow)),
                path=EXAMPLE, directory=directory, clock=here.clock,
            )  # fmt: skip
            with pytest.raises(InputError, match="a name of its own, got 'fast'"):
                await run_live(share)


@pytest.mark.parametrize(
    ("mode", "given", "said"),
    [("live", [], "consent"), ("paper", ["--live"], "mode: live with --live")],
)
def test_money_needs_consent(
    mode: str, given: list[str], said: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "holdfast.yaml"
    who = "adapter: binance\n    credentials: {key: '${HOME}', secret: '${HOME}'}"
    text = EXAMPLE.read_text().replace("mode: paper", f"mode: {mode}")
    path.write_text(text.replace("adapter: binance", who))
    assert main(["run", str(path), *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


async def test_one_engine_trades_an_account(tmp_path: Path) -> None:
    """Whatever its directory, a second engine is refused; or takes over, for good."""
    path, fenced = live_config(tmp_path), trio.Event()
    lock = lock_at(tmp_path, "binance", "", KEY, testnet=False)
    async with desk(tmp_path / "one") as first, trio.open_nursery() as nursery:
        second = attrs.evolve(first, state=tmp_path / "two", said=[])

        async def lose() -> None:
            with pytest.raises(Fenced, match="is another engine's now"):
                await first.run(path, lambda _: False, AtVenue(lock))
            fenced.set()

        nursery.start_soon(lose)
        journal = StateDir(first.state).journal
        while not (journal.exists() and fills(first.entries())):  # noqa: ASYNC110
            await trio.sleep(0.2)
        with pytest.raises(InputError, match=f"traded by process {os.getpid()};"):
            await second.run(path, lambda _: False, AtVenue(lock))
        await second.run(
            path,
            lambda entries: fenced.is_set() and fills(entries).total() > 1,
            AtVenue(lock, take_over=True),
        )
    assert KEY not in str(lock)
    # The epoch is a part of each order's id; the second's are all above the first's.
    mine, others = (orders_of(each.entries()) for each in (first, second))
    assert max(id_.epoch for id_ in mine) < min(id_.epoch for id_ in others)
    sent = [
        row.order_id
        for row in read_venue(tmp_path / "one.sqlite")
        if row.kind == "submitted"
    ]
    places = [ClientOrderId.parse(order_id).epoch for order_id in sent]
    assert places == sorted(places), "sent after it was fenced off"


def orders_of(entries: list[ev.Entry]) -> list[ClientOrderId]:
    return [
        ClientOrderId.parse(entry.event.order_id)
        for entry in entries
        if isinstance(entry.event, ev.OrderIntended)
    ]
