"""A session that waits for nothing: it is called like any owner of state."""

from __future__ import annotations

from holdfast_actors.session import Session


class SessionAtOnce:
    """The session of a venue that answers at once: nobody waits, so it is synchronous.

    A request is then a call, and not a task of its own.
    """

    def __init__(self, session: Session) -> None:
        self.handle = session.handle_at_once
        self.start = session.start
        self.stop = session.stop
