"""Round trips: lots closed first in, first out."""

from __future__ import annotations

import pytest

from .story import Story, bars


def trips(story: Story) -> list[dict[str, object]]:
    return story.result().round_trips.rows(named=True)


def test_units_are_closed_first_in_first_out_and_fees_are_shared_by_units() -> None:
    story = Story(bars({"A": [10, 11, 12, 13]}))
    story.capital("1000")
    story.fill(0, "A", 4, 10, fee="4")
    story.fill(1, "A", 4, 11, fee="8")
    story.fill(2, "A", -6, 12, fee="3")

    first, second = trips(story)

    assert (first["quantity"], first["entry_price"], first["side"]) == (4, 10, "long")
    assert first["fees"] == pytest.approx(4 + 2)
    assert first["profit_and_loss"] == pytest.approx(8 - 6)
    assert first["return"] == pytest.approx(2 / 40)
    assert (second["quantity"], second["entry_price"]) == (2, 11)
    assert second["profit_and_loss"] == pytest.approx(2 - (4 + 1))
    assert second["exit_time"] == first["exit_time"]


def test_a_fill_that_crosses_zero_closes_the_long_and_opens_a_short() -> None:
    story = Story(bars({"A": [10, 11, 12]}))
    story.capital("1000")
    story.fill(0, "A", 1, 10)
    story.fill(1, "A", -3, 12)
    story.fill(2, "A", 2, 9)

    assert [
        (row["side"], row["quantity"], row["profit_and_loss"]) for row in trips(story)
    ] == [("long", 1, 2), ("short", 2, 6)]


def test_siblings_do_not_close_each_others_lots() -> None:
    story = Story(bars({"A": [10, 11]}))
    story.capital("100", to="x")
    story.capital("100", to="y")
    story.fill(0, "A", 1, 10, by="x")
    story.fill(1, "A", -1, 11, by="y")

    assert trips(story) == []
    assert story.result().strategies["y"].positions == {"A": -1}


def test_the_table_of_fills_has_every_fill_in_the_journals_order() -> None:
    story = Story(bars({"A": [10, 11]}))
    story.capital("100")
    story.fill(0, "A", 1, "10.5", fee="0.25")
    story.fill(1, "A", -1, 11)

    table = story.result().trades

    assert table.select("side", "quantity", "price", "fee", "strategy").rows() == [
        ("buy", 1, 10.5, 0.25, "one"),
        ("sell", 1, 11, 0, "one"),
    ]
    assert table["time"].dt.epoch("us").to_list() == story.data.times_us
