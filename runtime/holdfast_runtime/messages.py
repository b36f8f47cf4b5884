"""What a message's class may say about its delivery, and the messages of the runtime.

Any object is a message. A class may carry four class variables:

* ``lane``: a `Lane`; `Lane.EVENTS` if absent.
* ``turn``: an integer; on an engine in lock-step such a message waits until all else
  is quiescent, and is then taken in canonical order (turn, sender's place, sequence).
* ``ends_turn``: True lets what follows of that turn wait until what this message leads
  to is quiescent, and then be ordered anew with what that has added.
* ``origin`` (property): what the message derives from. A derived message that crashes
  its reader is read once more after the restart; the second time it is quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeGuard, runtime_checkable

import attrs

from holdfast_runtime.mailbox import Lane, Personal

if TYPE_CHECKING:
    from holdfast_runtime.cell import Cell
    from holdfast_runtime.holds import Hold


BATCH = 1_024
"""Most messages that a batch handler is given at once."""


FAIR = 64
"""How many messages of a flooded lane are read before one of each lower lane is."""


@runtime_checkable
class Derived(Protocol):
    """A message that derives from a journal record or an input."""

    @property
    def origin(self) -> Hashable:
        """Names the record or input, such as ``("journal", 17)``."""


def is_derived(message: object) -> TypeGuard[Derived]:
    """Tell whether ``message`` is `Derived`, in a tenth of what `isinstance` takes."""
    return hasattr(message, "origin")


@attrs.frozen(eq=False)
class Records(Personal):
    """What an actor recorded in one `handle`, on its way to its recorder.

    The recorder makes ``entries`` durable and then calls ``hold.confirm()``, which
    lets out what the actor said; or ``hold.fail(error)``, which ends the incarnation.
    It leaves out what has ``hold.failed``: that rests on a record that was lost.
    """

    entries: tuple[Any, ...]
    hold: Hold


@attrs.frozen
class Stop:
    """Lets an actor end by itself, in order: its spec says whether it is restarted.

    Not for supervisors: what they ask for overtakes even this.
    """

    lane: ClassVar[Lane] = Lane.CONTROL


@attrs.define(eq=False)
class Asked(Personal):
    """A question in a mailbox, with where its answer goes.

    A question goes by its message's lane, and never waits for a turn.
    """

    message: object
    answer: Callable[[object, Exception | None], None]


@attrs.frozen(eq=False)
class Answer:
    """What was said to whoever asked; called where it leaves."""

    asked: Asked
    value: object

    def __call__(self) -> None:
        """Give the answer."""
        self.asked.answer(self.value, None)


@attrs.frozen(kw_only=True)
class DeadLetter:
    """A message that nobody handled, and why."""

    path: str
    message: object
    why: str


@attrs.frozen(kw_only=True)
class Lifecycle:
    """Something happened to an actor or a family.

    Told to listeners, to streams, and as a message to actors that monitor the place.
    """

    path: str
    what: str
    """``started``, ``crashed``, ``restarted``, ``parked`` or ``stopped``.

    Of a thread: ``abandoned``, for it hung, or ``returned``, if it came back after all.
    ``end_failed``: what was to be closed at an end raised.
    Of watchdogs: ``overran`` and ``silent``. ``by_hand``: what a person did, and why.
    ``attention``: a person should look at it; told by who builds on the runtime, as
    other words may be.
    """

    incarnation: int
    error: str = ""
    left: int = 0
    """Of a ``stopped`` one: how many messages still waited, and were buried."""

    at_s: float = attrs.field(default=0.0, eq=False)
    """The engine's clock."""

    messages: tuple[Any, ...] = attrs.field(default=(), repr=False, eq=False)
    """What it had in hand when it crashed or overran."""


def text_of(error: Exception | str | None) -> str:
    """Return an error as it is told to people."""
    if isinstance(error, Exception):
        return f"{type(error).__name__}: {error}"
    return error or ""


class NotTaken(TypeError):
    """A class of messages that a reader does not take."""


class Manners(dict[type, tuple[int, int | None]]):
    """Lane and turn of each class of messages, read from the class once.

    Those of a reader that says which classes it takes raise `NotTaken` for others.
    """

    def __init__(self, taken: tuple[type, ...] = (object,)) -> None:
        super().__init__()
        self.classes = taken
        self.taken = (*taken, Stop)

    def __missing__(self, kind: type) -> tuple[int, int | None]:
        if not issubclass(kind, self.taken):
            raise NotTaken
        # A field of the message may have such a name too: it is no declaration.
        lane, turn = getattr(kind, "lane", None), getattr(kind, "turn", None)
        found = self[kind] = (
            int(lane) if isinstance(lane, Lane) else int(Lane.EVENTS),
            int(turn) if isinstance(turn, int) else None,
        )
        return found


MANNERS = Manners()
"""(lane, turn) by the class of a message."""


def lane_of(message: object) -> int:
    """Return the lane of ``message``; of what it asks, if it is a question."""
    if type(message) is Asked:
        message = message.message
    return MANNERS[type(message)][0]


def take(cell: Cell) -> list[Any]:
    """Take what an actor handles next: one message, or a batch."""
    mailbox = cell.mailbox
    if mailbox.size > 1:
        nth = cell.handled % FAIR
        if not nth % 8:
            mailbox.look()
        elif nth == FAIR - 1:
            mailbox.be_fair()
    messages = [mailbox.pop()]
    if cell.batch_handler is None or type(messages[0]) in (Stop, Asked):
        return messages
    if cell.one_by_one:
        cell.one_by_one -= 1
        return messages
    while mailbox.size and len(messages) < BATCH:
        message = mailbox.pop()
        if type(message) in (Stop, Asked):
            mailbox.put_first(message, lane_of(message))
            break
        messages.append(message)
    if len(messages) == BATCH:
        mailbox.be_fair()
    return messages
