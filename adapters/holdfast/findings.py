"""What a doctor says of what was looked at."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

Verdict: TypeAlias = Literal["ok", "warning", "failed", "skipped"]
SKEW_WARNS_S: Final = 1.0
SKEW_FAILS_S: Final = 5.0
"""How far the clocks may differ before a venue refuses what is signed."""

ANSWER_S: Final = 15.0


@attrs.frozen
class Finding:
    """What was looked at, and how it is."""

    what: str
    verdict: Verdict
    text: str


def skew(offset_us: int) -> Finding:
    """Return what it means that the venue's clock is so far from ours."""
    off_s = abs(offset_us) / 1_000_000
    verdict: Verdict = "ok" if off_s <= SKEW_WARNS_S else "warning"
    if off_s > SKEW_FAILS_S:
        verdict = "failed"
    return Finding("clock", verdict, f"{off_s:.3f} s from the venue's")


def said(error: Exception) -> str:
    """Return what an error says, or that nothing was said in time."""
    return str(error) or f"no answer within {ANSWER_S:g} s"
