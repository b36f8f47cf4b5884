"""Orders and executions as TWS told them on one connection, and who waits for them.

ib_async keeps such a book of its own (`IB.trades`), which is not used: it takes a
warning for a status, the refusal of new terms for the end of the order, and forgets
everything when a connection ends.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - this runs in the loop of the library
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import attrs

from holdfast_adapters.ib.errors import (
    CANCELED,
    DUPLICATE_NUMBER,
    REFUSALS,
    is_warning,
    refusal,
)
from holdfast_adapters.ib.lists import is_entry, is_of_bracket, list_of
from holdfast_adapters.ib.rows import FillRow, OrderRow, Terms
from holdfast_adapters.ib.telling import (
    ENDED,
    TAKEN,
    WAITING,
    acked,
    ended,
    executed,
    our_id,
    terms_of,
)
from holdfast_domain.errors import OutcomeUnknown, VenueError, VenueRefused
from holdfast_domain.money import ZERO
from holdfast_domain.ports import Replaced, VenueEvent

Tell: TypeAlias = Callable[[VenueEvent], None]
Key: TypeAlias = tuple[int, int]
"""The ids of client and order."""

ALIVE: Final = ("PreSubmitted", "Submitted")
"""Statuses that say that no error has ended the order."""


@attrs.define(eq=False)
class Known:
    """An order, as it was told."""

    row: OrderRow
    size: Decimal
    """The largest quantity that was told of it."""

    is_told: bool = False
    """Whether it was said that IB has it."""

    is_over: bool = False
    why: tuple[int, str] | None = None
    """The last error about it that was no warning."""

    @property
    def has_ended(self) -> bool:
        """Whether it has ended without being filled.

        What is inactive after an error was turned down at the exchange.
        """
        status = self.row.status
        return status in ENDED or (status == "Inactive" and self.why is not None)


@attrs.define(eq=False)
class Waiter:
    """A command whose answer is awaited."""

    number: int
    kind: str
    """``submit``, ``cancel`` or ``replace``."""

    answer: asyncio.Future[list[VenueEvent]]
    wanted: Terms | None = None
    """The terms that a change is to bring about."""

    doubts: tuple[int, str] | None = None
    """An error of which it is not known what it means."""


class Book:
    """What is known of orders; only the loop of the library touches it."""

    def __init__(self, client_id: int, tell: Tell, names: Mapping[int, str]) -> None:
        """Tell what happens to our orders; ``names`` are the symbols of contracts."""
        self.orders: dict[Key, Known] = {}
        self.by_ref: dict[str, Key] = {}
        self.fills: dict[str, FillRow] = {}
        self.highest = 0
        """The highest order id that was told of this client."""

        self.gone: set[int] = set()
        """Numbers of orders that were canceled, and not told of before."""

        self._claimed: set[str] = set()
        self._client_id = client_id
        self._tell = tell
        self._names = names
        self._waiters: dict[int, Waiter] = {}
        self._commissions: dict[str, tuple[Decimal, str]] = {}

    def claim(self, *refs: str) -> bool:
        """Take client order ids for orders if all are free; return whether they are."""
        is_free = self._claimed.isdisjoint(refs)
        if is_free:
            self._claimed.update(refs)
        return is_free

    def disclaim(self, *refs: str) -> None:
        """Give client order ids free, whose orders are not there."""
        self._claimed.difference_update(refs)

    def is_over(self, ref: str) -> bool:
        """Tell whether it was told that our order ``ref`` works no more."""
        key = self.by_ref.get(ref)
        return key is not None and self.orders[key].is_over

    def end_of(self, ref: str) -> list[VenueEvent]:
        """Return how our order ``ref`` has ended, if it did unfilled."""
        key = self.by_ref.get(ref)
        known = None if key is None else self.orders[key]
        if known is None or not known.has_ended:
            return []
        return [ended(ref, known.row, known.why)]

    def bound_to(self, ref: str) -> dict[str, int]:
        """Return our other orders of the list that ``ref`` is in, and their numbers."""
        key = self.by_ref.get(ref)
        name = "" if key is None else list_of(self.orders[key].row.group)
        rows = [each.row for each in self.orders.values()] if name else []
        return {
            row.ref: row.number
            for row in rows
            if list_of(row.group) == name and row.ref != ref and self._is_mine(row)
        }

    def to_end(self, refs: Sequence[str]) -> list[str]:
        """Return which legs of a list end with those of them that are over.

        With an entry that ended unfilled the exits do, and with an exit the other one;
        the entry, too, unless an exit has traded: then the list has done its work.
        """
        known = {ref: self.orders[self.by_ref[ref]] for ref in refs if self.knows(ref)}
        entry = [ref for ref, each in known.items() if is_entry(each.row.group)]
        exits = [ref for ref in refs if ref not in entry]
        if any(known[ref].has_ended for ref in entry):
            return exits
        over = [known[ref] for ref in exits if self.is_over(ref)]
        if not over:
            return []
        return exits if any(each.row.filled for each in over) else list(refs)

    def knows(self, ref: str) -> bool:
        """Tell whether TWS has told of our order ``ref``."""
        return ref in self.by_ref

    def canceled_beside(self, rows: Sequence[OrderRow]) -> list[OrderRow]:
        """Return legs of brackets that were told to be canceled, and not in ``rows``.

        TWS need not list what was never transmitted.
        """
        listed = {row.ref for row in rows}
        told = [self.orders[key].row for key in self.by_ref.values()]
        return [
            row
            for row in told
            if is_of_bracket(row.group)
            and row.status in ENDED
            and row.ref not in listed
        ]

    # --- who waits ------------------------------------------------------------------

    def wait(self, number: int, kind: str, wanted: Terms | None = None) -> Waiter:
        """Return who waits for the answer to a command about our order ``number``.

        Raises:
            OutcomeUnknown: another command about it is under way.
        """
        if number in self._waiters:
            message = f"order {number}: another command is under way"
            raise OutcomeUnknown(message)
        answer = asyncio.get_running_loop().create_future()
        waiter = self._waiters[number] = Waiter(number, kind, answer, wanted)
        return waiter

    def waits_no_more(self, number: int) -> None:
        """Forget who waits."""
        self._waiters.pop(number, None)

    def fail(self, error: Exception) -> None:
        """Say that no answer comes any more."""
        for waiter in self._waiters.values():
            if not waiter.answer.done():
                waiter.answer.set_exception(error)
                waiter.answer.exception()

    # --- what is told ---------------------------------------------------------------

    def order(self, row: OrderRow) -> None:
        """Take an order that is told, with all its terms."""
        key = (row.client_id, row.number)
        if row.client_id == self._client_id:
            self.highest = max(self.highest, row.number)
        known = self.orders.get(key)
        if known is None:
            known = self.orders[key] = Known(row, row.quantity)
        else:
            self._changed(known, row)
        if our_id(row.ref):
            self.by_ref[row.ref] = key
            self._claimed.add(row.ref)
        self._look(known)

    def status(self, key: Key, status: str, filled: Decimal, perm_id: int) -> None:
        """Take how an order stands."""
        known = self.orders.get(key)
        if known is None:
            return
        known.row = attrs.evolve(
            known.row,
            status=status,
            filled=max(filled, known.row.filled),
            perm_id=perm_id or known.row.perm_id,
        )
        if status in ALIVE:
            known.why = None
        self._look(known)
        if status == "Filled" and ZERO < filled < known.size:
            # TWS made it smaller, and need not have told so.
            known.size = filled
            self._say_terms(attrs.evolve(known.row, quantity=filled))

    def fill(self, row: FillRow) -> None:
        """Take an execution; it is said once its commission is told, too."""
        self._claimed.add(row.ref)
        known_fill = self.fills.get(row.execution_id)
        cost = self._commissions.get(row.execution_id)
        self.fills[row.execution_id] = row = attrs.evolve(row, commission=cost)
        if row.client_id == self._client_id:
            self.highest = max(self.highest, row.number)
        if known_fill is None and cost is not None:
            self._say_fill(row)

    def commission(self, execution_id: str, cost: tuple[Decimal, str]) -> None:
        """Take what an execution cost."""
        is_news = execution_id not in self._commissions
        self._commissions[execution_id] = cost
        row = self.fills.get(execution_id)
        if row is not None:
            self.fills[execution_id] = row = attrs.evolve(row, commission=cost)
            if is_news:
                self._say_fill(row)

    def error(self, number: int, code: int, words: str) -> bool:
        """Take an error about an order; return whether its meaning must be asked.

        A refused change of terms says nothing of the order itself.
        """
        waiter, known = self._waiters.get(number), self.orders.get(self._key(number))
        if is_warning(code) and code not in REFUSALS:
            return False
        if code == CANCELED:
            if known is not None and not known.is_over:
                known.row = attrs.evolve(known.row, status="Cancelled")
                known.why = (code, words)
                self._look(known)
            elif known is None:
                self._gone(number, waiter)
            return False
        if waiter is None:
            if known is not None:
                known.why = (code, words)
                self._look(known)
            return False
        if code not in REFUSALS and code != DUPLICATE_NUMBER:
            waiter.doubts = (code, words)
            return True
        self._refuse(waiter, refusal(code, words))
        return False

    def settle(self, number: int) -> None:
        """Decide on an error in doubt, now that a list of all open orders has come."""
        waiter = self._waiters.get(number)
        if waiter is None or waiter.doubts is None or waiter.answer.done():
            return
        if waiter.kind == "submit" and self._key(number) in self.orders:
            return
        self._refuse(waiter, refusal(*waiter.doubts))

    # --- inside ---------------------------------------------------------------------

    def _gone(self, number: int, waiter: Waiter | None) -> None:
        """Take the end of an order that TWS told nothing of before."""
        self.gone.add(number)
        if waiter is not None and waiter.kind == "cancel" and not waiter.answer.done():
            waiter.answer.set_result([])

    def _is_mine(self, row: OrderRow) -> bool:
        return row.client_id == self._client_id

    def _key(self, number: int) -> Key:
        return (self._client_id, number)

    def _changed(self, known: Known, row: OrderRow) -> None:
        was, is_told = known.row, known.is_told
        known.row = attrs.evolve(row, filled=max(was.filled, row.filled))
        known.size = max(known.size, row.quantity)
        if is_told and row.terms != was.terms:
            self._say_terms(known.row)

    def _look(self, known: Known) -> None:
        """Say what is new of an order, and answer who waits for it."""
        row, order_id = known.row, our_id(known.row.ref)
        waiter = self._waiters.get(row.number) if self._is_mine(row) else None
        if row.status not in TAKEN and row.status not in WAITING:
            if waiter is not None:
                words = f"expected a status of an order, got {row.status!r}"
                self._refuse(waiter, OutcomeUnknown(words))
            return
        if row.status in TAKEN and not known.is_told:
            known.is_told = True
            if order_id:
                self._tell(acked(order_id, row))
        if known.has_ended and not known.is_over and order_id:
            self._tell(ended(order_id, row, known.why))
        known.is_over = known.is_over or known.has_ended or row.status == "Filled"
        if waiter is not None and not waiter.answer.done():
            self._answer(waiter, known)

    def _answer(self, waiter: Waiter, known: Known) -> None:
        row, order_id = known.row, our_id(known.row.ref)
        if waiter.kind == "submit":
            if known.is_told:
                said: list[VenueEvent] = [acked(order_id, row)]
                if known.has_ended:
                    said.append(ended(order_id, row, known.why))
                waiter.answer.set_result(said)
        elif waiter.kind == "cancel":
            if known.has_ended:
                waiter.answer.set_result([ended(order_id, row, known.why)])
            elif row.status == "Filled":
                words = f"the order cannot be canceled: it is {row.status}"
                self._refuse(waiter, VenueRefused(words, "10148"))
        elif row.terms == waiter.wanted:
            terms = terms_of(row, self._names.get(row.con_id, row.name))
            if terms is not None:
                waiter.answer.set_result([Replaced(order_id=order_id, terms=terms)])
        elif known.is_over:
            words = f"the order cannot be changed: it is {row.status}"
            self._refuse(waiter, VenueRefused(words, "104"))

    @staticmethod
    def _refuse(waiter: Waiter, error: VenueError) -> None:
        if not waiter.answer.done():
            waiter.answer.set_exception(error)

    def _say_terms(self, row: OrderRow) -> None:
        if not our_id(row.ref):
            return
        terms = terms_of(row, self._names.get(row.con_id, row.name))
        if terms is not None:
            self._tell(Replaced(order_id=row.ref, terms=terms))

    def _say_fill(self, row: FillRow) -> None:
        self._tell(executed(row, self._names))
