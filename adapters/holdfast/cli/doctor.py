"""``holdfast doctor``: what a configuration needs, looked at before it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs
import click
import trio

from holdfast.cli.failing import FAILED
from holdfast.cli.output import show_json, show_line
from holdfast.configuration import Config, read_config
from holdfast.doctor import examine
from holdfast.findings import Finding, Verdict

_SIGNS: Final[dict[Verdict, str]] = {
    "ok": "ok     ",
    "warning": "warning",
    "failed": "FAILED ",
    "skipped": "skipped",
}


@click.command(epilog="Example: holdfast doctor examples/binance_paper.yaml")
@click.argument("file", metavar="CONFIG.yaml")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(file: str, as_json: bool) -> int:
    """Check what CONFIG.yaml needs: versions, strategies, clock, symbols, key, streams.

    Nothing is traded. The exit status is 1 if something failed.
    """
    path = Path(file)
    found = trio.run(_examined, read_config(path), path, not as_json)
    failed = any(each.verdict == "failed" for each in found)
    if as_json:
        show_json(
            {"ok": not failed, "findings": [attrs.asdict(each) for each in found]}
        )
    return FAILED if failed else 0


async def _examined(config: Config, path: Path, shows: bool) -> list[Finding]:
    found: list[Finding] = []
    async for each in examine(config, path):
        found.append(each)
        if shows:
            show_line(f"{_SIGNS[each.verdict]}  {each.what}: {each.text}")
    return found
