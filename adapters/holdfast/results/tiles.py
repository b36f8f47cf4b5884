"""The headline figures at the top of the report."""

from __future__ import annotations

from html import escape

import polars as pl

from holdfast.results.measure import RunResult
from holdfast.results.numbers import grouped, percent, ratio


def tiles(result: RunResult) -> str:
    """Return the headline figures as HTML."""
    gain = float(result.final_equity - result.capital)
    money = result.currency
    pace = result.bars_per_s
    shown = [
        _tile("Final equity", f"{grouped(result.final_equity)}", money),
        _tile(
            "Total return",
            percent(result.total_return),
            f"{grouped(gain)} {money}",
            (gain > 0) - (gain < 0),
        ),
        _tile("Max drawdown", percent(result.max_drawdown), _trough(result)),
        _tile("Sharpe ratio", ratio(result.sharpe), "daily returns, annualised"),
        _tile("Trades", f"{len(result.round_trips):,}", _wins(result.round_trips)),
        _tile("Fills", f"{result.fills:,}", f"from {result.orders:,} orders"),
        _tile("Commission", grouped(result.commission), money),
        _tile(
            "Bars",
            f"{result.bars:,}",
            f"{pace:,.0f} a second" if pace is not None else "",
        ),
    ]
    return "".join(shown)


def span_of(result: RunResult) -> str:
    """Return from when to when the run went, and with how much."""
    capital = f"{grouped(result.capital)} {result.currency} to begin with"
    stamps = result.equity["timestamp"]
    if not len(stamps):
        return capital
    first, last = (stamp.strftime("%Y-%m-%d") for stamp in (stamps[0], stamps[-1]))
    return f"{first} to {last} · {capital}"


def _tile(label: str, value: str, beneath: str, sign: int = 0) -> str:
    tone = {1: " up", -1: " down"}.get(sign, "")
    return (
        f'<div class="tile"><span class="label">{escape(label)}</span>'
        f'<span class="value{tone}">{escape(value)}</span>'
        f'<span class="beneath">{escape(beneath)}</span></div>'
    )


def _trough(result: RunResult) -> str:
    if not result.max_drawdown:
        return ""
    row = result.equity["drawdown"].arg_min() or 0
    return f"lowest on {result.equity['timestamp'][row]:%Y-%m-%d}"


def _wins(trips: pl.DataFrame) -> str:
    if not len(trips):
        return "none closed"
    won = int((trips["profit_and_loss"] > 0).sum())
    return f"{percent(won / len(trips))} of them won"
