"""The actors of a running engine for people: a table that fits into 100 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.cli.render import colour_of

Node: TypeAlias = Mapping[str, Any]

TREE = "tree"

ORDERS: Mapping[str, str] = {
    "rate": "rate_per_s",
    "handling": "handling_p99_s",
    "waiting": "waiting_p99_s",
    "depth": "waiting",
    "restarts": "restarts",
    "age": "age_s",
}
"""What actors can be sorted by, and its key in a node."""

_COLUMNS = (
    ("handled", 9),
    ("rate/s", 7),
    ("p50", 6),
    ("p99", 6),
    ("wait50", 6),
    ("wait99", 6),
    ("depth", 6),
    ("age", 5),
)
_NAME_WIDTH = 22


def render_actors(answer: Mapping[str, Any], sort: str = TREE) -> RenderableType:
    """Return what ``holdfast top`` shows of the answer to the request ``tree``.

    ``sort`` is `TREE` for families and actors as they stand, or a key of `ORDERS` for
    actors alone, the highest first. Durations are of handling and of waiting.
    """
    rows = list(_walk(answer["tree"], 0))
    actors = [node for node, _ in rows if not node["children"]]
    shown = rows
    if sort != TREE:
        key = ORDERS[sort]
        ordered = sorted(actors, key=lambda node: node[key] or 0, reverse=True)
        shown = [(node, 0) for node in ordered]
    table = _table()
    for node, depth in shown:
        table.add_row(*_cells(node, depth))
    parts: list[RenderableType] = [_head(answer, actors), Text(), table]
    errors = [node for node, _ in rows if node["error"]]
    if errors:
        parts += [Text(), *map(_error, errors)]
    return Group(*parts)


def _walk(node: Node, depth: int) -> Iterator[tuple[Node, int]]:
    yield node, depth
    for child in node["children"]:
        yield from _walk(child, depth + 1)


def _head(answer: Mapping[str, Any], actors: list[Node]) -> Text:
    running = sum(node["state"] == "running" for node in actors)
    words = [
        f"{answer['mode']}, process {answer['pid']}",
        f"{running} of {len(actors)} actors run",
        f"{_count(sum(node['rate_per_s'] for node in actors))} messages/s",
        f"{sum(node['waiting'] for node in actors):,} waiting",
    ]
    dropped = sum(node["dropped"] for node in actors)
    overruns = sum(node["overruns"] for node in actors)
    words += [f"{dropped:,} dropped"] if dropped else []
    words += [f"{overruns:,} over budget"] if overruns else []
    return Text("; ".join(words), style="bold", no_wrap=True, overflow="ellipsis")


def _table() -> Table:
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        collapse_padding=True,
    )
    table.add_column("actor", width=_NAME_WIDTH, no_wrap=True, overflow="ellipsis")
    table.add_column("state", width=8)
    table.add_column("rst", width=4, justify="right")
    for name, width in _COLUMNS:
        table.add_column(name, width=width, justify="right", no_wrap=True)
    return table


def _cells(node: Node, depth: int) -> list[Text]:
    state = str(node["state"])
    restarts = int(node["restarts"])
    cells = [
        Text(
            "  " * depth + str(node["name"]), style="bold" if node["children"] else ""
        ),
        Text(state, style=colour_of(state)),
        Text(str(restarts or ""), style="yellow"),
    ]
    if node["children"]:
        return cells
    measures: list[tuple[str, Callable[[float], str]]] = [
        ("handled", _count),
        ("rate_per_s", _count),
        ("handling_p50_s", _duration),
        ("handling_p99_s", _duration),
        ("waiting_p50_s", _duration),
        ("waiting_p99_s", _duration),
        ("waiting", _count),
        ("age_s", _duration),
    ]
    for key, worded in measures:
        value = node[key]
        cells.append(Text("-" if value is None else worded(value)))
    return cells


def _error(node: Node) -> Text:
    words = " ".join(str(node["error"]).split())
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{node['path']}  ", style="dim")
    line.append(words, style="red")
    return line


def _count(value: float) -> str:
    """Return a number in seven places at most."""
    if value >= 10_000_000:  # noqa: PLR2004 - it would be too wide
        return f"{value / 1e6:,.0f}M"
    if isinstance(value, int) or value >= 100 or not value:  # noqa: PLR2004
        return f"{value:,.0f}" if value < 1_000_000 else f"{value / 1e6:.2f}M"  # noqa: PLR2004
    return f"{value:.2g}" if value < 1 else f"{value:.1f}"


_UNITS = (
    (86_400.0, "d"),
    (3_600.0, "h"),
    (60.0, "m"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
)


def _duration(value_s: float) -> str:
    """Return a duration in five places at most."""
    for unit_s, name in _UNITS:
        if value_s >= unit_s:
            value = value_s / unit_s
            return f"{value:.1f}{name}" if value < 10 else f"{value:.0f}{name}"  # noqa: PLR2004
    return "0" if not value_s else f"{value_s * 1e9:.0f}ns"
