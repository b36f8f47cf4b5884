"""What a session says: that it is up, and how each request ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from holdfast_actors.lanes import order_of
from holdfast_actors.reconciliation.messages import Answer, AskVenue
from holdfast_actors.requests import (
    Asked,
    AskGap,
    Cancel,
    Evidence,
    How,
    LookUp,
    Replace,
    Request,
    SessionUp,
    Submit,
)
from holdfast_domain.ports import Found, VenueEvent, VenuePromises
from holdfast_runtime import Ref

_ANSWERED: Final = How.ANSWERED
_SUBMIT: Final = Asked.SUBMIT
_ASKED: Final = {
    Submit: Asked.SUBMIT,
    Cancel: Asked.CANCEL,
    Replace: Asked.REPLACE,
    LookUp: Asked.LOOKUP,
    AskGap: Asked.GAP,
}


class Telling:
    """Speaks of one venue."""

    def __init__(
        self,
        orders: Ref[Any],
        reconciler: Ref[Any] | None,
        venue: str,
        silent_s: Callable[[], float],
        in_step: bool,
    ) -> None:
        """``silent_s`` returns for how long nothing may be asked of the venue.

        The ``reconciler``, if there is one, is told of each connect, too. Market time
        waits for a venue that is ``in_step``.
        """
        self._orders = orders
        self._up = (orders,) if reconciler is None else (orders, reconciler)
        self._venue = venue
        self._silent_s = silent_s
        self._in_step = in_step

    def up(self, number: int, promises: VenuePromises) -> None:
        """Say that the session is connected, for the time with ``number``."""
        for each in self._up:
            each.tell(SessionUp(self._venue, number, promises, self._in_step))

    def put_off(self, message: Request, reason: str, wait_s: float) -> None:
        """Say that a request did not leave, and when the next may."""
        how = How.UNKNOWN if isinstance(message, LookUp | AskGap) else How.NOT_SENT
        self.fail(message, how, reason, wait_s)

    def fail(
        self, message: Request, how: How, reason: str, wait_s: float = 0.0
    ) -> None:
        """Say how a request ended without the venue."""
        if isinstance(message, AskVenue):
            message.to.tell(Answer(message.number, None, reason))
            return
        asked = _ASKED[type(message)]
        for order_id in _orders_of(message):
            self.ended(asked, order_id, how, reason=reason, again_s=wait_s)

    def submitted(
        self,
        message: Submit,
        how: How,
        events: tuple[VenueEvent, ...] = (),
        reason: str = "",
        code: str = "",
    ) -> None:
        """Say how a submit ended: for each leg of a list, with what is said of it."""
        if not message.rest:
            self.ended(_SUBMIT, message.order.order_id, how, events, reason, code)
            return
        for order_id in message.ids:
            of_it = tuple([e for e in events if e.order_id == order_id])
            self.ended(_SUBMIT, order_id, how, of_it, reason, code)

    def ended(
        self,
        asked: Asked,
        order_id: str,
        how: How,
        events: tuple[VenueEvent, ...] = (),
        reason: str = "",
        code: str = "",
        asked_s: float = 0.0,
        story: Found | None = None,
        watermark: str = "",
        again_s: float = 0.0,
    ) -> None:
        """Say how a request ended, and what the venue said."""
        if how is not _ANSWERED:
            again_s = again_s or self._silent_s()
        self._orders.tell(
            Evidence(
                self._venue,
                asked,
                order_id,
                how,
                events,
                reason,
                code,
                asked_s,
                story,
                watermark,
                again_s,
            )
        )


def _orders_of(message: Request) -> tuple[str, ...]:
    return message.ids if isinstance(message, Submit) else (order_of(message),)
