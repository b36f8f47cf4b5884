"""The bars that are matched: what may still be taken of each, and the newest one."""

from __future__ import annotations

from decimal import Decimal

from holdfast_adapters.matching.book import MatchBar, Working
from holdfast_adapters.matching.model import LastBar, VolumeTaken
from holdfast_domain.money import ZERO, to_decimal


class Bars:
    """Makes bars for the orders that they are matched with."""

    def __init__(self, participation: Decimal | None) -> None:
        """Let all orders together take this share of a bar's volume."""
        self._participation = participation
        self._taken: dict[tuple[str, int], Decimal] = {}
        self._newest: dict[str, tuple[LastBar, MatchBar, Decimal]] = {}

    def take(self, record: VolumeTaken) -> None:
        """Leave so much less of a bar, should it be made again."""
        key = (record.symbol, record.ended_at_us)
        self._taken[key] = self._taken.get(key, ZERO) + record.quantity

    def made(
        self,
        order: Working,
        prices: tuple[float, float, float, float],
        volume: float,
        opened_at_us: int,
        ended_at_us: int,
    ) -> MatchBar:
        """Return a bar of the instrument of ``order``."""
        left = self._left(order, volume, ended_at_us)
        return MatchBar(order.instrument, prices, opened_at_us, ended_at_us, left)

    def newest(self, order: Working, last: LastBar) -> tuple[MatchBar, Decimal]:
        """Return ``last`` as a bar of one price, and the price.

        They are made once while it is the newest of its instrument.
        """
        symbol = order.terms.instrument
        known = self._newest.get(symbol)
        if known is None or known[0] is not last:
            close, ended = last.close, last.ended_at_us
            bar = MatchBar(order.instrument, (close,) * 4, ended, ended, None)
            known = self._newest[symbol] = last, bar, bar.price(close)
        _, bar, price = known
        if self._participation is not None:
            bar.available = self._left(order, last.volume, last.ended_at_us)
        return bar, price

    def _left(self, order: Working, volume: float, ended_at_us: int) -> Decimal | None:
        share = self._participation
        if share is None:
            return None
        whole = order.instrument.round_quantity(share * to_decimal(volume))
        key = (order.terms.instrument, ended_at_us)
        return whole.value - self._taken.get(key, ZERO)
