"""What can go wrong between actors, told apart by what one may do next.

* ActorError
  - SpecError        the tree is wrong: mend the spec
  - MailboxClosed    nobody will read it: the error carries the message
  - MailboxFull      the reader is behind: wait, or drop
  - UnknownMessage   the reader takes no such messages: mend the sender
  - Unpicklable      it cannot get to or from a process: mend what is said
  - AskTimeout       no answer in time: the work may still be done
  - AskFailed        the asked actor crashed on the question, or before it answered
  - RecordsLost      what an actor recorded did not become durable
  - Killed           ended from outside, by a test or an operator
  - EngineFailed     the root of the tree gave up
  - EngineStopped    the engine has ended: start another
  - Poisoned         an actor says on which derived input it fails
  - HostRefused      a host of threads made no call
    - EventsLost     its events overflowed: begin anew, from a snapshot
  - Overdue          a moved actor took longer than its spec allows
  - ProcessDied      the process of a moved actor ended by itself
  - LoopLost         a loop hung, and what lived in it is lost; a `TimeoutError` too
"""

from __future__ import annotations

from collections.abc import Hashable


class ActorError(Exception):
    """Root of everything this package raises."""


class SpecError(ActorError):
    """A spec cannot be run; the text names the child by its path in the tree."""


class MailboxClosed(ActorError):
    """The actor is stopped or parked; ``message`` was not delivered."""

    def __init__(self, path: str, message: object) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path} is stopped or parked; undelivered: {message!r}")


class MailboxFull(ActorError):
    """The lane is at its capacity; ``message`` was not delivered."""

    def __init__(self, path: str, lane: str, message: object) -> None:
        self.path = path
        self.lane = lane
        self.message = message
        super().__init__(f"lane {lane} of {path} is full; undelivered: {message!r}")


class UnknownMessage(ActorError):
    """The actor takes no messages of this class; ``message`` was not delivered."""

    def __init__(self, path: str, message: object, taken: tuple[type, ...]) -> None:
        self.path = path
        self.message = message
        names = ", ".join(each.__qualname__ for each in taken)
        super().__init__(f"{path}: expected one of {names}, was {message!r}")


class Unpicklable(ActorError):
    """``message`` cannot get to, or from, the process of the actor at ``path``."""

    def __init__(
        self, path: str, what: str, message: object, field: str, why: Exception
    ) -> None:
        self.path = path
        self.message = message
        self.field = field
        """The way to what cannot be pickled, such as ``Job.steps[2].call``."""

        super().__init__(
            f"{path}: expected {what} that can be pickled, for the actor runs in a "
            f"process, was {message!r}: {field}: {why}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        # From a process it comes without the message.
        return _retold, (str(self),), {**vars(self), "message": None}


def _retold(text: str) -> Unpicklable:
    error = Unpicklable.__new__(Unpicklable)
    error.args = (text,)
    return error


class AskTimeout(ActorError):
    """No answer came before the deadline; the question may still be handled."""


class AskFailed(ActorError):
    """The asked actor crashed on the question, or ended before its answer left."""


class RecordsLost(ActorError):
    """What an actor recorded did not become durable; its memory is thrown away."""


class Killed(ActorError):
    """An incarnation was ended from outside."""


class EngineFailed(ActorError):
    """The root of the tree went beyond its limit of restarts."""


class EngineStopped(ActorError):
    """The engine has ended, as it was asked to; nothing was sent."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: expected an engine that runs, was one that ended")


class Poisoned(ActorError):
    """Applying a derived input failed outside `handle`, such as in a replay.

    ``origin`` names the input, so that the second failure on it quarantines it.
    """

    def __init__(self, origin: Hashable, why: str) -> None:
        self.origin = origin
        self.why = why
        super().__init__(f"{origin}: {why}")

    def __reduce__(self) -> tuple[type[Poisoned], tuple[Hashable, str]]:
        return type(self), (self.origin, self.why)


class HostRefused(ActorError):
    """A host is closed or full, or too many threads hang; nothing was called."""


class EventsLost(HostRefused):
    """Events of a host were lost: its owner must begin anew, from a snapshot."""


class LoopLost(ActorError, TimeoutError):
    """An asyncio loop is gone with all that lived in it; the outcome is not known."""


class Overdue(ActorError):
    """A moved actor took longer than ``give_up_s``; its thread or process is lost."""

    def __init__(self, path: str, what: str, limit_s: float | None) -> None:
        super().__init__(f"{path}: expected {what} to take {limit_s} s, took longer")


class ProcessDied(ActorError):
    """The process of a moved actor has ended, by a signal or by itself."""

    def __init__(self, path: str, pid: int, status: int | None) -> None:
        how = "closed its pipe" if status is None else f"ended with status {status}"
        super().__init__(f"{path}: its process {pid} {how}")
