"""Draws the life of a line of a stream: `python docs/images/draw_stream_life.py`.

What is drawn comes from `TABLE`; only the places of the boxes are chosen here. A phase
without a place stops the script, so the picture cannot leave one out.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from holdfast_adapters.streams.phases import TABLE, Cause, Phase

TARGET = Path(__file__).with_name("stream_life.svg")
WIDTH, HEIGHT = 1330, 250
BOX_W, BOX_H, TOP = 112, 44, 70

PLACES: dict[Phase, int] = {
    Phase.WAITING: 70,
    Phase.OPENING: 240,
    Phase.HANDSHAKING: 410,
    Phase.LOGGING_IN: 580,
    Phase.SUBSCRIBING: 750,
    Phase.LIVE: 920,
    Phase.RETIRING: 1090,
    Phase.GONE: 1260,
}
"""The middle of each box, from the left."""

STYLE = """text { font: 13px sans-serif; fill: #222; text-anchor: middle }
.cause { font-size: 11px; fill: #555 }
rect { fill: #eef3f8; stroke: #47617b; rx: 6 }
path { fill: none; stroke: #47617b; marker-end: url(#head) }
.lost { stroke: #b04a3a; stroke-dasharray: 5 3 }"""
HEAD = """<defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="3"
orient="auto"><path d="M0 0 L7 3 L0 6 z" style="fill: #47617b; stroke: none"/></marker>
</defs>"""


def draw() -> str:
    """Return the picture."""
    parts = [_box(phase) for phase in Phase]
    causes: dict[tuple[Phase, Phase], list[str]] = {}
    for (before, cause), after in TABLE.items():
        if cause is not Cause.STOPPED:
            causes.setdefault((before, after), []).append(cause.value)
    for (before, after), names in causes.items():
        parts.append(_arrow(before, after, ", ".join(names)))
    parts.append(_text(WIDTH // 2, HEIGHT - 12, f"{_stopped()}: gone", "cause"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">\n'
        f"<style>{STYLE}</style>\n{HEAD}\n{body}\n</svg>\n"
    )


def _stopped() -> str:
    """Say from where a line can be stopped."""
    anywhere = all((phase, Cause.STOPPED) in TABLE for phase in Phase)
    return "stopped, from anywhere" if anywhere else "stopped, from some"


def _box(phase: Phase) -> str:
    x = PLACES[phase]
    box = f'<rect x="{x - BOX_W // 2}" y="{TOP}" width="{BOX_W}" height="{BOX_H}"/>'
    return box + _text(x, TOP + BOX_H // 2 + 5, phase.value, "phase")


def _arrow(before: Phase, after: Phase, label: str) -> str:
    start, end = PLACES[before], PLACES[after]
    if start < end:
        line = f'<path d="M{start + BOX_W // 2} {TOP + 22} H{end - BOX_W // 2}"/>'
        return line + _text((start + end) // 2, TOP - 12, label, "cause")
    low = TOP + BOX_H + 14 + (start - end) // 10
    curve = f"M{start} {TOP + BOX_H} C{start} {low + 20} {end} {low + 20} {end}"
    line = f'<path class="lost" d="{curve} {TOP + BOX_H}"/>'
    return line + _text(start - 26, TOP + BOX_H + 16, label, "cause")


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>'


if __name__ == "__main__":
    TARGET.write_text(draw())
