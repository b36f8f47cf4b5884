"""How the venues of a running engine are: plain values, of whoever is there to say."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from holdfast_actors.breaker import degraded_words
from holdfast_actors.messages import Report
from holdfast_actors.parts import Parts
from holdfast_actors.places import FEEDS, VENUES, deadman_path, session_path
from holdfast_runtime import ActorError, LiveEngine

ASK_S: Final = 5.0


async def venue_status(engine: LiveEngine, parts: Parts, name: str) -> dict[str, Any]:
    """Return how a venue is: session, limiter, breaker, streams, dead man's switch."""
    session, held = engine.cells[session_path(name)], deadman_path(name)
    said: dict[str, Any] = {
        "state": session.state.value,
        "restarts": max(0, session.incarnation - 1),
        **sight_of(engine.now_s(), parts, name),
        "silent_s": await _silent(engine, name),
    }
    if held in engine.cells:
        why = {"cancels_in_s": None}
        said["deadman"] = await _asked(engine, held, why)
    return said


def sight_of(now_s: float, parts: Parts, name: str) -> dict[str, Any]:
    """Return what can be seen without asking anybody; times are seconds."""
    reach, silence = parts.reaches[name], parts.silences[name]
    said: dict[str, Any] = {
        "away_s": None if reach.lost_s is None else now_s - reach.lost_s,
        "blocked_s": silence.left_s(now_s),
        "cancels_blocked_s": silence.left_s(now_s, cancel=True),
        "limiter": None,
        "breaker": None,
        "degraded": None,
    }
    degraded = parts.gate.degraded.get(name)
    if degraded is not None:
        words = degraded_words(degraded)
        said["degraded"] = {**msgspec.to_builtins(degraded), "words": words}
    account = parts.accounts.get(name)
    if account is not None:
        said |= msgspec.to_builtins(account.sight())
    return said


async def _silent(engine: LiveEngine, name: str) -> dict[str, float | None]:
    """Return how long ago each subscription told something; null: never."""
    found: dict[str, float | None] = {}
    for path in (f"{FEEDS}/{name}", f"{VENUES}/{name}/account"):
        if path in engine.cells:
            found |= (await _asked(engine, path, {})).get("silent_s", {})
    return found


async def _asked(
    engine: LiveEngine, path: str, otherwise: dict[str, Any]
) -> dict[str, Any]:
    """Return what an actor reports, or ``otherwise`` and why it does not."""
    try:
        said: dict[str, Any] = await engine.ref(path).ask(Report(), deadline_s=ASK_S)
    except ActorError as error:
        return {**otherwise, "why": type(error).__name__}
    return said
