"""``holdfast orders``: what became of each order, and a person's word on one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from holdfast.cli.output import show, show_json, show_line
from holdfast.cli.running import the_running_one
from holdfast.console.client import NotRunning, ask
from holdfast.console.orders import orders_of, resolve_of
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError

_directory = click.argument("directory", metavar="[DIR]", required=False)
_order = click.argument("order_id", metavar="ID")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_COLUMNS = ("order_id", "strategy", "side", "instrument", "quantity", "filled", "state")


@click.group(no_args_is_help=False, epilog="Example: holdfast orders list runs/sma")
def orders() -> None:
    """Show orders, and say what became of one that is in doubt."""


@orders.command("list", epilog="Example: holdfast orders list runs/sma --all")
@_directory
@click.option("--all", "every", is_flag=True, help="Those that have ended, too.")
@_as_json
def list_(directory: str | None, every: bool, as_json: bool) -> int:
    """List the open orders of DIR, whether an engine runs on it or not.

    Without DIR: of the only engine that runs.
    """
    found = [row for row in _orders(directory) if every or _is_open(row)]
    if as_json:
        show_json(found)
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in _COLUMNS:
        table.add_column(name.replace("_", " "), no_wrap=name == "order_id")
    for row in found:
        style = "bold red" if row["needs_person"] else ""
        table.add_row(*(Text(row[name], style=style) for name in _COLUMNS))
    if found:
        show(table)
    else:
        show_line("no orders" if every else "no open orders")
    return 0


@orders.command("show", epilog="Example: holdfast orders show 00000007…0001 runs/sma")
@_order
@_directory
@_as_json
def show_(order_id: str, directory: str | None, as_json: bool) -> int:
    """Show one order of DIR, by its id or by a part of it that no other has."""
    row = _one(order_id, directory)
    if as_json:
        show_json(row)
        return 0
    for name, value in row.items():
        if value not in (None, "", False):
            text = "yes" if value is True else str(value)
            show_line(f"{name.replace('_', ' '):<20}{text}")
    return 0


@orders.command(
    epilog="Example: holdfast orders resolve 00000007…0001 --filled 10@99.5 "
    '--because "seen on their page" --by ann'
)
@_order
@_directory
@click.option("--filled", metavar="QTY@PX", help="What was filled of it, in all.")
@click.option("--not-placed", is_flag=True, help="The venue never had it.")
@click.option("--because", required=True, metavar="TEXT", help="How that is known.")
@click.option("--by", required=True, metavar="WHO", help="Who takes it on.")
def resolve(
    order_id: str,
    directory: str | None,
    filled: str | None,
    not_placed: bool,
    because: str,
    by: str,
) -> int:
    """Say what became of an order that is unknown; an engine must run on DIR.

    Where a venue cannot prove that it does not have an order, only a person can say so.
    The word is journaled, and taken back when the venue speaks of the order after all.
    """
    if not_placed is (filled is not None):
        came = "both" if not_placed else "none"
        message = f"expected one of --filled and --not-placed, got {came}"
        raise click.UsageError(message, click.get_current_context())
    for option, text in (("--because", because), ("--by", by)):
        if not text.strip():
            raise InputError(option, "a text that is not empty", repr(text), "say it")
    resolve_of(order_id, filled, by, because)
    whole = _one(order_id, directory)["order_id"]
    request = {"command": "resolve", "order_id": whole, "filled": filled}
    answer = ask(_path(directory), {**request, "because": because, "by": by})
    show_line(f"resolved: {whole} is {answer['order']['state']}")
    return 0


def _orders(directory: str | None) -> list[dict[str, Any]]:
    path = _path(directory)
    try:
        found: list[dict[str, Any]] = ask(path, {"command": "orders"})["orders"]
    except NotRunning:
        return orders_of(StateDir.at(path).journal)
    return found


def _one(order_id: str, directory: str | None) -> dict[str, Any]:
    rows = _orders(directory)
    found = [row for row in rows if order_id in row["order_id"]]
    exact = [row for row in found if row["order_id"] == order_id]
    if len(exact or found) == 1:
        return (exact or found)[0]
    came = f"{order_id!r}, which {len(found)} orders have"
    raise InputError("ID", "the id of one order", came, "see 'holdfast orders list'")


def _is_open(row: dict[str, Any]) -> bool:
    ended = ("refused", "filled", "canceled", "expired", "rejected", "not_placed")
    return row["state"] not in ended


def _path(directory: str | None) -> Path:
    return the_running_one(os.environ) if directory is None else Path(directory)
