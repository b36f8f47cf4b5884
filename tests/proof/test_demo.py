"""The demo keeps its word: faults on purpose, and an auditor who finds nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.demo.samples import sample_path

from .running import DEADLINE_S, EXAMPLES

SPEED = "60e6"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the lines that the demo prints where there is no terminal."""
    state = tmp_path_factory.mktemp("demo") / "a name with spaces"
    command = ["-m", "holdfast", "demo", "--speed", SPEED, "--state", str(state)]
    ran = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"HOLDFAST_DATA_DIR": str(state.parent)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.splitlines()


@pytest.fixture(scope="module")
def log(demo: list[str]) -> list[dict[str, Any]]:
    """Return what its engine logged, in both of its processes."""
    report = Path(demo[-1].partition(": ")[2])
    lines = (report.parent / "engine.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_last_line_names_the_report(demo: list[str]) -> None:
    word, _, path = demo[-1].partition(": ")

    assert word == "report"
    assert Path(path).is_absolute()
    assert "Holdfast demo" in Path(path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "fills lost: 0",
        "fills booked twice: 0",
        "orders sent twice: 0",
        "postings that do not sum to zero: 0",
        "positions that differ from the venue's: 0",
        "cash that differs from the venue's: 0",
    ],
)
def test_the_auditor_finds_nothing(line: str, demo: list[str]) -> None:
    assert f"  {line}" in demo


@pytest.mark.parametrize(
    "path",
    [
        "engine/trading/feeds/replay",
        "engine/trading/strategies/SmaCross/strategy",
        "engine/trading/venues/paper/session",
    ],
)
def test_each_actor_that_was_crashed_came_back(
    path: str, demo: list[str], log: list[dict[str, Any]]
) -> None:
    assert f"  {path}: 1" in demo
    logged = [line["event"] for line in log if line["actor"] == path]
    assert [each for each in logged if each != "stopped"] == ["crashed", "restarted"]


def test_the_process_was_killed_and_went_on(demo: list[str]) -> None:
    text = "\n".join(demo)

    (killed,) = re.findall(r"SIGKILL to the engine \(pid (\d+)\)", text)
    (resumed,) = re.findall(r"pid (\d+) has replayed the journal", text)
    assert killed != resumed
    assert f"started 2 times (pids {killed}, {resumed})" in text


def test_the_result_is_that_of_an_undisturbed_backtest(demo: list[str]) -> None:
    assert any("equal to an undisturbed backtest, to the last cent" in x for x in demo)


def test_the_samples_of_a_checkout_are_its_examples() -> None:
    assert sample_path("data") == EXAMPLES / "data"
    assert sample_path("strategies") == EXAMPLES / "strategies"
