"""Draws who says what to whom, as two charts: `python docs/images/draw_flows.py`."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

LEFT, TOP, COLUMN_W, ROW_H = 78, 84, 182, 42


class Said(NamedTuple):
    """One message, from one column to another; the same column is a note."""

    sender: str
    receiver: str
    text: str
    dashed: bool = False


class Chart(NamedTuple):
    """One picture."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Said, ...]


ORDER_FLOW = Chart(
    "order_flow.svg",
    "One order from slice to fill",
    ("replay", "strategy", "guard", "orders", "journal", "session", "venue", "ledger"),
    (
        Said("replay", "strategy", "Slice"),
        Said("strategy", "guard", "Decision (turn 0)"),
        Said("guard", "guard", "judges and reserves"),
        Said("guard", "orders", "Vetted"),
        Said("orders", "journal", "DecisionMade, OrderIntended"),
        Said("journal", "journal", "durable"),
        Said("journal", "orders", "hold let out", dashed=True),
        Said("orders", "session", "Submit"),
        Said("session", "venue", "one attempt"),
        Said("venue", "venue", "own file first"),
        Said("venue", "session", "Acked"),
        Said("session", "orders", "Evidence (turn 1)"),
        Said("orders", "journal", "OrderAccepted"),
        Said("replay", "session", "Advance: the next step"),
        Said("venue", "session", "Executed"),
        Said("session", "orders", "Evidence (turn 1)"),
        Said("orders", "journal", "OrderFilled"),
        Said("journal", "ledger", "Committed"),
        Said("journal", "guard", "Committed"),
        Said("journal", "strategy", "Committed: on_order_fill"),
        Said("replay", "replay", "NextStep (turn 2)"),
    ),
)
RECOVERY = Chart(
    "recovery.svg",
    "After kill -9",
    ("journal", "orders", "guard", "session", "venue", "strategy", "replay"),
    (
        Said("journal", "journal", "read and checked"),
        Said("journal", "orders", "replay", dashed=True),
        Said("journal", "guard", "replay", dashed=True),
        Said("orders", "journal", "OrderUnknown for each INTENT"),
        Said("session", "venue", "connect, resume(cursor)"),
        Said("session", "orders", "SessionUp"),
        Said("orders", "session", "AskGap(watermark)"),
        Said("venue", "session", "executions since"),
        Said("session", "orders", "Evidence"),
        Said("orders", "session", "LookUp for each in doubt"),
        Said("venue", "session", "history, or absence"),
        Said("session", "orders", "Evidence"),
        Said("orders", "journal", "accepted, filled or not sent"),
        Said("orders", "guard", "Readmit what was not sent"),
        Said("journal", "strategy", "last decision", dashed=True),
        Said("strategy", "strategy", "re-fed to the cursor"),
        Said("replay", "replay", "goes on"),
    ),
)
FENCE = Chart(
    "fence.svg",
    "An engine is replaced",
    ("old engine", "lock", "venue", "new engine"),
    (
        Said("old engine", "lock", "epoch 1"),
        Said("old engine", "venue", "hello, epoch 1"),
        Said("old engine", "old engine", "hangs"),
        Said("new engine", "lock", "taken: refused, status 2", dashed=True),
        Said("new engine", "lock", "--take-over: epoch 2"),
        Said("new engine", "venue", "hello, epoch 2"),
        Said("venue", "old engine", "connection ended"),
        Said("venue", "venue", "fence: 2"),
        Said("venue", "new engine", "welcome"),
        Said("old engine", "old engine", "goes on"),
        Said("old engine", "lock", "another's: nothing is sent", dashed=True),
        Said("old engine", "venue", "hello, epoch 1"),
        Said("venue", "old engine", "fenced off"),
        Said("old engine", "old engine", "Halted, status 1"),
    ),
)
BRACKET = Chart(
    "bracket.svg",
    "One bracket of a reconciliation",
    ("reconciler", "session", "venue", "orders", "ledger", "journal"),
    (
        Said("reconciler", "orders", "AskOrders: from where to ask"),
        Said("reconciler", "session", "AskVenue: executions"),
        Said("session", "venue", "executions since"),
        Said("session", "orders", "Evidence: what is not booked"),
        Said("orders", "journal", "OrderFilled, ExternalFilled"),
        Said("reconciler", "session", "executions, until two are equal"),
        Said("reconciler", "ledger", "AskBooks"),
        Said("reconciler", "session", "open orders, positions, cash"),
        Said("reconciler", "session", "executions: the same?"),
        Said("reconciler", "orders", "AskOrders: all booked?"),
        Said("reconciler", "ledger", "AskBooks: nothing moved?"),
        Said("reconciler", "reconciler", "compares; again if it differs"),
        Said("reconciler", "journal", "BooksAdjusted, Reconciled"),
        Said("journal", "ledger", "Committed", dashed=True),
        Said("reconciler", "orders", "Suspect", dashed=True),
    ),
)
STYLE = """
text{font-family:system-ui,sans-serif;text-anchor:middle;fill:#1b2733;font-size:13px}
.who{fill:#fff;font-weight:600}.head{fill:#23405c}.life{stroke:#c5d0da}
.said{paint-order:stroke;stroke:#fff;stroke-width:5px;font-size:12.5px}
.arrow{stroke:#3b78b5;stroke-width:1.6;marker-end:url(#tip)}
.dashed{stroke-dasharray:5 4}
.note{fill:#e8f1fb;stroke:#3b78b5}
"""
TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" fill="#3b78b5"/></marker>'
    "</defs>"
)


def x_of(chart: Chart, name: str) -> int:
    """Return the middle of a column."""
    return LEFT + chart.columns.index(name) * COLUMN_W


def head(chart: Chart, name: str, bottom: int) -> str:
    """Return a column's name and its line."""
    x = x_of(chart, name)
    return (
        f'<line class="life" x1="{x}" y1="52" x2="{x}" y2="{bottom}"/>'
        f'<rect class="head" x="{x - 54}" y="20" width="108" height="32" rx="8"/>'
        f'<text class="who" x="{x}" y="41">{escape(name)}</text>'
    )


def row(chart: Chart, number: int, said: Said) -> str:
    """Return one message, or a note."""
    start, end = x_of(chart, said.sender), x_of(chart, said.receiver)
    y = TOP + number * ROW_H
    if start == end:
        half = 4 * len(said.text)
        return (
            f'<rect class="note" x="{start - half}" y="{y - 13}" width="{2 * half}" '
            f'height="24" rx="6"/><text x="{start}" y="{y + 4}">'
            f"{escape(said.text)}</text>"
        )
    kind = "arrow dashed" if said.dashed else "arrow"
    return (
        f'<line class="{kind}" x1="{start}" y1="{y}" x2="{end}" y2="{y}"/>'
        f'<text class="said" x="{(start + end) // 2}" y="{y - 7}">'
        f"{escape(said.text)}</text>"
    )


def draw(chart: Chart) -> str:
    """Return the picture as SVG."""
    width = 2 * LEFT + (len(chart.columns) - 1) * COLUMN_W
    height = TOP + len(chart.rows) * ROW_H
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        f"<style>{STYLE}</style>{TIP}",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(head(chart, name, height - 16) for name in chart.columns),
        *(row(chart, number, said) for number, said in enumerate(chart.rows)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


CHARTS = (ORDER_FLOW, RECOVERY, FENCE, BRACKET)

if __name__ == "__main__":
    for each in CHARTS:
        Path(__file__).with_name(each.name).write_text(draw(each), encoding="utf-8")
