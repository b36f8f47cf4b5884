"""The report's tables as HTML; every text in them is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, time
from html import escape

import attrs
import polars as pl

from holdfast.results.incidents import Incident
from holdfast.results.measure import RunResult
from holdfast.results.numbers import aligned, decimal_text, grouped, percent, ratio
from holdfast_domain.marketdata import MarketData
from holdfast_domain.orders import Side

ROWS_MAX = 1_000
"""How many rows of a table the page shows."""

_LONG = 30


@attrs.frozen
class Cell:
    """One cell: its text, and whether it is a number and of which sign."""

    text: str
    numeric: bool = False
    sign: int = 0

    def html(self) -> str:
        """Return the cell as an element."""
        names = ["n"] if self.numeric else []
        names += {1: ["up"], -1: ["down"]}.get(self.sign, [])
        classes = f' class="{" ".join(names)}"' if names else ""
        title = ""
        if len(self.text) > _LONG:  # the page cuts it short
            title = f' title="{escape(self.text)}"'
        return f"<td{classes}{title}>{escape(self.text)}</td>"


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], total: int) -> str:
    """Return ``rows`` as a table; a note says if ``total`` is more than that."""
    if not rows:
        return '<p class="note">None.</p>'
    numeric = [cell.numeric for cell in rows[0]]
    head = "".join(
        f"<th{' class=n' if right else ''}>{escape(text)}</th>"
        for text, right in zip(heads, numeric, strict=True)
    )
    body = "".join(f"<tr>{''.join(cell.html() for cell in row)}</tr>" for row in rows)
    note = ""
    if total > len(rows):
        note = f'<p class="note">The first {len(rows):,} of {total:,}.</p>'
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{whole}</div>{note}'


def strategies_table(result: RunResult) -> str:
    """Return the headline figures of each strategy."""
    heads = ["Strategy", "Capital", "Final equity", "Return", "Max drawdown"]
    heads += ["Sharpe ratio", "Commission", "Orders", "Fills"]
    rows = [
        [
            Cell(name),
            _number(grouped(part.capital)),
            _number(grouped(part.final_equity)),
            _signed(percent(part.total_return), part.total_return),
            _number(percent(part.max_drawdown)),
            _number(ratio(part.sharpe)),
            _number(grouped(part.commission)),
            _number(f"{part.orders:,}"),
            _number(f"{part.fills:,}"),
        ]
        for name, part in result.strategies.items()
    ]
    return table(heads, rows, len(rows))


def positions_table(result: RunResult, data: MarketData) -> str:
    """Return what is held at the end, by strategy where there are several."""
    parts = result.strategies or {"": result}
    rows = [
        [
            Cell(name),
            Cell(symbol),
            _number(decimal_text(units)),
            _number(*aligned([data.columns[symbol].series["close"][-1]], 2)),
        ]
        for name, part in parts.items()
        for symbol, units in part.positions.items()
    ]
    heads = ("Strategy", "Symbol", "Units", "Last close")
    return table(heads, rows[:ROWS_MAX], len(rows))


def round_trips_table(trips: pl.DataFrame) -> str:
    """Return the closed lots with what each earned."""
    shown = trips.head(ROWS_MAX)
    when = _moment_format([*shown["entry_time"], *shown["exit_time"]])
    gains, returns = list(shown["profit_and_loss"]), list(shown["return"])
    columns = {
        "Entry": [Cell(when(moment)) for moment in shown["entry_time"]],
        "Exit": [Cell(when(moment)) for moment in shown["exit_time"]],
        "Strategy": _texts(shown["strategy"]),
        "Symbol": _texts(shown["symbol"]),
        "Side": _texts(shown["side"]),
        "Quantity": _numbers(shown["quantity"]),
        "Entry price": _numbers(shown["entry_price"], 2),
        "Exit price": _numbers(shown["exit_price"], 2),
        "Fees": [_number(grouped(fees)) for fees in shown["fees"]],
        "Profit and loss": [_signed(grouped(gain), gain) for gain in gains],
        "Return": [_signed(percent(part), part) for part in returns],
    }
    return _of_columns(columns, len(trips))


def fills_table(trades: pl.DataFrame) -> str:
    """Return every fill."""
    shown = trades.head(ROWS_MAX)
    when = _moment_format(list(shown["time"]))
    signs = {Side.BUY.value: 1, Side.SELL.value: -1}
    columns = {
        "Time": [Cell(when(moment)) for moment in shown["time"]],
        "Strategy": _texts(shown["strategy"]),
        "Symbol": _texts(shown["symbol"]),
        "Side": [Cell(side, sign=signs[side]) for side in shown["side"]],
        "Quantity": _numbers(shown["quantity"]),
        "Price": _numbers(shown["price"], 2),
        "Fee": _numbers(shown["fee"], 2),
        "Order": _texts(shown["order_id"]),
    }
    return _of_columns(columns, len(trades))


def incidents_table(incidents: Sequence[Incident]) -> str:
    """Return what happened to the engine."""
    shown = incidents[:ROWS_MAX]
    when = _moment_format([each.at for each in shown if each.at is not None])
    rows = [
        [
            Cell(when(each.at) if each.at is not None else "before the first bar"),
            _number(str(each.epoch)),
            Cell(each.what),
            Cell(each.where),
            Cell(each.why),
        ]
        for each in shown
    ]
    heads = ("Market time", "Start", "What", "Where", "Why")
    return table(heads, rows, len(incidents))


def details_list(details: Mapping[str, str]) -> str:
    """Return names and values as a list of definitions."""
    pairs = (
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in details.items()
    )
    return f"<dl>{''.join(pairs)}</dl>"


def _of_columns(columns: Mapping[str, Sequence[Cell]], total: int) -> str:
    rows = list(zip(*columns.values(), strict=True))
    return table(list(columns), rows, total)


def _texts(values: Iterable[str]) -> list[Cell]:
    return [Cell(value) for value in values]


def _numbers(values: Iterable[float], fewest: int = 0) -> list[Cell]:
    return [_number(text) for text in aligned(values, fewest)]


def _number(text: str) -> Cell:
    return Cell(text, numeric=True)


def _signed(text: str, number: float | None) -> Cell:
    sign = (number > 0) - (number < 0) if number is not None else 0
    return Cell(text, numeric=True, sign=sign)


def _moment_format(moments: Iterable[datetime]) -> Callable[[datetime], str]:
    """Return how moments are written: the day alone if all are at midnight."""
    times = {moment.time() for moment in moments}
    if times <= {time()}:
        return lambda moment: moment.strftime("%Y-%m-%d")
    pattern = "%Y-%m-%d %H:%M"
    if any(each.second or each.microsecond for each in times):
        pattern += ":%S"
    return lambda moment: moment.strftime(pattern)
