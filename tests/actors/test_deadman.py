"""The dead man's switch is put off while the core answers, and not a moment longer."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from holdfast_actors.deadman import DeadMan
from holdfast_actors.messages import Report
from holdfast_domain.errors import OutcomeUnknown
from holdfast_runtime import AskTimeout

from .scripted import now

AFTER_S = 60.0


@attrs.define
class Core:
    """A part of the core that answers, or does not."""

    path: str
    error: Exception | None = None
    asked: int = 0

    async def ask(self, message: object, *, deadline_s: float) -> object:
        assert isinstance(message, Report)
        assert deadline_s < AFTER_S / 2
        self.asked += 1
        if self.error is not None:
            raise self.error
        return None


@attrs.define
class Switch:
    """A venue's switch, and what it was told."""

    told: list[float] = attrs.field(factory=list)
    error: Exception | None = None

    async def arm(self, after_s: float) -> None:
        if self.error is not None:
            raise self.error
        self.told.append(after_s)

    async def disarm(self) -> None:
        await self.arm(0)


class Stand:
    """The actor, its core and its venue."""

    def __init__(self) -> None:
        self.orders, self.journal = Core("orders"), Core("journal")
        self.switch, self.said, self.slept = Switch(), list[str](), list[float]()
        self.now_s = 100.0
        core: Any = (self.orders, self.journal)
        self.actor = DeadMan(
            switch=self.switch, after_s=AFTER_S, core=core, sleep=self._sleep,
            now_s=lambda: self.now_s, say=self.said.append,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        if len(self.slept) == 3:
            raise KeyboardInterrupt

    def report(self) -> object:
        with pytest.raises(StopIteration) as done:
            self.actor.handle(Report()).send(None)
        return done.value.value


def test_it_is_put_off_again_and_again_long_before_its_end() -> None:
    stand = Stand()
    with pytest.raises(KeyboardInterrupt):
        stand.actor.run().send(None)
    assert stand.switch.told == [AFTER_S] * 3
    assert stand.slept == [AFTER_S / 4] * 3
    assert stand.orders.asked == stand.journal.asked == 3
    assert stand.said == []


@pytest.mark.parametrize("part", ["orders", "journal"])
def test_a_core_that_does_not_answer_is_no_reason_to_put_it_off(part: str) -> None:
    stand = Stand()
    now(stand.actor.put_off())
    getattr(stand, part).error = AskTimeout(part, Report(), 1.0)
    stand.now_s += 20
    now(stand.actor.put_off())
    now(stand.actor.put_off())
    assert stand.switch.told == [AFTER_S]
    assert stand.said == [f"the venue may cancel all orders: {part}: AskTimeout"]
    assert stand.report() == {"cancels_in_s": 40.0, "why": f"{part}: AskTimeout"}
    getattr(stand, part).error = None
    now(stand.actor.put_off())
    assert stand.said[1:] == ["the venue keeps the orders again"]


def test_a_venue_that_is_not_reached_is_said_and_tried_again() -> None:
    stand = Stand()
    stand.switch.error = OutcomeUnknown("no answer")
    now(stand.actor.put_off())
    assert stand.said == ["the venue may cancel all orders: no answer"]
    stand.switch.error = None
    now(stand.actor.put_off())
    assert stand.switch.told == [AFTER_S]


def test_an_orderly_stop_leaves_the_orders_where_they_are() -> None:
    stand = Stand()
    now(stand.actor.put_off())
    now(stand.actor.stop())
    assert stand.switch.told == [AFTER_S, 0]
    stand.switch.error = OutcomeUnknown("no answer")
    now(stand.actor.stop())
    assert stand.said == ["the venue cancels all orders in 60 s: no answer"]
