"""What a test of twins does with an exchange on the desk, and what it asks of them."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

from holdfast.console.client import ask
from holdfast.paper import run_entries
from holdfast.tally import ENDED
from holdfast_adapters.auditor import audit
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .live_desk import Desk, desk

POLICY = "    degraded: {after_s: 0.2, policy: paper}\n"
RESUME = {"command": "resume", "venue": "binance", "reason": "seen", "by": "ann"}


def with_twins(made: Path) -> Path:
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


async def be_back(here: Desk, nth: int = 1) -> None:
    assert here.parts is not None
    here.parts.reaches["binance"].find()
    await asked(here.state, RESUME)
    await until((place(here).path / ENDED).exists)


def findings(here: Desk, *, is_torn: bool = False) -> list[str]:
    """Return what the auditor says of the live books, and of the twin's.

    A twin that was ended by force, and is never started again, ``is_torn``: its journal
    may lack what its venue did last.
    """
    record = {"binance": here.state.with_suffix(".sqlite")}
    reports = [audit(StateDir(here.state).journal, record)]
    if not is_torn:
        reports.append(audit(place(here).journal, place(here).venues()))
    return [
        line for each in reports for check in each.checks for line in check.findings
    ]


async def played(
    path: Path,
    state: Path,
    play: Callable[[Desk], Awaitable[None]],
    *,
    is_torn: bool = False,
) -> tuple[Desk, list[str]]:
    """Run an engine while ``play`` does something to it; what the auditor says.

    It is settled before it stops.
    """
    over = trio.Event()

    async def to_its_end(here: Desk) -> None:
        await play(here)
        await here.settle()
        over.set()

    async with desk(state) as here, trio.open_nursery() as nursery:
        nursery.start_soon(to_its_end, here)
        await here.run(path, set_by(over))
        return here, findings(here, is_torn=is_torn)


async def killed_until(state: Path, path: str, is_over: Callable[[], object]) -> None:
    """Kill an actor again and again, whenever there is one."""
    kill = {"command": "kill", "path": path, "reason": "a drill"}
    while not is_over():
        with contextlib.suppress(Exception):  # it is being restarted, or has ended
            await asked(state, kill)
        await trio.sleep(0.05)


async def trades_again(here: Desk) -> None:
    await until(lambda: here.parts)
    assert here.parts is not None
    here.parts.reaches["binance"].find()
    before = len(live(here, ev.OrderFilled))
    await asked(here.state, RESUME)
    await until(lambda: len(live(here, ev.OrderFilled)) > before)


async def in_starts(
    path: Path,
    here: Desk,
    *plays: Callable[[Desk], Awaitable[None]],
    settled: bool = False,
) -> None:
    """Run an engine once for each of ``plays``; the last run may end settled."""
    for play in plays:
        over = trio.Event()

        async def to_its_end(play: Any = play, over: trio.Event = over) -> None:
            await play(here)
            if settled and play is plays[-1]:
                await here.settle()
            over.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(to_its_end)
            await here.run(path, set_by(over))
