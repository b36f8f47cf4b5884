"""Client order ids at Binance: an order keeps its id through all its new terms.

Binance has no new terms for an order: it cancels one and places another, which needs an
id of its own. So the id of a revision is our id and its number, and what was said of
any revision is found again from our id alone, after a restart too:

* ``ID`` as it was placed, ``ID-001`` after the first change, ``ID-002``, ...
* ``ID_001`` is the cancel that is the first half of that change, ``ID_end`` any other.

Ids are ``[a-zA-Z0-9-_]{1,36}`` (binance-spot-api-docs), and unique among open orders.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from holdfast_domain.ids import DIGITS

LAST_REVISION: Final = 0xFFF
"""How often an order may get new terms."""

_NAME: Final = re.compile(rf"([0-9a-f]{{{DIGITS}}})(?:([-_])([0-9a-f]{{3}}|end))?")


class Name(NamedTuple):
    """What a client order id says.

    >>> Name.parse("0" * 32 + "-00a").revision
    10
    >>> Name.parse("web_1")
    Name(order_id='web_1', revision=0, cancels=False)
    """

    order_id: str
    """Ours, without a revision; or, of an order that is not ours, all of it."""

    revision: int = 0
    cancels: bool = False
    """Whether it is the cancel of an order that ``revision`` takes the place of."""

    @classmethod
    def parse(cls, text: str) -> Name:
        """Return what ``text`` says; what is not ours is taken as it is."""
        found = _NAME.fullmatch(text)
        if found is None or (found[2] == "-" and found[3] == "end"):
            return cls(text)
        if found[3] is None or found[3] == "end":
            return cls(found[1])
        return cls(found[1], int(found[3], 16), found[2] == "_")

    @property
    def is_ours(self) -> bool:
        """Whether it has the form of our ids."""
        return _NAME.fullmatch(self.order_id) is not None


def revision_id(order_id: str, revision: int) -> str:
    """Return the client order id of a revision; 0 is the order as it was placed."""
    return f"{order_id}-{revision:03x}" if revision else order_id


def list_name(list_id: str) -> str:
    """Return the name of a list; Binance wants another than those of its orders."""
    return f"{list_id}_lst"


def cancel_id(order_id: str, next_revision: int = 0) -> str:
    """Return the id of a cancel: a final one, or the first half of a change."""
    return f"{order_id}_{next_revision:03x}" if next_revision else f"{order_id}_end"
