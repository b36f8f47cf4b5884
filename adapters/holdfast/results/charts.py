"""The report's charts as plotly's figure JSON: plain dicts, and no plotly needed.

Colours are left to the page, which knows whether it is light or dark: a trace names
its role in ``meta.role``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import polars as pl

from holdfast.results.measure import RunResult
from holdfast.results.thinning import evenly, thinned
from holdfast_domain.marketdata import MarketData
from holdfast_domain.orders import Side

SYMBOLS_MAX = 60
"""How many symbols get a price chart; those that traded most come first."""

MARKS_MAX = 1_500
"""How many buys, and how many sells, are marked on one price chart."""

Figure = dict[str, Any]


def equity_figure(result: RunResult) -> Figure:
    """Return equity over drawdown, with a line for each of several strategies."""
    several = len(result.strategies) > 1
    traces = [_line(result.equity, "equity", "total", "All together")]
    if several:
        traces += [
            _line(part.equity, "equity", f"part{index}", name)
            for index, (name, part) in enumerate(result.strategies.items())
        ]
    drawdown = _line(result.equity, "drawdown", "drawdown", "Drawdown")
    drawdown |= {"yaxis": "y2", "fill": "tozeroy", "showlegend": False}
    drawdown["hovertemplate"] = "%{y:.2%}<extra>Drawdown</extra>"
    layout = {
        "xaxis": {"type": "date", "anchor": "y2"},
        "yaxis": {
            "domain": [0.32, 1],
            "title": {"text": f"equity, {_literal(result.currency)}"},
            "tickformat": ",",
        },
        "yaxis2": {
            "domain": [0, 0.24],
            "title": {"text": "drawdown"},
            "tickformat": ".0%",
            "rangemode": "tozero",
        },
        "showlegend": several,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    }
    return {"data": [*traces, drawdown], "layout": layout}


def price_figures(result: RunResult, data: MarketData) -> list[Figure]:
    """Return for each symbol a figure of its closes with the fills marked.

    Each has a ``symbol`` and a ``note`` for people, which may be empty.
    """
    shown = _most_traded(result.trades, data.symbols)[:SYMBOLS_MAX]
    return [_price_figure(symbol, result.trades, data) for symbol in shown]


def _most_traded(trades: pl.DataFrame, symbols: Sequence[str]) -> list[str]:
    counts = dict(trades["symbol"].value_counts().iter_rows())
    return sorted(symbols, key=lambda symbol: -counts.get(symbol, 0))


def _price_figure(symbol: str, trades: pl.DataFrame, data: MarketData) -> Figure:
    closes = data.columns[symbol].frame
    fills = trades.filter(pl.col("symbol") == symbol)
    marks = [_marks(fills, side) for side in Side]
    price = _line(closes, "close", "price", "Close")
    layout = {
        "xaxis": {"type": "date"},
        "yaxis": {"title": {"text": f"{_literal(symbol)}, close"}},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    }
    return {
        "symbol": symbol,
        "note": _note(len(fills), sum(len(mark["x"]) for mark in marks)),
        "data": [price, *marks],
        "layout": layout,
    }


def _note(fills: int, marked: int) -> str:
    if marked < fills:
        return f"{marked:,} of {fills:,} fills are marked, evenly chosen."
    return f"{fills:,} fills." if fills != 1 else "1 fill."


def _line(frame: pl.DataFrame, column: str, role: str, name: str) -> Figure:
    short = thinned(frame.select("timestamp", column), column)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _literal(name),
        "meta": {"role": role},
        "x": _moments(short["timestamp"]),
        "y": _numbers(short[column]),
        "hovertemplate": f"%{{y:,.2f}}<extra>{_literal(name)}</extra>",
    }


def _marks(fills: pl.DataFrame, side: Side) -> Figure:
    some = evenly(fills.filter(pl.col("side") == side.value), MARKS_MAX)
    details = zip(_numbers(some["quantity"]), some["strategy"], strict=True)
    verb = side.value
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{verb}s",
        "meta": {"role": verb},
        "x": _moments(some["time"]),
        "y": _numbers(some["price"]),
        "customdata": [[quantity, _literal(name)] for quantity, name in details],
        "hovertemplate": f"{verb} %{{customdata[0]:,}} at %{{y:,.4~f}}"
        "<extra>%{customdata[1]}</extra>",
    }


def _literal(text: str) -> str:
    """Return ``text`` so that plotly shows it as it is: no tags, no templates."""
    return escape(text).replace("%", "&#37;").replace("{", "&#123;")


def _moments(stamps: pl.Series) -> list[int]:
    """Milliseconds since 1970 UTC: what plotly takes for a date."""
    return stamps.dt.epoch("ms").to_list()


def _numbers(values: Iterable[float]) -> list[float | None]:
    """Nine significant digits are more than a chart can show."""
    finite = (value if abs(value) < float("inf") else None for value in values)
    return [None if value is None else float(f"{value:.9g}") for value in finite]
