"""Delivery: mailboxes, turns, quiescence and dead letters, the same on both engines."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from random import Random  # noqa: TID251 - a type here; the composition root seeds it
from typing import Any

from holdfast_runtime.cell import Cell, Outbox, State
from holdfast_runtime.engine import Engine
from holdfast_runtime.errors import (
    ActorError,
    MailboxClosed,
    MailboxFull,
    SpecError,
    UnknownMessage,
)
from holdfast_runtime.holds import forsake
from holdfast_runtime.mailbox import Lane, Personal, Put
from holdfast_runtime.messages import (
    MANNERS,
    Asked,
    DeadLetter,
    Lifecycle,
    NotTaken,
    Records,
    Stop,
    is_derived,
    lane_of,
    text_of,
)
from holdfast_runtime.refs import Ref
from holdfast_runtime.timers import Timer, Timers

DEAD_LETTERS_KEPT = 1_000
TAKEN = Put.TAKEN


class Delivery(Engine):
    """Who gets which message when, and what becomes of those that nobody gets."""

    __slots__ = ("current", "pending")  # for speed: each message looks at them

    is_direct = False
    """Whether messages may be handed over without a mailbox, and then never wait."""

    def __init__(self, *, lock_step: bool, random: Random) -> None:
        """``lock_step`` holds messages with a ``turn`` until all else is quiescent."""
        self.lock_step = lock_step
        self.random = random
        self.current: Cell | None = None
        self.pending = 0
        """Messages that wait or are being handled, and holds."""

        self.unsettled = 0
        self.held: list[tuple[int, int, int, Cell, Any]] = []
        self.dead_letters: list[DeadLetter] = []
        self.on_lifecycle: list[Callable[[Lifecycle], None]] = []
        self.on_quarantine: list[Callable[[Cell, Hashable, Any, Exception], None]] = []
        self.on_dead_letter: list[Callable[[DeadLetter], None]] = []
        self.on_built: list[Callable[[Cell], None]] = []
        """Told of each new actor before its `start`; may put others in its place."""

        self.timers = Timers()
        self.cells: dict[str, Cell] = {}
        self._orders = 0
        self._sequence = 0

    # --- the tree ------------------------------------------------------------

    def next_order(self) -> int:
        """Return the next place in the canonical order of senders."""
        self._orders += 1
        return self._orders

    def ref(self, path: str) -> Ref[Any]:
        """Return the reference of the actor at ``path``.

        Raises:
            SpecError: if there is none.
        """
        cell = self.cells.get(path)
        if cell is None:
            message = f"expected one of {sorted(self.cells)}, was {path!r}"
            raise SpecError(message)
        return cell.ref

    # --- delivery ------------------------------------------------------------

    def tell(self, cell: Cell, message: Any) -> None:  # noqa: ANN401
        """Deliver a message that is told outside of any handler.

        Raises:
            MailboxClosed: ``cell`` is stopped or parked.
            MailboxFull: its lane blocks, and there is nobody to stall.
            UnknownMessage: ``cell`` takes no such messages.
        """
        if cell.closed:
            raise MailboxClosed(cell.path, message)
        lane = self.manners(cell, message)[0]
        if cell.mailbox.blocks(lane):
            raise MailboxFull(cell.path, Lane(lane).name, message)
        self.post(cell, message, None)

    def post(self, cell: Cell, message: Any, sender: Cell | None) -> None:  # noqa: ANN401
        """Deliver ``message`` now, or hold it for its turn.

        Raises:
            UnknownMessage: ``cell`` takes no such messages.
        """
        # The common case of `put`, without its calls.
        append, mailbox = cell.routes.get(type(message)), cell.mailbox
        if append is not None and (size := mailbox.size) < mailbox.room:
            append(message)
            mailbox.size = size + 1
            self.pending += 1
            if not cell.queued:
                self.wake(cell)
            return
        lane, turn = self.manners(cell, message)
        if turn is not None and self.lock_step:
            self._hold(turn, cell, message, sender)
            return
        self.put(cell, message, sender, lane)
        append = mailbox.way_in(lane)
        if append is not None and not cell.closed:
            if cell.probing and cell.meter is not None:
                append = cell.meter.way_in(append)
            cell.routes[type(message)] = append

    def bring(self, cell: Cell, message: object) -> bool:
        """Deliver what a source sends; whether it should let others run before more.

        Raises:
            UnknownMessage: ``cell`` takes no such messages.
        """
        self.post(cell, message, None)
        return False

    @staticmethod
    def manners(cell: Cell, message: object) -> tuple[int, int | None]:
        """Return lane and turn of ``message`` for ``cell``.

        Raises:
            UnknownMessage: ``cell`` takes no such messages.
        """
        try:
            return cell.manners[type(message)]
        except NotTaken:
            pass
        raise UnknownMessage(cell.path, message, cell.manners.taken)

    def _hold(
        self,
        turn: int,
        cell: Cell,
        message: Any,  # noqa: ANN401
        sender: Cell | None,
    ) -> None:
        self._sequence += 1
        place = sender.order if sender is not None else 0
        self.held.append((turn, place, self._sequence, cell, message))
        if not self.pending:
            self._take_turns()

    def put(
        self,
        cell: Cell,
        message: Any,  # noqa: ANN401
        sender: Cell | None,
        lane: int,
    ) -> None:
        """Put ``message`` into the mailbox by its lane's policy, turn or no turn."""
        if cell.closed:
            self.bury(cell, message, cell.state.value)
            return
        try:
            put = cell.mailbox.put(message, lane)
        except Exception as error:  # noqa: BLE001 - the key of a conflating lane
            self.bury(cell, message, repr(error))
            self.kill(cell, error)
            return
        if cell.probing and put is not Put.OVERFLOW and cell.meter is not None:
            cell.meter.arrived(message.message if type(message) is Asked else message)
        if put is TAKEN:
            self.pending += 1
            self.wake(cell)
            return
        self._put_over(cell, message, sender, put)

    def put_asked(self, cell: Cell, asked: Asked, lane: int) -> None:
        """Put a question into the mailbox: it waits for no turn."""
        self.put(cell, asked, None, lane)

    def _put_over(
        self,
        cell: Cell,
        message: Any,  # noqa: ANN401
        sender: Cell | None,
        put: Put,
    ) -> None:
        if put is Put.OVERFLOW:
            error = MailboxFull(cell.path, Lane(lane_of(message)).name, message)
            self.bury(cell, message, str(error))
            self.kill(cell, error)
        elif put is Put.OVER:
            self.pending += 1
            if (
                sender is not None
                and sender.waits_for(cell)
                and not _waits_for(cell, sender)
            ):
                sender.stalls += 1
                cell.blocked.append(sender)
            self.wake(cell)
        else:
            lost, cell.mailbox.lost = cell.mailbox.lost, None
            if cell.meter is not None:
                cell.meter.dropped(lost)
            if isinstance(lost, Personal):
                self.bury(cell, lost, "dropped from a full lane")

    def deliver(self, outbox: Outbox, sender: Cell) -> None:
        """Let out what a handler said, in its order."""
        said = iter(outbox)
        for cell, message in said:
            try:
                if cell is None:
                    message()
                else:
                    self.post(cell, message, sender)
            except Exception as error:
                if cell is not None:
                    if not isinstance(error, UnknownMessage):
                        raise
                    self.bury(cell, message, str(error))
                # The fault is its author's.
                self.kill(sender, error)
                forsake(sender.path, said, error)
                return

    def unblock(self, cell: Cell) -> None:
        """Let those go on that waited for room in ``cell``'s mailbox."""
        if cell.mailbox.is_over():
            return
        senders, cell.blocked = cell.blocked, []
        for sender in senders:
            sender.stalls -= 1
            if not sender.stalls:
                self.resume(sender)
        bells, cell.room = cell.room, []
        for bell in bells:
            bell.ring()

    async def room(self, cell: Cell) -> None:
        """Wait until there may be room in ``cell``'s mailbox."""
        bell = self.new_bell()
        cell.room.append(bell)
        await bell.wait()

    # --- quiescence ----------------------------------------------------------

    def settle(self, step: int) -> None:
        """Count a child that became unsettled (+1) or settled (-1)."""
        self.unsettled += step
        if not self.unsettled and not self.pending and self.held:
            self._take_turns()

    def done(self, count: int = 1) -> None:
        """Count messages or holds as done; what waits for its turn may go."""
        self.pending -= count
        if not self.pending and self.held and not self.unsettled:
            self._take_turns()

    def _take_turns(self) -> None:
        """Take all messages of the lowest turn, in canonical order.

        Those after one that ends it are taken when that has been seen through.
        """
        if self.unsettled or not self.held:
            return
        held = self.held
        first, alone = held[0], True
        for entry in held[1:]:
            if entry[0] <= first[0]:
                alone = entry[0] < first[0]
                first = entry
        if alone:
            held.remove(first)
            _, _, _, cell, message = first
            self.put(cell, message, None, MANNERS[type(message)][0])
            return
        lowest = first[0]
        due = sorted((e for e in held if e[0] == lowest), key=_canonical)
        taken = 1 + next((n for n, e in enumerate(due) if _ends_turn(e)), len(due))
        self.held = [entry for entry in held if entry[0] != lowest] + due[taken:]
        del due[taken:]
        # Counted as one more pending thing, so that a dead receiver cannot start the
        # next turn in the middle of this one.
        self.pending += 1
        for _, _, _, cell, message in due:
            self.put(cell, message, None, MANNERS[type(message)][0])
        self.done()

    # --- dead letters --------------------------------------------------------

    def retire(self, cell: Cell) -> None:
        """Leave ``cell`` stopped, and say so, with the count of what waited for it.

        That is buried: all but derived messages become dead letters.
        """
        cell.become(State.STOPPED)
        left = self._bury_waiting(cell)
        cell.left += left
        if cell.began or left:
            cell.began = False
            self.tell_lifecycle(cell.path, "stopped", cell.incarnation, None, left=left)

    def _bury_waiting(self, cell: Cell) -> int:
        waiting = cell.mailbox.drain()
        for message in waiting:
            self.bury(cell, message, cell.state.value)
        self.unblock(cell)
        for _ in waiting:
            self.done()
        return len(waiting)

    def bury(self, cell: Cell, message: Any, why: str) -> None:  # noqa: ANN401
        """Keep an undelivered message as a dead letter; answer whoever waits.

        A derived message is not lost: its reader asks the source for what follows.
        """
        if type(message) is Records:
            message.hold.fail(ActorError(f"{cell.path}: {why}"))
        elif type(message) is Asked:
            closed = MailboxClosed(cell.path, message.message)
            error = closed if cell.closed else ActorError(f"{cell.path}: {why}")
            message.answer(None, error)
        elif type(message) is not Stop and not is_derived(message):
            letter = DeadLetter(path=cell.path, message=message, why=why)
            self.dead_letters.append(letter)
            del self.dead_letters[:-DEAD_LETTERS_KEPT]
            for listener in self.on_dead_letter:
                listener(letter)

    def tell_lifecycle(
        self,
        path: str,
        what: str,
        incarnation: int,
        error: Exception | str | None,
        messages: tuple[Any, ...] = (),
        left: int = 0,
    ) -> None:
        """Tell all listeners what happened to a place."""
        event = Lifecycle(
            path=path,
            what=what,
            incarnation=incarnation,
            error=text_of(error),
            at_s=self.now_s(),
            messages=messages,
            left=left,
        )
        for listener in tuple(self.on_lifecycle):
            listener(event)

    # --- time ----------------------------------------------------------------

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Call ``call`` in ``delay_s`` seconds of the engine's clock."""
        timer = self.timers.add(self.now_s() + max(0.0, delay_s), call)
        self.timer_added(timer)
        return timer


def _waits_for(cell: Cell, other: Cell) -> bool:
    """Tell whether ``cell`` waits for ``other`` to read, by way of whomever, or is it.

    Then ``other`` must not wait for ``cell``: nobody would ever go on.
    """
    seen: set[int] = set()
    todo = [other]
    while todo:
        found = todo.pop()
        if found is cell:
            return True
        if id(found) not in seen:
            seen.add(id(found))
            todo.extend(found.blocked)
    return False


def _ends_turn(entry: tuple[int, int, int, Cell, Any]) -> bool:
    return getattr(type(entry[4]), "ends_turn", False) is True


def _canonical(entry: tuple[int, int, int, Cell, Any]) -> tuple[int, int, int]:
    return entry[:3]
