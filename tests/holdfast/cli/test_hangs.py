"""A strategy that hangs is named while it does, though the engine cannot answer."""

from __future__ import annotations

import json

from .commands import Desk

HANGER = """
from pathlib import Path

from holdfast import Strategy


class Hanger(Strategy):
    def initialize(self, context):
        context.seen = 0

    def handle_data(self, context, data):
        context.seen += 1
        while context.seen == 3 and not Path("go on").exists():
            pass
"""


def test_a_strategy_that_hangs_is_named_with_its_line(desk: Desk) -> None:
    hanger = desk.write("hanger.py", HANGER)
    run = ("paper", hanger, "--data", desk.bars(), "--state", str(desk.state), "--json")
    with desk.start(*run, "--speed", "2e6", "--log", "json") as engine:
        try:
            assert engine.stderr is not None
            logged = json.loads(engine.stderr.readline())
            said = engine.stderr.readline()
            desk.write("go on", "")
            _, err = engine.communicate(timeout=300)
        finally:
            engine.kill()
    assert engine.returncode == 0
    where = "engine/trading/strategies/Hanger/strategy"
    assert said.startswith(f"holdfast: {where} holds up the engine for 1.")
    assert "in Hanger.handle_data" in said
    assert (logged["event"], logged["actor"]) == ("hangs", where)
    later = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    overran = next(each for each in later if each["event"] == "overran")
    assert overran["correlation"] == "input:262143"
    assert overran["error"].startswith("expected a handler within 1 s, took ")
