"""Runs from the command line: a backtest, and an engine on paper, whole."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from holdfast.console.client import Refused, ask
from holdfast.results.runs import list_runs
from holdfast_domain.errors import InputError

from .commands import Desk, refused

SLOW = ("--speed", "86400")
"""A bar a second: it will not end during a test."""

STATUS_KEYS = [
    "pid", "mode", "halted", "halt_reason", "market_time", "positions", "orders",
    "unknown_orders", "orders_for_a_person", "equity", "cash", "profit_and_loss",
    "strategies", "others", "reconciliation", "venues", "data_age_s", "snapshot",
    "tree",
]  # fmt: skip
RESULT_KEYS = [
    "final_equity", "cash", "commission", "positions", "fills", "orders", "bars",
    "total_return", "max_drawdown", "sharpe", "bars_per_s", "strategies",
]  # fmt: skip


def backtest(desk: Desk, *more: str) -> tuple[str, ...]:
    return ("backtest", desk.buyer(), "--data", desk.bars(), *more)


@contextmanager
def running(desk: Desk, *more: str) -> Iterator[subprocess.Popen[str]]:
    """An engine that is up."""
    with desk.start(*desk.paper(*SLOW, *more)) as engine:
        try:
            wait_until_up(desk, engine)
            yield engine
        finally:
            engine.kill()


def wait_until_up(desk: Desk, engine: subprocess.Popen[str]) -> None:
    while engine.poll() is None:
        with suppress(InputError, Refused):
            found = ask(desk.state, {"command": "status"})["status"]
            if found["pid"] == engine.pid and found["market_time"]:
                return
    pytest.fail(f"the engine ended: {engine.communicate()}")


def status(desk: Desk, *where: str) -> dict[str, Any]:
    ran = desk.run("status", *where, "--json")
    assert ran.err == ""
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_json_is_one_object_and_nothing_else(desk: Desk) -> None:
    ran = desk.run(*backtest(desk, "--json", "--param", "units=2"))
    assert ran.status == 0
    assert "seen 1\n" in ran.err  # what the strategy printed
    result = json.loads(ran.out)
    assert list(result) == RESULT_KEYS
    assert list(result["strategies"]) == ["Buyer"]
    assert result["positions"] == {"bars": "16"}
    assert (result["fills"], result["bars"]) == (8, 40)


def test_a_backtest_shows_a_summary_and_keeps_a_record_with_a_report(
    desk: Desk,
) -> None:
    ran = desk.run(*backtest(desk))
    assert ran.status == 0, ran.err
    ((path, record),) = list_runs(desk.path / "data-directory")
    assert "Final equity" in ran.out
    assert ran.out.splitlines()[-1] == f"report: {path.with_suffix('.html')}"
    assert path.with_suffix(".html").read_text().startswith("<!")
    assert record.kind == "backtest"
    assert record.options["capital"] == "100000"
    assert record.result["fills"] == 8


def test_the_report_goes_where_it_is_wanted(desk: Desk) -> None:
    ran = desk.run(*backtest(desk, "--json", "--report", "reports/one"))
    assert ran.status == 0
    assert json.loads(ran.out)["fills"] == 8
    assert (desk.path / "reports" / "one" / "report.html").exists()
    ran = desk.run(*backtest(desk, "--json"))
    assert not list((desk.path / "data-directory").rglob("*.html"))
    assert len(list_runs(desk.path / "data-directory")) == 2


def test_paper_gives_what_a_backtest_gives_and_gives_it_again(desk: Desk) -> None:
    tested = json.loads(desk.run(*backtest(desk, "--json")).out)
    first = json.loads(desk.run(*desk.paper()).out)
    again = json.loads(desk.run(*desk.paper()).out)
    paces = [each.pop("bars_per_s") for each in (tested, first, again)]
    for each in (tested, first, again):
        each["strategies"]["Buyer"].pop("bars_per_s")
    assert first == again == tested
    assert paces[1] > 0
    assert paces[2] is None
    kinds = [run.kind for _, run in list_runs(desk.path / "data-directory")]
    assert kinds == ["backtest", "paper"]
    assert desk.run("audit", "state").status == 0


def test_a_signal_stops_in_order_and_says_how_to_go_on(desk: Desk) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with running(desk) as engine:
            engine.send_signal(number)
            out, err = engine.communicate(timeout=300)
        assert engine.returncode == 128 + number
        assert out == ""
        line = err.splitlines()[-1]
        assert line.startswith(
            "holdfast: stopping in order; go on with: holdfast paper"
        )
    resume = shlex.split(line.partition("go on with: holdfast ")[2])
    ran = desk.run(*resume, "--speed", "max")
    assert ran.status == 0
    assert json.loads(ran.out)["fills"] == 8
    assert desk.run("audit", "state").status == 0


def test_a_running_engine_tells_its_status(desk: Desk) -> None:
    with running(desk) as engine:
        found = status(desk)
        assert list(found) == STATUS_KEYS
        assert found["pid"] == engine.pid
        assert found["halted"] is False
        assert found["tree"]["name"] == "engine"
        shown = desk.run("status", "state")
        assert f"process {engine.pid}" in shown.out
        assert "└── " in shown.out
        refused(desk.run(*desk.paper()), f"in use by process {engine.pid}")
        refused(desk.run("audit", "state"), f"process {engine.pid}")
        refused(desk.run("journal", "repair", "state", "--to", "1"), str(engine.pid))
    refused(desk.run("status"), "expected one running engine, got none")
    refused(desk.run("status", "state"), "none on this directory")


def test_a_directory_of_any_length_can_be_asked(desk: Desk) -> None:
    long = Desk(desk.path.joinpath(*["a-rather-long-name-of-a-folder"] * 5))
    long.path.mkdir(parents=True)
    with running(long) as engine:
        assert status(long, str(long.state))["pid"] == engine.pid


def test_with_several_engines_one_must_be_named(desk: Desk) -> None:
    other = Desk(desk.path / "other")
    other.path.mkdir()
    run = (*other.paper(*SLOW),)
    with running(desk), desk.start(*run) as second:
        wait_until_up(other, second)
        refused(desk.run("status"), "got 2: ", str(desk.state), str(other.state))
        assert status(desk, str(other.state))["pid"] == second.pid
        second.kill()


def test_a_halt_survives_a_restart_until_it_is_lifted(desk: Desk) -> None:
    with running(desk):
        assert desk.run("halt", "--reason", "lunch").status == 0
        assert status(desk)["halt_reason"] == "lunch"
    with running(desk):
        assert status(desk)["halted"] is True
        assert desk.run("resume", "--reason", "back", "--by", "ann").status == 0
        assert status(desk)["halted"] is False


def test_sigusr1_halts(desk: Desk) -> None:
    with running(desk) as engine:
        engine.send_signal(signal.SIGUSR1)
        while not (found := status(desk))["halted"]:
            assert engine.poll() is None
        assert found["halt_reason"] == "SIGUSR1"


def test_a_halt_without_an_engine_is_for_the_next_start(desk: Desk) -> None:
    assert desk.run(*desk.paper("--speed", "max")).status == 0
    ran = desk.run("halt", "state", "--reason", "bad news")
    assert ran.status == 0
    assert "its next start is halted" in ran.out
    assert "bad news" in (desk.state / "HALT").read_text()
    # A directory that never began to trade: not one order may go out.
    (desk.state / "journal.sqlite").unlink()
    (desk.state / "venue-paper.sqlite").unlink()
    ran = desk.run(*desk.paper())
    assert json.loads(ran.out)["fills"] == 0
    assert desk.run("audit", "state").status == 0


def test_a_halt_makes_no_file_in_a_strange_directory(desk: Desk) -> None:
    refused(desk.run("halt", str(desk.path), "--reason", "x"), "a running engine")
    assert list(desk.path.iterdir()) == []


def test_an_engine_that_does_not_answer_is_told_of_in_one_line(desk: Desk) -> None:
    with running(desk):
        path = desk.state / "control.sock"
        path.unlink()
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(path))
            refused(desk.run("status", "state"), "an answer of its engine", "try again")


def test_a_second_signal_cuts_even_a_strategy_that_never_returns(desk: Desk) -> None:
    stuck = 'print("stuck", flush=True)\n        while True: pass\n'
    path = Path(desk.buyer())
    path.write_text(path.read_text().replace('print("seen", context.seen)', stuck))
    run = ("paper", str(path), "--data", desk.bars(), "--state", str(desk.state))
    with desk.start(*run) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "stuck\n"
        try:
            engine.send_signal(signal.SIGINT)
            assert engine.stderr is not None
            assert "stopping in order; go on with: " in engine.stderr.readline()
            engine.send_signal(signal.SIGTERM)
            _, err = engine.communicate(timeout=300)
        finally:
            engine.kill()
    assert engine.returncode == 128 + signal.SIGTERM
    assert err == "holdfast: cut\n"


def test_a_parked_strategy_is_told_of_after_the_result(desk: Desk) -> None:
    path = Path(desk.buyer())
    broken = 'print("seen", context.seen)\n        1 / (20 - context.seen)'
    path.write_text(path.read_text().replace('print("seen", context.seen)', broken))
    run = ("paper", str(path), "--data", desk.bars(), "--state", str(desk.state))
    for _ in range(2):  # the second one only prints it again
        ran = desk.run(*run, "--json")
        assert ran.status == 1
        assert json.loads(ran.out)["fills"] == 4
        assert "parked, and not run to the end" in ran.err.splitlines()[-1]
        assert "ZeroDivisionError" in ran.err.splitlines()[-1]
