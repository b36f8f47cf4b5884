"""Orders of other starts of this engine, which only their ids tell from strangers'."""

from __future__ import annotations

from collections.abc import Callable

from holdfast_domain.errors import DomainError
from holdfast_domain.ids import ClientOrderId


class Kin:
    """Says aloud what it means that a venue speaks of an order that is not known here.

    The epoch is in the id. An older one is of an engine that was replaced, and that
    sent it late, or after our journal was copied; a newer one shows that it is we who
    were replaced.
    """

    def __init__(
        self,
        engine: int,
        epoch: int,
        call: Callable[[str], None],
        stand_back: Callable[[str], None],
    ) -> None:
        """``call`` is for a person, and ``stand_back`` halts; both at once."""
        self._engine = engine
        self._epoch = epoch
        self._call = call
        self._stand_back = stand_back
        self._seen: set[str] = set()

    def unknown(self, order_id: str) -> None:
        """Take the id of an order that is in no record of ours, once for each id."""
        if order_id in self._seen:
            return
        self._seen.add(order_id)
        try:
            made = ClientOrderId.parse(order_id)
        except DomainError:
            return
        if made.engine != self._engine:
            return
        if made.epoch > self._epoch:
            self._stand_back(
                f"fenced off: order {order_id} is of epoch {made.epoch}, and this "
                f"engine is of {self._epoch}"
            )
        else:
            self._call(
                f"order {order_id} of epoch {made.epoch} is not in the journal: an "
                "engine that was replaced has sent it; look at the venue"
            )
