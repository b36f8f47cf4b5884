"""Draws the supervision tree from its spec: `python docs/images/draw_tree.py`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from holdfast.clocks import FixedClock
from holdfast.console.actor import Desk, console_spec
from holdfast_actors.clock import MarketClock
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_actors.strategy.actor import StrategyPlan
from holdfast_actors.strategy.api import Strategy
from holdfast_actors.tree import Parts, build_tree
from holdfast_actors.vetting import Limits
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain.marketdata import MarketData
from holdfast_runtime import ActorSpec, SupervisorSpec
from holdfast_runtime.threads import InlineHost

TARGET = Path(__file__).with_name("tree.svg")
WIDTH, ROW_H, INDENT = 940, 40, 36
BOX_H = 28

SAYS = {
    "journal": "the one writer; commits in groups, then tells its readers",
    "orders": "the life of every order; the only way to a venue",
    "ledger": "double entry; a sub-ledger for each strategy",
    "guard": "reservations, limits, the kill switch",
    "session": "one connection to one venue",
    "replay": "publishes recorded bars, step by step",
    "strategy": "runs one strategy; restored from its last decision",
    "scheduler": "cron and market open or close",
    "reconciler": "compares the books with the venues, edits nothing",
    "console": "the control socket",
}
"""What each actor is for; one without a line stops the script."""


def spec() -> SupervisorSpec:
    """Return the tree of a run on paper with two strategies; nothing of it runs."""
    outside: Any = None
    desk = Desk(mode="paper", pid=0, directory=StateDir(Path()))
    plans = tuple(
        StrategyPlan(
            name=name, index=index, make=Strategy, params={}, capital=Decimal(0)
        )
        for index, name in enumerate(("SmaCross", "BuyAndHold"), start=1)
    )
    return build_tree(
        Parts(
            data=MarketData({}),
            instruments={},
            calendars=outside,
            limits=Limits(),
            plans=plans,
            store=MemoryJournal(),
            journal_host=InlineHost(),
            venues={"paper": outside},
            reconciling=ReconcilePlan(),
            wall=FixedClock(),
            engine=0,
            epoch=1,
            clock=MarketClock(),
            finished=outside,
            recovery=outside,
            more=(console_spec(desk),),
        )
    )


def rows(
    child: ActorSpec | SupervisorSpec, depth: int = 0
) -> Iterator[tuple[int, ActorSpec | SupervisorSpec]]:
    """Yield each child with its depth, families before their children."""
    yield depth, child
    if isinstance(child, SupervisorSpec):
        for each in child.children:
            yield from rows(each, depth + 1)


def line(row: int, depth: int, child: ActorSpec | SupervisorSpec) -> str:
    """Return the box of one child and what is said of it."""
    x, y = 20 + depth * INDENT, 20 + row * ROW_H
    width = 34 + 9 * len(child.name)
    if isinstance(child, SupervisorSpec):
        kind = "family"
        says = f"{child.strategy.value}, beyond its limit it {child.beyond.value}s"
    else:
        kind, says = "actor", SAYS[child.name]
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{BOX_H}" '
        f'rx="8"/>'
        f'<text class="{kind}name" x="{x + width / 2}" y="{y + 19}">{child.name}</text>'
        f'<text class="says" x="{x + width + 14}" y="{y + 19}">{escape(says)}</text>'
    )


def twigs(found: list[tuple[int, ActorSpec | SupervisorSpec]]) -> Iterator[str]:
    """Yield the lines from each family to its children."""
    for row, (depth, _) in enumerate(found):
        if not depth:
            continue
        above = max(r for r in range(row) if found[r][0] == depth - 1)
        x = 20 + (depth - 1) * INDENT + 16
        top, y = 20 + above * ROW_H + BOX_H, 20 + row * ROW_H + BOX_H / 2
        yield f'<path d="M{x} {top} V{y:.0f} H{x + INDENT - 16}"/>'


STYLE = """
text{font-family:system-ui,sans-serif;font-size:14px}
.familyname,.actorname{text-anchor:middle;font-weight:600}
.family{fill:#23405c}.familyname{fill:#fff}.actor{fill:#e8f1fb;stroke:#3b78b5}
.actorname{fill:#1b2733}.says{fill:#52606d;font-size:13px}
path{fill:none;stroke:#9fb0c0;stroke-width:1.5}
"""


def draw() -> str:
    """Return the picture as SVG."""
    found = list(rows(spec()))
    height = 20 + len(found) * ROW_H
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        "<title>The supervision tree</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *twigs(found),
        *(line(row, depth, child) for row, (depth, child) in enumerate(found)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
