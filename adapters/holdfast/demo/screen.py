"""What is seen of the demo: the tree as it lives, or plain lines."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from holdfast.results.numbers import grouped

LINES = 8
PLAIN_EVERY_S = 2.0
_STYLES = {"running": "green", "down": "yellow", "starting": "yellow"}


class Screen(Protocol):
    """Shows the engine's status and what is done to it."""

    def told(self, line: str) -> None:
        """Add a line to the log."""

    def shown(self, status: dict[str, Any] | None) -> None:
        """Show a status; None while the engine does not answer."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PlainScreen:
    """One line for each thing that happens, and one now and then for the market."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began_s = self._said_s = time.perf_counter()

    def told(self, line: str) -> None:
        """Write the line with the seconds since the beginning."""
        self._write(f"{time.perf_counter() - self._began_s:5.1f} s  {line}")

    def shown(self, status: dict[str, Any] | None) -> None:
        """Write one line every few seconds."""
        now_s = time.perf_counter()
        if status is None or not status["market_time"]:
            return
        if now_s - self._said_s >= PLAIN_EVERY_S:
            self._said_s = now_s
            self.told(f"{status['market_time'][:10]}  {_equities(status)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to put back."""


class LiveScreen:
    """The tree, the strategies and the log, drawn over and over in one place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._lines: deque[str] = deque(maxlen=LINES)
        self._status: dict[str, Any] | None = None
        self._answers = False
        self._began_s = time.perf_counter()

    def told(self, line: str) -> None:
        """Add a line to the log."""
        self._lines.append(f"{time.perf_counter() - self._began_s:5.1f} s  {line}")
        self._draw()

    def shown(self, status: dict[str, Any] | None) -> None:
        """Draw the status; the last one stays, dimmed, while there is none."""
        self._answers = status is not None
        self._status = status or self._status
        self._draw()

    def _draw(self) -> None:
        log = Panel(Text("\n".join(self._lines)), title="what is done to it")
        shown: RenderableType = log
        if self._status is not None:
            dim = not self._answers
            shown = Table.grid(padding=(0, 1))
            shown.add_row(
                Panel(tree_of(self._status["tree"], dim=dim), title="tree"),
                Group(strategies_of(self._status, dim=dim), "", log),
            )
        self._live.update(shown, refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()


def tree_of(node: dict[str, Any], *, dim: bool = False) -> Tree:
    """Return a picture of the supervision tree in ``node``."""
    tree = Tree(_node(node, dim=dim), guide_style="dim")
    _grow(tree, node, dim=dim)
    return tree


def _grow(tree: Tree, node: dict[str, Any], *, dim: bool) -> None:
    for child in node["children"]:
        _grow(tree.add(_node(child, dim=dim)), child, dim=dim)


def _node(node: dict[str, Any], *, dim: bool) -> Text:
    state = node["state"]
    style = "dim" if dim else _STYLES.get(state, "red")
    text = Text.assemble((node["name"], "dim" if dim else ""), "  ", (state, style))
    if node["restarts"]:
        word = "restart" if node["restarts"] == 1 else "restarts"
        text.append(f"  {node['restarts']} {word}", "dim" if dim else "yellow")
    return text


def strategies_of(status: dict[str, Any], *, dim: bool = False) -> Table:
    """Return market time, and the equity of each strategy."""
    moment = (status["market_time"] or "")[:10]
    title = f"pid {status['pid']}  market time {moment or 'not begun'}"
    table = Table(title=title, box=None, style="dim" if dim else "", padding=(0, 1))
    for name, justify in (("strategy", "left"), ("equity", "right"), ("holds", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name, each in status["strategies"].items():
        table.add_row(name, _money(each["equity"]), _held(each["positions"]))
    table.add_row("all", _money(status["equity"]), "", style="bold")
    table.add_row("orders at work", str(len(status["orders"])), "")
    return table


def _held(positions: dict[str, str]) -> str:
    return ", ".join(f"{name} {units}" for name, units in positions.items())


def _money(text: str) -> str:
    return grouped(float(text))


def _equities(status: dict[str, Any]) -> str:
    rows = status["strategies"].items()
    return "  ".join(f"{name} {_money(each['equity'])}" for name, each in rows)
