"""Draws the life of an order from its table: `python docs/images/draw_order_life.py`.

What is drawn comes from `TRANSITIONS`; only the places of the boxes are chosen here. A
state without a place stops the script, so the picture cannot leave one out.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape
from pathlib import Path
from typing import NamedTuple

from holdfast_domain.orders import TERMINAL, TRANSITIONS, Cause, OrderState

TARGET = Path(__file__).with_name("order_life.svg")
WIDTH, HEIGHT = 1474, 740
BOX_W, BOX_H = 168, 50
S = OrderState

PLACES: dict[OrderState, tuple[int, int]] = {
    S.NEW: (104, 340),
    S.REFUSED: (104, 170),
    S.INTENT: (354, 340),
    S.NOT_SENT: (354, 570),
    S.NOT_PLACED: (104, 570),
    S.SENT: (604, 340),
    S.ACCEPTED: (824, 340),
    S.PARTIALLY_FILLED: (1124, 340),
    S.REPLACE_PENDING: (924, 180),
    S.CANCEL_PENDING: (924, 500),
    S.UNKNOWN: (634, 640),
    S.FILLED: (1370, 230),
    S.CANCELED: (1370, 330),
    S.EXPIRED: (1370, 430),
    S.REJECTED: (1370, 530),
}
BENDS: dict[tuple[OrderState, OrderState], int] = {
    (S.SENT, S.PARTIALLY_FILLED): -580,
    (S.UNKNOWN, S.PARTIALLY_FILLED): 250,
    (S.ACCEPTED, S.REPLACE_PENDING): -70,
    (S.REPLACE_PENDING, S.ACCEPTED): -10,
    (S.ACCEPTED, S.CANCEL_PENDING): 70,
    (S.CANCEL_PENDING, S.ACCEPTED): 10,
}
"""How far a curve leaves the straight line, in pixels to its right."""

LABELS_AT: dict[tuple[OrderState, OrderState], float] = {
    (S.REPLACE_PENDING, S.CANCEL_PENDING): 0.63,
    (S.ACCEPTED, S.PARTIALLY_FILLED): 0.6,
    (S.REPLACE_PENDING, S.ACCEPTED): 0.6,
    (S.CANCEL_PENDING, S.ACCEPTED): 0.6,
    (S.SENT, S.NOT_SENT): 0.36,
    (S.INTENT, S.UNKNOWN): 0.78,
    (S.UNKNOWN, S.ACCEPTED): 0.4,
    (S.UNKNOWN, S.PARTIALLY_FILLED): 0.4,
    (S.SENT, S.PARTIALLY_FILLED): 0.3,
}
"""Where on its curve a label stands; in the middle if not said."""

Edges = dict[tuple[OrderState, OrderState], list[Cause]]
Stays = dict[OrderState, list[Cause]]
Common = dict[Cause, OrderState]


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


def frame_of() -> list[OrderState]:
    """Return the states that a venue can end: they share most of their rows."""
    return [state for state in S if (state, Cause.LAST_FILL) in TRANSITIONS]


def sorted_rows() -> tuple[Edges, Stays, Common]:
    """Return the arrows, what keeps a state, and the rows that framed states share."""
    framed = frame_of()
    common = {
        cause: TRANSITIONS[framed[0], cause]
        for cause in Cause
        if len({TRANSITIONS.get((state, cause)) for state in framed}) == 1
        and (framed[0], cause) in TRANSITIONS
    }
    arrows: Edges = defaultdict(list)
    stays: Stays = defaultdict(list)
    for (before, cause), after in TRANSITIONS.items():
        if before in framed and cause in common:
            continue
        if before is after:
            stays[before].append(cause)
        else:
            arrows[before, after].append(cause)
    return arrows, stays, common


def border(center: Point, towards: Point) -> Point:
    """Return where the line from ``center`` leaves its box."""
    dx, dy = towards.x - center.x, towards.y - center.y
    reach = max(abs(dx) / (BOX_W / 2), abs(dy) / (BOX_H / 2), 0.001)
    return Point(center.x + dx / reach, center.y + dy / reach)


def arrow(before: OrderState, after: OrderState, causes: list[Cause]) -> str:
    """Return one curve with its causes."""
    start, end = Point(*PLACES[before]), Point(*PLACES[after])
    dx, dy = end.x - start.x, end.y - start.y
    length = (dx * dx + dy * dy) ** 0.5
    bend = BENDS.get((before, after), 0)
    middle = Point(
        (start.x + end.x) / 2 - dy / length * bend,
        (start.y + end.y) / 2 + dx / length * bend,
    )
    first, last = border(start, middle), border(end, middle)
    at = LABELS_AT.get((before, after), 0.5)
    axes = zip(first, middle, last, strict=True)
    label = Point(*(_on_curve(at, *axis) for axis in axes))
    curve = f"M{first.x:.0f} {first.y:.0f} Q{middle.x:.0f} {middle.y:.0f} "
    return f'<path class="arrow" d="{curve}{last.x:.0f} {last.y:.0f}"/>' + text(
        label, [cause.value for cause in causes], "cause"
    )


def _on_curve(at: float, first: float, middle: float, last: float) -> float:
    return (1 - at) ** 2 * first + 2 * at * (1 - at) * middle + at**2 * last


def text(at: Point, lines: list[str], kind: str) -> str:
    """Return lines of text that are centered at a point."""
    top = at.y + 4 - (len(lines) - 1) * 7
    return "".join(
        f'<text class="{kind}" x="{at.x:.0f}" y="{top + 14 * row:.0f}">'
        f"{escape(line)}</text>"
        for row, line in enumerate(lines)
    )


def box(state: OrderState, stays: list[Cause]) -> str:
    """Return a state, with the causes that keep it below its name."""
    at = Point(*PLACES[state])
    kind = "end" if state in TERMINAL else "doubt" if state is S.UNKNOWN else "open"
    name = text(Point(at.x, at.y - (7 if stays else 0)), [state.name], "name")
    kept = f"stays on {', '.join(cause.value for cause in stays)}" if stays else ""
    return (
        f'<rect class="{kind}" x="{at.x - BOX_W / 2:.0f}" y="{at.y - BOX_H / 2:.0f}" '
        f'width="{BOX_W}" height="{BOX_H}" rx="9"/>{name}'
        + (text(Point(at.x, at.y + 12), [kept], "kept") if kept else "")
    )


def frame(common: Common) -> str:
    """Return the frame round the states that share rows, and its arrows."""
    left, top, right, bottom = 484, 24, 1238, 708
    inside = [
        f"{cause.value} leads from each of them to {after.name}"
        for cause, after in common.items()
        if after in frame_of()
    ]
    parts = [
        f'<rect class="frame" x="{left}" y="{top}" width="{right - left}" '
        f'height="{bottom - top}" rx="16"/>',
        f'<text class="head" x="{left + 18}" y="{bottom - 16}">'
        f"the venue may have it; {'; '.join(inside)}</text>",
    ]
    for cause, after in common.items():
        if after not in frame_of():
            x, y = PLACES[after]
            line = f"M{right} {y} L{x - BOX_W // 2} {y}"
            parts.append(f'<path class="arrow" d="{line}"/>')
            label = Point(x, y - BOX_H / 2 - 10)
            parts.append(text(label, [cause.value], "cause"))
    return "".join(parts)


STYLE = """
text{font-family:system-ui,sans-serif;fill:#1b2733;text-anchor:middle}
.name{font-size:14px;font-weight:600}.kept{font-size:10.5px;fill:#52606d}
.cause{font-size:12px;fill:#33506b;paint-order:stroke;stroke:#fff;stroke-width:5px}
.head{font-size:13px;text-anchor:start;fill:#52606d}
.arrow{fill:none;stroke:#7b8a9a;stroke-width:1.5;marker-end:url(#tip)}
rect{stroke-width:1.5}.open{fill:#e8f1fb;stroke:#3b78b5}
.end{fill:#eef0f2;stroke:#7b8a9a}
.doubt{fill:#fdf0d8;stroke:#c98a1b}
.frame{fill:#fbfcfe;stroke:#b9c6d3;stroke-dasharray:6 5}
"""
TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
    'markerHeight="8" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" '
    'fill="#7b8a9a"/></marker></defs>'
)


def draw() -> str:
    """Return the picture as SVG."""
    arrows, stays, common = sorted_rows()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img">',
        "<title>The life of an order</title>",
        f"<style>{STYLE}</style>{TIP}",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        frame(common),
        *(arrow(*ends, causes) for ends, causes in arrows.items()),
        *(box(state, stays[state]) for state in S),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
