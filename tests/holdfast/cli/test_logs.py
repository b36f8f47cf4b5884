"""``--log``: what happens to actors, and what strategies say, with its ids."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from holdfast.console.client import Refused, ask
from holdfast_domain.errors import InputError

from .commands import Desk

TALKER = """
import structlog

from holdfast import Strategy

log = structlog.get_logger()


class Talker(Strategy):
    def initialize(self, context):
        context.asset = self.symbol("bars")
        context.seen = 0

    def handle_data(self, context, data):
        context.seen += 1
        log.info("seen", count=context.seen)
        self.order(context.asset, 1)

    def on_order_fill(self, context, order, fill):
        log.info("filled")

"""

STRATEGY = "engine/trading/strategies/Talker/strategy"


def logged(desk: Desk, *more: str) -> list[str]:
    """The lines of a run in which the strategy is crashed after some bars."""
    talker = desk.write("talker.py", TALKER)
    run = ("paper", talker, "--data", desk.bars(), "--state", str(desk.state))
    with desk.start(*run, "--speed", "259200", *more) as engine:
        try:
            crash_later(desk, engine.poll)
            engine.send_signal(signal.SIGTERM)
            _, err = engine.communicate(timeout=300)
        finally:
            engine.kill()
    return [line for line in err.splitlines() if not line.startswith("holdfast: ")]


def node_of(tree: dict[str, Any], path: str) -> dict[str, Any]:
    for child in tree["children"]:
        if child["path"] == path:
            return dict(child)
        if path.startswith(child["path"] + "/"):
            return node_of(child, path)
    pytest.fail(f"{path} is not there")


def crash_later(desk: Desk, ended: Any) -> None:
    """Crash the strategy, and wait until it is back."""
    crashed = False
    while ended() is None:
        try:
            tree = ask(desk.state, {"command": "tree"})["tree"]
        except (InputError, Refused):
            continue
        node = node_of(tree, STRATEGY)
        if (node["incarnation"], node["state"]) == (2, "running"):
            return
        if not crashed and node["handled"] > 8:
            ask(desk.state, {"command": "kill", "path": STRATEGY, "reason": "test"})
            crashed = True


def test_each_line_of_json_has_the_ids_of_what_it_is_on(desk: Desk) -> None:
    lines = [json.loads(line) for line in logged(desk, "--log", "json")]
    seen = [each for each in lines if each["event"] == "seen"]
    first = seen[0]
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "seen",
        "count": 1,
        "level": "info",
        "actor": STRATEGY,
        "incarnation": 1,
        "correlation": "input:131071",
        "causation": "input:131071",
    }
    # An order's fill is a record, made at the input after the one that began it.
    fill = next(each for each in lines if each["event"] == "filled")
    assert fill["causation"].startswith("journal:")
    assert fill["correlation"].startswith("input:")
    assert fill["actor"] == STRATEGY
    told = [
        (e["event"], e["level"])
        for e in lines
        if e["event"] in {"crashed", "restarted"}
    ]
    assert told == [("crashed", "error"), ("restarted", "warning")]
    crash = next(each for each in lines if each["event"] == "crashed")
    assert crash["error"] == "Killed: killed by hand: test"
    assert (crash["actor"], crash["incarnation"]) == (STRATEGY, 1)
    assert "started" not in {each["event"] for each in lines}


def test_lines_are_for_people_and_no_more_than_wanted(desk: Desk) -> None:
    lines = logged(desk, "--log", "console", "--log-level", "warning")
    assert [line.split()[1] for line in lines] == ["[error", "[warning"]
    assert "crashed" in lines[0]
    assert f"actor={STRATEGY}" in lines[0]
    assert "restarted" in lines[1]


def test_without_the_option_nothing_is_logged(desk: Desk) -> None:
    quiet = desk.run(*desk.paper())
    assert (quiet.status, "crashed" in quiet.err, "level" in quiet.err) == (
        0,
        False,
        False,
    )
    assert desk.run(*desk.paper("--log", "xml")).status == 2
