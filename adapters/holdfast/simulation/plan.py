"""What a seed draws: a market, strategies, and a list of faults that can be shrunk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random  # noqa: TID251 - seeded here, with the seed of the history
from typing import Final, TypeAlias

import attrs

from holdfast.simulation.markets import MARKETS
from holdfast.simulation.strategies import ALL
from holdfast_actors.degradation import PAPER, Degrading, Policy
from holdfast_actors.places import GUARD
from holdfast_adapters.hostile import KINDS, Op, VenueFault
from holdfast_domain.errors import InputError

PLACES: Final = (
    "engine/core/journal",
    "engine/core/orders",
    "engine/core/ledger",
    "engine/core/guard",
    "engine/trading/venues/*/session",
    "engine/trading/feeds/replay",
    "engine/trading/strategies/Trader/strategy",
    "engine/trading/scheduler",
    "engine/trading/reconciler",
)
ACTOR_KINDS: Final = ("kill", "crash", "crash_after", "crash_start")
DEATH_KINDS: Final = ("death_at_record", "power_cut", "death_at_send", "disk_full")
LINK_KINDS: Final = ("delay", "duplicate", "reorder")
OTHER_KINDS: Final = ("halt", "person")
RARE_KINDS: Final = ("degrade",)
"""Drawn apart, so that the histories of all other seeds stay what they are."""

ALL_KINDS: Final = (*KINDS, *ACTOR_KINDS, *DEATH_KINDS, *LINK_KINDS, *OTHER_KINDS)

_NEAR_GUARD = 5
"""Within so many messages of a crash, the guard may have the same decision again."""

VENUES_MAX: Final = 2
_FAULTS_MAX = 7
_RARE_RATE = 0.1
"""In so many histories of a venue with faults, a venue is degraded once."""

_PERSON_RATE = 0.5
"""In so many histories with a doubt, a person looks at the first one."""

_DOUBTS: Final = frozenset({"lost_ack", "lost_request"})
_NTH: Final = {Op.CONNECT: 4, Op.LOOKUP: 6, Op.GAP: 4, Op.CANCEL: 6, Op.REPLACE: 4}


@attrs.frozen(kw_only=True)
class EngineFault:
    """A fault of the engine itself: an actor, a message, the process or the disk."""

    kind: str
    nth: int
    """Of the messages to ``place``, of the commits, of the sends or of the doubts."""

    place: str = ""
    process: int = 0
    """In which of the engine's processes, from 0."""

    def __str__(self) -> str:
        where = f" {self.place}" if self.place else ""
        return f"{self.kind}{where} at {self.nth}, process {self.process}"


Fault: TypeAlias = VenueFault | EngineFault


@attrs.frozen(kw_only=True)
class Plan:
    """One history, before it is played."""

    seed: int
    market: int
    strategies: int
    fill: str
    partial: bool
    speed: float | None
    """How fast market time goes by; None is as fast as it goes."""

    commit_s: float
    latency_s: float
    """How long the venue takes to answer."""

    shuffle: bool
    faults: tuple[Fault, ...]
    venues: int = 1
    """How many there are; with two, each instrument trades at one of its own."""

    @property
    def degrading(self) -> Degrading | None:
        """Return what is done when a venue is away for long; None: nobody watches."""
        found = next((each for each in self.faults if each.kind == "degrade"), None)
        if found is None:
            return None
        policy: Policy = "cancel" if found.nth % 2 else "halt"
        if self.venues == 1 and found.nth % 3 == 0:
            policy = PAPER
        return Degrading(
            after_s=5.0,
            policy=policy,
            resume="venue" if found.nth % 4 < 2 else "person",  # noqa: PLR2004 - half
        )

    @property
    def is_harmless(self) -> bool:
        """Whether none of its faults may change what is traded.

        Siblings may reach the venue in another order, and so share what a bar offers.
        """
        harmless = (*ACTOR_KINDS, *DEATH_KINDS, *LINK_KINDS)
        alone = self.strategies == 1 or not self.partial
        return alone and all(fault.kind in harmless for fault in self.faults)

    def undisturbed(self) -> Plan:
        """Return the same trading without a fault, as quiet as can be."""
        return attrs.evolve(
            self,
            seed=0,
            speed=None,
            commit_s=0.0,
            latency_s=0.0,
            shuffle=False,
            faults=(),
        )

    def only(self, numbers: Collection[int]) -> Plan:
        """Return the plan with those of its faults that have ``numbers``, from 0."""
        kept = tuple(f for at, f in enumerate(self.faults) if at in numbers)
        return attrs.evolve(self, faults=kept)


