"""What a session asks a venue about the account: a question, and one answer to it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from holdfast_actors.connection import Connection
from holdfast_actors.reconciliation.messages import (
    Account,
    Answer,
    AskVenue,
    Question,
)
from holdfast_domain.errors import VenueError
from holdfast_domain.ports import Venue


async def answer_of(
    venue: Venue, line: Connection, limit_s: float, message: AskVenue
) -> Answer:
    """Ask the venue; what fails or takes longer than ``limit_s`` is no answer."""
    try:
        found = await line.limited(limit_s, _request(venue, message))
    except VenueError as error:
        return Answer(message.number, None, str(error))
    return Answer(message.number, found)


def _request(venue: Venue, message: AskVenue) -> Coroutine[Any, Any, Account]:
    match message.question:
        case Question.EXECUTIONS:
            return venue.executions_since(message.watermark)
        case Question.OPEN_ORDERS:
            return venue.open_orders()
        case Question.POSITIONS:
            return venue.positions()
        case Question.BALANCES:
            return venue.balances()
