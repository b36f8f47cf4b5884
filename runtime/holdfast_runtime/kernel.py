"""The kernel: how actors are born, handle, record and die, the same on both engines.

An engine adds how a cell is run and how time passes; every rule is here and in
`delivery`. All of it happens on one thread.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from random import Random  # noqa: TID251 - a type here; the composition root seeds it
from typing import Any

from holdfast_runtime.accepting import manners_for
from holdfast_runtime.blame import Blame
from holdfast_runtime.byhand import ByHand
from holdfast_runtime.cell import Cell, Outbox, State
from holdfast_runtime.checks import check_tree
from holdfast_runtime.context import Context
from holdfast_runtime.driving import Driven, is_async, is_coroutine
from holdfast_runtime.errors import ActorError, Poisoned, SpecError
from holdfast_runtime.family import Family
from holdfast_runtime.holds import Hold, forsake
from holdfast_runtime.messages import MANNERS, Answer, Asked, Records
from holdfast_runtime.meters import Meter
from holdfast_runtime.monitors import Events, Monitors
from holdfast_runtime.moving.moved import Moved, Place, inline_place, move
from holdfast_runtime.sides import end_sides
from holdfast_runtime.spec import SupervisorSpec
from holdfast_runtime.watchdogs import Watchdog

RUNNING = State.RUNNING


class Kernel(ByHand, Blame):
    """What both engines share. Users meet it as `LiveEngine` or `SimulatedEngine`."""

    def __init__(
        self, spec: SupervisorSpec, *, lock_step: bool, random: Random
    ) -> None:
        """Build the tree of ``spec``; nothing runs yet."""
        check_tree(spec)
        super().__init__(lock_step=lock_step, random=random)
        self.root = Family(self, spec, None)
        self.monitors = Monitors(self)

    def events(self) -> Events:
        """Return a stream of what happens in the tree; enter it with ``with``."""
        return Events(self)

    # --- handling ------------------------------------------------------------

    def enter(self, cell: Cell, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
        """Return what a function of the actor returns; what it says is its cell's."""
        self.current = cell
        try:
            return function(*arguments)
        finally:
            self.current = None

    def handle(self, cell: Cell, message: Any) -> None:  # noqa: ANN401
        """Let a synchronous actor handle ``message``; it dies of what it raises."""
        self.current = cell
        try:
            if type(message) is Asked:
                self.answer(cell, message)
            else:
                handler = cell.handler  # not a method: it is slower to call as one
                value = handler(message)  # type: ignore[misc]
                if value is not None:
                    self.check_result(cell, value)
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            self.current = None
            cell.in_hand = (message,)
            self.died(cell, error)
            return
        except BaseException:
            self.current = None
            raise
        self.current = None
        cell.handled = handled = cell.handled + 1
        if handled >= cell.sample_at:
            self.sample(cell)
        if cell.records or (cell.holds and cell.outbox):
            self.release(cell)
        elif cell.outbox:
            outbox, cell.outbox = cell.outbox, []
            self.deliver(outbox, cell)
        if cell.blocked or cell.room:
            self.unblock(cell)
        self.pending -= 1
        if not self.pending and self.held and not self.unsettled:
            self._take_turns()

    def answer(self, cell: Cell, asked: Asked) -> None:
        """Let a synchronous actor answer a question; raises what its handler raises."""
        value = cell.handler(asked.message)  # type: ignore[misc]
        self.check_result(cell, value)
        cell.outbox.append((None, Answer(asked, value)))

    @staticmethod
    def check_result(cell: Cell, value: object) -> None:
        """Refuse a coroutine from a handler that did not say that it is asynchronous.

        Raises:
            ActorError: naming the actor.
        """
        if isinstance(value, types.CoroutineType):
            value.close()
            message = (
                f"{cell.path}: expected handle to be declared with async def, "
                f"was a function that returns the coroutine {value!r}"
            )
            raise ActorError(message)

    async def handle_async(self, cell: Cell, messages: list[Any]) -> None:
        """Let an asynchronous actor handle one message, or a batch of them.

        Raises whatever the handler raises.
        """
        asked, handler = messages[0], cell.handler
        argument: Any = asked
        is_question = type(asked) is Asked
        if is_question:
            argument = asked.message
        elif cell.batch_handler is not None:
            handler, argument = cell.batch_handler, messages
        value = self.enter(cell, handler, argument)  # type: ignore[arg-type]
        if is_coroutine(value):
            value = await Driven(self, cell, value)
        if is_question:
            cell.outbox.append((None, Answer(asked, value)))

    def after(self, cell: Cell) -> None:
        """Count the messages in hand as handled, and let out what the handler said."""
        messages, cell.in_hand = cell.in_hand, ()
        cell.handled += len(messages)
        if cell.handled >= cell.sample_at:
            self.sample(cell)
        if cell.outbox or cell.records:
            self.release(cell)
        if cell.blocked or cell.room:
            self.unblock(cell)
        if messages:
            self.done(len(messages))

    @staticmethod
    def sample(cell: Cell) -> None:
        """Measure what ``cell`` handles next; its meter says when again."""
        if cell.meter is None:
            cell.meter = Meter(cell)
        cell.meter.sample()

    def release(self, cell: Cell) -> None:
        """Let out what a handler said, or hold it until its records are durable."""
        outbox, cell.outbox = cell.outbox, []
        if not cell.records and not cell.holds:
            self.deliver(outbox, cell)
            return
        records, cell.records = cell.records, []
        if records and not cell.holds and self._at_once(cell, records, outbox):
            return
        hold = Hold(cell, outbox, done=not records)
        cell.holds.append(hold)
        self.pending += 1
        if records:
            recorder = self.cells[cell.spec.recorder]  # type: ignore[index]
            message = Records(tuple(records), hold)
            self.put(recorder, message, cell, MANNERS[Records][0])

    def _at_once(self, cell: Cell, records: list[Any], outbox: Outbox) -> bool:
        """Let out what hangs on a recorder that never waits; whether there is one.

        It offers ``commit(records)``, and is called only where no mail of its own
        comes before. If it raises, nothing is durable: it crashes, and so does who
        recorded.
        """
        recorder = self.cells[cell.spec.recorder]  # type: ignore[index]
        commit = recorder.commit
        if (
            commit is None
            or recorder.state is not RUNNING
            or recorder.mailbox.size
            or recorder.direct
            or recorder.in_hand
            or recorder.stalls
        ):
            return False
        nth = recorder.handled + 1
        began_s = self.now_s() if nth >= recorder.sample_at else None
        failure = None
        self.current = recorder
        try:
            commit(records)
        except Exception as error:  # noqa: BLE001 - its supervisor decides
            failure = error
        finally:
            self.current = None
        if failure is not None:
            self.lost(cell, outbox, recorder, failure)
            return True
        recorder.handled = nth
        if began_s is not None:
            if recorder.meter is not None:
                recorder.meter.measured((), began_s)
            self.sample(recorder)
        if recorder.outbox:
            told, recorder.outbox = recorder.outbox, []
            self.deliver(told, recorder)
        if outbox:
            self.deliver(outbox, cell)
        return True

    def let_out(self, cell: Cell) -> None:
        """Let out the holds of ``cell`` that are done, in their order."""
        while cell.holds and cell.holds[0].done:
            hold = cell.holds.popleft()
            if hold.life == cell.life and not hold.failed:
                self.deliver(hold.outbox, cell)
            else:
                hold.forsake(cell.kill_error or _ended(cell))
            self.done()
        if not cell.holds:
            bells, cell.settled = cell.settled, []
            for bell in bells:
                bell.ring()

    # --- birth and death -----------------------------------------------------

    async def start_actor(self, cell: Cell) -> None:
        """Build the actor of ``cell`` once its holds are settled, and let it start."""
        await self._settled(cell)
        if cell.spec.runs_in == "engine":
            actor = self.build(cell)
        else:
            cell.outbox, cell.records = [], []
            actor = await move(cell, self.place(cell))
        await self.end_start(cell, self.begin_start(cell, actor))

    def build(self, cell: Cell) -> Any:  # noqa: ANN401
        """Return a new actor for ``cell``, to live on the engine's thread."""
        cell.outbox, cell.records = [], []
        return self.enter(cell, cell.spec.build, Context(cell))

    def begin_start(self, cell: Cell, actor: Any) -> Any:  # noqa: ANN401
        """Let ``actor`` live in ``cell``; return what its `start` returns.

        Raises:
            SpecError: it is no actor.
        """
        handler = getattr(actor, "handle", None)
        if not callable(handler):
            message = f"{cell.path}: expected an object with handle, was {actor!r}"
            raise SpecError(message)
        cell.actor, cell.handler = actor, handler
        cell.batch_handler = getattr(actor, "handle_batch", None)
        cell.commit = getattr(actor, "commit", None)
        cell.is_async = cell.batch_handler is not None or is_async(handler)
        if isinstance(actor, Moved):
            manners = actor.manners
        else:
            manners = MANNERS if cell.batch_handler else manners_for(handler)
        if manners is not cell.manners:
            cell.manners = manners
            cell.routes.clear()
            self.sift(cell)
        for listener in self.on_built:
            listener(cell)
        if cell.spec.is_watched:
            cell.watchdog = Watchdog(cell)
        if cell.meter is not None:
            cell.meter.install()
        start = getattr(actor, "start", None)
        return None if start is None else self.enter(cell, start)

    async def end_start(self, cell: Cell, started: Any) -> None:  # noqa: ANN401
        """Await what `start` returned if it must be, and say that the actor is up."""
        if is_coroutine(started):
            await Driven(self, cell, started)
        self.release(cell)
        if cell.kill_error is None:
            self.is_up(cell)

    def place(self, cell: Cell) -> Place:
        """Return where the moved actor of ``cell`` computes; here, inline."""
        return inline_place(cell)

    def is_up(self, cell: Cell) -> None:
        """Say that the actor of ``cell`` is ready."""
        cell.started_s = self.now_s()
        if cell.state is State.STARTING:
            cell.become(State.RUNNING)
        what = "started" if cell.incarnation == 1 else "restarted"
        self.tell_lifecycle(cell.path, what, cell.incarnation, cell.error)
        self.ring_family(cell)

    async def _settled(self, cell: Cell) -> None:
        while cell.holds:
            bell = self.new_bell()
            cell.settled.append(bell)
            await bell.wait()

    async def stop_actor(self, cell: Cell) -> None:
        """Let the actor of ``cell`` stop, and let out what it said.

        For good, it ends when all is durable that it recorded; but before a restart
        nobody waits, for its recorder may be down too.
        """
        await self.end_stop(cell, self.begin_stop(cell))

    def begin_stop(self, cell: Cell) -> Any:  # noqa: ANN401
        """Return what the actor's `stop` returns."""
        stop = getattr(cell.actor, "stop", None)
        return None if stop is None else self.enter(cell, stop)

    async def end_stop(self, cell: Cell, stopped: Any) -> None:  # noqa: ANN401
        """Await what `stop` returned if it must be, and let out what it said."""
        if is_coroutine(stopped):
            await Driven(self, cell, stopped)
        self.release(cell)
        if cell.ends_as is State.STOPPED and cell.holds:
            recorder = self.cells[cell.spec.recorder]  # type: ignore[index]
            if recorder.state is State.RUNNING:
                await self._settled(cell)

    def ends_by_itself(self, cell: Cell) -> None:
        """Begin the end that a `Stop` among the messages asks for."""
        cell.ends_as = State.EXITED
        cell.interrupted = True
        cell.become(State.STOPPING)
        self.done()

    def died(self, cell: Cell, error: Exception) -> None:
        """End the incarnation of ``cell`` by ``error``, with what it had in hand."""
        if not hasattr(error, "__notes__"):
            error.add_note(f"in {cell.path}, incarnation {cell.incarnation}")
        messages = cell.in_hand
        self._vacate(cell, error)
        cell.error = error
        stops = cell.state is State.STOPPING and cell.ends_as is not State.EXITED
        if not stops:
            cell.become(State.CRASHED)
        if isinstance(error, Poisoned):
            self.poisoned(cell, messages, error)
        alone = len(messages) == 1
        for message in reversed(messages):
            self.dispose(cell, message, error, alone=alone)
        self.tell_lifecycle(cell.path, "crashed", cell.incarnation, error, messages)
        if stops:
            cell.become(cell.ends_as)
        if cell.blocked or cell.room:
            self.unblock(cell)
        self.ring_family(cell)
        for _ in messages:
            self.done()
        end_sides(cell)

    def exited(self, cell: Cell) -> None:
        """End the incarnation of ``cell`` in order."""
        self._vacate(cell, _ended(cell))
        cell.become(cell.ends_as)
        self.ring_family(cell)
        end_sides(cell)

    def _vacate(self, cell: Cell, why: Exception) -> None:
        cell.life += 1
        cell.in_hand = ()
        self.silence(cell, why)
        cell.actor = cell.handler = cell.batch_handler = cell.commit = None
        cell.watchdog = None
        if cell.meter is not None:
            cell.meter.ended()
        if cell.at_end:
            self.clear(cell)

    @staticmethod
    def silence(cell: Cell, why: Exception) -> None:
        """Drop what the incarnation of ``cell`` has said and what has not left."""
        outbox, cell.outbox, cell.records = cell.outbox, [], []
        forsake(cell.path, outbox, why)
        for hold in cell.holds:
            hold.forsake(why)

    def clear(self, cell: Cell) -> None:
        """Close what the incarnation of ``cell`` had open, last first."""
        while cell.at_end:
            try:
                cell.at_end.pop()()
            except Exception as error:  # noqa: BLE001 - the incarnation is gone already
                self.tell_lifecycle(cell.path, "end_failed", cell.incarnation, error)

    def ring_family(self, child: Cell | Family) -> None:
        """Tell the family of ``child`` to look."""
        if child.family is not None:
            child.family.bell.ring()


def _ended(cell: Cell) -> ActorError:
    return ActorError(f"{cell.path}: incarnation {cell.incarnation} ended")
