"""References: the only handle on an actor; it survives the actor's restarts."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar, overload

from holdfast_runtime.errors import ActorError, AskFailed, AskTimeout, MailboxClosed
from holdfast_runtime.messages import Asked, lane_of

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell

M = TypeVar("M", contravariant=True)  # noqa: PLC0105 - short, as in the style guide


class Ref(Generic[M]):
    """Where messages for one place in the tree go.

    It belongs to the place and not to the incarnation: what is told while the actor is
    being restarted waits for it.
    """

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def path(self) -> str:
        """The place in the tree, such as ``engine/core/orders``."""
        return self._cell.path

    def tell(self, message: M) -> None:
        """Send ``message``; never blocks.

        Inside a handler the message leaves when the handler has returned and what it
        recorded is durable. Outside of one it is delivered at once.

        Raises:
            MailboxClosed: outside of a handler, if the actor is stopped or parked.
            MailboxFull: outside of a handler, if a blocking lane is full.
            UnknownMessage: outside of a handler, if the actor takes no such messages;
                inside of one, the sender crashes with it when the message leaves.
            Unpicklable: the actor runs in a process, and this cannot get there.
        """
        cell = self._cell
        kernel = cell.kernel
        sender = kernel.current
        if sender is not None:
            sender.outbox.append((cell, message))
            return
        # The common case of `Delivery.tell`, without its calls.
        mailbox = cell.mailbox
        size = mailbox.size
        try:
            append = cell.routes[type(message)]
        except KeyError:
            append = None
        if append is None or size >= mailbox.room:
            kernel.tell(cell, message)
            return
        append(message)
        mailbox.size = size + 1
        kernel.pending += 1
        if not cell.queued:
            kernel.wake(cell)

    def check(self, message: M) -> None:
        """Refuse a message that cannot get to where the actor is; here, none."""

    async def send(self, message: M) -> None:
        """Send ``message``, and wait while the lane is full: for sources.

        A source is an actor's `run`, or code beside the tree. A handler that waited for
        a reader would read no mail itself, and two of them would wait for ever.

        A live engine that is idle lets synchronous actors read it before this returns,
        and what they tell one another on it: so no task is woken. Cancelling it leaves
        what was sent with the actor.

        Raises:
            MailboxClosed: the actor is stopped or parked, or was while this waited.
            UnknownMessage: the actor takes no such messages.
            ActorError: inside of a handler; naming the actor that sends, and this one.
        """
        cell = self._cell
        sender = cell.kernel.current
        if sender is not None:
            text = (
                f"{sender.path}: expected tell, for a handler waits for no reader, "
                f"was send to {cell.path} of {message!r}"
            )
            raise ActorError(text)
        mailbox = cell.mailbox
        while mailbox.size and not cell.closed and mailbox.blocks(lane_of(message)):
            await cell.kernel.room(cell)
        if cell.closed:
            raise MailboxClosed(cell.path, message)
        if cell.kernel.bring(cell, message):
            await cell.kernel.breathe()

    @overload
    async def ask(self, message: M, *, deadline_s: float) -> Any: ...  # noqa: ANN401

    @overload
    async def ask(self, message: M) -> Never: ...

    async def ask(self, message: M, *, deadline_s: float | None = None) -> Any:
        """Return what the actor's handler returns for ``message``.

        Blocks at most ``deadline_s`` seconds of the engine's clock. Cancelling it
        leaves the question with the actor. The answer comes when all is durable that
        the actor recorded before it.

        Raises:
            AskTimeout: no answer in time; the question may still be handled.
            AskFailed: the actor crashed on it, or ended before its answer was durable.
            MailboxClosed: the actor is stopped or parked; it was not handled.
            UnknownMessage: the actor takes no such messages.
            ActorError: there is no deadline, or it is no positive number.
        """
        cell = self._cell
        kernel = cell.kernel
        if not isinstance(deadline_s, (float, int)) or not 0 < deadline_s < inf:
            text = f"{cell.path}: expected ask with deadline_s > 0, was {deadline_s!r}"
            raise ActorError(text)
        if cell.closed:
            raise MailboxClosed(cell.path, message)
        lane, _ = kernel.manners(cell, message)
        bell = kernel.new_bell()
        box: list[tuple[object, Exception | None]] = []

        def answer(value: object, error: Exception | None) -> None:
            box.append((value, error))
            bell.ring()

        asked = Asked(message, answer)
        kernel.put_asked(cell, asked, lane)
        if not await bell.wait(kernel.now_s() + deadline_s):
            text = f"{cell.path}: no answer within {deadline_s} s to {message!r}"
            raise AskTimeout(text)
        value, error = box[0]
        if isinstance(error, MailboxClosed | AskFailed):
            raise error
        if error is not None:
            text = f"{cell.path} crashed on {message!r}: {error!r}"
            raise AskFailed(text) from error
        return value

    def __repr__(self) -> str:
        return f"Ref({self._cell.path!r})"
