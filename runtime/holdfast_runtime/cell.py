"""Cells: the places of a tree, each with its mailbox, whoever lives there."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeAlias

from holdfast_runtime.errors import ActorError
from holdfast_runtime.mailbox import Mailbox
from holdfast_runtime.messages import MANNERS, Manners
from holdfast_runtime.moving.farref import FarRef
from holdfast_runtime.refs import Ref
from holdfast_runtime.spec import is_at_or_below

if TYPE_CHECKING:
    from holdfast_runtime.bells import Bell
    from holdfast_runtime.family import Family
    from holdfast_runtime.holds import Hold
    from holdfast_runtime.kernel import Kernel
    from holdfast_runtime.meters import Meter
    from holdfast_runtime.sides import Sides
    from holdfast_runtime.spec import ActorSpec, SupervisorSpec
    from holdfast_runtime.threads.hosts import Hung, Trouble
    from holdfast_runtime.watchdogs import Watchdog

Outbox: TypeAlias = "list[tuple[Cell | None, Any]]"
"""What a handler said: (receiver, message), or (None, call) for an effect."""


class State(enum.Enum):
    """Where a child of a family stands."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    DOWN = "down"
    """Ended, and about to be started again."""

    CRASHED = "crashed"
    """Ended by an error; its family has not decided yet."""

    EXITED = "exited"
    """Ended by itself; its family has not decided yet."""

    STOPPED = "stopped"
    PARKED = "parked"

    # Each is one object, and Enum's own hash is a function in Python.
    __hash__ = object.__hash__


UNSETTLED = frozenset(
    {State.STARTING, State.STOPPING, State.DOWN, State.CRASHED, State.EXITED}
)


class Child:
    """What cells and families have in common, as children of a family."""

    __slots__ = (
        "attempt",
        "by_hand",
        "closed",
        "due_s",
        "ends_as",
        "error",
        "family",
        "incarnation",
        "kernel",
        "name",
        "path",
        "place",
        "restart",
        "started_s",
        "state",
    )

    def __init__(
        self, kernel: Kernel, spec: ActorSpec | SupervisorSpec, family: Family | None
    ) -> None:
        self.place = 0
        """Its number in the order of start of its family."""

        self.by_hand = False
        """Whether the next start was asked for by hand: it counts as no restart."""

        self.kernel = kernel
        self.name = spec.name
        self.family = family
        self.path: str = f"{family.path}/{spec.name}" if family else spec.name
        self.restart = spec.restart
        self.state = State.NEW
        self.closed = False
        """Whether messages are refused."""

        self.error: Exception | None = None
        self.incarnation = 0
        self.due_s: float | None = None
        self.attempt = 0
        self.started_s: float | None = None
        """When the incarnation that lives was up."""

        self.ends_as = State.STOPPED
        """What an orderly stop leaves: `STOPPED`, or `DOWN` where mail is kept.

        `EXITED` if the actor ends by itself.
        """

    def become(self, state: State) -> None:
        """Change the state, and keep the counts of what is unsettled."""
        before, self.state = self.state, state
        self.closed = state in (State.STOPPED, State.PARKED)
        if self.closed:
            self.shut()
        if self.family is not None and before is not state:
            self.family.moved(self, before)  # type: ignore[arg-type]
        step = (state in UNSETTLED) - (before in UNSETTLED)
        if step:
            self.kernel.settle(step)

    def shut(self) -> None:
        """Notice that messages are refused from now on."""

    def begin(self) -> None:
        """Start a new incarnation; its family's bell rings when that is decided."""
        raise NotImplementedError

    def request_stop(self) -> None:
        """Ask for an orderly end; the family's bell rings when it has ended."""
        raise NotImplementedError

    def cut(self) -> None:
        """End now, whatever is going on."""
        raise NotImplementedError

    @property
    def stop_s(self) -> float:
        """How long an orderly stop may take."""
        raise NotImplementedError

    @property
    def culprit(self) -> str:
        """The path of the actor whose error this child's is."""
        raise NotImplementedError


