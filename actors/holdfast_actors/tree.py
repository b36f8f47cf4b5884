"""The engine's supervision tree, as data.

engine                       rest_for_one: if the core cannot be healed, all starts anew
├── core                     rest_for_one, escalates; each is rebuilt from the journal
│   ├── journal  orders  ledger  guard
└── trading                  one_for_one: siblings do not share their troubles; parks
    ├── venues/<venue>       session
    ├── feeds                replay, and of a live market what it is told by
    ├── strategies/<name>    one family each, so that one parks without the others
    ├── breakers/<venue>     where an account is traded
    ├── scheduler  reconciler
    └── (more: whatever the composition adds, such as the console)

Waiting for a full mailbox goes from the source inwards, and never towards the venue:
the feed waits for sessions, scheduler and strategies, a session for orders, the
scheduler for strategies. Nobody else waits, but each for its recorder.
"""

from __future__ import annotations

from typing import Any

from holdfast_actors import folding
from holdfast_actors.atonce import SessionAtOnce
from holdfast_actors.breaker import VenueBreaker
from holdfast_actors.feed import ReplayFeed
from holdfast_actors.guard import Guard
from holdfast_actors.journal import GroupCommit, Journal
from holdfast_actors.kin import Kin
from holdfast_actors.lastgate import LastGate
from holdfast_actors.ledger import Ledger
from holdfast_actors.orders import Orders
from holdfast_actors.parts import Parts
from holdfast_actors.places import (
    FEED,
    GUARD,
    JOURNAL,
    LEDGER,
    ORDERS,
    RECONCILER,
    SCHEDULER,
    STRATEGIES,
    VENUES,
    session_path,
    strategy_path,
)
from holdfast_actors.readers import routes_to
from holdfast_actors.reconciliation.building import (
    deciders,
    reconciler_of,
    reconcilers,
)
from holdfast_actors.scheduler import Scheduler
from holdfast_actors.session import Session
from holdfast_actors.silence import keep_silence
from holdfast_actors.strategy.actor import StrategyActor
from holdfast_actors.strategy.plan import StrategyPlan
from holdfast_domain.sight import VenueSight
from holdfast_runtime import (
    ActorSpec,
    Beyond,
    Context,
    Full,
    Lane,
    LaneSpec,
    Strategy,
    SupervisorSpec,
)


def build_tree(parts: Parts) -> SupervisorSpec:
    """Return the tree of a replayed run, as a spec."""
    return SupervisorSpec(
        name="engine",
        strategy=Strategy.REST_FOR_ONE,
        backoff=parts.backoff,
        children=(_core(parts), _trading(parts)),
    )


def _core(parts: Parts) -> SupervisorSpec:
    return SupervisorSpec(
        name="core",
        strategy=Strategy.REST_FOR_ONE,
        beyond=Beyond.ESCALATE,
        backoff=parts.backoff,
        children=(
            ActorSpec(
                name="journal", build=lambda ctx: _journal(parts, ctx), waits_for=()
            ),
            ActorSpec(
                name="orders",
                build=lambda ctx: _orders(parts, ctx),
                recorder=JOURNAL,
                waits_for=(),
            ),
            ActorSpec(
                name="ledger",
                build=lambda ctx: Ledger(
                    history=parts.recovery.history(folding.LEDGER),
                    instruments=parts.instruments,
                    venue=parts.venue,
                    path=ctx.path,
                    read=parts.store.read,
                ),
                waits_for=(),
            ),
            ActorSpec(
                name="guard",
                build=lambda ctx: _guard(parts, ctx),
                recorder=JOURNAL,
                waits_for=(),
            ),
        ),
    )


