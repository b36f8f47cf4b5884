"""A venue that bans is left alone by the process after the one that it banned, too."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from holdfast.simulation.checks import judge
from holdfast.simulation.plan import EngineFault
from holdfast.simulation.playing import play
from holdfast.simulation.power import FailingJournal
from holdfast_adapters.hostile import HostileVenue, Op, VenueFault
from holdfast_domain import events as ev

from .plans import QUIET

BAN = VenueFault(kind="ban", op=Op.SUBMIT, nth=2, size=3)
"""For three minutes, at the second order."""

PLAN = attrs.evolve(QUIET, faults=(BAN,))


def commit_of_the_silence(monkeypatch: pytest.MonkeyPatch) -> int:
    """Return which commit of the run has the venue's wish, from 1."""
    kinds: list[set[type]] = []
    append = FailingJournal.append

    def counted(self: FailingJournal, batch: Sequence[ev.Entry]) -> None:
        kinds.append({type(entry.event) for entry in batch})
        append(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(FailingJournal, "append", counted)
        play(PLAN)
    return next(at for at, each in enumerate(kinds, 1) if ev.VenueSilenced in each)


def test_a_ban_outlives_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    nth = commit_of_the_silence(monkeypatch)
    connected: list[float] = []
    connect = HostileVenue.connect

    async def noted(self: HostileVenue) -> None:
        connected.append(self._now_s())
        await connect(self)

    monkeypatch.setattr(HostileVenue, "connect", noted)
    death = EngineFault(kind="death_at_record", nth=nth)

    played = play(attrs.evolve(PLAN, faults=(BAN, death)))

    assert judge(played).violations == ()
    assert (played.struck["ban"], played.struck["death_at_record"]) == (1, 1)
    assert connected[0] == 0.0
    # The host's clock stands still here, so the whole of the ban is left.
    assert connected[1] == pytest.approx(180.0, abs=0.01)
