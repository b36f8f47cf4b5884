"""What can go wrong in trading, told apart by what one may do next.

* DomainError
  - ImpossibleTransition  our own code asked for it: crash, and replay
  - InputError            a user's input is wrong: say it in one line, lose nothing
  - JournalError
    + JournalDamaged      a record is torn or edited: refuse, and name the record
    + JournalTooNew       written by a newer version: refuse
    + CommitFailed        nothing of the batch is durable: throw the memory away
  - MarketDataError
    + BookInvalid         an update is missing: wait for the snapshot
    + ValueTooOld         nothing newer came within the declared limit
  - VenueError
    + VenueRefused        the venue said no: the order does not exist
    + NotSent             nothing was taken up: safe to try again
    + OutcomeUnknown      something left and no answer came: never again, look it up
      * DuplicateOrder    the venue has an order with this id already: look it up
    + Fenced              a newer engine trades the account: send nothing, and stop
"""

from __future__ import annotations


class DomainError(Exception):
    """Root of everything this package raises."""


class ImpossibleTransition(DomainError):
    """Our own code asked an order for a transition that its table does not have."""


class InputError(DomainError):
    """A user's input is wrong; the text is one line and meant to be shown.

    The text says what was expected, what came, where, and what to do.
    """

    def __init__(self, where: str, expected: str, came: str, todo: str = "") -> None:
        self.where = where
        self.expected = expected
        self.came = came
        self.todo = todo
        text = f"{where}: expected {expected}, got {came}"
        if todo:
            text = f"{text}; {todo}"
        super().__init__(" ".join(text.split()))


class JournalError(DomainError):
    """The journal cannot be read or written."""


class JournalDamaged(JournalError):
    """A record does not match its hash or its neighbours."""

    def __init__(self, path: str, sequence: int, why: str) -> None:
        self.path = path
        self.sequence = sequence
        self.why = why
        super().__init__(
            f"{path}: expected an unbroken journal, got a damaged record {sequence} "
            f"({why}); see it with 'holdfast journal verify DIR' and go on from the "
            f"last good one with 'holdfast journal repair DIR --to {sequence - 1}', "
            "which keeps a copy"
        )


class JournalTooNew(JournalError):
    """The journal was written by a newer version than this one."""


class CommitFailed(JournalError):
    """The store did not take a batch; nothing of it is durable."""


class SnapshotFailed(DomainError):
    """A snapshot was not made; those before it and the journal are as they were."""


class MarketDataError(DomainError):
    """A value of the market may not be read."""


class BookInvalid(MarketDataError):
    """An update of an order book may be missing; a snapshot makes it whole."""

    def __init__(self, instrument: str, why: str) -> None:
        self.instrument = instrument
        self.why = why
        super().__init__(f"book of {instrument}: {why}")


class ValueTooOld(MarketDataError):
    """A value is older than whoever reads it allows."""

    def __init__(self, what: str, age_s: float, max_age_s: float) -> None:
        self.what = what
        self.age_s = age_s
        self.max_age_s = max_age_s
        super().__init__(
            f"{what}: expected an age of at most {max_age_s:g} s, got {age_s:g} s"
        )


class VenueError(DomainError):
    """A request to a venue did not simply succeed."""

    def __init__(
        self, text: str, *, retry_after_s: float = 0.0, only_limits: bool = False
    ) -> None:
        """Say for how long the venue wants to hear nothing, if it does.

        ``retry_after_s`` counts from now; 0 where the venue did not say. After a limit
        of rates (HTTP 429) it ``only_limits``: cancels may still go out, as long as
        none of them is put off too. After a ban (418) or in maintenance nothing may.
        """
        self.retry_after_s = retry_after_s
        self.only_limits = only_limits
        super().__init__(text)


class VenueRefused(VenueError):
    """The venue said no: what was asked for does not exist there."""

    def __init__(
        self,
        reason: str,
        code: str = "",
        *,
        retry_after_s: float = 0.0,
        only_limits: bool = False,
    ) -> None:
        self.reason = reason
        self.code = code
        super().__init__(
            f"{reason} ({code})" if code else reason,
            retry_after_s=retry_after_s,
            only_limits=only_limits,
        )


class NotSent(VenueError):
    """The venue did not take the request up, and never will: trying again is safe.

    No byte of it left us, or it was turned away unread, such as for a limit of rates.
    Without ``retry_after_s`` it says that there is no connection: the session connects
    anew, and what else is under way is cut.
    """


class OutcomeUnknown(VenueError):
    """The request left and no usable answer came; it may have been done.

    Never send it again. Look it up by its client order id.
    """


class DuplicateOrder(OutcomeUnknown):
    """The venue refused a submit because it has an order with that id already.

    It is no `VenueRefused`, for the order does exist there: a lookup tells how it
    stands.
    """


class Fenced(VenueError):
    """A newer engine trades this account: nothing was done, nor will be.

    Whoever is told so is a zombie. It sends nothing any more, and stops.
    """

    def __init__(self, reason: str, epoch: int = 0) -> None:
        self.epoch = epoch
        """Of that engine; 0 where it is not known."""

        super().__init__(reason)