def _trading(parts: Parts) -> SupervisorSpec:
    return SupervisorSpec(
        name="trading",
        strategy=Strategy.ONE_FOR_ONE,
        beyond=Beyond.PARK,
        backoff=parts.backoff,
        children=(
            _family(parts, "venues", tuple(_venue(parts, v) for v in parts.venues)),
            _family(
                parts,
                "feeds",
                (
                    ActorSpec(
                        name="replay",
                        build=lambda ctx: _feed(parts, ctx),
                        recorder=JOURNAL,
                        waits_for=(VENUES, SCHEDULER, STRATEGIES),
                    ),
                    *parts.sources,
                ),
            ),
            _family(
                parts, "strategies", tuple(_strategy(parts, p) for p in parts.plans)
            ),
            ActorSpec(
                name="scheduler",
                build=lambda ctx: _scheduler(parts, ctx),
                recorder=JOURNAL,
                waits_for=(STRATEGIES,),
            ),
            *_breakers(parts),
            *reconcilers(parts),
            *parts.more,
        ),
    )


def _family(
    parts: Parts, name: str, children: tuple[ActorSpec | SupervisorSpec, ...]
) -> SupervisorSpec:
    return SupervisorSpec(
        name=name, beyond=Beyond.PARK, backoff=parts.backoff, children=children
    )


def _venue(parts: Parts, venue: str) -> SupervisorSpec:
    session = ActorSpec(
        name="session",
        build=lambda ctx: _session(parts, venue, ctx),
        waits_for=(ORDERS,),
    )
    account = parts.accounts.get(venue)
    listeners = () if account is None else account.listeners
    return _family(parts, venue, (session, *listeners))


def _breakers(parts: Parts) -> tuple[SupervisorSpec, ...]:
    """Return who watches venues: those of which it is said what is done then."""
    watched = tuple(_breaker(parts, venue) for venue in parts.degrading)
    return (_family(parts, "breakers", watched),) if watched else ()


def _breaker(parts: Parts, venue: str) -> ActorSpec:
    account = parts.accounts.get(venue)

    def build(ctx: Context) -> VenueBreaker:
        ctx.monitor(session_path(venue))
        return VenueBreaker(
            venue=venue,
            plan=parts.degrading[venue],
            gate=parts.gate,
            guard=ctx.ref(GUARD),
            orders=ctx.ref(ORDERS),
            is_known_away=lambda: parts.is_known_away(venue),
            reach=parts.reaches[venue],
            silence=parts.silences[venue],
            sight=VenueSight if account is None else account.sight,
            after=ctx.after,
            now_s=ctx.now_s,
            incarnation=ctx.incarnation,
            notice=lambda what, how: ctx.effect(
                lambda: parts.notice(ctx.path, what, how)
            ),
        )

    return ActorSpec(name=venue, build=build, waits_for=())


def _sessions(parts: Parts, ctx: Context) -> dict[str, Any]:
    return {venue: ctx.ref(session_path(venue)) for venue in parts.venues}


def _strategies(parts: Parts, ctx: Context) -> dict[str, Any]:
    return {plan.name: ctx.ref(strategy_path(plan.name)) for plan in parts.plans}


def _strategy(parts: Parts, plan: StrategyPlan) -> SupervisorSpec:
    actor = ActorSpec(
        name="strategy",
        build=lambda ctx: StrategyActor(
            plan=plan,
            engine=parts.engine,
            epoch=parts.epoch,
            data=parts.data,
            instruments=parts.instruments,
            calendars=parts.calendars,
            commission=parts.limits.commission,
            history=lambda after: parts.past(plan.name, after),
            clock=parts.clock,
            prices=parts.prices,
            guard=ctx.ref(GUARD),
            scheduler=ctx.ref(SCHEDULER),
            journal=ctx.ref(JOURNAL),
            path=ctx.path,
        ),
        lanes={Lane.DATA: LaneSpec(capacity=1_024, full=Full.BLOCK)},
        waits_for=(),
        budget_s=parts.strategy_budget_s,
    )
    return _family(parts, plan.name, (actor,))


def _journal(parts: Parts, ctx: Context) -> Journal:
    common: dict[str, Any] = {
        "store": parts.store,
        "clock": parts.clock,
        "wall": parts.wall,
        "epoch": parts.epoch,
        "routes": routes_to(
            ledger=ctx.ref(LEDGER),
            guard=ctx.ref(GUARD),
            reconciler=reconciler_of(parts, ctx),
            strategies=_strategies(parts, ctx),
            passed=parts.passed,
        ),
        "effect": ctx.effect,
    }
    if parts.journal_host is None:
        return Journal(**common)
    return GroupCommit(host=parts.journal_host, **common)


