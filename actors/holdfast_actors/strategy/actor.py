"""The actor that runs one strategy.

Its memory is the strategy's. It takes inputs (slices, triggers, records of its own
orders) one at a time, each once, and says what was decided on each in one message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from holdfast_actors.clock import MarketClock, PriceBoard
from holdfast_actors.messages import (
    AskSchedules,
    Committed,
    Decision,
    Declare,
    Note,
    Quotes,
    Report,
    Resend,
    Save,
    Slice,
    StrategyMessage,
    Ticks,
    Triggered,
)
from holdfast_actors.scheduler import PastTriggers
from holdfast_actors.strategy.calling import (
    Fires,
    fires_of,
    own_method,
    report_of,
    tell,
)
from holdfast_actors.strategy.data import BarData
from holdfast_actors.strategy.host import Context, Host
from holdfast_actors.strategy.news import NEWS
from holdfast_actors.strategy.orders import Desk
from holdfast_actors.strategy.params import all_values
from holdfast_actors.strategy.plan import StrategyPlan
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_actors.strategy.restore import Past, is_told, missed
from holdfast_actors.strategy.state import Memory, to_json
from holdfast_actors.strategy.views import Transaction
from holdfast_domain import events as ev
from holdfast_domain.cursor import SLICE_SLOT, SLOT_BITS, START, shown_step
from holdfast_domain.events import OrderFilled
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData, Quote, Trade
from holdfast_domain.schedules import Calendars
from holdfast_runtime import Poisoned, Ref
from holdfast_runtime.ids import origin_text

KEPT_DECISIONS = 1_024
DAY_US = 86_400_000_000


class StrategyActor:
    """Runs one strategy; restored from the journal and the inputs since."""

    def __init__(
        self,
        *,
        plan: StrategyPlan,
        engine: int,
        epoch: int,
        data: MarketData,
        instruments: Mapping[str, Instrument],
        calendars: Calendars,
        commission: Decimal,
        history: Callable[[int], Iterable[ev.Entry]],
        clock: MarketClock,
        prices: PriceBoard,
        guard: Ref[Any],
        scheduler: Ref[Any],
        journal: Ref[Any],
        path: str,
    ) -> None:
        self.plan = plan
        self._path = path
        self._market = data
        self._history = history
        self._clock = clock
        self._prices = prices
        self._guard = guard
        self._scheduler = scheduler
        self._journal = journal
        self._view = PriceBoard(data)
        self._portfolio = Portfolio(instruments, self._view.last)
        self._desk = Desk(
            engine=engine, epoch=epoch, index=plan.index, instruments=instruments
        )
        self._host = Host(
            name=plan.name,
            instruments=instruments,
            portfolio=self._portfolio,
            desk=self._desk,
            calendars=calendars,
            last=self._view.last,
            commission=commission,
        )
        self._data = BarData(data, self._view, self._host)
        self._context = Context(self._host)
        self.strategy = plan.make()
        self.strategy._host = self._host  # noqa: SLF001 - the actor is its other half
        vars(self.strategy).update(all_values(type(self.strategy), plan.params))
        self._handle_data = self.strategy.handle_data
        self._memory = self._new_memory()
        self._sent: deque[Decision] = deque(maxlen=KEPT_DECISIONS)
        self._cursor = START
        self._applied = 0
        self._read = 0  # up to here the journal was read; what came since was told
        self._day = -1
        self._fires: Fires | None = None
        self._before = own_method(self.strategy, "before_trading_start")
        self._on_tick = own_method(self.strategy, "on_tick")
        self._on_quote = own_method(self.strategy, "on_quote")
        self._on_fill = own_method(self.strategy, "on_order_fill")

    # --- start ---------------------------------------------------------------

    def start(self) -> None:
        """Initialise, restore what was saved, and take what was missed."""
        past = Past.read(self.plan.name, self._path, self._history(0))
        if past.first is not None:
            self._take_record(past.first, quiet=True)
        self._cursor, self._desk.number = past.cursor, past.number
        self._initialize(past)
        if past.settled is not None and not past.is_first:
            self._portfolio.load(past.settled["portfolio"])
            self._desk.load(past.settled["desk"])
        for entry in past.entries:
            if entry.sequence <= past.applied:
                self._take_record(entry, quiet=True)
        self._read = past.read_to
        self._applied = max(self._applied, past.applied)
        if self._cursor:
            self._show(past)
        self._restore(past)
        self._declare()
        self._catch_up(past)

    def _initialize(self, past: Past) -> None:
        host = self._host
        host.initializing = True
        self.strategy.initialize(self._context)
        host.initializing = False
        self._data.limit_age(host.max_age_s)
        self._fires = fires_of(self._market, host.subscribed, host.history)
        # Whether its state can be saved is known now, and not at its first order.
        self._memory.changes()
        if past.is_first:
            self._decide("initialize")
        else:
            # It was decided by the first incarnation; the journal has those orders.
            self._desk.open.clear()
        self._desk.clear()

    def _show(self, past: Past) -> None:
        self._view.step = step = shown_step(past.cursor)
        self._host.now_us = past.time_us
        if step >= 0:
            self._day = self._market.times_us[step] // DAY_US

    def _restore(self, past: Past) -> None:
        if past.is_first:
            return
        owner = self.strategy, self._context
        symbols = self._host.instruments
        past.put_back(owner, symbols)
        # A decision says what changed since the one before it, whatever was saved
        # between the two.
        self._memory = self._new_memory()
        self._memory.changes()
        past.put_back_between(owner, symbols)

    def _catch_up(self, past: Past) -> None:
        triggers = PastTriggers(
            {**past.schedules, self.plan.name: tuple(self._host.schedules)},
            self._host.calendars,
            self._market.times_us,
            self._market.begins,
        )
        gap_s = (self._clock.now_us - self._host.now_us) / 1_000_000
        until = self._clock.cursor
        for told in missed(past, self._market, triggers, until, self._fires):
            if origin_text(told.origin) in past.quarantined:
                # Counted as taken, so that it is not read again.
                if isinstance(told, Committed):
                    self._applied = told.entry.sequence
                else:
                    self._cursor = told.cursor
                continue
            try:
                self.handle(told)
            except Exception as error:
                raise Poisoned(told.origin, repr(error)) from error
        on_restart = getattr(self.strategy, "on_restart", None)
        if on_restart is not None and not past.is_first:
            # After what was missed: those decisions may be under way as they were.
            on_restart(self._context, gap_s)
            self._decide("restart")

    def _declare(self) -> None:
        self._scheduler.tell(Declare(self.plan.name, tuple(self._host.schedules)))

    @property
    def context(self) -> Context:
        """What the strategy keeps between its calls."""
        return self._context

    # --- messages ------------------------------------------------------------

    def handle(self, message: StrategyMessage) -> object:
        """Take one message; every kind is named here.

        What a strategy raises, its `on_error` hears of first.
        """
        try:
            # By their very classes, the commonest first: a pattern is slow.
            if type(message) is Committed:
                entry = message.entry
                if entry.sequence > self._applied:
                    self._take_record(entry)
            elif type(message) is Quotes:
                self._on_market(message, "quote", self._on_quote, message.quotes)
            elif type(message) is Ticks:
                self._on_market(message, "tick", self._on_tick, message.trades)
            elif type(message) is Slice:
                self._on_slice(message)
            elif type(message) is Triggered:
                self._on_trigger(message)
            elif type(message) is Resend:
                self._on_resend(message)
            else:
                return self._on_asked(message)
        except Exception as error:
            self._tell_of_error(error)
            raise
        return None

    def _tell_of_error(self, error: Exception) -> None:
        on_error = own_method(self.strategy, "on_error")
        if on_error is not None:
            told = error.__cause__ if isinstance(error, Poisoned) else error
            on_error(self._context, told)

    def _on_slice(self, message: Slice) -> None:
        if message.cursor > self._cursor:
            self._take_slices(message.step, max(message.step, message.until))

    def _take_slices(self, first: int, until: int) -> None:
        """Let the strategy look at slices, up to its next decision.

        After the first nobody else looks at the clock meanwhile, so it is moved here,
        and an error is of the slice and not of the message. Most bars decide nothing:
        what they cost is what a backtest costs, so nothing is looked up in the loop.
        """
        clock, prices, view, host = self._clock, self._prices, self._view, self._host
        handle_data, context, data = self._handle_data, self._context, self._data
        times_us, desk = self._market.times_us, self._desk
        fires, before, at = self._fires, self._before, first
        try:
            for at in range(first, until + 1):
                self._cursor = cursor = (at + 1) << SLOT_BITS | SLICE_SLOT
                host.now_us = time_us = times_us[at]
                if at > first:
                    clock.cursor, clock.now_us, prices.step = cursor, time_us, at
                view.step = at
                if fires is not None and not fires[at]:
                    continue
                if before is not None and time_us // DAY_US != self._day:
                    self._day = time_us // DAY_US
                    before(context, data)
                handle_data(context, data)
                if desk.drafts or desk.cancels or desk.changes:
                    self._decide("slice")
                    return
        except Exception as error:
            if at == first:
                raise
            raise Poisoned(("input", self._cursor), repr(error)) from error

    def _on_market(
        self,
        message: Ticks | Quotes,
        phase: str,
        call: Callable[..., None] | None,
        news: tuple[Trade, ...] | tuple[Quote, ...],
    ) -> None:
        if self._go_to(message.cursor, message.time_us) and call is not None:
            context = self._context
            for each in news:
                call(context, each)
            self._decide(phase)

    def _on_trigger(self, message: Triggered) -> None:
        if self._go_to(message.cursor, message.time_us):
            for name in message.names:
                getattr(self.strategy, name)(self._context, self._data)
            self._decide(f"trigger:{','.join(message.names)}")

    def _go_to(self, cursor: int, time_us: int) -> bool:
        """Come to an input between two slices; False for one that was taken before."""
        if cursor <= self._cursor:
            return False
        self._cursor = cursor
        self._host.now_us = time_us
        self._view.step = shown_step(cursor)
        return True

    def _on_asked(self, message: AskSchedules | Report | Save) -> object:
        if isinstance(message, Report):
            own = {"cursor": self._cursor, "recorded": dict(self._host.recorded)}
            return report_of(self._portfolio, self._desk) | own
        self._save() if isinstance(message, Save) else self._declare()
        return None

    def _on_resend(self, message: Resend) -> None:
        for decision in self._sent:
            if decision.number > message.number:
                self._guard.tell(decision)
        if message.sequence <= self._read:
            return
        for entry in self._history(self._read):
            if entry.sequence > message.sequence:
                break
            if entry.sequence > self._applied and is_told(entry.event, self.plan.name):
                self._take_record(entry)
        self._read = message.sequence

    def _take_record(self, entry: ev.Entry, quiet: bool = False) -> None:
        """Take a record of an own order; ``quiet`` when the saved state knows it."""
        self._applied = entry.sequence
        event, fill = entry.event, None
        if type(event) is OrderFilled:
            fill = event.fill
            self._portfolio.fill(fill)
            order = self._desk.fill(event)
        else:
            self._portfolio.apply(event)
            order = self._desk.apply(event)
        if quiet or (order is None and type(event) not in NEWS):
            return
        host = self._host
        if entry.market_time_us > host.now_us:  # noqa: PLR1730 - `max` is slow
            host.now_us = entry.market_time_us
        if order is not None and fill is not None:
            on_fill = self._on_fill
            if on_fill is not None:
                on_fill(self._context, order, Transaction(fill, order.asset))
        else:
            tell(self.strategy, self._context, event, order)
        self._decide("order" if order is not None else "message")

    # --- decisions -----------------------------------------------------------

    def _decide(self, phase: str) -> None:
        """Say what was decided, if anything, and what changed in memory."""
        desk = self._desk
        if not (desk.drafts or desk.cancels or desk.changes):
            return
        desk.number = number = desk.number + 1
        changed = self._memory.changes()
        decision = Decision(
            strategy=self.plan.name,
            number=number,
            cursor=self._cursor,
            time_us=self._host.now_us or self._clock.now_us,
            applied=self._applied,
            phase=phase,
            drafts=tuple(desk.drafts),
            cancels=desk.cancels,
            changes=desk.changes,
            state=to_json(changed).decode() if changed else "{}",
        )
        desk.clear()
        self._sent.append(decision)
        self._guard.tell(decision)

    def _save(self) -> None:
        """Say the whole state, for a restart that feeds less again."""
        state = self._memory.between()
        saved = ev.StrategySaved(
            strategy=self.plan.name,
            number=self._desk.number,
            cursor=self._cursor,
            applied=self._applied,
            time_us=self._host.now_us,
            state=to_json(state).decode(),
        )
        self._journal.tell(Note(saved))

    def _new_memory(self) -> Memory:
        return Memory({"self": self.strategy, "context": self._context})
