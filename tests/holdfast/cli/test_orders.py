"""`holdfast orders`: a journal without an engine, and words that cannot be taken."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from holdfast.cli.orders import orders
from holdfast.console.orders import resolve_of
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.errors import InputError
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import OrderTerms, Side

TERMS = OrderTerms(instrument="SPY", side=Side.BUY, quantity=Quantity.of(10))


def record(order_id: str) -> list[ev.Event]:
    intent = ev.OrderIntended(
        order_id=order_id,
        strategy="one",
        decision=1,
        index=0,
        venue="paper",
        terms=TERMS,
        reserved=Money(Decimal(1), "USD"),
        valid_until_us=0,
    )
    return [intent]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a state directory: one order is unknown, and one is filled no more."""
    doubt = ev.OrderUnknown(order_id="aa1", strategy="one", why="no answer")
    call = ev.AttentionNeeded(order_id="aa1", strategy="one", why="long", tries=9)
    gone = ev.OrderNotPlaced(order_id="ab2", strategy="one", reason="halted")
    events = [*record("aa1"), *record("ab2"), doubt, call, gone]
    with StateDir.open(tmp_path, 1) as state:
        store = SqliteJournal(state.journal, 7)
        store.append(
            [
                ev.Entry(
                    sequence=number,
                    epoch=1,
                    cursor=0,
                    market_time_us=0,
                    wall_time_us=0,
                    event=event,
                )
                for number, event in enumerate(events, start=1)
            ]
        )
        store.close()
    return tmp_path


def said(*arguments: str) -> str:
    result = CliRunner().invoke(orders, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_the_orders_of_a_stopped_engine_are_read_from_its_journal(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = said("list", str(directory), "--json") or capsys.readouterr().out

    (row,) = json.loads(output)
    assert (row["order_id"], row["state"], row["filled"]) == ("aa1", "unknown", "0")
    assert row["needs_person"] is True


def test_all_are_those_that_have_ended_too(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = said("list", str(directory), "--all", "--json") or capsys.readouterr().out

    assert [row["state"] for row in json.loads(output)] == ["unknown", "not_placed"]


def test_one_order_is_found_by_a_part_of_its_id(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = said("show", "ab", str(directory)) or capsys.readouterr().out

    assert "halted" in output
    with pytest.raises(InputError, match="which 2 orders have"):
        said("show", "a", str(directory))


def test_a_word_needs_an_engine(directory: Path) -> None:
    word = ("--because", "so", "--by", "ann")

    with pytest.raises(InputError, match="expected a running engine"):
        said("resolve", "aa1", str(directory), "--not-placed", *word)


@pytest.mark.parametrize("filled", ["10", "ten@5", "10@", "@5", "-1@5"])
def test_what_was_filled_is_a_quantity_at_a_price(filled: str) -> None:
    with pytest.raises(InputError, match="--filled: expected QTY@PX"):
        resolve_of("a", filled, "ann", "so")