def _orders(parts: Parts, ctx: Context) -> Orders:
    return Orders(
        history=parts.recovery.history(folding.ORDERS),
        sessions=_sessions(parts, ctx),
        venue_of=parts.venue_of,
        guard=ctx.ref(GUARD),
        strategies=deciders(parts, ctx),
        record=ctx.record,
        after=ctx.after,
        now_us=lambda: parts.clock.now_us,
        now_s=ctx.now_s,
        patience=parts.patience,
        mark=parts.mark,
        call=lambda text: ctx.effect(lambda: parts.attention(text)),
        incarnation=ctx.incarnation,
        kin=Kin(parts.engine, parts.epoch, parts.attention, parts.fence.stand_back),
        path=ctx.path,
    )


def _guard(parts: Parts, ctx: Context) -> Guard:
    return Guard(
        history=parts.recovery.history(folding.GUARD),
        instruments=parts.instruments,
        limits=parts.limits,
        prices=parts.prices,
        clock=parts.clock,
        gate=parts.gate,
        orders=ctx.ref(ORDERS),
        record=ctx.record,
        effect=ctx.effect,
        path=ctx.path,
        venue_of=parts.venue_of,
        passed=parts.passed,
        incarnation=ctx.incarnation,
    )


def _session(parts: Parts, name: str, ctx: Context) -> Session | SessionAtOnce:
    venue, account = parts.venues[name](), parts.accounts.get(name)
    now_us = None if account is None else account.now_us
    keep_silence(parts, name, ctx)
    session = Session(
        venue=venue,
        orders=ctx.ref(ORDERS),
        reconciler=reconciler_of(parts, ctx),
        clock=parts.clock,
        gate=LastGate(
            parts.gate, parts.mark, parts.clock, parts.fence.why, now_us, name
        ),
        interest=parts.interest,
        silence=parts.silences[name],
        within=ctx.within,
        sleep=ctx.sleep,
        after=ctx.after,
        at_once=ctx.me.tell,
        now_s=ctx.now_s,
        incarnation=ctx.incarnation,
        sides=None if venue.answers_at_once else ctx.sides(),
        deadlines=parts.deadlines,
        stand_back=parts.fence.stand_back,
        call=lambda text: None if parts.is_known_away(name) else parts.attention(text),
        replays=account is None,
        reach=parts.reaches[name],
    )
    return SessionAtOnce(session) if venue.answers_at_once else session


def _feed(parts: Parts, ctx: Context) -> ReplayFeed:
    return ReplayFeed(
        data=parts.data,
        clock=parts.clock,
        prices=parts.prices,
        interest=parts.interest,
        sessions=_sessions(parts, ctx),
        scheduler=ctx.ref(SCHEDULER),
        strategies=[ctx.ref(strategy_path(plan.name)) for plan in parts.plans],
        me=ctx.me,
        effect=ctx.effect,
        record=ctx.record,
        after=ctx.after,
        speed=parts.speed,
        slices_max=parts.slices_max,
        finished=parts.finished,
        incarnation=ctx.incarnation,
    )


def _scheduler(parts: Parts, ctx: Context) -> Scheduler:
    return Scheduler(
        history=parts.recovery.scheduler(),
        calendars=parts.calendars,
        clock=parts.clock,
        strategies=_strategies(parts, ctx),
        feed=ctx.ref(FEED),
        span_us=lambda: parts.data.span_us,
        record=ctx.record,
    )


__all__ = [
    "FEED",
    "GUARD",
    "JOURNAL",
    "LEDGER",
    "ORDERS",
    "RECONCILER",
    "SCHEDULER",
    "STRATEGIES",
    "VENUES",
    "Parts",
    "build_tree",
    "session_path",
    "strategy_path",
]
