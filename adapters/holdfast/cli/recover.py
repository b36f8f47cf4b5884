"""``holdfast recover``: what a start would do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.cli.failing import FAILED, say
from holdfast.cli.output import duration, show_json, show_line
from holdfast.clocks import SystemClock
from holdfast.recovering import preview
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError


@click.command(epilog="Example: holdfast recover runs/sma --dry-run")
@click.argument("directory", metavar="DIR")
@click.option("--dry-run", is_flag=True, help="Show it; it is all that there is to do.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def recover(directory: str, dry_run: bool, as_json: bool) -> int:
    """Show what a start on DIR would do: what it restores, asks and feeds again.

    Nothing in DIR is changed, and an engine may be running on it. The exit status is 1
    if a start would refuse.
    """
    if not dry_run:
        raise InputError(
            "recover",
            "--dry-run",
            "none",
            "to recover, start the same command again: a start recovers by itself",
        )
    found = preview(StateDir.at(Path(directory)), SystemClock())
    if as_json:
        show_json(found)
    else:
        for line in _lines(found):
            show_line(line)
    if found["refuses"]:
        say(found["refuses"])
        return FAILED
    return 0


def _lines(found: dict[str, Any]) -> list[str]:
    lines = []
    if found["in_use_by"] is not None:
        owner = found["in_use_by"]
        lines.append(f"in use        by process {owner}; this is as of its last commit")
    if found["refuses"]:
        return [*lines, "start         refused, as the line on standard error says"]
    if found["last_record"] is None:
        return [*lines, "nothing       was journaled here: a start is the first one"]
    last = found["last_record"]
    lines += [
        f"last record   {last['sequence']} {last['kind']} of epoch {last['epoch']}, "
        f"written {last['wall_time']}",
        f"market time   {last['market_time']}",
    ]
    if found["finished"]:
        return [*lines, "start         runs nothing: the data came to its end"]
    return [*lines, *_state(found), *_asks(found), *_refeeds(found)]


def _state(found: dict[str, Any]) -> list[str]:
    used, age_s = found["snapshot"], found["state_age_s"]
    source = (
        "no snapshot" if used is None else f"the snapshot of record {used['record']}"
    )
    stale = ", which is stale" if found["stale"] else ""
    lines = [
        f"state from    {source} and {found['records_to_replay']} records after it, "
        f"{duration(age_s)} old{stale}",
        f"next epoch    {found['epoch']}",
        f"halted        {'yes, until holdfast resume' if found['halted'] else 'no'}",
    ]
    lines += [
        f"not used      {name}: {why}"
        for name, why in found["snapshots_not_used"].items()
    ]
    lines += [
        f"quarantined   {subject}: {error}"
        for subject, error in found["quarantined"].items()
    ]
    for name, part in found["strategies"].items():
        cash = ", ".join(f"{amount} {unit}" for unit, amount in part["cash"].items())
        lines.append(f"strategy      {name}: cash {cash or 'none'}")
        lines += [
            f"              {symbol} {held['amount']} at {held['cost_basis']}"
            for symbol, held in part["positions"].items()
        ]
    return lines


def _asks(found: dict[str, Any]) -> list[str]:
    unknown = set(found["become_unknown"])
    lines = [
        f"order         {row['order_id']} of {row['strategy']}: {row['side']} "
        f"{row['quantity']} {row['instrument']}, {row['state']}"
        f"{', and becomes unknown' if row['order_id'] in unknown else ''}"
        for row in found["open_orders"]
    ]
    for asked in found["asks"]:
        venue, since = asked["venue"], asked["executions_since"]
        lines.append(
            f"ask {venue:<9} for all executions since {since or 'the beginning'}"
        )
        lines += [f"ask {venue:<9} about {each}" for each in asked["lookups"]]
    lines += [
        f"judge anew    {each}, which was not sent"
        for each in found["guard_judges_anew"]
    ]
    return lines


def _refeeds(found: dict[str, Any]) -> list[str]:
    lines = []
    for each in found["refeeds"]:
        slices, records = each["slices"], each["records"]
        what = f"slices {slices[0]} to {slices[1]}" if slices else "no slice"
        told = f"; records {', '.join(map(str, records))}" if records else ""
        since = f"decision {each['decision']}" if each["decision"] else "its beginning"
        lines.append(f"feed again    {each['strategy']} since {since}: {what}{told}")
    if (tape := found["tape"]) is not None:
        lines.append(
            f"tape          {tape['steps']} steps; bars from {tape['bars_from']}, "
            f"trades and quotes from {tape['trades_and_quotes_from']}, "
            f"until {tape['until']}"
        )
    step = found["goes_on_after"]["step"]
    return [*lines, f"goes on       after step {step}"]
