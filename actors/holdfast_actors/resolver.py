"""The resolver: asks what became of an order, for ever, and calls a person in time.

It is a part of `orders` and no actor: it holds whom to ask about and when, which nobody
but the owner of the rows can know. Nothing here decides what became of an order; that
takes evidence. All times are of the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from holdfast_actors.requests import LookUpAgain
from holdfast_domain.ports import VenuePromises


@attrs.frozen(kw_only=True)
class Patience:
    """How questions to a venue are repeated, and when a person is called; seconds."""

    first_s: float = 1.0
    """The first pause; each one is twice the one before."""

    limit_s: float = 60.0
    """The longest pause."""

    call_after_tries: int = 10
    call_after_s: float = 120.0
    """A person is called at whichever of the two comes first."""

    gap_s: float | None = None
    """The pause between two questions for executions; None: after a connect alone."""


@attrs.define
class Case:
    """An order that is asked about."""

    since_s: float
    """The last moment at which something of it could have left."""

    began_s: float
    delay_s: float
    tries: int = 0
    waits: bool = False
    """Whether a timer will ask again."""

    asked: bool = False
    """Whether a question is under way."""

    denied: bool = False
    """Whether it was journaled that what the venue says does not fit."""


class Resolver:
    """Whom to ask about, and when."""

    def __init__(
        self,
        *,
        ask: Callable[[str], None],
        after: Callable[[float, object], object],
        now_s: Callable[[], float],
        patience: Patience,
    ) -> None:
        """Ask by ``ask``; be told `LookUpAgain` by ``after``."""
        self._ask = ask
        self._after = after
        self._now_s = now_s
        self._patience = patience
        self.cases: dict[str, Case] = {}

    def doubt(self, order_id: str) -> None:
        """Ask what became of an order of which something may just have left."""
        self.case(order_id).since_s = self._now_s()
        self.ask(order_id)

    def doubt_again(self, order_id: str) -> None:
        """Ask what became of a request: now, or in time if it is not the first."""
        case = self.case(order_id)
        case.since_s = self._now_s()
        if case.tries:
            self.later(order_id)
        else:
            self.ask(order_id)

    def ask(self, order_id: str) -> None:
        """Ask about an order now."""
        case = self.case(order_id)
        case.tries += 1
        case.asked = True
        self._ask(order_id)

    def answered(self, order_id: str) -> None:
        """Count a question as answered, however."""
        case = self.cases.get(order_id)
        if case is not None:
            case.asked = False

    def later(self, order_id: str, at_least_s: float = 0.0) -> None:
        """Ask again, ever more slowly, unless that is under way or will be."""
        case = self.case(order_id)
        if case.waits or case.asked:
            return
        case.waits = True
        self._after(max(case.delay_s, at_least_s), LookUpAgain(order_id))
        case.delay_s = min(2 * case.delay_s, self._patience.limit_s)

    def due(self, order_id: str) -> bool:
        """Take a timer; return whether the order is still to be asked about."""
        case = self.cases.get(order_id)
        if case is None:
            return False
        case.waits = False
        return True

    def settle(self, order_id: str) -> None:
        """Ask no more."""
        self.cases.pop(order_id, None)

    def case(self, order_id: str) -> Case:
        """Return the case of an order; it begins now if there is none."""
        found = self.cases.get(order_id)
        if found is None:
            now_s = self._now_s()
            found = Case(now_s, now_s, self._patience.first_s)
            self.cases[order_id] = found
        return found

    def missing_s(
        self, order_id: str, asked_s: float, promises: VenuePromises
    ) -> float:
        """Return by how much a question left too early to prove anything; 0 if not."""
        due_s = self.case(order_id).since_s + promises.processing_bound_s
        return max(0.0, due_s - asked_s)

    def wants_person(self, order_id: str) -> bool:
        """Tell whether a person should be called about an order."""
        case = self.cases.get(order_id)
        if case is None:
            return False
        waited_s = self._now_s() - case.began_s
        return (
            case.tries >= self._patience.call_after_tries
            or waited_s >= self._patience.call_after_s
        )
