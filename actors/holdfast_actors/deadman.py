"""A venue's dead man's switch: kept from striking for as long as the core is well.

The venue cancels all orders when a countdown ends. It is begun anew again and again,
but only after the core has answered; so a process that died, an engine that hangs, a
disk that takes nothing and a line that is cut all have the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from holdfast_actors.messages import Report
from holdfast_domain.errors import VenueError
from holdfast_domain.ports import DeadMansSwitch
from holdfast_runtime import ActorError, Ref

TRIES: Final = 4
"""How often the countdown is begun anew in its own length."""


class DeadMan:
    """Holds one venue's switch; it owns nothing that a restart would lose."""

    def __init__(
        self,
        *,
        switch: DeadMansSwitch,
        after_s: float,
        core: Sequence[Ref[Any]],
        sleep: Callable[[float], Coroutine[Any, Any, None]],
        now_s: Callable[[], float],
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Let the venue cancel ``after_s`` after the last answer of all of ``core``.

        ``say`` is told when it could not be put off, and when it is again.
        """
        self._switch = switch
        self._after_s = after_s
        self._core = core
        self._sleep = sleep
        self._now_s = now_s
        self._say = say
        self._armed_s: float | None = None
        self._why = ""
        """Why it was not put off the last time; empty where it was."""

    async def handle(self, message: Report) -> object:
        """Return how the switch stands."""
        del message
        left_s = 0.0
        if self._armed_s is not None:
            left_s = max(0.0, self._armed_s + self._after_s - self._now_s())
        return {"cancels_in_s": left_s, "why": self._why}

    async def run(self) -> None:
        """Put it off, again and again, until cancelled."""
        while True:
            await self.put_off()
            await self._sleep(self._after_s / TRIES)

    async def put_off(self) -> None:
        """Begin the countdown anew, if the core is well."""
        why = await self._is_ill()
        if not why:
            try:
                await self._switch.arm(self._after_s)
            except VenueError as error:
                why = str(error)
            else:
                self._armed_s = self._now_s()
        if why and not self._why:
            self._say(f"the venue may cancel all orders: {why}")
        elif self._why and not why:
            self._say("the venue keeps the orders again")
        self._why = why

    async def stop(self) -> None:
        """End the countdown: an orderly stop leaves the orders where they are."""
        try:
            await self._switch.disarm()
        except VenueError as error:
            self._say(f"the venue cancels all orders in {self._after_s:g} s: {error}")

    async def _is_ill(self) -> str:
        """Return why the core is not well; empty if it answers, and is durable."""
        for each in self._core:
            try:
                await each.ask(Report(), deadline_s=self._after_s / TRIES)
            except ActorError as error:
                return f"{each.path}: {type(error).__name__}"
        return ""
