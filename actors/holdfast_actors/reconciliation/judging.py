"""What is done about differences that have shown twice: records and messages, pure.

Nothing is edited: an adjustment is a record, an order's fate is left to evidence, and
what is too large for an adjustment halts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import attrs

from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.reconciliation.bracket import Seen
from holdfast_actors.reconciliation.comparing import name_of
from holdfast_actors.reconciliation.messages import CancelThere, OrderLine, Suspect
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.reconciliation import (
    Difference,
    Finding,
    Kind,
    Policy,
    Subject,
)


@attrs.define
class Judged:
    """What is to be recorded and said."""

    records: list[ev.Event] = attrs.field(factory=list)
    messages: list[Suspect | CancelThere] = attrs.field(factory=list)
    """For `orders`."""

    findings: list[Finding] = attrs.field(factory=list)
    halts: list[str] = attrs.field(factory=list)
    """Why trading must stop; empty if it need not."""


class Judge:
    """Says what is done about each difference of one account."""

    def __init__(
        self,
        *,
        venue: str,
        account: str,
        instruments: Mapping[str, Instrument],
        price: Callable[[str], Decimal | None],
        plan: ReconcilePlan,
        book: ReconcileBook,
    ) -> None:
        """``price`` gives an instrument's last price, if it has one."""
        self._venue = venue
        self._account = account
        self._instruments = instruments
        self._price = price
        self._plan = plan
        self._book = book

    def judge(
        self, differences: Sequence[Difference], seen: Seen, *, any_size: bool
    ) -> Judged:
        """Return what is done about ``differences``; ``any_size`` lifts the limit."""
        made = Judged()
        for each in differences:
            match each.subject:
                case Subject.POSITION | Subject.CASH:
                    self._holding(each, seen, made, any_size=any_size)
                case Subject.ORDER | Subject.FILL:
                    self._order(each, seen, made)
        self._forget_external(seen, made)
        return made

    # --- positions and cash --------------------------------------------------------

    def _holding(
        self, found: Difference, seen: Seen, made: Judged, *, any_size: bool
    ) -> None:
        policy = self._book.policies.of(found.severity)
        if self._is_left(found, policy, made):
            return
        is_cash = found.subject is Subject.CASH
        if policy is Policy.SYNC_TO_LOCAL and is_cash:
            why = "cash cannot be traded back"
            made.findings.append(_finding(found, policy, "reported", why))
            return
        # Less cash than was allotted is no holding, but money that is not there.
        opening = self._venue not in self._book.opened and (
            not is_cash or found.amount > 0
        )
        why = "held before the first comparison" if opening else "the venue holds it"
        over = "" if opening or any_size else self._over_limit(found, seen)
        if over:
            self._halt(found, policy, over, made)
            return
        local = policy is Policy.SYNC_TO_LOCAL
        action = "adjusted, and an order brings it back" if local else "adjusted"
        made.records.append(self._adjustment(found, seen, why, traded_back=local))
        made.findings.append(_finding(found, policy, action, why))

    def _is_left(self, found: Difference, policy: Policy, made: Judged) -> bool:
        """Do what a policy wants that adjusts nothing; whether it is such a one."""
        if policy is Policy.WARN:
            made.findings.append(_finding(found, policy, "reported", "the policy"))
            return True
        if policy is Policy.HALT_AND_ALERT:
            self._halt(found, policy, "the policy", made)
            return True
        return False

    def _halt(self, found: Difference, policy: Policy, why: str, made: Judged) -> None:
        made.findings.append(_finding(found, policy, "halted", why))
        made.halts.append(f"{text_of(found)}: {why}")

    def _over_limit(self, found: Difference, seen: Seen) -> str:
        """Return why an adjustment is too large; empty if it is not."""
        value, unit = abs(found.amount), found.name
        if found.subject is Subject.POSITION:
            instrument = self._instruments.get(found.name)
            price = self._price_of(found.name, seen)
            if instrument is None or price is None:
                return "it cannot be valued"
            unit = instrument.currency
            value = abs(instrument.notional(price, found.amount))
        limit = self._plan.adjust_max * seen.books.capital.get(unit, ZERO)
        if value > limit:
            return f"{value} {unit} is above the limit of {limit}"
        return ""

    def _price_of(self, name: str, seen: Seen) -> Decimal | None:
        last = self._price(name)
        held = seen.held.get(name)
        if last is not None or held is None or held.average_price is None:
            return last
        return held.average_price.value

    def _adjustment(
        self, found: Difference, seen: Seen, why: str, *, traded_back: bool
    ) -> ev.BooksAdjusted:
        ordinal = seen.books.adjusted.get(f"{self._venue}/{found.key}", 0)
        held = seen.held.get(found.name)
        return ev.BooksAdjusted(
            adjustment_id=adjustment_id(
                self._account, found.key, seen.watermark, ordinal
            ),
            venue=self._venue,
            subject=found.subject,
            unit=found.name,
            amount=found.amount,
            price=None if held is None else held.average_price,
            watermark=seen.watermark,
            ordinal=ordinal,
            traded_back=traded_back,
            why=why,
        )

    # --- orders ----------------------------------------------------------------------

    def _order(self, found: Difference, seen: Seen, made: Judged) -> None:
        """Let evidence decide about our orders; those of others are adopted.

        To ask changes nothing, so our own are asked about whatever the policy is.
        """
        policy = self._book.policies.of(found.severity)
        line = _line_of(found, seen)
        if found.kind is Kind.ORPHAN_ORDER:
            self._orphan(found, policy, seen, made)
            return
        action = "reported"
        if line is not None:
            missing = found.kind is Kind.MISSING_THERE and (
                found.subject is Subject.ORDER
            )
            why = f"reconciliation: {text_of(found)}"
            made.messages.append(
                Suspect(
                    self._venue, line.order_id, line.state, line.filled, missing, why
                )
            )
            action = "in doubt, and looked up" if missing else "looked up"
        why = "only evidence says what became of it"
        if found.kind is Kind.STATUS and policy is Policy.SYNC_TO_LOCAL:
            made.messages[-1] = CancelThere(self._venue, found.name)
            action, why = "cancel asked for", "it has ended here"
        if policy is Policy.HALT_AND_ALERT:
            self._halt(found, policy, why, made)
        else:
            made.findings.append(_finding(found, policy, action, why))

    def _orphan(
        self, found: Difference, policy: Policy, seen: Seen, made: Judged
    ) -> None:
        order = next(o for o in seen.there.orders if name_of(o) == found.name)
        if self._is_left(found, policy, made):
            return
        why = "it is none of ours"
        action = "adopted as external"
        if policy is Policy.SYNC_TO_LOCAL:
            if order.order_id:
                made.messages.append(CancelThere(self._venue, order.order_id))
                action += ", cancel asked for"
            else:
                why += ", and without a client id it cannot be cancelled"
        made.records.append(
            ev.ExternalOrderAdopted(
                venue=self._venue,
                name=found.name,
                instrument=order.instrument,
                side=order.side,
                quantity=order.quantity,
            )
        )
        made.findings.append(_finding(found, policy, action, why))

    def _forget_external(self, seen: Seen, made: Judged) -> None:
        working = {name_of(order) for order in seen.there.orders}
        made.records += [
            ev.ExternalOrderGone(venue=self._venue, name=name)
            for name, known in self._book.external.items()
            if known.venue == self._venue and name not in working
        ]


def adjustment_id(account: str, key: str, watermark: str, ordinal: int) -> str:
    """Return the id of an adjustment: the same for the same account at one moment."""
    text = "\x00".join((account, key, watermark, str(ordinal)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def text_of(found: Difference) -> str:
    """Return a difference as a line for people."""
    here, there = found.here or "nothing", found.there or "nothing"
    return (
        f"{found.subject.value} {found.name}: {found.kind.value}, {here} here, "
        f"{there} at the venue"
    )


def _finding(found: Difference, policy: Policy, action: str, why: str) -> Finding:
    return Finding(difference=found, policy=policy, action=action, why=why)


def _line_of(found: Difference, seen: Seen) -> OrderLine | None:
    """Return our order that a difference is about, if it is an order of ours."""
    if found.kind is Kind.STATUS:
        return seen.orders.ended.get(found.name)
    lines = {line.order_id: line for line in seen.orders.lines}
    return lines.get(found.name)
