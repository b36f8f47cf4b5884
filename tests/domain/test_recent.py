"""What a live feed keeps is little, and what it tells is all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given, strategies as st
from tests.sampling import examples

from holdfast_domain.growing import GrowingData, Seen
from holdfast_domain.marketdata import Bar, Quote, Trade, utc_from_us

SYMBOLS = ("A", "B", "C")
MINUTE_US = 60_000_000
BEGAN_US = 1_700_000_040_000_000

names = st.lists(st.sampled_from(SYMBOLS), max_size=4)
bars = st.sets(st.sampled_from(SYMBOLS))
paths = st.lists(st.tuples(names, names, bars), min_size=1, max_size=16)


def trade(name: str, at: datetime, number: int) -> Trade:
    price = float(number)
    return Trade(instrument=name, traded_at=at, price=price, size=1.0, id=str(number))


def quote(name: str, at: datetime) -> Quote:
    return Quote(
        instrument=name, quoted_at=at, bid=1.0, ask=2.0, bid_size=3.0, ask_size=4.0
    )


def bar(name: str, at: datetime, step: int) -> Bar:
    prices = {"open": 1.0, "high": 2.0, "low": 0.5, "close": float(step)}
    return Bar(instrument=name, ended_at=at, **prices, volume=9.0)


def steps(path: Sequence[tuple[list[str], list[str], set[str]]]) -> list[Seen]:
    made, number = [], 0
    for step, (traded, quoted, ended) in enumerate(path):
        at = utc_from_us(BEGAN_US + step * MINUTE_US)
        trades = []
        for name in traded:
            number += 1
            trades.append(trade(name, at, number))
        made.append(
            Seen(
                time_us=BEGAN_US + step * MINUTE_US,
                trades=tuple(trades),
                quotes=tuple(quote(name, at) for name in quoted),
                bars=tuple(bar(name, at, step) for name in SYMBOLS if name in ended),
            )
        )
    return made


@examples(150)
@given(path=paths, kept=st.integers(0, 12), skimmed=st.integers(0, 20))
def test_whatever_is_kept_the_same_is_told(
    path: list[tuple],  # type: ignore[type-arg]
    kept: int,
    skimmed: int,
) -> None:
    told = steps(path)
    whole = GrowingData(SYMBOLS, MINUTE_US)
    short = GrowingData(SYMBOLS, MINUTE_US, recall=told.__getitem__, kept=kept)
    # A start passes over what is old, and has it from the tape.
    later = GrowingData(SYMBOLS, MINUTE_US, recall=told.__getitem__, kept=kept)
    rows = dict.fromkeys(SYMBOLS, 0)
    last: dict[str, Trade] = {}
    seen = []
    for step, each in enumerate(told):
        whole.append(each)
        short.append(each)
        bare = Seen(time_us=each.time_us, bars=each.bars)
        is_skimmed = step < skimmed
        later.append(bare if is_skimmed else each, is_skimmed=is_skimmed)
        for ended in each.bars:
            rows[ended.instrument] += 1
        last.update({t.instrument: t for t in each.trades})
        seen.append((dict(rows), dict(last)))
        for at in range(step + 1):
            assert (
                later.news(at)
                == short.news(at)
                == whole.news(at)
                == (told[at].trades, told[at].quotes)
            )
            for name in SYMBOLS:
                assert short.seen[name][at] == whole.seen[name][at] == seen[at][0][name]
                expected = seen[at][1].get(name)
                assert short.last_trade(name, at) == expected
                assert later.last_trade(name, at) == expected
                assert whole.last_trade(name, at) == expected
    for name in SYMBOLS:
        counts = [at[0][name] for at in seen]
        assert list(short.seen[name]) == short.seen[name][:] == counts
        assert short.seen[name][-1] == counts[-1]
        with pytest.raises(IndexError):
            short.seen[name][len(counts)]


def test_what_is_kept_does_not_grow_with_the_market() -> None:
    told = steps([(list("AABC"), ["A"], set()) for _ in range(500)])
    data = GrowingData(SYMBOLS, MINUTE_US, recall=told.__getitem__, kept=50)
    for each in told:
        data.append(each)
    recent = data._recent
    assert len(recent._news) <= 10
    assert all(len(trades) <= 11 for trades in recent._trades.values())
    assert all(len(rows._came_at) == 0 for rows in data._rows.values())
