"""Background: a live engine on a thread of its own, and the handle on it."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any, Self, TypeAlias

import trio

from holdfast_runtime.errors import (
    ActorError,
    AskTimeout,
    EngineFailed,
    EngineStopped,
    SpecError,
)
from holdfast_runtime.live import LiveEngine
from holdfast_runtime.opening import open_engine
from holdfast_runtime.refs import Ref
from holdfast_runtime.spec import SupervisorSpec
from holdfast_runtime.threads import Future, start_thread

EXIT_S = 5.0
"""How long a process that ends lets a forgotten engine stop in order."""

LISTEN_S = 0.5
"""How long a wait goes on before it looks for signals: the system wakes it by those
that come during the wait alone.
"""

CUT_S = 1.0
"""How long a cut may take before the thread is left behind."""

Answer: TypeAlias = "Future[Any]"
Prepare: TypeAlias = Callable[[LiveEngine], None]
Opened: TypeAlias = Callable[[Prepare], AbstractAsyncContextManager[LiveEngine]]


def start(
    spec: SupervisorSpec,
    *,
    seed: int = 0,
    lock_step: bool = False,
    prepare: Prepare | None = None,
) -> EngineHandle:
    """Run the tree of ``spec`` on a thread of its own; for plain scripts.

    Blocks until the whole tree is up. ``prepare``, and the listeners that it adds, are
    called on the engine's thread.

    Raises:
        SpecError: the spec cannot be run.
        EngineFailed: the root went beyond its limit before it was up.
    """

    def opened(seen: Prepare) -> AbstractAsyncContextManager[LiveEngine]:
        def both(engine: LiveEngine) -> None:
            seen(engine)
            if prepare is not None:
                prepare(engine)

        return open_engine(spec, seed=seed, lock_step=lock_step, prepare=both)

    return EngineHandle(spec.name, opened)


class EngineHandle:
    """A running engine, for the threads of a plain script; made by `start`.

    Actors are named by their path, for a reference is for the engine's thread. As a
    context manager it stops the engine in order, however the block ends. A process
    that ends without it gives the engine `EXIT_S` seconds, and does not hang.
    """

    def __init__(self, name: str, opened: Opened) -> None:
        """Start the thread, and block until the engine that it opens is up.

        ``opened`` calls what it is given with the engine before anything of it runs.
        """
        self._name = name
        self._opened = opened
        self._up = threading.Event()
        self._is_up = False
        self._leave = trio.Event()
        self._engine: LiveEngine | None = None
        self._nursery: trio.Nursery | None = None
        self._answers: set[Answer] = set()
        self._error: BaseException | None = None
        try:
            self._thread = start_thread(f"holdfast {name}", self._run)
            while not self._up.wait(LISTEN_S):
                """A signal that came just before the wait is heard now."""
        except BaseException:
            self.cut()
            raise
        if not self._is_up:
            self._thread.join()
            if isinstance(self._error, SpecError):
                raise self._error
            raise self._ended() from self._error
        atexit.register(self._exit)

    # --- for users -----------------------------------------------------------

    def tell(self, path: str, message: object) -> None:
        """Send ``message`` to the actor at ``path``; never blocks; from any thread.

        There is nobody to stall: what finds a full lane becomes a dead letter. To wait
        for room, `send`. From one thread to one actor, in one lane, order is kept.

        Raises:
            SpecError: there is no such actor.
            MailboxFull: 65 536 messages from threads wait for the engine's thread.
            EngineStopped: the engine has ended.
            EngineFailed: it has ended by its failure, which is the cause.
        """
        ref = self._ref(path)
        try:
            self._running().tell_from_thread(ref, message)
        except EngineStopped:
            raise self._ended() from self._error

    def send(self, path: str, message: object, *, deadline_s: float) -> None:
        """Send ``message``, and block while its lane is full; from any thread.

        Raises:
            MailboxClosed: the actor is stopped or parked.
            AskTimeout: there was no room in time; it may still be delivered.
            SpecError, EngineStopped, EngineFailed: as of `tell`.
        """
        self._wait_for(partial(self._ref(path).send, message), path, deadline_s)

    def ask(self, path: str, message: object, *, deadline_s: float) -> Any:  # noqa: ANN401
        """Return what the actor's handler returns; from any thread.

        Blocks at most ``deadline_s`` seconds, even if the engine's thread hangs.

        Raises:
            AskTimeout: no answer in time; the question may still be handled.
            AskFailed: the actor crashed on it, or ended before its answer was durable.
            MailboxClosed: the actor is stopped or parked; it was not handled.
            SpecError, EngineStopped, EngineFailed: as of `tell`.
        """
        ask = partial(self._ref(path).ask, message, deadline_s=deadline_s)
        return self._wait_for(ask, path, deadline_s)

    def wait(self, *, deadline_s: float | None = None) -> bool:
        """Block until the engine has ended; whether it has within ``deadline_s``.

        Raises:
            EngineFailed: it has ended by its failure, which is the cause.
        """
        self._refuse_own_thread()
        self._join(deadline_s)
        if self._thread.is_alive():
            return False
        self._raise_failure()
        return True

    def stop(self, *, deadline_s: float | None = None) -> None:
        """Stop the tree in reverse order, and block until it has ended.

        Each actor has the deadline of its spec. What is left after ``deadline_s``
        seconds, or on Ctrl-C, is cut. A second call does nothing.

        Raises:
            EngineFailed: the engine had failed, which is the cause; or an actor that
                never returns keeps its thread, which is left behind.
        """
        self._refuse_own_thread()
        self._post(self._leave.set)
        try:
            self._join(deadline_s)
        finally:
            self.cut()
        self._thread.join(CUT_S)
        if self._thread.is_alive():
            message = f"{self._name}: expected to be cut, was kept by a hung handler"
            raise EngineFailed(message)
        self._raise_failure()

    def cut(self) -> None:
        """End the engine where it stands; does not wait."""
        if self._engine is not None:
            self._post(self._engine.cut)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            self.stop()
        except EngineFailed as failure:
            if error is None:
                raise
            error.add_note(f"the engine failed too: {failure}")

    # --- on the caller's thread ----------------------------------------------

    def _running(self) -> LiveEngine:
        if self._engine is None or not self._thread.is_alive():
            raise self._ended() from self._error
        return self._engine

    def _ref(self, path: str) -> Ref[Any]:
        return self._running().ref(path)

    def _wait_for(
        self, call: Callable[[], Awaitable[Any]], path: str, deadline_s: float
    ) -> Any:  # noqa: ANN401
        self._refuse_own_thread()
        answer: Answer = Future()
        self._answers.add(answer)
        try:
            self._running().bridge.send(self._begin, answer, call)
            return answer.result(deadline_s)
        except (trio.RunFinishedError, EngineStopped):
            raise self._ended() from self._error
        except TimeoutError:
            text = f"{path}: no answer within {deadline_s} s from its thread"
            raise AskTimeout(text) from None
        finally:
            self._answers.discard(answer)

    def _ended(self) -> ActorError:
        """Return the error for a use of the engine after its trio run is over."""
        # Until the thread has ended, it may be about to say why.
        self._thread.join()
        if self._error is None:
            return EngineStopped(self._name)
        if isinstance(self._error, EngineFailed):
            return EngineFailed(str(self._error))
        return EngineFailed(f"{self._name} has failed: {self._error!r}")

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise self._ended() from self._error

    def _join(self, deadline_s: float | None) -> None:
        """Wait for the thread's end; a Ctrl-C just before the wait is heard, too."""
        if deadline_s is not None:
            self._thread.join(deadline_s)
            return
        while self._thread.is_alive():
            self._thread.join(LISTEN_S)

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            message = f"{self._name}: expected another thread to wait, was its own"
            raise ActorError(message)

    def _post(self, call: Callable[[], None]) -> None:
        """Make ``call`` on the engine's thread, if that still runs."""
        if self._engine is not None:
            with suppress(trio.RunFinishedError):
                self._engine.bridge.send(call)

    def _exit(self) -> None:
        self._post(self._leave.set)
        self._thread.join(EXIT_S)

    # --- on the engine's thread ----------------------------------------------

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._error = error
        atexit.unregister(self._exit)
        for answer in list(self._answers):
            if not answer.done():
                answer.set_exception(EngineStopped(self._name))
        self._up.set()

    async def _main(self) -> None:
        opened = self._opened(self._see)
        async with opened as engine, trio.open_nursery() as nursery:
            self._nursery, self._is_up = nursery, True
            nursery.start_soon(self._notice_end, engine)
            self._up.set()
            try:
                await self._leave.wait()
            finally:
                self._nursery = None
            nursery.cancel_scope.cancel()

    def _see(self, engine: LiveEngine) -> None:
        self._engine = engine

    async def _notice_end(self, engine: LiveEngine) -> None:
        await engine.wait_ended()
        self._leave.set()

    def _begin(self, answer: Answer, call: Callable[[], Awaitable[Any]]) -> None:
        # What begins too late, or is cancelled, is answered when the thread ends: only
        # then it is known how.
        if self._nursery is not None:
            self._nursery.start_soon(self._answer, answer, call)

    @staticmethod
    async def _answer(answer: Answer, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            answer.set_result(await call())
        except Exception as error:  # noqa: BLE001 - raised where it was asked
            answer.set_exception(error)
