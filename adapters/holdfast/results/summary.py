"""The result of a run for the terminal: one table, a column for each strategy."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.results.measure import RunResult
from holdfast.results.numbers import decimal_text, grouped, percent, ratio

COLUMNS_MAX = 6
"""Strategies shown side by side; with more of them each gets a row instead."""

_LABELS = (
    "Final equity",
    "Profit and loss",
    "Total return",
    "Max drawdown",
    "Sharpe ratio",
    "Cash",
    "Commission",
    "Orders",
    "Fills",
    "Positions",
)
_SHORT = ("Final equity", "Total return", "Max drawdown", "Sharpe ratio", "Fills")


def summary(result: RunResult) -> RenderableType:
    """Return the headline figures of ``result`` as a table with its strategies."""
    names = list(result.strategies) if len(result.strategies) > 1 else []
    layout = _rows if len(names) > COLUMNS_MAX else _columns
    return Group(layout(result, names), _speed(result))


def _columns(result: RunResult, names: list[str]) -> Table:
    table = _table()
    table.add_column("", style="dim")
    table.add_column(_whole(result), justify="right", style="bold")
    for name in names:
        table.add_column(Text(name), justify="right")
    shown = [_figures(result), *(_figures(result.strategies[name]) for name in names)]
    for label in _LABELS:
        table.add_row(label, *(figures[label] for figures in shown))
    return table


def _rows(result: RunResult, names: list[str]) -> Table:
    table = _table()
    table.add_column("", style="dim")
    for label in _SHORT:
        table.add_column(label, justify="right")
    parts = [(_whole(result), result)]
    parts += [(Text(name), result.strategies[name]) for name in names]
    for name, part in parts:
        figures = _figures(part)
        table.add_row(name, *(figures[label] for label in _SHORT))
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")


def _whole(result: RunResult) -> Text:
    return Text("All together" if len(result.strategies) > 1 else "Result")


def _figures(result: RunResult) -> dict[str, Text]:
    gain = float(result.final_equity - result.capital)
    held = [f"{name} {decimal_text(n)}" for name, n in result.positions.items()]
    return {
        "Final equity": Text(f"{grouped(result.final_equity)} {result.currency}"),
        "Profit and loss": _signed(f"{grouped(gain)} {result.currency}", gain),
        "Total return": _signed(percent(result.total_return), result.total_return),
        "Max drawdown": Text(percent(result.max_drawdown)),
        "Sharpe ratio": Text(ratio(result.sharpe)),
        "Cash": Text(f"{grouped(result.cash)} {result.currency}"),
        "Commission": Text(f"{grouped(result.commission)} {result.currency}"),
        "Orders": Text(f"{result.orders:,}"),
        "Fills": Text(f"{result.fills:,}"),
        "Positions": Text("\n".join(held) or "none"),
    }


def _signed(text: str, number: float | None) -> Text:
    if not number:
        return Text(text)
    return Text(f"+{text}", style="green") if number > 0 else Text(text, style="red")


def _speed(result: RunResult) -> Text:
    pace = result.bars_per_s
    tail = f", {pace:,.0f} bars/s" if pace is not None else ""
    return Text(f"\n{result.bars:,} bars{tail}", style="dim")
