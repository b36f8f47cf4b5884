"""The examples, each run as its reader would run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.forking import run_holdfast

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
STRATEGIES = sorted(path.name for path in (EXAMPLES / "strategies").glob("*.py"))
DEADLINE_S = 600.0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with ``arguments``."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_strategy_trades_the_sample_data(name: str, tmp_path: Path) -> None:
    ran = run_holdfast(
        *("backtest", f"examples/strategies/{name}"),
        *("--data", "examples/data", "--json"),
        cwd=EXAMPLES.parent,
        env=os.environ | {"HOLDFAST_DATA_DIR": str(tmp_path)},
    )

    assert (ran.status, ran.err) == (0, "")
    result = json.loads(ran.out)
    assert result["fills"] > 0
    assert result["bars"] == 11_958
    assert float(result["final_equity"]) > 100_000


def test_there_are_the_strategies_that_the_readme_names() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `strategies/(\w+\.py)` \|", text, re.MULTILINE)
    assert sorted(named) == STRATEGIES


@pytest.mark.parametrize("number", range(3))
def test_the_readme_s_commands_work(number: int, tmp_path: Path) -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8").replace("\\\n", "")
    commands = re.findall(r"^    holdfast (.+)$", text, re.MULTILINE)
    words = commands[number].replace("runs/", f"{tmp_path}/").split()
    faster = ["max" if word == "25000000" else word for word in words]

    ran = run_holdfast(
        *(*faster, "--json"),
        cwd=EXAMPLES.parent,
        env=os.environ | {"HOLDFAST_DATA_DIR": str(tmp_path / "user")},
    )

    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out)["fills"] > 0
    assert len(commands) == 3


def test_a_supervisor_can_be_embedded_in_a_script() -> None:
    ran = run(str(EXAMPLES / "embed_supervisor.py"))

    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert "100 / 4 = 25 (incarnation 1)" in lines
    assert "100 / 5 = 20 (incarnation 2)" in lines
    assert any("office/divider crashed after ZeroDivisionError" in x for x in lines)
    assert any("office/divider restarted" in x for x in lines)
    assert "the bystander has heard 2 messages and was not restarted" in lines


@pytest.mark.parametrize("where", ["engine", "thread", "process"])
def test_one_line_moves_an_actor(where: str) -> None:
    ran = run(str(EXAMPLES / "move_an_actor.py"), where)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        f"17984 primes, computed in the {where}",
        f"in this process: {where != 'process'}",
        f"the clerk could work meanwhile: {where != 'engine'}",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_service_in_a_script_drains_on_a_signal(number: int) -> None:
    service = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "embed_blocking.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert service.stdout is not None
        assert service.stdout.readline() == "running; stop with Ctrl-C\n"
        service.send_signal(number)
        out, err = service.communicate(timeout=DEADLINE_S)
    finally:
        service.kill()
    assert (service.returncode, err) == (0, "")
    assert out == "counted to the end: True\nstopped in order\n"


def test_a_tree_can_run_in_the_background_of_a_script() -> None:
    ran = run(str(EXAMPLES / "embed_background.py"))

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "100 / 4 = 25",
        "crashed: ZeroDivisionError('integer division or modulo by zero')",
        "after the restart: 0",
        "without a block: 7 / 7 = 1",
        "failed: sums went beyond its limit of 0 restarts in 60.0 s with sums/total: "
        "ZeroDivisionError('integer division or modulo by zero')",
    ]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("test_kill_an_actor.py", 25),
        ("test_crash_your_strategy.py", 4),
        ("test_flaky_links.py", 15),
    ],
)
def test_a_user_s_test_of_a_strategy_passes(name: str, count: int) -> None:
    plugins = ("-p", "holdfast_runtime.testing.plugin", "-p", "holdfast.pytest_plugin")
    options = ("-q", "-p", "no:cacheprovider", *plugins)

    ran = run("-m", "pytest", *options, str(EXAMPLES / name))

    assert ran.returncode == 0, ran.stdout
    assert f"{count} passed" in ran.stdout


def test_every_test_among_the_examples_is_run_and_named_in_the_readme() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    names = sorted(path.name for path in EXAMPLES.glob("test_*.py"))

    assert re.findall(r"^\| `(test_\w+\.py)` \|", text, re.MULTILINE) == names
    assert [name for name in names if f'"{name}"' not in here] == []
