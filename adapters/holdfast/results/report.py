"""The HTML report of a run: one file that needs nothing else, online or off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from holdfast.results.charts import equity_figure, price_figures
from holdfast.results.incidents import incidents_of
from holdfast.results.measure import RunResult
from holdfast.results.tables import (
    details_list,
    fills_table,
    incidents_table,
    positions_table,
    round_trips_table,
    strategies_table,
)
from holdfast.results.tiles import span_of, tiles
from holdfast_adapters.files import written_whole
from holdfast_domain.errors import InputError
from holdfast_domain.events import Entry
from holdfast_domain.marketdata import MarketData

REPORT_NAME = "report.html"
"""What the report is called in a directory."""


def write_report(
    result: RunResult,
    entries: Iterable[Entry],
    data: MarketData,
    target: Path,
    *,
    title: str,
    details: Mapping[str, str],
) -> Path:
    """Write the report of ``result`` and return its path; blocks.

    ``target`` is a file if its name ends in ``.html``, else a directory for a file
    `REPORT_NAME`; what is missing of it is made. From ``entries`` come the restarts
    and halts, ``details`` are shown as they are. An old report is replaced whole.

    Raises:
        InputError: plotly is not installed, or ``target`` cannot be written.
    """
    library = _plotly_js()
    path = target if target.suffix == ".html" else target / REPORT_NAME
    page = Template(_resource("page.html")).substitute(
        _parts(result, entries, data, details), title=escape(title), plotly=library
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(page)
    except OSError as error:
        came, todo = error.strerror or str(error), "name another place for the report"
        raise InputError(str(path), "a file to write to", came, todo) from error
    return path


def _plotly_js() -> str:
    try:
        # It takes a moment to import, and a run without a report does without it.
        from plotly.offline import get_plotlyjs  # noqa: PLC0415
    except ImportError as error:
        todo = "install it with: pip install 'holdfast[report]'"
        raise InputError("report", "plotly", "no such package", todo) from error
    return str(get_plotlyjs())


def _parts(
    result: RunResult,
    entries: Iterable[Entry],
    data: MarketData,
    details: Mapping[str, str],
) -> dict[str, str]:
    """Return what stands in the places of the page, as HTML."""
    prices = price_figures(result, data)
    incidents = incidents_table(incidents_of(entries))
    return {
        "subtitle": escape(span_of(result)),
        "css": _resource("page.css"),
        "tiles": tiles(result),
        "strategies": _card("Strategies", _strategies(result)),
        "options": "".join(_option(figure["symbol"]) for figure in prices),
        "left_out": _left_out(len(prices), len(data.symbols)),
        "trips": _card("Trades", round_trips_table(result.round_trips)),
        "fills": _card("Fills", fills_table(result.trades)),
        "positions": _card("Open positions", positions_table(result, data)),
        "incidents": _card("Restarts and halts", incidents, "wide"),
        "details": _card("Details", details_list(_all_details(details, data))),
        "figures": _json({"equity": equity_figure(result), "prices": prices}),
        "script": _resource("page.js"),
    }


def _option(symbol: str) -> str:
    return f"<option>{escape(symbol)}</option>"


def _strategies(result: RunResult) -> str:
    return strategies_table(result) if len(result.strategies) > 1 else ""


def _all_details(details: Mapping[str, str], data: MarketData) -> dict[str, str]:
    known = {"Data digest": data.digest} if data.digest else {}
    return {**known, **details}


def _card(head: str, body: str, kind: str = "") -> str:
    if not body:
        return ""
    names = f"card {kind}".strip()
    return f'<section class="{names}"><h2>{escape(head)}</h2>{body}</section>'


def _left_out(shown: int, symbols: int) -> str:
    if shown == symbols:
        return ""
    return f"The {shown:,} most traded of {symbols:,} symbols can be chosen."


def _json(value: object) -> str:
    """Return ``value`` as JSON that cannot end the script element it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _resource(name: str) -> str:
    return (files("holdfast.results") / name).read_text(encoding="utf-8")
