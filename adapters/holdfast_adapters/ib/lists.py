"""Order lists in IB's words: how legs are bound, and what shows that a list is torn.

The exits of a list are one group (`ocaGroup`), whose name says of which list it is, and
of which kind. The entry of a bracket has a group to itself: it binds nothing, and tells
what the order is, for TWS does not tell that of a parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from holdfast_adapters.ib.rows import FillRow, OrderRow
from holdfast_adapters.ib.telling import our_id
from holdfast_domain.money import ZERO, Quantity
from holdfast_domain.orderlists import ROLES, Leg, ListKind, Role
from holdfast_domain.ports import Ended

if TYPE_CHECKING:
    from ib_async.order import Order

ENTRY: Final = "/entry"
EXITS: Final = "/exits"


def group_of(leg: Leg | None) -> str:
    """Return the name of a leg's group; empty for an order of no list."""
    if leg is None:
        return ""
    if leg.kind is ListKind.OCO:
        return leg.list_id
    return leg.list_id + (ENTRY if leg.role is Role.ENTRY else EXITS)


def is_entry(group: str) -> bool:
    """Tell whether an order of this group is the entry of a bracket."""
    return group.endswith(ENTRY)


def list_of(group: str) -> str:
    """Return the id of the list of ours that a group is of, or nothing.

    >>> list_of("their group")
    ''
    """
    return our_id(group.removesuffix(ENTRY).removesuffix(EXITS))


def is_of_bracket(group: str) -> bool:
    """Tell whether a group is of a bracket."""
    return group.endswith((ENTRY, EXITS))


def attach(orders: Sequence[Order]) -> None:
    """Make children of what stands behind an entry; only the last is transmitted.

    TWS keeps an order that is not transmitted, and tells IB nothing of it. The last
    child sends all of them on. Source: TWS API, "Bracket Orders".
    """
    entry, *children = orders
    if not is_entry(entry.ocaGroup):
        return
    for each in children:
        each.parentId = entry.orderId
    for each in orders[:-1]:
        each.transmit = False


def is_torn(
    row: OrderRow,
    opened: Sequence[OrderRow],
    completed: Sequence[OrderRow],
    fills: Sequence[FillRow],
) -> bool:
    """Tell whether a leg of ours is there, and some of its list never was."""
    name = list_of(row.group)
    if not name or row not in opened:
        return False
    shown = {o.ref for o in (*opened, *completed) if list_of(o.group) == name}
    # What has traded was there, whether the lists of orders show it or not.
    shown.update(each.ref for each in fills if each.ref == name)
    kind = ListKind.BRACKET if is_of_bracket(row.group) else ListKind.OCO
    return len(shown) < len(ROLES[kind])


def never_sent(order_id: str) -> Ended:
    """Return that a leg ended in TWS, of which IB never knew."""
    return Ended(
        order_id=order_id,
        how="canceled",
        reason="it was not transmitted, for its list is not whole",
        cumulative=Quantity(ZERO),
    )
