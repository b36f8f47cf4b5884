"""What an actor in a process sees of the engine: paths, and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from traceback import format_exception
from typing import Any, NoReturn

import attrs

from holdfast_runtime.context import Context, path_of
from holdfast_runtime.errors import ActorError
from holdfast_runtime.moving.contexts import (
    refuse_at_end,
    refuse_outside,
    refuse_record,
    refuse_sides,
    refuse_sleep,
    refuse_within,
)
from holdfast_runtime.moving.holds import HeldThere
from holdfast_runtime.moving.pickling import dump, load, unpicklable
from holdfast_runtime.moving.resident import Resident, Traits
from holdfast_runtime.refs import Ref
from holdfast_runtime.timers import Timer


class Home:
    """Serves the requests of the engine, one at a time, all as bytes.

    The engine meets it in a process of its own; the simulated engine, in place.
    """

    def __init__(
        self,
        path: str,
        incarnation: int,
        *,
        records: bool,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.beat = beat
        self.incarnation = incarnation
        self.records = records
        self.now_s = 0.0
        self._resident = Resident(path)
        self._refs: dict[str, Ref[Any]] = {}
        self._said: list[bytes] | None = None
        self._timers = 0
        self._holds = HeldThere(self._say_of_hold)

    def serve(self, request: bytes) -> bytes:
        """Return the reply: (value, error, what was said)."""
        said: list[bytes] = []
        self._said = said
        value: Any = None
        error: BaseException | None = None
        try:
            value = self._serve(request)
        except BaseException as raised:  # noqa: BLE001 - raised in the engine
            error = raised
        finally:
            self._said = None
        if error is None:
            try:
                return dump((value, None, said))
            except Exception as unfit:  # noqa: BLE001 - said below
                error = unpicklable(self.path, "an answer", value, unfit)
        return dump((None, portable(self.path, error), ()))

    def _serve(self, request: bytes) -> Any:  # noqa: ANN401
        kind, self.now_s, data = load(request, self.ref)
        argument = load(data, self.ref, self._holds.meet)
        value = self._resident.call(kind, argument, HomeContext(self))
        return _known(value) if isinstance(value, Traits) else value

    def ref(self, path: str) -> Ref[Any]:
        """Return the reference of a place, which is known here by its path alone."""
        found = self._refs.get(path)
        if found is None:
            found = self._refs[path] = HomeRef(self, path)
        return found

    def say(self, what: str, *parts: object) -> None:
        """Collect something for the engine, as it is now.

        Raises:
            Unpicklable: it cannot be pickled.
            ActorError: no call is under way.
        """
        if self._said is None:
            refuse_outside(self.path)
        try:
            self._said.append(dump((what, *parts)))
        except Exception as error:
            said = "an effect" if what == "effect" else f"a {what}"
            raise unpicklable(self.path, said, parts[-1], error) from error

    def _say_of_hold(self, number: int, error: Exception | None) -> None:
        why = None if error is None else portable(self.path, error)
        self.say("hold", number, why)

    def after(self, delay_s: float, message: object) -> int:
        """Collect a timer, and return its number."""
        self._timers += 1
        self.say("after", self._timers, self.now_s + delay_s, message)
        return self._timers


class HomeRef(Ref[Any]):
    """A reference in a process: a path, and a `tell` that leaves with the reply."""

    __slots__ = ("_home", "_path")

    def __init__(self, home: Home, path: str) -> None:
        self._home = home
        self._path = path

    @property
    def path(self) -> str:
        """The place in the tree."""
        return self._path

    def tell(self, message: Any) -> None:  # noqa: ANN401
        """Send ``message`` when the handler has returned.

        Raises:
            Unpicklable: it cannot be pickled.
            ActorError: no handler is under way.
        """
        self._home.say("tell", self._path, message)

    def send(self, message: Any) -> NoReturn:  # noqa: ANN401
        """Refuse: a moved actor is synchronous."""
        self._refuse("send", message)

    def ask(self, message: Any, *, deadline_s: float | None = None) -> NoReturn:  # noqa: ANN401
        """Refuse: a moved actor is synchronous."""
        del deadline_s
        self._refuse("ask", message)

    def _refuse(self, what: str, message: object) -> NoReturn:
        text = (
            f"{self._home.path}: expected tell, for it is moved out of the engine, "
            f"was {what} to {self._path} of {message!r}"
        )
        raise ActorError(text)

    def __repr__(self) -> str:
        return f"Ref({self._path!r})"


class HomeTimer(Timer):
    """A timer of the engine, by its number."""

    __slots__ = ("_home", "_number")

    def __init__(self, home: Home, number: int) -> None:
        self._home = home
        self._number = number

    def cancel(self) -> None:
        """Take the call back, when what is said now leaves; inside a handler."""
        self._home.say("cancel", self._number)


class HomeContext(Context):
    """One actor's view of its engine, from another process."""

    __slots__ = ("_home",)

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def path(self) -> str:
        """The actor's place in the tree."""
        return self._home.path

    @property
    def incarnation(self) -> int:
        """How often this place was built, from 1."""
        return self._home.incarnation

    @property
    def me(self) -> Ref[Any]:
        """The actor's own reference."""
        return self._home.ref(self.path)

    def ref(self, path: str) -> Ref[Any]:
        """Return the reference of another place.

        It is looked up when something is said to it: if there is no such place, the
        actor crashes then.
        """
        return self._home.ref(path)

    def record(self, entry: object) -> None:
        """Record ``entry``, as in `Context`; it is pickled now."""
        if not self._home.records:
            refuse_record(self.path)
        self._home.say("record", entry)

    def effect(self, call: Callable[[], None]) -> None:
        """Call ``call`` in the engine when this handler's messages leave.

        Raises:
            Unpicklable: it cannot be pickled; a closure never can.
        """
        self._home.say("effect", call)

    def after(self, delay_s: float, message: object) -> Timer:
        """Tell the actor ``message`` ``delay_s`` seconds after this call began."""
        return HomeTimer(self._home, self._home.after(delay_s, message))

    def monitor(self, place: Ref[Any] | str) -> None:
        """Be told what happens at ``place``, as in `Context`; from when this leaves.

        If there is no such place, the actor crashes then. What another had in hand
        when it crashed is not told here.
        """
        self._home.say("monitor", path_of(place))

    def demonitor(self, place: Ref[Any] | str) -> None:
        """Be told no more of ``place``, from when this leaves."""
        self._home.say("demonitor", path_of(place))

    def beat(self) -> None:
        """Say at once that the actor is alive, in the midst of a handler."""
        self._home.beat()

    def at_end(self, call: Callable[[], None]) -> None:
        """Refuse: the actor has a `stop`."""
        del call
        refuse_at_end(self.path)

    def sides(self) -> NoReturn:
        """Refuse: a moved actor is synchronous."""
        refuse_sides(self.path)

    def sleep(self, delay_s: float) -> NoReturn:
        """Refuse: a moved actor is synchronous."""
        del delay_s
        refuse_sleep(self.path)

    def within(self, delay_s: float, request: Coroutine[Any, Any, Any]) -> NoReturn:
        """Refuse: a moved actor is synchronous."""
        del delay_s
        refuse_within(self.path, request)

    def now_s(self) -> float:
        """Return the engine's clock as it was when this call began, in seconds."""
        return self._home.now_s


def portable(path: str, error: BaseException) -> BaseException:
    """Return ``error`` with its traceback as a note, if the engine can have it.

    Else an `ActorError` that tells its class and text.
    """
    traceback = "".join(format_exception(error)).rstrip()
    try:
        error.add_note(f"In the process of {path}:\n{traceback}")
        copy: BaseException = load(dump(error), lambda found: HomeRef(_NOBODY, found))
    except Exception:  # noqa: BLE001 - said in words instead
        copy = ActorError(f"{path}: {type(error).__name__}: {error}")
        copy.add_note(f"In the process of {path}:\n{traceback}")
    return copy


def _known(traits: Traits) -> Traits:
    """Return ``traits`` as the engine can have them: it may not know the classes."""
    try:
        dump(traits)
    except Exception:  # noqa: BLE001 - it learns of what is not taken later
        return attrs.evolve(traits, taken=None)
    return traits


_NOBODY = Home("", 0, records=False)
