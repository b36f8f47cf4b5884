"""The venues of a running engine for people: a line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.text import Text

QUIET_S: Final = 10.0
"""Silence of a subscription from which on it is shown."""


def venue_lines(venues: Mapping[str, Any]) -> Text:
    """Return how each venue is; what is as it should be is not dwelt upon."""
    text = Text()
    for name, each in venues.items():
        text.append("\n" if text else "")
        text.append(f"{name} {each['state']}, restarts {each['restarts']}")
        for words, style in (
            (_degraded(each["degraded"]), "bold red"),
            (_twin(each.get("twin")), "bold"),
            (_away(each), "bold red"),
            (_breaker(each["breaker"]), "bold red"),
            (_blocked(each), "yellow"),
            (_limiter(each["limiter"]), ""),
            (_silent(each["silent_s"]), ""),
            (_deadman(each), ""),
        ):
            if words:
                text.append(f", {words}", style=style)
    return text or Text("none")


def _away(venue: Mapping[str, Any]) -> str:
    away_s = venue["away_s"]
    return "" if away_s is None else f"away for {away_s:.0f} s"


def _degraded(degraded: Mapping[str, Any] | None) -> str:
    return "" if degraded is None else f"DEGRADED: {degraded['words']}"


def _twin(twin: Mapping[str, Any] | None) -> str:
    return "" if twin is None else str(twin["words"])


def _breaker(breaker: Mapping[str, Any] | None) -> str:
    if breaker is None or (breaker["state"] == "closed" and not breaker["failures"]):
        return ""
    failed = f"{breaker['failures']} questions failed in a row"
    if breaker["state"] == "open":
        return f"breaker open for {breaker['left_s']:.0f} s more, {failed}"
    return f"breaker {breaker['state'].replace('_', ' ')}, {failed}"


def _blocked(venue: Mapping[str, Any]) -> str:
    if not venue["blocked_s"]:
        return ""
    too = "cancels too" if venue["cancels_blocked_s"] else "but for cancels"
    return f"wants to hear nothing for {venue['blocked_s']:.0f} s, {too}"


def _limiter(limiter: Mapping[str, Any] | None) -> str:
    if limiter is None:
        return ""
    if limiter["limit"] is None:
        return f"used {limiter['used']} of a limit not known yet"
    words = f"used {limiter['used']} of {limiter['limit']} in {limiter['window_s']:g} s"
    orders, cancels = limiter["for_orders"], limiter["for_cancels"]
    return f"{words}, {orders} kept for orders, {cancels} of them for cancels"


def _silent(silent_s: Mapping[str, float | None]) -> str:
    """Return who has been silent for long; an account may be, for days."""
    quiet = [
        f"{name} {seconds:.0f} s ago"
        for name, seconds in silent_s.items()
        if seconds is not None and seconds >= QUIET_S
    ]
    return f"last heard: {', '.join(quiet)}" if quiet else ""


def _deadman(venue: Mapping[str, Any]) -> str:
    """Return when the venue cancels all orders, where it would."""
    held = venue.get("deadman")
    if held is None:
        return ""
    left_s, why = held["cancels_in_s"], held["why"]
    when = "may cancel all orders"
    if left_s is not None:
        when = f"cancels all orders in {left_s:.0f} s"
    return f"{when}, {why}" if why else f"{when} unless put off"
