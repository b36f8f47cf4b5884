"""Requests to a venue, each carried out once: what a session does for `orders`.

Nothing is sent that its last gate holds back, or that the venue does not take.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, assert_never

from holdfast_actors.connection import Connection, Deadlines
from holdfast_actors.inquiry import answer_of
from holdfast_actors.lastgate import LastGate
from holdfast_actors.reconciliation.messages import AskVenue
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    How,
    LookUp,
    Replace,
    Submit,
)
from holdfast_actors.telling import Telling
from holdfast_domain.errors import NotSent, OutcomeUnknown, VenueError, VenueRefused
from holdfast_domain.ports import (
    Executions,
    NotFound,
    ReplayedVenue,
    VenueEvent,
    is_at_once,
)

_ANSWERED, _SUBMIT = How.ANSWERED, Asked.SUBMIT
NOT_TAKEN = "order_kind"
"""The code of an order of a kind that its venue does not declare."""


class Requests:
    """Carries requests to one venue that is there, and says how each ended."""

    def __init__(
        self,
        venue: ReplayedVenue,
        gate: LastGate,
        line: Connection,
        say: Telling,
        deadlines: Deadlines,
        now_s: Callable[[], float],
    ) -> None:
        self._venue = venue
        self._submit_now = venue.submit_now if is_at_once(venue) else None
        self._gate = gate
        self._line = line
        self._say = say
        self._deadlines = deadlines
        self._now_s = now_s

    def submit(self, message: Submit) -> Coroutine[Any, Any, None] | None:
        """Send an order or a list, and return what then waits for the answer.

        It must be awaited in the statement after this: what the last gate has seen
        holds for the moment.
        """
        if stale := self._gate.holds_back(message, self._line.number):
            self._say.submitted(message, How.NOT_SENT, reason=stale)
            return None
        order, takes = message.order, self._venue.promises.takes
        if order.leg is None:
            lacks = takes.lacks(order.terms)
        else:
            lacks = takes.lacks_list(order.leg.kind, message.terms)
        if lacks:
            reason = f"{self._venue.name} takes no {lacks}"
            self._say.submitted(message, How.REFUSED, reason=reason, code=NOT_TAKEN)
            return None
        if self._submit_now is None or message.rest:
            return self._send(message)
        try:
            events = self._line.at_once(self._submit_now, order)
        except VenueError as error:
            self._failed(message, error)
        else:
            self._say.ended(_SUBMIT, order.order_id, _ANSWERED, tuple(events))
        return None

    async def _send(self, message: Submit) -> None:
        order, rest, venue = message.order, message.rest, self._venue
        request = venue.submit_list((order, *rest)) if rest else venue.submit(order)
        try:
            events = await self._line.limited(self._deadlines.command_s, request)
        except VenueError as error:
            self._failed(message, error)
        else:
            self._say.submitted(message, _ANSWERED, tuple(events))

    def _failed(self, message: Submit, error: VenueError) -> None:
        how, reason, code = _how(error)
        self._say.submitted(message, how, reason=reason, code=code)

    def ask(
        self, message: Cancel | Replace | LookUp | AskGap | AskVenue
    ) -> Coroutine[Any, Any, None]:
        """Return what does any other request when it is awaited."""
        match message:
            case Cancel(order_id=order_id):
                request = self._venue.cancel(order_id)
                return self._ask(Asked.CANCEL, order_id, request)
            case Replace():
                return self._replace(message)
            case LookUp():
                return self._look_up(message)
            case AskGap(watermark):
                return self._ask_gap(watermark)
            case AskVenue():
                return self._answer(message)
            case _:
                assert_never(message)

    async def _replace(self, message: Replace) -> None:
        if self._gate.halted:
            # New terms may cost more: they pass the same gate as a new order.
            self._say.ended(
                Asked.REPLACE, message.order_id, How.NOT_SENT, reason="halted"
            )
            return
        request = self._venue.replace(message.order_id, message.terms)
        await self._ask(Asked.REPLACE, message.order_id, request)

    async def _look_up(self, message: LookUp) -> None:
        order_id, asked_s = message.order_id, self._now_s()
        how, story, reason = How.UNKNOWN, None, ""
        try:
            request = self._venue.lookup(order_id, message.meant_us)
            found = await self._line.limited(self._deadlines.query_s, request)
        except VenueError as error:
            # Nothing is known by it, whatever kind of failure it was.
            reason = str(error)
        else:
            if isinstance(found, NotFound):
                how, reason = How.ABSENT, found.reason
            else:
                how, story = How.ANSWERED, found
        events = () if story is None else tuple(story.events)
        self._say.ended(
            Asked.LOOKUP,
            order_id,
            how,
            events,
            reason=reason,
            asked_s=asked_s,
            story=story,
        )

    async def _ask_gap(self, watermark: str) -> None:
        try:
            request = self._venue.executions_since(watermark)
            found = await self._line.limited(self._deadlines.query_s, request)
        except VenueRefused as error:
            self._say.ended(Asked.GAP, "", How.REFUSED, reason=error.reason)
        except VenueError as error:
            self._say.ended(Asked.GAP, "", How.UNKNOWN, reason=str(error))
        else:
            events, after = tuple(found.events), found.watermark
            self._say.ended(Asked.GAP, "", How.ANSWERED, events, watermark=after)

    async def _answer(self, message: AskVenue) -> None:
        query_s = self._deadlines.query_s
        answer = await answer_of(self._venue, self._line, query_s, message)
        if isinstance(answer.found, Executions):
            # `orders` books what it has not heard of before anything is compared.
            events = tuple(answer.found.events)
            self._say.ended(Asked.ACCOUNT, "", How.ANSWERED, events)
        message.to.tell(answer)

    async def _ask(
        self,
        asked: Asked,
        order_id: str,
        request: Coroutine[Any, Any, Sequence[VenueEvent]],
    ) -> None:
        limit_s, cancel = self._deadlines.command_s, asked is Asked.CANCEL
        try:
            events = await self._line.limited(limit_s, request, cancel=cancel)
        except VenueError as error:
            how, reason, code = _how(error)
            self._say.ended(asked, order_id, how, reason=reason, code=code)
        else:
            self._say.ended(asked, order_id, How.ANSWERED, tuple(events))


def _how(error: VenueError) -> tuple[How, str, str]:
    """Return how a request that failed so ended, why, and the venue's code.

    Raises:
        VenueError: it is no end of a request, but of the session.
    """
    match error:
        case VenueRefused():
            return How.REFUSED, error.reason, error.code
        case NotSent():
            return How.NOT_SENT, str(error), ""
        case OutcomeUnknown():
            return How.UNKNOWN, str(error), ""
        case _:
            raise error
