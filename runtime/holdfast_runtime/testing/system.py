"""A simulated system: a tree with its engine, its faults and its history."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from holdfast_runtime.cell import Cell, State
from holdfast_runtime.errors import ActorError
from holdfast_runtime.refs import Ref
from holdfast_runtime.spec import SupervisorSpec
from holdfast_runtime.testing.engine import FaultyEngine
from holdfast_runtime.testing.faults import Faults
from holdfast_runtime.testing.history import History


class System:
    """A tree in virtual time that a test can harm.

    Seed 0 delivers mail in the order in which it was sent; every other seed is a
    schedule of its own.
    """

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        seed: int = 0,
        faults: Faults | None = None,
        lock_step: bool = True,
    ) -> None:
        """Build the tree of ``spec``; nothing runs yet."""
        self.faults = Faults(seed=seed) if faults is None else faults
        self.engine = FaultyEngine(
            spec,
            faults=self.faults,
            seed=seed,
            shuffle=seed != 0,
            lock_step=lock_step,
        )

    @property
    def history(self) -> History:
        """What happened so far."""
        return self.faults.history

    @property
    def now_s(self) -> float:
        """Virtual time, in seconds from the start."""
        return self.engine.now_s()

    def start(self) -> System:
        """Start the tree, and run until it is up.

        Raises:
            EngineFailed: it could not be started.
        """
        self.engine.start()
        return self

    def run(self, for_s: float | None = None) -> System:
        """Run until nothing is left to do, or for some seconds of virtual time."""
        self.engine.run_until_idle(None if for_s is None else self.now_s + for_s)
        return self

    def stop(self) -> None:
        """Stop the tree in order, and see that nothing is left under way.

        Raises:
            ActorError: messages are neither handled nor buried.
        """
        self.engine.stop()
        if self.engine.root.state is State.CRASHED:
            return
        if self.engine.pending or self.engine.unsettled:
            message = (
                f"{self.engine.root.path}: expected nothing under way after the stop, "
                f"was {self.engine.pending} messages, {self.engine.unsettled} children"
            )
            raise ActorError(message)

    def ref(self, path: str) -> Ref[Any]:
        """Return the reference of the actor at ``path``.

        Raises:
            SpecError: there is none.
        """
        return self.engine.ref(path)

    def tell(self, path: str, *messages: object) -> System:
        """Tell messages from outside; they are handled when the system runs.

        Raises:
            MailboxClosed: the actor is stopped or parked.
            MailboxFull: its lane blocks.
        """
        for message in messages:
            self.ref(path).tell(message)
        return self

    def ask(self, path: str, message: object, *, deadline_s: float = 60.0) -> Any:  # noqa: ANN401
        """Return the answer; the system runs until there is one.

        Raises:
            AskTimeout: no answer in time.
            AskFailed: the actor crashed on it, or ended before its answer was durable.
            MailboxClosed: the actor is stopped or parked.
        """
        return self.call(self.ref(path).ask(message, deadline_s=deadline_s))

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        """Run a coroutine beside the tree, and return its result."""
        return self.engine.call(coroutine)

    def cell(self, path: str) -> Cell:
        """Return the place at ``path``.

        Raises:
            SpecError: there is none.
        """
        self.ref(path)
        return self.engine.cells[path]

    def state(self, path: str) -> str:
        """Return where the actor at ``path`` stands, such as ``running``."""
        return self.cell(path).state.value
