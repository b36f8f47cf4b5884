"""Signals: the first SIGINT or SIGTERM drains an engine, the second cuts it.

The handlers are plain ones: an actor that never returns keeps trio from its tasks, and
must not keep its user from ending the process. So the second signal does two things:
it cancels the engine, and where actors or other code of the user's runs at that moment
it raises `SystemExit` there, as trio does with Ctrl-C. It is never raised inside of
trio itself, which would not survive it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

import trio

ENDING = (signal.SIGINT, signal.SIGTERM)
BY_SIGNAL = 128
"""Added to the number of a signal, it is the exit status of who was cut by it."""


class Signals:
    """Takes SIGINT and SIGTERM while it is entered; on the main thread alone.

    * The first drains: the body beside the tree is cancelled, and then the tree stops
      in reverse order, each actor within its deadline.
    * The second cuts: all is cancelled, and the block raises `SystemExit` (128 + the
      signal's number), whatever else came of it.
    * The third ends the process where it stands, with the same status.

    A signal that comes before there is an engine drains the engine as soon as there is
    one. The handlers that were there before come back afterwards. It may be entered
    again while it is entered.
    """

    def __init__(self, said: Callable[[int], None] | None = None) -> None:
        """Call ``said`` first with the count of signals so far, inside the handler."""
        self.came: list[int] = []
        """The signals' numbers, in their order."""

        self._said = said
        self._before: list[dict[int, Any]] = []
        self._send: Callable[[bool], None] | None = None

    @property
    def is_cut(self) -> bool:
        """Whether there was a second signal."""
        return len(self.came) > 1

    @property
    def status(self) -> int:
        """128 and the last signal's number, 0 without one: an exit status."""
        return BY_SIGNAL + self.came[-1] if self.came else 0

    def __enter__(self) -> Self:
        """Install the handlers.

        Raises:
            ValueError: this is not the main thread.
        """
        before: dict[int, Any] = {each: signal.getsignal(each) for each in ENDING}
        for each in ENDING:
            signal.signal(each, self._received)
        self._before.append(before)
        return self

    def __exit__(self, *raised: object) -> None:
        """Bring the earlier handlers back.

        Raises:
            SystemExit: a second signal came.
        """
        for each, handler in self._before.pop().items():
            # None: it was not Python that had installed it, so Python cannot again.
            signal.signal(each, signal.SIG_DFL if handler is None else handler)
        if self.is_cut:
            raise SystemExit(self.status)

    @contextmanager
    def heeded(
        self, drain: Callable[[], None], cut: Callable[[], None]
    ) -> Iterator[None]:
        """Take signals in the block, and call ``drain`` or ``cut`` in trio for them.

        To be entered in trio, by whoever runs the engine.
        """
        token = trio.lowlevel.current_trio_token()

        def send(is_cut: bool) -> None:
            token.run_sync_soon(cut if is_cut else drain)

        with self:
            self._send = send
            if self.came:
                send(self.is_cut)
            try:
                yield
            finally:
                self._send = None

    def _received(self, number: int, frame: FrameType | None) -> None:
        del frame
        # Another signal may interrupt this very line: then both see the higher count.
        self.came.append(number)
        count = len(self.came)
        if self._said is not None:
            self._said(count)
        if count > 2:  # noqa: PLR2004 - see the class
            os._exit(self.status)
        if self._send is not None:
            self._send(self.is_cut)
        if count > 1 and _is_user_code():
            raise SystemExit(self.status)


def _is_user_code() -> bool:
    """Tell whether what a signal has interrupted may be made to raise."""
    if not trio.lowlevel.in_trio_run():
        return True
    return not trio.lowlevel.currently_ki_protected()
