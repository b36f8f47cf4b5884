"""Assets that a venue has once, wherever the books have parts of them: pure.

A spot exchange has one balance of an asset. In the books, parts of it may be positions
of all the pairs that have it as their base, and a part may be cash: a fee was taken in
it, or a price is in it. So it is compared as a whole, under the name of one pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import attrs

from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Currency


def by_venue(
    instruments: Mapping[str, Instrument], venues: Sequence[str]
) -> dict[str, dict[str, Instrument]]:
    """Return what trades at each of ``venues``: what names none, at the first."""
    found: dict[str, dict[str, Instrument]] = {venue: {} for venue in venues}
    for name, each in instruments.items():
        at = each.venue or next(iter(venues), "")
        if at in found:
            found[at][name] = each
    return found


@attrs.frozen
class Assets:
    """Knows the base assets of a venue's pairs."""

    _bases: dict[str, Currency]
    """By symbol; only of instruments that have one."""

    _places: dict[Currency, str]
    """The first pair of each base asset: whose position it is compared as."""

    @classmethod
    def of(cls, instruments: Mapping[str, Instrument]) -> Assets:
        """Read the pairs of one venue, in the order in which they are configured."""
        bases = {name: each.base for name, each in instruments.items() if each.base}
        places: dict[Currency, str] = {}
        for name, base in bases.items():
            places.setdefault(base, name)
        return cls(bases, places)

    def whole(
        self, positions: Mapping[str, Decimal], cash: Mapping[Currency, Decimal]
    ) -> tuple[dict[str, Decimal], dict[Currency, Decimal]]:
        """Return the same holdings, each base asset as one position.

        >>> pairs = {
        ...     name: Instrument(symbol=name, base="BTC", currency=name[3:])
        ...     for name in ("BTCUSDT", "BTCEUR")
        ... }
        >>> cash = {"BTC": Decimal("-0.001"), "EUR": Decimal("7")}
        >>> Assets.of(pairs).whole({"BTCEUR": Decimal("0.5")}, cash)
        ({'BTCUSDT': Decimal('0.499')}, {'EUR': Decimal('7')})
        """
        held: defaultdict[str, Decimal] = defaultdict(Decimal)
        left: dict[Currency, Decimal] = {}
        for name, amount in positions.items():
            held[self.place_of(name)] += amount
        for unit, amount in cash.items():
            if unit in self._places:
                held[self._places[unit]] += amount
            else:
                left[unit] = amount
        return dict(held), left

    def place_of(self, symbol: str) -> str:
        """Return as whose position the units of ``symbol`` are compared."""
        base = self._bases.get(symbol)
        return symbol if base is None else self._places[base]

    def touched(self, instrument: Instrument) -> Iterable[str]:
        """Yield whose positions an order for ``instrument`` moves."""
        yield self.place_of(instrument.symbol)
        if instrument.currency in self._places:
            yield self._places[instrument.currency]