def draw(seed: int, kinds: Sequence[str] | None = None) -> Plan:
    """Return the plan of ``seed``: the same for the same seed and kinds."""
    dice = Random(f"sim/{seed}")
    chosen = _chosen(dice) if kinds is None else kinds
    plan = Plan(
        seed=seed,
        market=dice.randrange(MARKETS),
        strategies=dice.choice((1, 1, 2, len(ALL))),
        fill=dice.choice(("next_open", "next_open", "this_close", "next_close")),
        partial=dice.choice((False, True)),
        speed=dice.choice((None, 1.0, 60.0)),
        commit_s=dice.choice((0.0, 0.01)),
        latency_s=dice.choice((0.0, 0.05)),
        shuffle=dice.choice((False, True)),
        faults=(),
    )
    faults = [_fault(dice, dice.choice(chosen)) for _ in range(_count(dice))]
    if kinds is None and any(fault.kind in _DOUBTS for fault in faults):
        # Whoever is in doubt looks it up: let that go wrong too.
        kind = dice.choice(("lost_request", "busy", "disconnect"))
        nth = dice.randint(1, 2)
        faults.append(VenueFault(kind=kind, op=Op.LOOKUP, nth=nth))
    venues = dice.choice((1, 1, VENUES_MAX))
    faults = _apart([_placed(dice, fault, venues) for fault in faults])
    doubted = any(fault.kind in _DOUBTS for fault in faults)
    if kinds is None and doubted and dice.random() < _PERSON_RATE:
        faults += _looked_at(dice)
    drawn = attrs.evolve(plan, venues=venues, faults=tuple(faults))
    if kinds is None and not drawn.is_harmless:
        faults += _rare(Random(f"sim/{seed}/rare"))
    return attrs.evolve(drawn, faults=tuple(faults))


def _rare(dice: Random) -> list[Fault]:
    if dice.random() >= _RARE_RATE:
        return []
    nth, process = dice.randint(1, 20), dice.choice((0, 0, 1))
    return [EngineFault(kind="degrade", nth=nth, process=process)]


def _looked_at(dice: Random) -> list[Fault]:
    """Return a doubt that lasts for long enough that a person looks at the venue."""
    nth = dice.randint(1, 8)
    person = EngineFault(kind="person", nth=1)
    if dice.random() < 0.5:  # noqa: PLR2004 - it never came, or nobody said that it did
        return [VenueFault(kind="lost_request", op=Op.SUBMIT, nth=nth), person]
    return [
        VenueFault(kind="lost_ack", op=Op.SUBMIT, nth=nth),
        *(VenueFault(kind="busy", op=Op.LOOKUP, nth=each) for each in range(1, 9)),
        person,
    ]


def _placed(dice: Random, fault: Fault, venues: int) -> Fault:
    """Return the fault at one of the venues."""
    if isinstance(fault, EngineFault) or venues == 1:
        return fault
    return attrs.evolve(fault, venue=dice.randrange(venues))


def _apart(faults: list[Fault]) -> list[Fault]:
    """Leave out crashes that would strike a message that has crashed its reader.

    The second one puts the message into quarantine, as it should: then the outcome is
    another one. A guard that is built anew has a decision again behind what it is told
    first.
    """
    apart: list[Fault] = []
    crashes: dict[tuple[str, int], list[int]] = {}
    for fault in faults:
        if isinstance(fault, EngineFault) and fault.kind in ("crash", "crash_after"):
            nths = crashes.setdefault((fault.place, fault.process), [])
            near = _NEAR_GUARD if fault.place == GUARD else 1
            if any(abs(nth - fault.nth) <= near for nth in nths):
                continue
            nths.append(fault.nth)
        apart.append(fault)
    return apart


def _chosen(dice: Random) -> Sequence[str]:
    """Return the kinds of one history: the engine's own, the venue's, or all.

    Faults of the engine alone must change nothing, which is a sharper question.
    """
    engine = (*ACTOR_KINDS, *DEATH_KINDS, *LINK_KINDS)
    venue = [kind for kind in ALL_KINDS if kind not in engine]
    return dice.choice((engine, venue, ALL_KINDS))


def checked_kinds(text: str) -> list[str]:
    """Return the kinds that ``text`` names, divided by commas.

    Raises:
        InputError: there is no such kind.
    """
    kinds = [each.strip() for each in text.split(",") if each.strip()]
    for kind in kinds:
        if kind not in (*ALL_KINDS, *RARE_KINDS):
            known = ", ".join((*ALL_KINDS, *RARE_KINDS))
            raise InputError("--faults", f"some of {known}", kind, "choose of them")
    return kinds


def _count(dice: Random) -> int:
    return dice.randint(1, _FAULTS_MAX)


def _fault(dice: Random, kind: str) -> Fault:
    if kind in KINDS:
        op = dice.choice(KINDS[kind])
        nth = dice.randint(1, _NTH.get(op, 20))
        return VenueFault(kind=kind, op=op, nth=nth, size=dice.choice((1, 1, 2, 3, 8)))
    process = dice.choice((0, 0, 0, 1, 2))
    if kind in ACTOR_KINDS or kind in LINK_KINDS:
        place = dice.choice(PLACES)
        nth = dice.randint(1, 3 if kind == "crash_start" else 60)
        return EngineFault(kind=kind, nth=nth, place=place, process=process)
    if kind == "person":
        return EngineFault(kind=kind, nth=dice.randint(1, 2), process=process)
    at_send = ("death_at_send", "halt", "degrade")
    nth = dice.randint(1, 20 if kind in at_send else 60)
    return EngineFault(kind=kind, nth=nth, process=process)
