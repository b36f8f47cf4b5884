"""The main program of a process in which one actor computes.

It speaks with the engine over the pipes that it was given as standard input and
output, in frames of a length and that many bytes. What the actor prints goes to
standard error, so that it never gets between the frames, nor into the output of the
program. It ends when its input does, so it never outlives its engine.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
from functools import partial
from multiprocessing.spawn import prepare
from typing import BinaryIO

from holdfast_runtime.moving.home import Home, portable
from holdfast_runtime.moving.pickling import dump

HEAD = struct.Struct("!Q")
BEAT = b"\0"
"""The frame that says, before a reply, that the actor is alive."""

imports_main = False
"""Whether the engine's program is being imported here: it must not start another."""


def main() -> None:
    """Serve one engine until it closes the pipe."""
    # The engine decides what an interrupt means, and tells by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, replies = _take_pipes()
    path, incarnation, records, prepared = pickle.loads(_receive(requests))
    home = Home(path, incarnation, records=records, beat=partial(_send, replies, BEAT))
    error = _import_main(path, prepared)
    _send(replies, dump(None))
    while request := _receive(requests):
        failed = None if error is None else dump((None, error, ()))
        _send(replies, failed or home.serve(request))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for ourselves, and let prints go to standard error."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _import_main(path: str, prepared: dict[str, object]) -> BaseException | None:
    """Import the engine's program under another name, as multiprocessing does."""
    global imports_main  # noqa: PLW0603 - one program, one import
    imports_main = True
    try:
        prepare(prepared)
    except BaseException as error:  # noqa: BLE001 - raised in the engine
        return portable(path, error)
    finally:
        imports_main = False
    return None


def _receive(stream: BinaryIO) -> bytes:
    head = stream.read(HEAD.size)
    return stream.read(HEAD.unpack(head)[0]) if len(head) == HEAD.size else b""


def _send(stream: BinaryIO, frame: bytes) -> None:
    stream.write(HEAD.pack(len(frame)) + frame)
    stream.flush()
