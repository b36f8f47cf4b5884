"""The actor that lets snapshots be made: by time, and when the portfolio has moved.

It reads nothing itself and stops nobody: strategies are asked to journal their state,
and a moment later the keeper makes the snapshot on a thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from holdfast_actors.books import SubLedger
from holdfast_actors.keeping import COMPACT_AFTER, Keeper
from holdfast_actors.messages import Report, Save
from holdfast_domain.errors import CommitFailed, SnapshotFailed
from holdfast_domain.money import ZERO
from holdfast_domain.ports import ThreadHost
from holdfast_runtime import ActorError, MailboxClosed, MailboxFull, Ref

ASK_S = 5.0
DEADLINE_S = 60.0
SETTLE_S = 0.05
"""How long strategies have to journal what they were asked for; if not, later."""


@attrs.frozen(kw_only=True)
class SnapshotPlan:
    """When a snapshot is due. Times are the host's."""

    every_s: float = 60.0
    moved: Decimal = Decimal("0.1")
    """The part of the portfolio's value by which it has moved since the last one."""

    poll_s: float = 1.0
    """How often the portfolio is looked at."""

    compact_after: int = COMPACT_AFTER
    """Records that a kept snapshot must cover before they go to the archive."""


class Snapshots:
    """Asks for snapshots; one that fails is said, and tried again when it is due."""

    def __init__(
        self,
        *,
        plan: SnapshotPlan,
        keeper: Keeper,
        host: ThreadHost,
        ledger: Ref[Any],
        strategies: Sequence[Ref[Any]],
        worth: Callable[[Mapping[str, SubLedger]], Decimal],
        sleep: Callable[[float], Awaitable[None]],
        now_s: Callable[[], float],
        failed: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._keeper = keeper
        self._host = host
        self._ledger = ledger
        self._strategies = strategies
        self._worth = worth
        self._sleep = sleep
        self._now_s = now_s
        self._failed = failed
        self._value: Decimal | None = None
        self._said = ""

    def handle(self, message: Report) -> object:
        """Return the newest snapshot's sequence, and why the last try failed."""
        del message
        last = self._keeper.last
        return (0 if last is None else last.sequence, self._keeper.error)

    async def run(self) -> None:
        """Look, and let snapshots be made, until cancelled."""
        due_s = self._now_s() + self._plan.every_s
        while True:
            await self._sleep(min(self._plan.poll_s, self._plan.every_s))
            value = await self._valued()
            why = "timer" if self._now_s() >= due_s else self._moved(value)
            if why:
                await self._take(why)
                self._value = value
                due_s = self._now_s() + self._plan.every_s

    async def _valued(self) -> Decimal | None:
        """Return the portfolio's value; None while the ledger is being restarted."""
        try:
            ledgers = await self._ledger.ask(Report(), deadline_s=ASK_S)
        except ActorError:
            return None
        return self._worth(ledgers)

    def _moved(self, value: Decimal | None) -> str:
        if value is None or self._value is None:
            self._value = self._value if value is None else value
            return ""
        base = abs(self._value)
        if base > ZERO and abs(value - self._value) > base * self._plan.moved:
            return "portfolio moved"
        return ""

    async def _take(self, why: str) -> None:
        for strategy in self._strategies:
            # One that is parked has nothing new, and a busy one is asked next time.
            with contextlib.suppress(MailboxClosed, MailboxFull):
                strategy.tell(Save())
        await self._sleep(SETTLE_S)
        try:
            await self._host.run(self._keeper.take, why, deadline_s=DEADLINE_S)
        except (SnapshotFailed, CommitFailed, TimeoutError) as error:
            # The journal has everything: only a restart takes longer without it.
            text = str(error) or type(error).__name__
            if text != self._said:
                self._failed(f"no snapshot was made: {text}")
            self._said = text
        else:
            self._said = ""
