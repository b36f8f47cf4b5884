"""A running engine for people: its status as tables, and its tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from holdfast.cli.venuelines import venue_lines

_COLOURS = {
    "running": "green",
    "new": "dim",
    "stopped": "dim",
    "parked": "bold red",
    "crashed": "bold red",
}
"""By state; what is in between is yellow."""


def colour_of(state: str) -> str:
    """Return the style in which a state is shown."""
    return _COLOURS.get(state, "yellow")


def render_tree(tree_json: Mapping[str, Any]) -> Tree:
    """Return the tree of actors (`status`'s key ``tree``) with states and restarts."""
    root = Tree(_label(tree_json), guide_style="dim")
    _grow(root, tree_json)
    return root


def render_status(status: Mapping[str, Any]) -> RenderableType:
    """Return what ``holdfast status`` shows: the whole, the parts, and the tree."""
    parts: list[RenderableType] = [_facts(status), Text()]
    parts += [_strategies(status), Text()] if status["strategies"] else []
    parts += [_orders(status), Text()] if status["orders"] else []
    parts.append(render_tree(status["tree"]))
    return Group(*parts)


def _grow(branch: Tree, node: Mapping[str, Any]) -> None:
    for child in node["children"]:
        _grow(branch.add(_label(child)), child)


def _label(node: Mapping[str, Any]) -> Text:
    state = str(node["state"])
    label = Text(str(node["name"]), style="bold" if node["children"] else "")
    label.append(f"  {state}", style=colour_of(state))
    if node["restarts"]:
        times = "restart" if node["restarts"] == 1 else "restarts"
        label.append(f"  {node['restarts']} {times}", style="yellow")
    for count, word in (("handled", "handled"), ("waiting", "waiting")):
        if node[count]:
            label.append(f"  {node[count]:,} {word}", style="dim")
    if node["dropped"]:
        label.append(f"  {node['dropped']:,} dropped", style="red")
    if node["error"]:
        label.append(f"  {' '.join(str(node['error']).split())}", style="red")
    return label


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")


def _facts(status: Mapping[str, Any]) -> Table:
    table = _table()
    table.show_header = False
    table.add_column(style="dim")
    table.add_column()
    age = status["data_age_s"]
    for name, value in (
        ("Engine", Text(f"{status['mode']}, process {status['pid']}")),
        ("Orders", _halt(status)),
        ("Market time", Text(status["market_time"] or "not begun")),
        ("Age of the data", Text("none yet" if age is None else f"{age:,.0f} s")),
        ("Equity", Text(status["equity"])),
        ("Cash", Text(status["cash"])),
        ("Profit and loss", _signed(status["profit_and_loss"])),
        ("Positions", _positions(status["positions"])),
        ("Open orders", _open(status)),
        ("Venues", venue_lines(status["venues"])),
        ("Reconciliation", _reconciliation(status["reconciliation"])),
    ):
        table.add_row(name, value)
    return table


def _halt(status: Mapping[str, Any]) -> Text:
    if not status["halted"]:
        return Text("go out", style="green")
    return Text(f"HALTED: {status['halt_reason']}", style="bold red")


def _open(status: Mapping[str, Any]) -> Text:
    text = Text(str(len(status["orders"])))
    if status["unknown_orders"]:
        text.append(f", {status['unknown_orders']} unknown", style="bold red")
    if status["orders_for_a_person"]:
        said = f"; {status['orders_for_a_person']} for a person: holdfast orders"
        text.append(said, style="bold red")
    return text


def _reconciliation(report: Mapping[str, Any] | None) -> Text:
    if report is None:
        return Text("does not answer", style="bold red")
    if not report["venues"]:
        return Text("none yet")
    text = Text()
    for name, last in report["venues"].items():
        style = {"agreed": "green", "inconclusive": "bold red"}.get(last["verdict"], "")
        text.append("; " if text else "")
        text.append(f"{name} {last['verdict']}", style=style)
        text.append(f", number {last['run']}, {last['trigger']}")
        if last["findings"]:
            text.append(f", {len(last['findings'])} differed: holdfast reconcile")
    return text


def _positions(positions: Mapping[str, str]) -> Text:
    return Text(", ".join(f"{name} {n}" for name, n in positions.items()) or "none")


def _signed(text: str) -> Text:
    if text.startswith("-"):
        return Text(text, style="red")
    return Text(text, style="green" if text.strip("0.") else "")


def _strategies(status: Mapping[str, Any]) -> Table:
    table = _table()
    table.add_column("Strategy")
    for head in ("Equity", "Cash", "Profit and loss"):
        table.add_column(head, justify="right")
    table.add_column("Positions")
    for name, each in status["strategies"].items():
        table.add_row(
            Text(name),
            Text(each["equity"]),
            Text(each["cash"]),
            _signed(each["profit_and_loss"]),
            _positions(each["positions"]),
        )
    return table


def _orders(status: Mapping[str, Any]) -> Table:
    table = _table()
    for head in ("Order", "Strategy", "Side", "Type", "Instrument", "State"):
        table.add_column(head)
    table.add_column("Filled", justify="right")
    for each in status["orders"]:
        names = ("order_id", "strategy", "side", "type", "instrument", "state")
        cells = [Text(str(each[name])) for name in names]
        table.add_row(*cells, Text(f"{each['filled']} of {each['quantity']}"))
    return table
