"""The command line in a process of its own, at the price of a fork.

To import all that the command line needs takes most of a short command's time. One
process does it once (``python -m tests.forking FD``), has no thread, and forks for each
command; the child is a process like any other, with its own files and signals.
"""

from __future__ import annotations

import array
import atexit
import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from pkgutil import iter_modules

import attrs

from holdfast import cli

REPOSITORY = Path(__file__).resolve().parents[1]
DEADLINE_S = 120.0
TRACING = "COVERAGE_PROCESS_CONFIG"
"""What tells a child of a run under ``coverage`` to trace itself."""

NEEDED = ("holdfast.backtest", "holdfast.paper", "holdfast_adapters.auditor", "trio")
"""What commands import when they are asked for, beside their own modules."""


@attrs.frozen
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


def run_holdfast(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float = DEADLINE_S,
) -> Ran:
    """Run ``holdfast`` as a process, with no input, and wait for its end.

    Raises:
        TimeoutError: it took longer than ``timeout_s`` and was killed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        files = (out.fileno(), err.fileno())
        order = {
            "arguments": arguments,
            "env": dict(env or os.environ),
            "cwd": str(cwd),
        }
        status = _parent(os.environ.get(TRACING)).run(order, files, timeout_s)
        out.seek(0)
        err.seek(0)
        return Ran(status, out.read().decode(), err.read().decode())


class _Parent:
    """The process that forks, as those see it who use it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
                cwd=REPOSITORY,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, order: Mapping[str, object], files: tuple[int, int], limit_s: float
    ) -> int:
        """Return the exit status, as `subprocess` gives it."""
        with tempfile.TemporaryFile("w+") as text:
            json.dump(order, text)
            text.flush()
            fds = array.array("i", [text.fileno(), *files])
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
            self._socket.sendmsg([b"run"], ancillary)
        pid = int(self._socket.recv(64))
        self._socket.settimeout(limit_s)
        try:
            return int(self._socket.recv(64))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            self._socket.settimeout(None)
            self._socket.recv(64)
            raise
        finally:
            self._socket.settimeout(None)

    def close(self) -> None:
        """Let it end, and wait until it has."""
        self._socket.close()
        self._process.wait()


@functools.cache
def _parent(traced: str | None) -> _Parent:
    """Return the one whose children are traced for coverage, or the one whose not."""
    del traced
    parent = _Parent()
    atexit.register(parent.close)
    return parent


# --- in the process that forks --------------------------------------------------------


def serve(ours: socket.socket) -> None:
    """Fork for each order, and say its pid and then its status, until nobody orders."""
    while True:
        _, fds, _, _ = socket.recv_fds(ours, 16, 3)
        if not fds:
            return
        pid = os.fork()
        if pid == 0:
            ours.close()
            be_holdfast(*fds)
        for fd in fds:
            os.close(fd)
        ours.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        ours.send(str(os.waitstatus_to_exitcode(status)).encode())


def be_holdfast(order: int, out: int, err: int) -> None:
    """Be the command line; never return."""
    with open(order, encoding="utf-8") as text:
        text.seek(0)
        asked = json.load(text)
    for ours, standard in ((out, 1), (err, 2)):
        os.dup2(ours, standard)
        os.close(ours)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv[:] = ["holdfast", *asked["arguments"]]
    sys.exit(cli.main())


def _main() -> None:
    commands = [f"holdfast.cli.{each.name}" for each in iter_modules(cli.__path__)]
    for name in (*NEEDED, *commands):
        importlib.import_module(name)
    gc.freeze()  # so that no child looks through, and copies, what all share
    with socket.socket(fileno=int(sys.argv[1])) as ours:
        serve(ours)


if __name__ == "__main__":
    _main()
