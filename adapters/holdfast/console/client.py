"""The console's client: asks a running engine over its control socket; blocks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import DomainError, InputError

ANSWER_S = 15.0
"""How long an answer may take; the engine itself gives up earlier and says why."""

_TRIES = 40
_PAUSE_S = 0.05
"""An engine holds its directory a moment before it listens."""


class NotRunning(InputError):
    """No engine runs on the directory."""


class Refused(DomainError):
    """The engine answered that it cannot; the text is its own."""


def ask(path: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of the engine that runs on the state directory ``path``.

    Blocks, at most for some `ANSWER_S`; ``path`` may be of any length.

    Raises:
        InputError: ``path`` is no state directory, or no answer came.
        NotRunning: no engine runs on it.
        Refused: the engine cannot do what it was asked.
    """
    directory = StateDir.at(path)
    with contextlib.closing(_connected(directory)) as stream:
        try:
            stream.sendall(json.dumps(request).encode() + b"\n")
            line = _line(stream)
        except TimeoutError:
            raise _silent(path, f"none within {ANSWER_S:g} s") from None
        except OSError as error:
            raise _silent(path, error.strerror or str(error)) from error
    return _understood(path, line)


@contextlib.contextmanager
def short_path(folder: Path, name: str) -> Iterator[str]:
    """Give a path of ``name`` in ``folder`` that is short enough for a socket.

    The kernel limits it to 107 bytes; by way of the open directory it never is longer.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def _connected(directory: StateDir) -> socket.socket:
    target = directory.control_socket
    owner: int | None = None
    for _ in range(_TRIES):
        owner = StateDir.owner(directory.path)
        if owner is None:
            raise not_running(directory.path)
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(ANSWER_S)
        try:
            with short_path(target.parent, target.name) as short:
                stream.connect(short)
        except (FileNotFoundError, ConnectionRefusedError):
            stream.close()
            time.sleep(_PAUSE_S)
        except OSError as error:
            stream.close()
            raise _silent(directory.path, error.strerror or str(error)) from error
        else:
            return stream
    raise _silent(directory.path, f"process {owner}, which does not listen (yet)")


def not_running(path: Path) -> NotRunning:
    """Return the error for a directory on which no engine runs."""
    return NotRunning(
        str(path),
        "a running engine",
        "none on this directory",
        f"start it with 'holdfast paper … --state {path}'",
    )


def _line(stream: socket.socket) -> bytes:
    received = b""
    while b"\n" not in received:
        chunk = stream.recv(65_536)
        if not chunk:
            break
        received += chunk
    return received


def _understood(path: Path, line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        raise _silent(path, "a connection that ended; it may be stopping") from None
    if not isinstance(answer, dict):
        raise _silent(path, f"a {type(answer).__name__}")
    if not answer.pop("ok", False):
        text = str(answer.get("error", "no reason given"))
        raise Refused(text.removeprefix("InputError: ").removeprefix("DomainError: "))
    return answer


def _silent(path: Path, came: str) -> InputError:
    return InputError(
        str(path), "an answer of its engine", came, "try again in a moment"
    )
