"""The lock of an account: one engine, an epoch that grows, and a fence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_adapters.account import AccountLock
from holdfast_domain.errors import InputError

HOLD = """
import os, sys
from pathlib import Path
from holdfast_adapters.account import AccountLock
lock = AccountLock.take(Path(sys.argv[1]), os.getpid())
print(lock.epoch, flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Return another process that has the account until its input ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "1\n"
    return child


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "v.sock.lock"


def test_an_epoch_only_grows(path: Path) -> None:
    epochs = []
    for above in (0, 0, 7, 3):
        lock = AccountLock.take(path, os.getpid(), above=above)
        epochs.append(lock.epoch)
        lock.close()
        lock.close()
    assert epochs == [1, 2, 8, 9]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_engine_is_refused_until_the_first_is_killed(path: Path) -> None:
    with holder(path) as child:
        with pytest.raises(InputError) as raised:
            AccountLock.take(path, os.getpid())
        assert str(raised.value) == (
            f"{path}: expected an account that no other engine trades, got one traded "
            f"by process {child.pid}; stop that engine; or start with --take-over, "
            "which fences it off"
        )
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert AccountLock.take(path, os.getpid()).epoch == 2


def test_who_takes_over_has_it_and_the_other_one_sees_so(path: Path) -> None:
    with holder(path) as child:
        child.send_signal(signal.SIGSTOP)
        heir = AccountLock.take(path, os.getpid(), take_over=True)
        assert (heir.epoch, heir.is_ours()) == (2, True)
        with pytest.raises(InputError, match=f"traded by process {os.getpid()}"):
            AccountLock.take(path, os.getpid())
        child.kill()

    later = AccountLock.take(path, os.getpid(), take_over=True)
    assert (heir.is_ours(), later.is_ours(), later.epoch) == (False, True, 3)


def test_a_lock_that_was_removed_is_nobodys(path: Path) -> None:
    lock = AccountLock.take(path, os.getpid())
    path.unlink()
    assert not lock.is_ours()
    assert AccountLock.take(path, os.getpid(), above=lock.epoch).epoch == 2


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory; check"):
        AccountLock.take(tmp_path / "none" / "lock", os.getpid())


DIE = """
import os, signal, sys
from pathlib import Path
from holdfast_adapters.account import AccountLock
put = Path.replace
def put_and_die(self, target):
    put(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
Path.replace = put_and_die
AccountLock.take(Path(sys.argv[1]), os.getpid(), take_over=True)
"""


def test_an_epoch_survives_who_dies_in_taking_over(path: Path) -> None:
    """The new file is there, and its maker had no moment more."""
    with holder(path) as child:
        died = subprocess.run([sys.executable, "-c", DIE, str(path)], check=False)
        assert died.returncode == -signal.SIGKILL
        lock = AccountLock.take(path, os.getpid())
        assert lock.epoch == 3
        lock.close()
        child.kill()