class Cell(Child):
    """The place of one actor: mailbox, reference and counts survive restarts."""

    __slots__ = (
        "actor",
        "at_end",
        "batch_handler",
        "began",
        "blocked",
        "busy",
        "commit",
        "direct",
        "handled",
        "handler",
        "holds",
        "hung",
        "in_hand",
        "interrupted",
        "is_async",
        "is_recorder",
        "kill_error",
        "left",
        "life",
        "mailbox",
        "manners",
        "meter",
        "one_by_one",
        "order",
        "outbox",
        "overruns",
        "probing",
        "queued",
        "records",
        "ref",
        "room",
        "routes",
        "sample_at",
        "scope",
        "service",
        "settled",
        "sides",
        "spec",
        "stalls",
        "suspects",
        "task",
        "watchdog",
    )

    queued: bool
    """Whether the live engine's pump is about to read its mailbox, or at it."""

    busy: bool
    """Whether an asynchronous handler is under way on the simulated engine."""

    manners: Manners
    """Lane and turn by the class of a message; it raises for what is not taken."""

    direct: int
    """Messages of the simulated engine that wait in no mailbox."""

    left: int
    """How many messages waited, all in all, when it was stopped."""

    began: bool
    """Whether there was an incarnation since it was last said to be stopped."""

    is_recorder: bool
    """Whether others wait until what they recorded is durable here."""

    hung: Hung | None
    """Counts the threads that hang, of all incarnations; if it runs in a thread."""

    sample_at: int
    """How many messages are handled when the next one is to be measured."""

    probing: bool
    """Whether the meter wants to know of the next message in the mailbox."""

    meter: Meter | None
    watchdog: Watchdog | None
    overruns: int
    """How many handlers were over their budget."""

    spec: ActorSpec
    order: int
    mailbox: Mailbox
    routes: dict[type, Callable[[object], None]]
    """What puts a message into its lane, by its class, where there is room.

    Empty while messages are refused.
    """

    ref: Ref[Any]
    actor: Any
    handler: Callable[[Any], Any] | None
    batch_handler: Callable[[list[Any]], Any] | None
    commit: Callable[[list[Any]], None] | None
    """Of a recorder that never waits: commits what another actor recorded."""

    is_async: bool
    life: int
    """Counts ends of incarnations: an old one's holds are void."""

    outbox: Outbox
    records: list[Any]
    holds: deque[Hold]
    stalls: int
    """How many receivers with full lanes this cell waits for."""

    blocked: list[Cell]
    room: list[Bell]
    settled: list[Bell]
    in_hand: tuple[Any, ...]
    """The messages that are being handled, for their disposal after a death."""

    kill_error: Exception | None
    interrupted: bool
    """Whether the incarnation is to handle no more: it is stopped or killed."""

    suspects: set[Hashable]
    """The derived inputs that were in hand when an incarnation crashed."""

    one_by_one: int
    """How many messages a batch handler is given alone, to find the fatal one."""

    handled: int
    task: Any
    """What the engine runs now for this cell, or resumes when there is mail."""

    service: Any
    sides: Sides | None
    """What runs beside the handlers of the incarnation, if it asked for that."""

    scope: Any
    at_end: list[Callable[[], None]]
    """What is called when the incarnation has ended, however it did."""

    def __init__(self, kernel: Kernel, spec: ActorSpec, family: Family) -> None:
        super().__init__(kernel, spec, family)
        self.manners = MANNERS
        self.sample_at = 1
        self.spec = spec
        self.order = kernel.next_order()
        self.mailbox = Mailbox(spec.lanes)
        self.routes = {}
        self.ref = FarRef(self) if spec.runs_in == "process" else Ref(self)
        self.outbox = []
        self.records = []
        self.holds = deque()
        self.blocked = []
        self.room = []
        self.settled = []
        self.in_hand = ()
        self.suspects = set()
        self.at_end = []
        self.queued = self.busy = self.began = self.is_recorder = self.probing = False
        self.is_async = self.interrupted = False
        self.direct = self.left = self.overruns = self.life = self.stalls = 0
        self.one_by_one = self.handled = 0
        self.hung = self.meter = self.watchdog = self.actor = self.handler = None
        self.batch_handler = self.commit = self.kill_error = self.task = None
        self.service = self.scope = self.sides = None

    @property
    def stop_s(self) -> float:
        """As the spec says."""
        return self.spec.stop_s

    @property
    def culprit(self) -> str:
        """Its own path."""
        return self.path

    def shut(self) -> None:
        """Forget the short ways in."""
        self.routes.clear()

    def begin(self) -> None:
        """Start a new incarnation."""
        self.incarnation += 1
        self.started_s = None
        self.began = True
        self.kill_error = None
        self.interrupted = False
        self.ends_as = State.STOPPED
        self.become(State.STARTING)
        self.kernel.start_cell(self)

    def request_stop(self) -> None:
        """End after the message in hand, before all that waits."""
        if self.state in (State.RUNNING, State.STARTING):
            self.become(State.STOPPING)
            self.interrupted = True
            self.kernel.resume(self)
        elif self.state is not State.STOPPING:
            self.become(self.ends_as)

    def cut(self) -> None:
        """Cancel the incarnation."""
        self.kernel.cut_cell(self)

    def waits_for(self, other: Cell) -> bool:
        """Tell whether this one may wait while a lane of ``other`` is full.

        A recorder waits for nobody: who recorded would wait for it, and so for all.
        """
        if self.is_recorder:
            return False
        declared = self.spec.waits_for
        if declared is None or other.path == self.spec.recorder:
            return True
        return any(is_at_or_below(other.path, named) for named in declared)

    def report(self, trouble: Trouble) -> None:
        """Say what happened to the thread of the actor."""
        error = ActorError(trouble.text)
        self.kernel.tell_lifecycle(self.path, trouble.what, self.incarnation, error)
