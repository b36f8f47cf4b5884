"""References: the only handle on an actor; it survives the actor's restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from holdfast_runtime.errors import AskFailed, AskTimeout, MailboxClosed, MailboxFull
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
        """
        cell = self._cell
        kernel = cell.kernel
        sender = kernel.current
        if sender is not None:
            sender.outbox.append((cell, message))
            return
        if cell.closed:
            raise MailboxClosed(cell.path, message)
        if cell.mailbox.is_full(lane_of(type(message))):
            raise MailboxFull(cell.path, str(lane_of(type(message))), message)
        kernel.post(cell, message, None)

    async def send(self, message: M) -> None:
        """Send ``message``, and wait while the lane is full: for sources."""
        cell = self._cell
        while cell.mailbox.is_full(lane_of(type(message))):
            await cell.kernel.room(cell)
        cell.kernel.post(cell, message, None)

    async def ask(self, message: M, *, deadline_s: float) -> Any:  # noqa: ANN401, ASYNC109
        """Return what the actor's handler returns for ``message``.

        Blocks at most ``deadline_s`` seconds of the engine's clock. Cancelling it
        leaves the question with the actor.

        Raises:
            AskTimeout: no answer in time; the question may still be handled.
            AskFailed: the actor crashed on it.
            MailboxClosed: the actor is stopped or parked.
        """
        cell = self._cell
        kernel = cell.kernel
        if cell.closed:
            raise MailboxClosed(cell.path, message)
        bell = kernel.new_bell()
        box: list[tuple[object, Exception | None]] = []

        def answer(value: object, error: Exception | None) -> None:
            box.append((value, error))
            bell.ring()

        kernel.post(cell, Asked(message, answer), None)
        if not await bell.wait(kernel.now_s() + deadline_s):
            text = f"{cell.path}: no answer within {deadline_s} s to {message!r}"
            raise AskTimeout(text)
        value, error = box[0]
        if error is not None:
            text = f"{cell.path} crashed on {message!r}: {error!r}"
            raise AskFailed(text) from error
        return value

    def __repr__(self) -> str:
        return f"Ref({self._cell.path!r})"
