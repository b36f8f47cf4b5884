"""A process of its own for an actor of the live engine."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from contextlib import suppress
from multiprocessing.spawn import get_preparation_data
from typing import TYPE_CHECKING, Any

import trio

from holdfast_runtime.errors import Overdue, ProcessDied, SpecError
from holdfast_runtime.moving import child
from holdfast_runtime.moving.moved import FarAway, beat_of

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell

END_S = 1.0
"""How long a process may take to end by itself when it is not needed any more."""

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from holdfast_runtime.moving.child import main; main()"
)
PREPARED = (
    "init_main_from_name",
    "init_main_from_path",
    "sys_argv",
    "dir",
)


class OwnProcess:
    """Calls the actor in its process, which is killed if it does not come back."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._away = FarAway(cell)
        self._beat = beat_of(cell)
        self._process: trio.Process | None = None
        self._buffer = bytearray()
        self._busy = False
        self._over = trio.Event()

    @property
    def process(self) -> trio.Process:
        """The process, once `open` has begun."""
        assert self._process is not None
        return self._process

    async def open(self) -> None:
        """Start the process, and let it import what the engine's program is made of.

        Raises:
            SpecError: the program starts the engine when it is imported.
        """
        cell = self._cell
        if child.imports_main:
            message = (
                f"{cell.path}: expected a program that can be imported, for this actor "
                'runs in a process; put what starts it under if __name__ == "__main__"'
            )
            raise SpecError(message)
        self._process = await trio.lowlevel.open_process(
            [sys.executable, "-c", BOOT, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        cell.kernel.run_task(self._guard())
        cell.at_end.append(self._over.set)
        prepared = get_preparation_data(cell.path)
        first = (
            cell.path,
            cell.incarnation,
            cell.spec.recorder is not None,
            {key: prepared[key] for key in PREPARED if key in prepared},
        )
        await self._exchange(pickle.dumps(first))

    async def call(self, kind: str, argument: Any) -> Any:  # noqa: ANN401
        """Call the actor, and wait; cancelled, the process is killed.

        Raises:
            Overdue: the spec's ``give_up_s`` have passed.
            ProcessDied: the process has ended.
            Unpicklable: ``argument`` cannot be pickled.
        """
        request = self._away.request(kind, argument)
        limit_s = self._cell.spec.give_up_s
        reply: bytes | None = None
        if limit_s is None:
            reply = await self._exchange(request)
        else:
            with trio.move_on_after(limit_s):
                reply = await self._exchange(request)
        if reply is None:
            raise Overdue(self._cell.path, kind, limit_s)
        return self._away.take(reply)

    async def run(self) -> None:
        """Notice an end of the process that no call would notice.

        Raises:
            ProcessDied: it has ended.
        """
        await self.process.wait()
        if self._busy:
            # The call that is under way says so, and with it goes its message.
            await trio.sleep_forever()
        await self._died()

    async def _exchange(self, request: bytes) -> bytes:
        self._busy = True
        process = self.process
        assert process.stdin is not None
        try:
            await process.stdin.send_all(child.HEAD.pack(len(request)) + request)
            while (reply := await self._receive()) == child.BEAT:
                self._beat()
        except trio.BrokenResourceError:
            reply = b""
        if not reply:
            await self._died()
        self._busy = False
        return reply

    async def _receive(self) -> bytes:
        """Return one frame; nothing if the process has closed its side."""
        size = child.HEAD.size
        (length,) = child.HEAD.unpack(await self._take(size) or bytes(size))
        return await self._take(length)

    async def _take(self, size: int) -> bytes:
        stream, buffer = self.process.stdout, self._buffer
        assert stream is not None
        while len(buffer) < size:
            some = await stream.receive_some()
            if not some:
                return b""
            buffer += some
        taken = bytes(buffer[:size])
        del buffer[:size]
        return taken

    async def _died(self) -> None:
        with trio.move_on_after(END_S):
            await self.process.wait()
        raise ProcessDied(self._cell.path, self.process.pid, self.process.returncode)

    async def _guard(self) -> None:
        """End the process when the incarnation, or the engine, has ended."""
        try:
            await self._over.wait()
        finally:
            with trio.CancelScope(shield=True):
                await self._end()

    async def _end(self) -> None:
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        if self._busy:
            process.kill()
        await process.stdin.aclose()
        with trio.move_on_after(END_S):
            await process.wait()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await process.stdout.aclose()
