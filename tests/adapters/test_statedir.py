"""The state directory: one process at a time, and nothing of a newer version."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError

HOLD = """
import os, sys
from pathlib import Path
from holdfast_adapters.statedir import StateDir
with StateDir.open(Path(sys.argv[1]), os.getpid()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has ``tmp_path/state`` until its input ends."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "state")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_new_directory_is_private_and_has_its_version(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "state"
    with StateDir.open(path, 42) as state:
        assert path.stat().st_mode & 0o777 == 0o700
        assert state.version.read_text() == "1\n"
        assert (path / "lock").read_text() == "42\n"


def test_the_paths_are_where_others_look_for_them(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    assert state.journal == tmp_path / "journal.sqlite"
    assert state.venue("paper") == tmp_path / "venue-paper.sqlite"
    assert state.control_socket == tmp_path / "control.sock"
    assert state.halt == tmp_path / "HALT"


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a\nb"])
def test_a_venue_cannot_leave_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="rename the venue"):
        StateDir(tmp_path).venue(name)


def test_a_directory_in_use_is_refused_with_the_pid(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(InputError, match=f"in use by process {holder.pid};") as caught:
        StateDir.open(tmp_path / "state", 1)
    assert "\n" not in str(caught.value)
    assert StateDir.owner(tmp_path / "state") == holder.pid


def test_the_same_process_cannot_take_it_twice(tmp_path: Path) -> None:
    with (
        StateDir.open(tmp_path, 42),
        pytest.raises(InputError, match="in use by process 42;"),
    ):
        StateDir.open(tmp_path, 43)


def test_a_killed_holder_holds_nothing(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert StateDir.owner(tmp_path / "state") is None
    with StateDir.open(tmp_path / "state", 44):
        assert StateDir.owner(tmp_path / "state") == 44


def test_a_directory_that_was_given_back_has_no_owner(tmp_path: Path) -> None:
    state = StateDir.open(tmp_path, 42)
    assert StateDir.owner(tmp_path) == 42
    state.close()
    state.close()
    assert StateDir.owner(tmp_path) is None
    assert StateDir.owner(tmp_path / "nothing") is None


def test_a_moment_of_asking_for_the_owner_does_not_keep_an_engine_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    StateDir.open(tmp_path, 42).close()
    with (tmp_path / "lock").open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)

        def let_go(_pause_s: float) -> None:
            fcntl.flock(asking, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", let_go)
        with StateDir.open(tmp_path, 43):
            assert StateDir.owner(tmp_path) == 43


def test_a_file_is_no_state_directory(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("mine")
    with pytest.raises(InputError, match="expected a state directory, got a file"):
        StateDir.open(path, 42)
    with pytest.raises(InputError, match="state directory"):
        StateDir.open(path / "below", 42)
    assert path.read_text() == "mine"


def test_looking_needs_a_directory_and_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing there"):
        StateDir.at(tmp_path / "state")
    assert StateDir.at(tmp_path).journal == tmp_path / "journal.sqlite"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["2", "99999999999999999999", "", "one", "-1"])
def test_another_version_is_refused_and_nothing_touched(
    tmp_path: Path, version: str
) -> None:
    (tmp_path / "version").write_text(version)
    with pytest.raises(InputError, match="expected version 1, got") as caught:
        StateDir.open(tmp_path, 42)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="expected version 1, got"):
        StateDir.at(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["version"]


def test_a_directory_we_may_not_write_is_refused_in_one_line() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o555)
        root = os.geteuid() == 0
        if root:  # whom permissions do not stop
            os.seteuid(65534)
        try:
            with pytest.raises(InputError, match="got Permission denied"):
                StateDir.open(path, 42)
            with pytest.raises(InputError, match="got Permission denied"):
                StateDir.open(path / "below", 42)
        finally:
            if root:
                os.seteuid(0)
