"""A venue's silence outlives the process: it is journaled, and kept to by a start."""

from __future__ import annotations

from holdfast_actors.messages import Note
from holdfast_actors.parts import Parts
from holdfast_actors.places import JOURNAL
from holdfast_domain.events import VenueSilenced
from holdfast_domain.marketdata import utc_from_us
from holdfast_runtime import Context


def keep_silence(parts: Parts, venue: str, ctx: Context) -> None:
    """Let a silence of ``venue`` go on that the journal knows, and journal longer ones.

    For the session at ``ctx``, when it is built.
    """
    silence, wall = parts.silences[venue], parts.wall

    def write() -> None:
        now_s, now_us = ctx.now_s(), wall.now_us()
        lefts = (silence.left_s(now_s), silence.left_s(now_s, cancel=True))
        until, cancels_until = (
            utc_from_us(now_us + round(left_s * 1_000_000)) for left_s in lefts
        )
        said = VenueSilenced(venue=venue, until=until, cancels_until=cancels_until)
        ctx.ref(JOURNAL).tell(Note(said))

    silence.on_longer = write
    known = parts.silent.get(venue)
    if known is not None:
        now_s, now_us = ctx.now_s(), wall.now_us()
        all_s, cancels_s = (now_s + (end_us - now_us) / 1_000_000 for end_us in known)
        silence.go_on(all_s, cancels_s)
