"""Breakages of the order path, each of which the simulation must catch.

A mutation replaces text in one source file as it is imported. The text must be there
once: whoever changes that code changes the mutation with it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Final

import attrs


@attrs.frozen
class Mutation:
    """One breakage, by a name that says what the code forgets or does wrong."""

    name: str
    module: str
    before: str
    after: str


_ORDERS = "holdfast_actors.orders"
_BOOK = "holdfast_actors.orderbook"
_EVIDENCE = "holdfast_actors.evidence"
_CARRYING = "holdfast_actors.carrying"
_SENDING = "holdfast_actors.sending"
_GATE = "holdfast_actors.lastgate"
_LINE = "holdfast_actors.line"
_DOUBTS = "holdfast_actors.doubts"
_BOOKS = "holdfast_actors.books"
_GUARD = "holdfast_actors.guard"
_RESERVATIONS = "holdfast_actors.reservations"
_LEDGER = "holdfast_actors.ledger"
_JOURNAL = "holdfast_actors.journal"
_JUDGING = "holdfast_actors.reconciliation.judging"
_RECONCILER = "holdfast_actors.reconciliation.actor"
_INSPECTION = "holdfast_actors.inspection"
_STRATEGY = "holdfast_actors.strategy.actor"
_DESK = "holdfast_actors.strategy.orders"
_PORTFOLIO = "holdfast_actors.strategy.portfolio"
_RESTORE = "holdfast_actors.strategy.restore"

MUTATIONS: Final = (
    # --- orders ------------------------------------------------------------------
    Mutation(
        "the intent is not journaled",
        _ORDERS,
        "            record(made)\n            row =",
        "            row =",
    ),
    Mutation(
        "a replay releases what was on its way",
        _ORDERS,
        "            if row.state is OrderState.INTENT:\n                self._record(",
        "            if row.state is OrderState.INTENT:\n"
        "                self._lines[row.venue].sending.queue.add(row)\n"
        "            elif row.state is OrderState.REFUSED:\n"
        "                self._record(",
    ),
    Mutation(
        "a decision is taken as it comes, lost ones and all",
        _ORDERS,
        "        if number != taken + 1:",
        "        if number < 0:",
    ),
    Mutation(
        "nobody asks for the decisions that were under way",
        _ORDERS,
        "        self._strategies[strategy].tell(Resend(taken, self._replayed))",
        "        del taken",
    ),
    Mutation(
        "an execution is booked as often as it is told",
        _EVIDENCE,
        "known = event.execution_id in executions",
        "known = False",
    ),
    Mutation(
        "a fill of an order that has ended is dropped",
        _EVIDENCE,
        "return None if known else _filled(row, event)",
        "return None if known or not row.is_open else _filled(row, event)",
    ),
    Mutation(
        "the end of an order is not heard",
        _EVIDENCE,
        "return _ended(row, event, asked) if row.is_open else None",
        "return None",
    ),
    # --- session -----------------------------------------------------------------
    Mutation(
        "no answer is a rejection",
        _CARRYING,
        'return How.UNKNOWN, str(error), ""',
        'return How.REFUSED, str(error), ""',
    ),
    Mutation(
        "the first leg of a list is sent without the others",
        _SENDING,
        "rest = tuple([self._sent(each) for each in legs])",
        "rest = tuple([self._sent(each) for each in legs[:0]])",
    ),
    Mutation(
        "the last gate does not look at the halt",
        _GATE,
        "if self._halt.halted or message.generation != self._halt.generation:",
        "if message.generation < 0:",
    ),
    # --- what a venue says, and what is in doubt -----------------------------------
    Mutation(
        "no answer is a proof that nothing left",
        _LINE,
        "        elif message.how is How.UNKNOWN:\n"
        "            self.doubts.doubt(row, message.reason)\n",
        "        elif message.how is How.UNKNOWN:\n"
        "            self._not_sent(row, message)\n",
    ),
    Mutation(
        "what a dead session had taken is not doubted",
        _LINE,
        "if row.state is OrderState.SENT:\n                self.doubts.doubt(",
        "if row.state is OrderState.NEW:\n                self.doubts.doubt(",
    ),
    Mutation(
        "not found is a no, whenever it was asked",
        _DOUBTS,
        "        asked_s = message.asked_s\n"
        "        return not self.resolver.missing_s(order_id, asked_s, self.promises)",
        "        return True",
    ),
    Mutation(
        "an execution of one venue is taken for that of another",
        _BOOK,
        "self.executions[row.venue].add(fill)",
        'self.executions["paper"].add(fill)',
    ),
    # --- guard and reservations --------------------------------------------------
    Mutation(
        "the guard applies a record twice",
        _GUARD,
        "        if entry.sequence > self._applied:",
        "        if entry.sequence > 0:",
    ),
    Mutation(
        "a sell adds to the guard's position",
        _RESERVATIONS,
        "account.hold(fill.instrument, units)",
        "account.hold(fill.instrument, abs(units))",
    ),
    Mutation(
        "what was reserved is never given back",
        _RESERVATIONS,
        "del self.open[order_id]",
        "del order_id",
    ),
    # --- ledger ------------------------------------------------------------------
    Mutation(
        "the ledger applies a record twice",
        _LEDGER,
        "        if entry.sequence > self._applied:",
        "        if entry.sequence > 0:",
    ),
    Mutation(
        "the ledger skips a record after a restart",
        _LEDGER,
        "                if entry.sequence > self._applied:",
        "                if entry.sequence > self._applied + 1:",
    ),
    Mutation(
        "the ledger books a sell as a buy",
        "holdfast_domain.fills",
        "units = fill.traded()",
        "units = fill.quantity.value",
    ),
    Mutation(
        "a fee is paid out",
        _BOOKS,
        "cash[fee.currency] = cash.get(fee.currency, ZERO) - fee.amount",
        "cash[fee.currency] = cash.get(fee.currency, ZERO) + fee.amount",
    ),
    Mutation(
        "a fee in kind is taken of cash, too",
        _BOOKS,
        "if fee.amount and not in_kind:",
        "if fee.amount:",
    ),
    Mutation(
        "the guard does not know of fees in kind",
        _RESERVATIONS,
        "account.hold(fill.instrument, units)",
        "account.hold(fill.instrument, fill.traded())",
    ),
    # --- reconciliation ----------------------------------------------------------
    Mutation(
        "an adjustment is booked with the wrong sign",
        _JUDGING,
        "            amount=found.amount,\n            price=",
        "            amount=-found.amount,\n            price=",
    ),
    Mutation(
        "what differs is reported and not adjusted",
        _RECONCILER,
        "        for record in judged.records:",
        "        for record in judged.records[:0]:",
    ),
    Mutation(
        "cash is not compared",
        "holdfast_actors.reconciliation.comparing",
        "        if abs(amount) <= allowed:",
        "        if abs(amount) >= 0:",
    ),
    Mutation(
        "a trade of another hand is dropped",
        _INSPECTION,
        "        if fill is None:",
        "        if fill is None or fill.strategy:",
    ),
    Mutation(
        "a trade of another hand is adopted as often as it is listed",
        _INSPECTION,
        "event.execution_id in self._book.executions[self._venue].ids\n",
        "not event.execution_id\n",
    ),
    Mutation(
        "books take an adjustment against the account",
        "holdfast_actors.books",
        "        self._move_units(HOUSE, unit, amount, against)",
        "        self._move_units(HOUSE, unit, -amount, against)",
    ),
    # --- journal -----------------------------------------------------------------
    Mutation(
        "a commit is acknowledged before it is synced",
        "holdfast.simulation.power",
        '        if kind != "power_cut":\n            super().append(batch)',
        '        if kind == "power_cut":\n            del self._entries[-1:]\n'
        "        else:\n            super().append(batch)",
    ),
    Mutation(
        "a commit that failed is taken for one that did not",
        _JOURNAL,
        "        self._store.append(entries)\n        self._let_out(entries)\n",
        "        try:\n"
        "            self._store.append(entries)\n"
        "        except CommitFailed:\n            pass\n"
        "        self._let_out(entries)\n",
    ),
    Mutation(
        "readers are not told what was committed",
        _JOURNAL,
        "                for reader in readers:",
        "                for reader in readers[1:]:",
    ),
    Mutation(
        "a start goes on in the epoch of the one before",
        "holdfast.compose",
        "epoch = 1 + max(0 if last is None else last.epoch, world.epoch_floor)",
        "epoch = max(1 if last is None else last.epoch, world.epoch_floor)",
    ),
    # --- tape and strategies -----------------------------------------------------
    Mutation(
        "a strategy counts its decisions anew after a restart",
        _STRATEGY,
        "self._cursor, self._desk.number = past.cursor, past.number",
        "self._cursor, self._desk.number = past.cursor, 0",
    ),
    Mutation(
        "a strategy is not fed again what it missed",
        _STRATEGY,
        "            if origin_text(told.origin) in past.quarantined:",
        "            if told.origin:",
    ),
    Mutation(
        "a strategy takes a slice twice",
        _STRATEGY,
        "        if message.cursor > self._cursor:\n            self._take_slices(",
        "        if message.cursor > 0:\n            self._take_slices(",
    ),
    Mutation(
        "a strategy says nothing again that it has decided",
        _STRATEGY,
        "            if decision.number > message.number:",
        "            if decision.number < 0:",
    ),
    Mutation(
        "a strategy books a fill with the wrong sign",
        _PORTFOLIO,
        "after(units, fill.price.value)",
        "after(-units, fill.price.value)",
    ),
    Mutation(
        "a strategy does not hear of a late fill",
        _DESK,
        "view = self.open.get(fill.order_id) or self._that_ended(fill.order_id)",
        "view = self.open.get(fill.order_id)",
    ),
    # --- twins -------------------------------------------------------------------
    Mutation(
        "a twin begins without what was held",
        "holdfast.forking",
        "positions=tuple(_held(ledger, parts)),",
        "positions=(),",
    ),
    # --- the runtime -------------------------------------------------------------
    Mutation(
        "market time goes on while an actor restarts",
        "holdfast_runtime.delivery",
        "        if self.unsettled or not self.held:\n            return",
        "        if not self.held:\n            return",
    ),
)


# These are not in the list, for they change nothing that can be seen: `number > taken`
# alone (orders, guard): what is known is dropped all the same, and what there is none
# of is asked for. `sequence <= _read` of a strategy: records that were applied are not
# applied again. To let out before the commit: the runtime keeps what a handler says
# until it has returned. To believe a refused cancel: only a stream that loses ends
# could show it. To tell the guard of no intent: only one that dies alone, and is built
# anew while a commit is under way, has not read of it (`tests/actors/test_readers.py`
# has one).


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutation: Mutation, path: str) -> None:
        super().__init__(mutation.module, path)
        self._mutation = mutation

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source as the mutation leaves it; never from a cache."""
        source = self.get_data(self.get_filename(fullname)).decode()
        found = source.count(self._mutation.before)
        if found != 1:
            message = f"{self._mutation.name}: expected its text once, was {found}"
            raise LookupError(message)
        mutated = source.replace(self._mutation.before, self._mutation.after)
        return compile(mutated, self.get_filename(fullname), "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the one module that is mutated."""
        if fullname != self._mutation.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(self._mutation, spec.origin)
        return spec


def install(mutation: Mutation) -> None:
    """Let ``mutation`` strike when its module is imported, which must not be yet."""
    if mutation.module in sys.modules:
        message = f"expected {mutation.module} not to be imported yet"
        raise LookupError(message)
    sys.meta_path.insert(0, _Finder(mutation))
