"""Logs: what an engine and its strategies say while they run, by structlog.

A line that is written inside a handler, a strategy's too, has the actor and the ids of
the message in hand: ``correlation`` (the input with which its chain began) and
``causation`` (the record, decision or message that it is on).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import attrs
import structlog

from holdfast_actors.tree import Parts
from holdfast_runtime import Lifecycle, LiveEngine
from holdfast_runtime.ids import LogIds

if TYPE_CHECKING:
    from holdfast_runtime.threads.hangs import Hang

Form: TypeAlias = Literal["json", "console"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

FORMS: tuple[Form, ...] = get_args(Form)
LEVELS: tuple[Level, ...] = get_args(Level)

_LEVELS: dict[str, Level] = {
    "started": "debug",
    "stopped": "info",
    "restarted": "warning",
    "crashed": "error",
    "parked": "error",
    "attention": "error",
    "connection": "warning",
    "limiter": "warning",
    "breaker": "warning",
    "degraded": "error",
    "overran": "warning",
    "silent": "warning",
    "abandoned": "error",
    "returned": "warning",
    "events_lost": "error",
    "end_failed": "error",
}


@attrs.frozen
class Logs:
    """How a run is logged: on standard error, a line for each thing."""

    form: Form
    level: Level = "info"

    def attach(self, engine: LiveEngine, parts: Parts) -> None:
        """Log what happens on ``engine``, before it starts; sets up structlog.

        A message that does not tell with which input it began counts as begun with the
        one at which market time stands.
        """
        ids = LogIds(engine, otherwise=lambda: ("input", parts.clock.cursor))
        _configure(self.form, self.level, ids)
        engine.on_lifecycle.append(_LifecycleLog(ids))
        engine.on_hang.append(_log_hang)


def _configure(form: Form, level: Level, ids: LogIds) -> None:
    last: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if form == "console":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            ids,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )


class _StandardError:
    """Standard error as it is at the moment: a progress bar may stand before it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _LifecycleLog:
    """Logs what happens to actors; what follows from a crash bears the crash's ids."""

    def __init__(self, ids: LogIds) -> None:
        self._ids = ids
        self._last: dict[str, dict[str, str]] = {}

    def __call__(self, event: Lifecycle) -> None:
        found = self._ids.of(event.messages[0]) if event.messages else {}
        if event.what == "crashed":
            self._last[event.path] = found
        elif event.what == "restarted":
            found = self._last.pop(event.path, {})
        elif event.what == "parked":
            found = self._latest_below(event.path)
        words = {"error": event.error} if event.error else {}
        structlog.get_logger().log(
            _NUMBERS[_LEVELS.get(event.what, "info")],
            event.what,
            actor=event.path,
            incarnation=event.incarnation,
            **words,
            **found,
        )

    def _latest_below(self, path: str) -> dict[str, str]:
        below = [ids for each, ids in self._last.items() if each.startswith(f"{path}/")]
        return below[-1] if below else {}


_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _log_hang(hang: Hang) -> None:
    structlog.get_logger().error(
        "hangs", actor=hang.path, held_s=round(hang.held_s, 3), where=hang.where
    )
