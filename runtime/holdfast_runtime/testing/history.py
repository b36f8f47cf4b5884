"""What happened in a tree, in order, and what a test may say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Literal

import attrs

from holdfast_runtime.errors import SpecError
from holdfast_runtime.messages import DeadLetter, Lifecycle

Happening = Literal[
    "sent",
    "handled",
    "recorded",
    "started",
    "crashed",
    "restarted",
    "parked",
    "stopped",
    "dead",
    "quarantined",
    "fault",
]
SHOWN = 12
"""How many events a failure shows."""

_WIDTH = 110


@attrs.frozen(kw_only=True)
class Event:
    """One thing that happened."""

    at_s: float
    """By the engine's clock."""

    what: str
    path: str
    """To whom: the reader of a message, the place of an actor."""

    message: Any = None
    sender: str = ""
    """Who sent it; empty if it came from outside of the tree."""

    note: str = ""
    """An error, or why a letter is dead."""

    def __str__(self) -> str:
        parts = [f"{self.at_s:10.3f} s  {self.what:<11} {self.path}"]
        if self.message is not None:
            parts.append(repr(self.message))
        if self.sender:
            parts.append(f"from {self.sender}")
        if self.note:
            parts.append(f"({self.note})")
        line = "  ".join(parts)
        return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


class History:
    """Events in their order. What a test expects of them is checked by `expect`.

    ``sent`` is known in simulation alone: there a message is seen when it leaves its
    sender. All else is known on both engines.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self.keeps = keeps
        """Whether events are kept at all."""

        self.events: list[Event] = []
        self.sees_sent = False
        self._now_s: Callable[[], float] = lambda: 0.0

    def set_clock(self, now_s: Callable[[], float]) -> None:
        """Take the time of what happens from the engine."""
        self._now_s = now_s

    def add(
        self,
        what: Happening,
        path: str,
        message: object = None,
        *,
        sender: str = "",
        note: str = "",
    ) -> None:
        """Add an event, now."""
        if not self.keeps:
            return
        self.events.append(
            Event(
                at_s=self._now_s(),
                what=what,
                path=path,
                message=message,
                sender=sender,
                note=note,
            )
        )

    def lifecycle(self, event: Lifecycle) -> None:
        """Listen to what happens to places."""
        self.events.append(
            Event(
                at_s=self._now_s(), what=event.what, path=event.path, note=event.error
            )
        )

    def dead_letter(self, letter: DeadLetter) -> None:
        """Listen to what nobody handles."""
        self.add("dead", letter.path, letter.message, note=letter.why)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def __str__(self) -> str:
        return "\n".join(map(str, self.events))

    # --- what a test asks ----------------------------------------------------

    def of(
        self,
        what: Happening,
        path: str = "*",
        message: object = None,
    ) -> list[Event]:
        """Return the events of one kind, in order.

        ``path`` may have wildcards (``engine/*/orders``). ``message`` is a class, or a
        value that the message equals; of a crash, it is the text of the error, or a
        part of it.

        Raises:
            SpecError: it asks for what was sent on the live engine.
        """
        if what == "sent" and not self.sees_sent:
            text = "expected a simulated engine to know what was sent, was the live one"
            raise SpecError(text)
        return [
            each
            for each in self.events
            if each.what == what
            and fnmatchcase(each.path, path)
            and _is_like(each, message)
        ]

    def expect(
        self,
        what: Happening,
        path: str = "*",
        message: object = None,
        *,
        times: int | None = None,
    ) -> list[Event]:
        """Return the events of one kind: at least one, or exactly ``times``.

        Raises:
            AssertionError: there are more or fewer; it shows what there was.
        """
        found = self.of(what, path, message)
        if found if times is None else len(found) == times:
            return found
        wanted = "at least once" if times is None else _times(times)
        subject = f"{path} {what}{_described(message)}"
        raise AssertionError(
            f"expected {subject} {wanted}, was {_times(len(found))}\n"
            f"{self._around(path, what, found)}"
        )

    def expect_order(self, *steps: tuple[Happening, str]) -> None:
        """See that events happened one after the other, whatever was in between.

        Raises:
            AssertionError: naming the first that did not come after those before it.
        """
        rest = iter(self.events)
        for number, (what, path) in enumerate(steps):
            if not any(e.what == what and fnmatchcase(e.path, path) for e in rest):
                before = ", ".join(f"{p} {w}" for w, p in steps[:number]) or "anything"
                raise AssertionError(
                    f"expected {path} {what} after {before}, did not happen\n"
                    f"{self._around('*', what, self.of(what, path))}"
                )

    def _around(self, path: str, what: str, found: list[Event]) -> str:
        if found:
            return _shown(f"{what}:", found)
        at_path = [e for e in self.events if fnmatchcase(e.path, path)]
        if at_path:
            return _shown(f"what happened at {path}:", at_path)
        places = sorted({each.path for each in self.events})
        return f"nothing happened at {path}; it did at: {', '.join(places) or '-'}"


def _is_like(event: Event, wanted: object) -> bool:
    if wanted is None:
        return True
    if event.message is None:
        return isinstance(wanted, str) and wanted in event.note
    if isinstance(wanted, type):
        return isinstance(event.message, wanted)
    return bool(event.message == wanted)


def _described(message: object) -> str:
    if message is None:
        return ""
    return f" {message.__name__ if isinstance(message, type) else repr(message)}"


def _times(count: int) -> str:
    return "never" if count == 0 else "once" if count == 1 else f"{count} times"


def _shown(title: str, events: list[Event]) -> str:
    left_out = len(events) - SHOWN
    lines = [f"  {each}" for each in events[-SHOWN:]]
    if left_out > 0:
        lines.insert(0, f"  … {left_out} before")
    return "\n".join([title, *lines])
