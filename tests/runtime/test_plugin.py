"""The plugin for pytest, as its user meets it: in a process of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

USER_TEST = """
import pytest
from holdfast_runtime import ActorSpec, Backoff, SupervisorSpec

class Note:
    def __init__(self, name, notes):
        self.name, self.notes = name, notes
    def handle(self, message):
        self.notes.append(self.name)

def order(holdfast_system):
    notes = []
    spec = SupervisorSpec(name="top", children=tuple(
        ActorSpec(name=name, build=lambda _, name=name: Note(name, notes))
        for name in "abc"
    ))
    system = holdfast_system(spec)
    for name in "abc":
        system.tell(f"top/{name}", "hello")
    system.run()
    return "".join(notes)

def test_order(holdfast_system):
    assert order(holdfast_system) != "cab"

def test_seed(holdfast_seed, capsys):
    with capsys.disabled():
        print(f"<{holdfast_seed}>", end="")

@pytest.mark.holdfast_seeds(3)
@pytest.mark.parametrize("case", ["x", "y"])
def test_marked(case, holdfast_seed, capsys):
    with capsys.disabled():
        print(f"<{case}{holdfast_seed}>", end="")

def test_left(holdfast_system):
    spec = SupervisorSpec(name="top", children=(
        ActorSpec(name="a", build=lambda _: Note("a", [])),
    ))
    system = holdfast_system(spec)
    system.engine.pending += 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_user.py").write_text(USER_TEST)
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    plugin = ("-p", "holdfast_runtime.testing.plugin", "-p", "no:cacheprovider")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", *plugin, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_without_options_mail_comes_in_the_order_of_its_sending(folder: Path) -> None:
    status, said = run(folder, "-k", "order or test_seed")

    assert (status, "2 passed" in said) == (0, True), said
    assert "<0>" in said
    assert "how to replay" not in said


def test_a_failing_seed_is_named_with_the_command_that_replays_it(
    folder: Path,
) -> None:
    status, said = run(folder, "-k", "order", "--holdfast-seeds", "20")

    assert status == 1
    lines = re.findall(r"^seed (\d+): pytest (.*)$", said, re.MULTILINE)
    assert 0 < len(lines) < 20
    for seed, command in lines[:2]:
        status, again = run(folder, *shlex.split(command))
        assert (status, "1 failed" in again) == (1, True), again
        assert f"seed {seed}: pytest {command}" in again
    failed = {int(seed) for seed, _ in lines}
    other = next(seed for seed in range(1, 21) if seed not in failed)
    assert run(folder, "-k", "order", "--holdfast-seed", str(other))[0] == 0


def test_a_marked_test_has_seeds_of_its_own(folder: Path) -> None:
    status, said = run(folder, "-k", "marked")

    assert status == 0
    assert sorted(re.findall(r"<(\w+)>", said)) == [
        *("x1", "x2", "x3", "y1", "y2", "y3")
    ]
    status, said = run(folder, "-k", "marked or test_seed", "--holdfast-seed", "7")
    assert re.findall(r"<(\w+)>", said) == ["7", "x7", "y7"]


def test_a_message_that_is_left_under_way_fails_the_test(folder: Path) -> None:
    status, said = run(folder, "-k", "left")

    assert status == 1
    assert "expected nothing under way after the stop, was 1 messages" in said


def test_a_file_that_cannot_be_imported_is_an_error_as_ever(folder: Path) -> None:
    (folder / "test_user.py").write_text("import nothing_of_that_name")

    status, said = run(folder, "--holdfast-seeds", "2")

    assert status == 2
    assert "No module named 'nothing_of_that_name'" in said


def test_less_than_one_schedule_is_refused(folder: Path) -> None:
    status, said = run(folder, "--holdfast-seeds", "0")

    assert status == 4
    assert "--holdfast-seeds" in said


def test_the_runtime_and_the_kit_need_no_pytest() -> None:
    script = (
        "import sys; sys.modules['pytest'] = None; import holdfast_runtime; "
        "assert 'holdfast_runtime.testing' not in sys.modules; "
        "import holdfast_runtime.testing"
    )
    ran = subprocess.run([sys.executable, "-c", script], check=False)

    assert ran.returncode == 0
