"""``holdfast top``: a running engine's actors, and how they are drawn."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from rich.console import Console

from holdfast.cli.actors import ORDERS, render_actors
from holdfast.console.client import Refused, ask
from holdfast_domain.errors import InputError

from .commands import Desk, command, refused

SLOW = ("--speed", "86400")
"""A bar a second: it will not end during a test."""

STRATEGY = "engine/trading/strategies/Buyer/strategy"


@contextmanager
def running(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    """An engine that has given its strategy two bars."""
    with desk.start(*desk.paper(*SLOW)) as engine:
        try:
            while engine.poll() is None:
                with suppress(InputError, Refused):
                    answer = ask(desk.state, {"command": "tree"})
                    if nodes(answer)[STRATEGY]["handled"] > 1:
                        break
            yield engine
        finally:
            engine.kill()


def nodes(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    def walk(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield node["path"], node
        for child in node["children"]:
            yield from walk(child)

    return dict(walk(answer["tree"]))


def test_top_shows_a_running_engine(desk: Desk) -> None:
    with running(desk) as engine:
        ran = desk.run("top", str(desk.state), "--once", "--json")
        assert (ran.status, ran.err) == (0, "")
        answer = json.loads(ran.out)
        shown = desk.run("top", "--sort", "handling")
        asked = {"command": "kill", "path": STRATEGY, "reason": "a test"}
        ask(desk.state, asked)
        failed = desk.run("top").out
        engine.send_signal(signal.SIGTERM)
        engine.wait()
    assert list(answer) == ["pid", "mode", "tree"]
    assert (answer["pid"], answer["mode"]) == (engine.pid, "paper")
    strategy = nodes(answer)[STRATEGY]
    assert strategy["state"] == "running"
    assert 0 < strategy["handling_p50_s"] <= strategy["handling_p99_s"] < 60
    assert 0 <= strategy["waiting_p50_s"] <= strategy["waiting_p99_s"] < 60
    assert 0 <= strategy["age_s"] < 60
    assert strategy["rate_per_s"] >= 0
    # Without DIR it is the only one that runs; no terminal, so it is shown once.
    assert shown.status == 0
    assert "of 11 actors run" in shown.out
    assert "trading" not in shown.out
    assert f"{STRATEGY}  Killed: killed by hand: a test" in failed
    refused(desk.run("top", str(desk.state)), "a running engine")


def test_top_is_drawn_over_and_over_until_the_engine_ends(desk: Desk) -> None:
    with running(desk) as engine:
        controller, terminal = pty.openpty()
        environ = desk.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
        top = subprocess.Popen(
            command("top", str(desk.state)),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environ,
        )
        os.close(terminal)
        drawn = read_until(controller, b"console", times=2)
        engine.send_signal(signal.SIGTERM)
        drawn += read_to_end(controller)
        assert top.wait(timeout=300) == 0
    assert drawn.count(b"11 of 11 actors run") >= 2


def read_until(terminal: int, word: bytes, *, times: int) -> bytes:
    drawn = b""
    while drawn.count(word) < times:
        drawn += os.read(terminal, 65_536)
    return drawn


def read_to_end(terminal: int) -> bytes:
    drawn = b""
    with suppress(OSError):
        while chunk := os.read(terminal, 65_536):
            drawn += chunk
    os.close(terminal)
    return drawn


def test_lines_of_json_come_until_the_engine_ends(desk: Desk) -> None:
    follow = ("top", str(desk.state), "--json")
    with running(desk) as engine, desk.start(*follow) as top:
        assert top.stdout is not None
        lines = [top.stdout.readline() for _ in range(2)]
        engine.send_signal(signal.SIGTERM)
        rest, err = top.communicate(timeout=300)
    assert (top.returncode, err) == (0, "")
    answers = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    handled = [nodes(each)["engine/core/journal"]["handled"] for each in answers]
    assert handled == sorted(handled)


def test_without_an_engine_it_says_so(desk: Desk) -> None:
    refused(desk.run("top"), "one running engine", "none")
    refused(desk.run("top", "--sort", "luck"), "luck", status=2)


# --- the picture ------------------------------------------------------------------


def node(path: str, *children: dict[str, Any], **measures: Any) -> dict[str, Any]:
    nothing = {"handled": 0, "waiting": 0, "dropped": 0, "overruns": 0, "restarts": 0}
    unknown = dict.fromkeys((*ORDERS.values(), "handling_p50_s", "waiting_p50_s"))
    kept = {"name": path.rpartition("/")[2], "path": path, "state": "running"}
    return {
        **unknown,
        **nothing,
        "rate_per_s": 0.0,
        "error": "",
        **kept,
        **measures,
        "children": list(children),
    }


BUSY = node(
    "engine/core/a-name-that-is-too-long-to-fit",
    handled=123_456_789,
    rate_per_s=1_234_567.8,
    handling_p50_s=1.5e-6,
    handling_p99_s=0.0123,
    waiting_p50_s=0.0,
    waiting_p99_s=754.0,
    waiting=65_536,
    age_s=93_600.0,
    dropped=12,
    overruns=3,
)
PARKED = node(
    "engine/f", state="parked", restarts=3, error="Broken: " + "so\nlong " * 40
)
ANSWER = {
    "mode": "paper",
    "pid": 7,
    "tree": node("engine", node("engine/core", BUSY), PARKED),
}

PICTURE = """\
paper, process 7; 1 of 2 actors run; 1.23M messages/s; 65,536 waiting; 12 dropped; 3 over budget

actor                  state     rst   handled  rate/s    p50    p99 wait50 wait99  depth   age
engine                 running
  core                 running
    a-name-that-is-to… running            123M   1.23M  1.5µs   12ms      0    13m 65,536  1.1d
  f                    parked      3         0       0      -      -      -      -      0     -

engine/f  Broken: so long so long so long so long so long so long so long so long so long so long s…
"""  # noqa: E501 - as wide as the terminal that it is for


def drawn(sort: str, width: int = 100) -> str:
    console = Console(width=width, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(render_actors(ANSWER, sort))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def test_the_picture_fits_into_a_hundred_columns() -> None:
    assert drawn("tree") == PICTURE
    assert max(map(len, PICTURE.splitlines())) == 100


@pytest.mark.parametrize("sort", ORDERS)
def test_actors_alone_come_the_highest_first(sort: str) -> None:
    lines = drawn(sort).splitlines()
    first = "f" if sort == "restarts" else "a-name"
    assert lines[3].startswith(first)
    assert "engine  " not in lines[3]


@pytest.mark.parametrize("path", [STRATEGY, STRATEGY.rpartition("/")[0]])
def test_a_restart_by_hand_is_in_order_and_is_answered_when_it_is_up(
    desk: Desk, path: str
) -> None:
    asked = {"command": "restart", "path": path, "reason": "a test"}
    with running(desk) as engine:
        answer = ask(desk.state, asked)
        after = nodes(ask(desk.state, {"command": "tree"}))
        with pytest.raises(Refused, match="expected the path of a child in the tree"):
            ask(desk.state, asked | {"path": "engine/nobody"})
        engine.send_signal(signal.SIGTERM)
        engine.wait()
    assert (answer["path"], answer["incarnation"]) == (path, 2)
    assert (after[STRATEGY]["state"], after[STRATEGY]["incarnation"]) == ("running", 2)
    # Nothing crashed.
    assert not after[STRATEGY]["error"]
