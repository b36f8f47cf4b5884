"""An order book that may have missed something may not be read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from tests.sampling import examples

from holdfast_domain.book import BookSnapshot, BookUpdate, Level, OrderBook
from holdfast_domain.errors import BookInvalid, ValueTooOld

Ladder = dict[int, int]


def levels(ladder: Ladder) -> list[Level]:
    return [(Decimal(price), Decimal(size)) for price, size in ladder.items()]


def level(price: int, size: int) -> Level:
    return Decimal(price), Decimal(size)


def whole(bids: Ladder, asks: Ladder, depth_max: int | None = None) -> OrderBook:
    book = OrderBook("X", depth_max=depth_max)
    book.reset(
        BookSnapshot(instrument="X", sequence=10, bids=levels(bids), asks=levels(asks)),
        now_s=100.0,
    )
    return book


def update(
    book: OrderBook,
    bids: Ladder | None = None,
    asks: Ladder | None = None,
    *,
    sequence: int = 11,
    follows: int = 10,
    checksum: int | None = None,
) -> None:
    book.update(
        BookUpdate(
            instrument="X",
            sequence=sequence,
            follows=follows,
            bids=levels(bids or {}),
            asks=levels(asks or {}),
            checksum=checksum,
        ),
        now_s=101.0,
    )


def test_levels_are_replaced_and_a_quantity_of_nothing_removes_them() -> None:
    book = whole({99: 1, 98: 2}, {101: 1, 102: 2})

    update(book, {99: 0, 97: 5}, {101: 7})

    assert book.bids(5, 101.0, 9.0) == levels({98: 2, 97: 5})
    assert book.asks(5, 101.0, 9.0) == levels({101: 7, 102: 2})
    assert book.best_bid(101.0, 9.0) == level(98, 2)
    assert book.best_ask(101.0, 9.0) == level(101, 7)


def test_without_a_snapshot_reading_raises() -> None:
    with pytest.raises(BookInvalid, match="no snapshot yet"):
        OrderBook("X").best_bid(0.0, 9.0)


def test_after_a_gap_reading_raises_until_a_snapshot_comes() -> None:
    book = whole({99: 1}, {101: 1})

    update(book, {98: 1}, sequence=13, follows=12)

    with pytest.raises(BookInvalid, match="12"):
        book.best_ask(101.0, 9.0)
    update(book, {98: 1}, sequence=14, follows=13)
    with pytest.raises(BookInvalid):
        book.best_ask(101.0, 9.0)
    book.reset(
        BookSnapshot(instrument="X", sequence=14, bids=levels({97: 1}), asks=[]), 102.0
    )
    assert book.best_bid(102.0, 9.0) == level(97, 1)
    assert book.best_ask(102.0, 9.0) is None


def test_an_update_that_is_in_the_book_is_passed_over() -> None:
    book = whole({99: 1}, {101: 1})

    update(book, {99: 5}, sequence=10, follows=9)

    assert book.best_bid(101.0, 9.0) == level(99, 1)


def test_one_that_overlaps_the_snapshot_is_applied() -> None:
    book = whole({99: 1}, {101: 1})

    update(book, {99: 5}, sequence=12, follows=8)

    assert book.best_bid(101.0, 9.0) == level(99, 5)


def test_sides_that_cross_make_it_invalid() -> None:
    book = whole({99: 1}, {101: 1})

    update(book, {101: 1})

    with pytest.raises(BookInvalid, match="cross"):
        book.best_bid(101.0, 9.0)


def test_another_checksum_than_the_venues_makes_it_invalid() -> None:
    book = OrderBook("X", checksum=lambda bids, asks: len(bids) * 10 + len(asks))
    book.reset(
        BookSnapshot(instrument="X", sequence=10, bids=levels({9: 1}), asks=[]), 100.0
    )
    update(book, {8: 1}, checksum=20)
    assert book.why_invalid is None

    update(book, {7: 1}, sequence=12, follows=11, checksum=20)

    with pytest.raises(BookInvalid, match="checksum 30"):
        book.best_bid(101.0, 9.0)


def test_what_did_not_change_for_too_long_is_not_read() -> None:
    book = whole({99: 1}, {101: 1})

    assert book.age_s(103.0) == 3.0
    assert book.best_bid(103.0, 3.0) == level(99, 1)
    with pytest.raises(ValueTooOld, match="at most 2 s, got 3 s"):
        book.best_bid(103.0, 2.0)


def test_what_falls_out_of_the_depth_is_forgotten() -> None:
    book = whole({99: 1, 98: 1}, {101: 1, 102: 1}, depth_max=2)

    update(book, {100: 1})
    update(book, {100: 0}, sequence=12, follows=11)

    assert book.bids(5, 101.0, 9.0) == levels({99: 1})
    assert book.asks(5, 101.0, 9.0) == levels({101: 1, 102: 1})


changes = st.lists(
    st.dictionaries(st.integers(1, 30), st.integers(0, 3), max_size=6), max_size=12
)


@examples(30)
@given(changes, changes)
def test_it_is_what_two_dictionaries_are(
    bids: list[Ladder], asks: list[Ladder]
) -> None:
    book = whole({}, {})
    number = 10
    wanted: tuple[Ladder, Ladder] = ({}, {})
    for side, ladders in ((0, bids), (1, asks)):
        for ladder in ladders:
            shifted = {price + 100 * side: size for price, size in ladder.items()}
            given_: list[Ladder] = [{}, {}]
            given_[side] = shifted
            update(book, *given_, sequence=number + 1, follows=number)
            number += 1
            for price, size in shifted.items():
                wanted[side].pop(price, None)
                if size:
                    wanted[side][price] = size

    assert book.bids(99, 101.0, 9.0) == levels(
        dict(sorted(wanted[0].items(), reverse=True))
    )
    assert book.asks(99, 101.0, 9.0) == levels(dict(sorted(wanted[1].items())))
