"""Each venue of a run may be in a process of its own: here each has a server."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio
from tests.proof.comparing import outcome, read, unlike

from holdfast.backtest import simulate
from holdfast.cli.venue import serve_paper
from holdfast.paper import Elsewhere, run_paper
from holdfast_adapters.auditor import audit
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError

from .test_two_venues import options

NAMES = ("paper", "far")


async def traded(folder: Path, remote: dict[str, str]) -> Path:
    """Run the engine, with ``remote`` venues served as others; return its directory."""
    state, market = folder / "state", options().market
    with ExitStack() as stack:
        served = {
            name: stack.enter_context(StateDir.open(folder / f"at-{name}", os.getpid()))
            for name in remote
        }
        directory = stack.enter_context(StateDir.open(state, os.getpid()))
        async with trio.open_nursery() as nursery:
            for name, where in served.items():
                socket = folder / f"{name}.sock"
                nursery.start_soon(serve_paper, market, where, socket, remote[name])
            sockets = {name: folder / f"{name}.sock" for name in remote}
            elsewhere = Elsewhere(sockets)
            ended = await run_paper(options(), directory, None, elsewhere=elsewhere)
            assert ended.finished
            nursery.cancel_scope.cancel()
    return state


@pytest.mark.parametrize("remote", [NAMES, NAMES[:1], NAMES[1:]])
async def test_it_trades_as_with_venues_of_its_own(
    tmp_path: Path, remote: tuple[str, ...]
) -> None:
    state = await traded(tmp_path, {name: name for name in remote})

    entries, instruments = read(state / "journal.sqlite"), options().instruments
    expected = outcome(simulate(options()).entries, instruments)
    assert unlike(expected, outcome(entries, instruments)) == []
    # Each keeps its own record where it is, and no other.
    files: dict[str, Path] = {}
    for name in NAMES:
        folder = tmp_path / f"at-{name}" if name in remote else state
        with StateDir.open(folder, os.getpid()) as directory:
            ((kept, files[name]),) = directory.venues().items()
            assert kept == name
    report = audit(state / "journal.sqlite", files)
    assert [each.findings for each in report.checks if each.findings] == []


async def test_a_venue_that_is_another_one_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await traded(tmp_path, {"paper": "paper", "far": "paper"})

    assert caught.group_contains(
        InputError, match="the market that the venue there has"
    )
