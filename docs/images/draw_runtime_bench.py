"""Draws the runtime beside its peers, as `make bench` measured them.

Usage: ``make bench``, and then ``.venv/bin/python docs/images/draw_runtime_bench.py``.
It takes what it shows from ``build/bench.json``, and the machine that it runs on, and
keeps both beside the picture: measure and draw on one machine. One run must have all
that the picture shows; otherwise picture and figures stay as they are.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "build" / "bench.json"
KEPT = Path(__file__).with_name("runtime_bench.json")
TARGET = Path(__file__).with_name("runtime_bench.svg")
WIDTH, LEFT, BAR_W, ROW_H, GAP = 860, 210, 440, 22, 46
TOP = 94
HUNDRED, MILLION = 100, 1_000_000


class Chart(NamedTuple):
    """One figure, with what it says."""

    id: str
    title: str
    bar: float
    """What we promise: `docs/design.md` has it from the start."""


CHARTS = (
    Chart(
        "tell",
        "Messages told to one actor, each second",
        1.0 * MILLION,
    ),
    Chart("ask", "Question and answer with a deadline, µs", 12),
    Chart("restart_one_of_10k", "Restart of one among 10 000, µs", 60),
    Chart("mass_restart_10k", "Restart of 10 000 at once, µs for each", 0),
    Chart("actor_bytes", "Memory of an idle actor, bytes", 8_192),
    Chart("kill_behind_backlog", "Kill switch behind 300 000 messages, ms", 50),
    Chart(
        "sim_deliveries",
        "Deliveries of the simulated engine, each second",
        1.5 * MILLION,
    ),
    Chart("live_ticks", "Ticks to a live strategy, each second", 5.0e5),
    Chart("thread_round_trip", "A call that blocks, on a thread and back, µs", 0),
    Chart("asyncio_round_trip", "A call in an asyncio loop and back, µs", 0),
    *(
        Chart(
            f"flood_memory_{policy}",
            f"Memory of ten times the flood, as a multiple ({policy})",
            0,
        )
        for policy in ("block", "drop_oldest", "conflate", "crash")
    ),
)

Row = dict[str, object]


def bars_of(chart: Chart, rows: list[Row]) -> list[tuple[str, float]]:
    """Return who has which figure, ours first; none if it was not measured."""
    mine = [row for row in rows if row["id"] == chart.id]
    if not mine:
        return []
    theirs = [
        (str(row["peer"]), float(str(row["peers"])))
        for row in mine
        if row["peers"] is not None
    ]
    return [("Holdfast", float(str(mine[0]["ours"]))), *theirs]


def shown(number: float) -> str:
    """Return a figure as one reads it."""
    if number >= MILLION:
        return f"{number / MILLION:.2f} M"
    return f"{number:,.0f}".replace(",", " ") if number >= HUNDRED else f"{number:.3g}"


def chart_lines(chart: Chart, bars: list[tuple[str, float]], top: int) -> Iterator[str]:
    """Yield one chart, its first bar at ``top``."""
    most = max(value for _, value in bars)
    most = max(most, chart.bar)
    yield f'<text class="title" x="24" y="{top - 10}">{escape(chart.title)}</text>'
    if chart.bar:
        x = LEFT + chart.bar / most * BAR_W
        bottom = top + len(bars) * ROW_H
        yield (
            f'<line x1="{x:.1f}" y1="{top - 4}" x2="{x:.1f}" y2="{bottom - 2}"/>'
            f'<text class="bar" x="{WIDTH - 24}" y="{top - 10}">'
            f"bar: {shown(chart.bar)}</text>"
        )
    for number, (name, value) in enumerate(bars):
        y = top + number * ROW_H
        width = max(2.0, value / most * BAR_W)
        kind = "peer" if number else "ours"
        yield (
            f'<text class="who" x="{LEFT - 10}" y="{y + 13}">{escape(name)}</text>'
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="16"/>'
            f'<text class="value" x="{LEFT + width + 8:.1f}" y="{y + 13}">'
            f"{shown(value)}</text>"
        )


def machine() -> str:
    """Return what this was measured on."""
    return (
        f"Medians of one make bench on {os.cpu_count()} cores that others use too "
        f"(load {os.getloadavg()[0]:.1f}), "
        f"{platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}."
    )


STYLE = """
text{font-family:system-ui,sans-serif;font-size:13px;fill:#1b2733}
.head{font-size:17px;font-weight:600}.title{font-weight:600}
.who{text-anchor:end;fill:#52606d}.value{paint-order:stroke;stroke:#fff;stroke-width:4px}
.bar{text-anchor:end;fill:#b5443b}line{stroke:#b5443b;stroke-dasharray:4 3}
.ours{fill:#23405c}.peer{fill:#9fb8d1}.note{fill:#52606d;font-size:12px}
"""


def kept() -> dict[str, Any]:
    """Return what was measured when the picture was last drawn anew."""
    found: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def measured() -> dict[str, Any]:
    """Return the newest figures, and the machine's description."""
    if not SOURCE.exists():
        message = f"expected {SOURCE}, was nothing; run make bench first"
        raise SystemExit(message)
    shown_ids = {chart.id for chart in CHARTS}
    rows = [row for row in json.loads(SOURCE.read_text()) if row["id"] in shown_ids]
    missing = sorted(shown_ids - {row["id"] for row in rows})
    if missing:
        message = (
            f"expected all figures in one run, was one without {', '.join(missing)}; "
            "run make bench without --only"
        )
        raise SystemExit(message)
    return {"machine": machine(), "rows": rows}


def draw(figures: dict[str, Any]) -> str:
    """Return the picture as SVG."""
    rows = figures["rows"]
    parts, y = [], TOP + 24
    for chart in CHARTS:
        bars = bars_of(chart, rows)
        if not bars:
            # Measured since the picture was last drawn.
            continue
        parts.extend(chart_lines(chart, bars, y))
        y += len(bars) * ROW_H + GAP
    title = "The runtime beside its peers"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" '
            f'width="{WIDTH}" height="{y}" role="img">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>',
            f'<text class="head" x="24" y="32">{title}</text>',
            f'<text class="note" x="24" y="54">{escape(figures["machine"])}</text>',
            '<text class="note" x="24" y="72">Each second: more is better; '
            "all else: less. The dashed line is what we promise.</text>",
            *parts,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Draw the newest run, and keep its figures."""
    newest = measured()
    TARGET.write_text(draw(newest), encoding="utf-8")
    KEPT.write_text(json.dumps(newest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
