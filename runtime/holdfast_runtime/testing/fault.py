"""One fault: what it does, to whom, and at which of its opportunities."""

from __future__ import annotations

import enum
from fnmatch import fnmatchcase
from math import isinf
from random import Random  # noqa: TID251 - a type here; `Faults` seeds it

import attrs

from holdfast_runtime.errors import SpecError
from holdfast_runtime.messages import Records, Stop


class Injected(Exception):
    """What a handler raises that was told to crash."""


class What(enum.Enum):
    """What a fault does."""

    CRASH = "crash_on"
    CRASH_START = "crash_start"
    KILL = "kill"
    HANG = "hang"
    SLOW = "slow"
    PAUSE = "pause"
    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"


ON_LINKS = frozenset({What.DROP, What.DELAY, What.DUPLICATE, What.REORDER})
"""Done to messages on their way, and so in simulation alone."""

IN_HANDLING = frozenset(What) - ON_LINKS - {What.CRASH_START}
"""Done where a message is handled."""

WAITING = frozenset({What.HANG, What.SLOW})
"""Done inside a handler that can wait."""


@attrs.define(eq=False, kw_only=True)
class Fault:
    """A fault at the ``nth`` opportunity, and ``times`` - 1 more after it.

    An opportunity is a message of the class ``on`` that an actor at ``path`` is about
    to handle, or that is on its way to it; they are counted across restarts. With a
    ``rate`` each opportunity from the ``nth`` on strikes with that probability.
    """

    what: What
    path: str
    on: type = object
    nth: int = 1
    times: float = 1
    rate: float | None = None
    for_s: float = 0.0
    """How long, or by how much; in seconds of the engine's clock."""

    after: bool = False
    """Whether the handler does its work before it crashes."""

    at_once: bool = True
    """Whether a kill comes right after the handler, and not in its turn."""

    error: type[Exception] = Injected
    random: Random = attrs.field(repr=False)
    seen: int = 0
    """How many opportunities there were."""

    happened: int = 0
    """How often it struck."""

    def __attrs_post_init__(self) -> None:
        self._check(self.nth >= 1, "nth >= 1", self.nth)
        self._check(self.times >= 1, "times >= 1", self.times)
        self._check(self.for_s >= 0, "a time of 0 s or more", self.for_s)
        if self.rate is not None:
            self._check(0 < self.rate <= 1, "a rate above 0, up to 1", self.rate)
        derived = hasattr(self.on, "origin")
        if self.what is What.DROP:
            expected = "a message without an origin (kill its sender, or its reader)"
            self._check(not derived, expected, self.on.__name__)
        if self.what is What.DUPLICATE and self.on is not object:
            expected = "a message with an origin (no other is ever read twice)"
            self._check(derived, expected, self.on.__name__)

    def _check(self, holds: bool, expected: str, came: object) -> None:
        if not holds:
            message = f"{self.what.value} {self.path}: expected {expected}, was {came}"
            raise SpecError(message)

    def hits(self, path: str) -> bool:
        """Tell whether it is meant for the actor at ``path``."""
        return fnmatchcase(path, self.path)

    def is_due(self, kind: type, *, derived: bool = False) -> bool:
        """Count an opportunity, if a message of ``kind`` is one; whether it strikes."""
        if not issubclass(kind, self.on):
            return False
        if self.what in ON_LINKS and not self._may_be(kind, derived=derived):
            return False
        self.seen += 1
        if self.seen < self.nth or self.happened >= self.times:
            return False
        if self.rate is not None and self.random.random() >= self.rate:
            return False
        self.happened += 1
        return True

    def _may_be(self, kind: type, *, derived: bool) -> bool:
        """Tell whether the contract of delivery lets this happen to a message."""
        if kind in (Records, Stop):
            return False
        if self.what is What.DROP:
            return not derived
        return derived or self.what is not What.DUPLICATE

    def __str__(self) -> str:
        kind = "" if self.on is object else f", {self.on.__name__}"
        more = "all" if isinf(self.times) else f"{self.times - 1:g}"
        until = "" if self.times == 1 else f" and {more} after it"
        rate = "" if self.rate is None else f", rate {self.rate:g}"
        return (
            f"{self.what.value}({self.path}{kind}, nth={self.nth}{until}{rate}): "
            f"{self.seen} seen, {self.happened} struck"
        )
