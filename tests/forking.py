"""The command line in a process of its own, at the price of a fork.

To import all that the command line needs takes most of a short command's time. One
process does it once, has no thread, listens on a socket, and forks for each command
(``python -m tests.forking SOCKET``). The child is a process like any other, with its
own files and signals; it is killed when the one who asked for it has gone.

``python tests/forking.py SOCKET WORD …`` asks for a command from a shell: it lends its
files, passes signals on, and ends as the command does. It imports nothing else.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
DEADLINE_S = 600.0
TRACING = "COVERAGE_PROCESS_CONFIG"
"""What tells a child of a run under ``coverage`` to trace itself."""

NEEDED = ("holdfast.backtest", "holdfast.paper", "holdfast_adapters.auditor", "trio")
"""What commands import when they are asked for, beside their own modules."""

PASSED_ON = (signal.SIGINT, signal.SIGTERM)


class Ran(NamedTuple):
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
    order = _order(arguments, str(cwd), dict(os.environ if env is None else env))
    with (
        open(os.devnull, "rb") as nothing,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        asked(
            listening(), order, [each.fileno() for each in (nothing, out, err)]
        ) as it,
    ):
        it.settimeout(timeout_s)
        status = _status(it.recv(64))
        out.seek(0)
        err.seek(0)
        return Ran(status, out.read().decode(), err.read().decode())


def install(folder: Path) -> None:
    """Write the command ``holdfast`` into ``folder``: it asks for a fork."""
    words = (sys.executable, "-I", "-S", str(Path(__file__)), listening())
    script = folder / "holdfast"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o755)


def listening() -> str:
    """Return the socket of this process's own, which is started if need be."""
    return _started(os.environ.get(TRACING))


@functools.cache
def _started(traced: str | None) -> str:
    """Return the one whose children are traced for coverage, or the one whose not."""
    del traced
    folder = tempfile.TemporaryDirectory(prefix="forking-")
    path = str(Path(folder.name) / "s")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forking", path],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def close() -> None:
        process.communicate()  # it ends with its input
        folder.cleanup()

    atexit.register(close)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    return path


# --- who asks ------------------------------------------------------------------------


def _order(arguments: Sequence[str], cwd: str, env: Mapping[str, str]) -> bytes:
    return json.dumps({"arguments": arguments, "cwd": cwd, "env": env}).encode()


def _status(said: bytes) -> int:
    assert said, "the process that forks has gone"
    return int(said)


def asked(path: str, order: bytes, files: Sequence[int]) -> socket.socket:
    """Ask for a command; the socket will say its status, and to close it kills."""
    it = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    it.connect(path)
    with tempfile.TemporaryFile() as text:
        text.write(order)
        text.flush()
        socket.send_fds(it, [b"run"], [text.fileno(), *files])
    return it


def ask_from_a_shell(path: str, arguments: Sequence[str]) -> None:
    """Be the command, as a shell sees it; never return."""
    order = _order(arguments, os.getcwd(), dict(os.environ))
    it = asked(path, order, [0, 1, 2])

    def pass_on(number: int, _frame: object) -> None:
        it.send(str(number).encode())

    for number in PASSED_ON:
        signal.signal(number, pass_on)
    status = _status(it.recv(64))
    if status < 0:
        for number in PASSED_ON:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


# --- the process that forks ----------------------------------------------------------


def serve(path: str) -> None:
    """Fork for each who asks, until the input ends."""
    from holdfast import cli  # noqa: PLC0415 - not for who asks from a shell

    modules = [f"holdfast.cli.{name}" for name in _names_in(cli.__path__[0])]
    for name in (*NEEDED, *modules):
        importlib.import_module(name)
    gc.freeze()  # so that no child looks through, and copies, what all share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(64)
        print("listening", flush=True)
        while True:
            ready, _, _ = select.select([listener.fileno(), 0], [], [])
            if 0 in ready:
                return
            it, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                keep(it)
                return
            it.close()


def _names_in(folder: str) -> list[str]:
    return sorted(file.stem for file in Path(folder).glob("[a-z]*.py"))


def keep(it: socket.socket) -> None:
    """Fork the command that ``it`` asks for, and tell it the status.

    In the child it returns when the command has ended by itself.
    """
    _, fds, _, _ = socket.recv_fds(it, 16, 4)
    pid = os.fork()
    if pid == 0:
        it.close()
        be_holdfast(*fds)
    handle = os.pidfd_open(pid)
    while True:
        ready, _, _ = select.select([it.fileno(), handle], [], [])
        if handle in ready:
            break
        said = it.recv(16)
        os.kill(pid, int(said) if said else signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    try:
        it.send(str(os.waitstatus_to_exitcode(status)).encode())
    except OSError:
        """Nobody waits for it any more."""
    os._exit(0)


def be_holdfast(order: int, *files: int) -> None:
    """Be the command line; never return."""
    from holdfast import cli  # noqa: PLC0415 - not for who asks from a shell

    with open(order, "rb") as text:
        text.seek(0)
        asked_for = json.load(text)
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(asked_for["cwd"])
    os.environ.clear()
    os.environ.update(asked_for["env"])
    sys.argv[:] = ["holdfast", *asked_for["arguments"]]
    sys.exit(cli.main())


if __name__ == "__main__":
    if sys.flags.no_site:
        ask_from_a_shell(sys.argv[1], sys.argv[2:])
    serve(sys.argv[1])
