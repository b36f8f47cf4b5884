"""Orders: each sent once, known to us, and its outcome never guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from .corrections import is_word
from .reading import Happening, Record
from .report import Check

EVIDENCE = frozenset({
    "OrderAccepted",
    "OrderFilled",
    "OrderCanceled",
    "OrderExpired",
    "OrderRejected",
    "OrderNotSent",
    "OrderResolved",
})  # fmt: skip
"""What may resolve an order that is UNKNOWN."""

_RESOLVES_NOTHING = frozenset({
    "OrderUnknown",
    "CancelRequested",
    "CancelRefused",
    "OrderReplaced",
    "ReplaceRefused",
    "ChangeRefused",
    "FillCorrected",
    "FillBusted",
    "AttentionNeeded",
    "OrderReopened",
})  # fmt: skip
"""What may be written of an UNKNOWN order and leaves it UNKNOWN."""

_DENIED = frozenset({"OrderNotSent", "OrderNotPlaced", "OrderRejected"})
_SENDS = frozenset({"OrderIntended", "OrderReadmitted"})


def check_orders(records: Sequence[Record], venue: Sequence[Happening]) -> list[Check]:
    """Return the checks of what was sent, and of what was said to be known."""
    return [
        Check("orders sent twice", _sent_twice(records, venue)),
        Check("orders at the venue that were not intended", _strays(records, venue)),
        Check("UNKNOWN resolved without evidence", _guesses(records)),
        Check("orders denied that the venue has", _denied(records, venue)),
        Check("orders sent while halted", _while_halted(records, venue)),
    ]


def _sent_twice(records: Sequence[Record], venue: Sequence[Happening]) -> list[str]:
    sent = Counter(row.order_id for row in venue if row.kind == "submitted")
    findings = [
        f"{order}: the venue has it {n} times" for order, n in sent.items() if n > 1
    ]
    made: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for record in records:
        if record.kind == "OrderIntended":
            get = record.fields.get
            key = (get("strategy"), get("decision"), get("index"))
            made[key].add(record.order_id)
    return findings + [
        f"{strategy}, decision {decision}, order {index}: sent as {sorted(ids)}"
        for (strategy, decision, index), ids in made.items()
        if len(ids) > 1
    ]


def _strays(records: Sequence[Record], venue: Sequence[Happening]) -> list[str]:
    # Those of other hands are in the journal, too, once they are known.
    known = {
        r.order_id for r in records if r.kind in ("OrderIntended", "ExternalFilled")
    }
    orders = {row.order_id: row.number for row in reversed(venue) if row.order_id}
    return [
        f"{order}: event {number} of the venue, no intent in the journal"
        for order, number in sorted(orders.items(), key=lambda item: item[1])
        if order not in known
    ]


def _guesses(records: Sequence[Record]) -> list[str]:
    unknown: set[str] = set()
    findings = []
    for record in records:
        order = record.order_id
        if record.kind == "OrderUnknown":
            unknown.add(order)
        elif order in unknown and record.kind not in _RESOLVES_NOTHING:
            unknown.discard(order)
            person = record.kind == "OrderResolved"
            if record.kind not in EVIDENCE or (person and not is_word(record)):
                findings.append(
                    f"{order}: record {record.sequence} is {record.kind}, no evidence"
                )
    return findings


def _denied(records: Sequence[Record], venue: Sequence[Happening]) -> list[str]:
    """Look for orders whose last word in the journal is that they do not exist."""
    last = {record.order_id: record for record in records if record.order_id}
    there = {row.order_id for row in venue if row.kind == "submitted"}
    return [
        f"{order}: record {record.sequence} is {record.kind}"
        for order, record in last.items()
        if order in there and _denies(record)
    ]


def _denies(record: Record) -> bool:
    said = record.fields.get("outcome") == "not_placed"
    return record.kind in _DENIED or (record.kind == "OrderResolved" and said)


def _while_halted(records: Sequence[Record], venue: Sequence[Happening]) -> list[str]:
    """Look for orders at the venue whose last leave to be sent fell into a halt.

    An intent that is written during a halt is none: the last gate holds it back, and
    it goes out with a new leave, or never. A venue that is degraded is halted alone,
    unless its orders are kept.
    """
    there = {row.order_id for row in venue if row.kind == "submitted"}
    findings: dict[str, str] = {}
    halted: dict[object, int] = {}
    """By venue, since which record; the empty text is all of them."""

    venue_of: dict[str, object] = {}
    for record in records:
        place = record.fields.get("venue", "")
        if record.kind == "Halted":
            halted[""] = record.sequence
        elif record.kind == "VenueDegraded" and record.fields.get("policy") != "keep":
            halted[place] = record.sequence
        elif record.kind in ("Resumed", "VenueRestored"):
            halted.pop(place, None)
        elif record.kind in _SENDS:
            findings.pop(record.order_id, None)
            place = venue_of.setdefault(record.order_id, place)
            since = halted.get("") or halted.get(place)
            if since and record.order_id in there:
                findings[record.order_id] = (
                    f"{record.order_id}: record {record.sequence} is {record.kind}, "
                    f"halted since record {since}"
                )
    return list(findings.values())
