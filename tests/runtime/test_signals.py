"""SIGINT and SIGTERM: the first drains, the second cuts, and the handlers come back.

Signals are raised where they would come: inside of an actor, a body, or a start.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trio
from tests.runtime.puppets import AsyncPuppet, Broken, Do, Puppet, hang, puppet

from holdfast_runtime import (
    ActorSpec,
    EngineFailed,
    LiveEngine,
    Signals,
    SupervisorSpec,
    open_engine,
    run,
)

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def handlers_come_back() -> Iterator[None]:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    yield
    after = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


def tree(*children: ActorSpec) -> SupervisorSpec:
    return SupervisorSpec(name="app", children=children)


def send(*numbers: int) -> Do:
    """Tell a puppet to get signals while it handles."""

    def call(_: Puppet) -> None:
        for number in numbers:
            signal.raise_signal(number)

    return Do(call)


def contexts(error: BaseException) -> list[BaseException]:
    """What was being handled when ``error`` was raised, outwards in."""
    inner = error.__context__
    return [] if inner is None else [inner, *contexts(inner)]


async def forever(engine: LiveEngine) -> None:
    """A body that says what comes, and never ends."""
    try:
        await trio.sleep_forever()
    finally:
        assert engine.root.state.value == "running"


@BOTH
def test_the_first_signal_stops_in_reverse_order(number: int) -> None:
    notes: list[str] = []

    async def body(engine: LiveEngine) -> str:
        engine.ref("app/b").tell(send(number))
        await forever(engine)
        return "never"

    assert run(tree(puppet(notes, "a"), puppet(notes, "b")), body) is None
    assert notes == ["a: born", "b: born", "b: stops", "a: stops"]


def test_without_a_body_a_tree_runs_until_the_signal() -> None:
    notes: list[str] = []

    def prepare(engine: LiveEngine) -> None:
        def heard(event: Any) -> None:
            if event.path == "app/b" and event.what == "started":
                signal.raise_signal(signal.SIGTERM)

        engine.on_lifecycle.append(heard)

    spec = tree(puppet(notes, "a"), puppet(notes, "b"))
    assert run(spec, prepare=prepare) is None
    assert notes[2:] == ["b: stops", "a: stops"]


def test_a_body_that_returns_gives_its_value() -> None:
    async def body(engine: LiveEngine) -> int:
        return int(await engine.ref("app/a").ask(Do(lambda _: 7), deadline_s=5))

    assert run(tree(puppet([], "a")), body) == 7


def test_the_second_signal_cuts_an_actor_that_does_not_stop() -> None:
    notes: list[str] = []

    class Stubborn(AsyncPuppet):
        async def stop(self) -> None:  # type: ignore[override]
            # Inside of trio, where a signal is heard while nobody runs.
            token = trio.lowlevel.current_trio_token()
            token.run_sync_soon(signal.raise_signal, signal.SIGTERM)
            await hang(self)

    async def body(engine: LiveEngine) -> None:
        signal.raise_signal(signal.SIGINT)
        await forever(engine)

    spec = tree(puppet(notes, "a"), puppet(notes, "b", make=Stubborn, stop_s=1e9))
    with pytest.raises(SystemExit) as ended:
        run(spec, body)
    assert ended.value.code == 128 + signal.SIGTERM
    # It was cancelled, and trio itself has not broken.
    before = contexts(ended.value)
    assert not [each for each in before if isinstance(each, trio.TrioInternalError)]
    # Nobody else is asked to stop.
    assert notes == ["a: born", "b: born", "b: hangs", "b: is cut"]


def test_the_second_signal_ends_a_handler_that_never_returns() -> None:
    def never(_: Puppet) -> None:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one has not ended it")

    async def body(engine: LiveEngine) -> None:
        engine.ref("app/a").tell(Do(never))
        await trio.sleep_forever()

    with pytest.raises(SystemExit) as ended:
        run(tree(puppet([], "a")), body)
    assert ended.value.code == 128 + signal.SIGINT


def test_a_signal_during_the_start_gives_it_up() -> None:
    notes: list[str] = []

    class Slow(AsyncPuppet):
        async def start(self) -> None:
            signal.raise_signal(signal.SIGTERM)
            await hang(self)

    reached: list[str] = []

    async def body(_: LiveEngine) -> None:
        reached.append("body")
        await trio.sleep_forever()

    spec = tree(puppet(notes, "a"), puppet(notes, "b", make=Slow, stop_s=0.0))
    assert run(spec, body) is None
    assert notes == ["a: born", "b: born", "b: hangs", "b: is cut", "a: stops"]


def test_two_signals_during_the_start_cut_it() -> None:
    notes: list[str] = []

    class Slow(AsyncPuppet):
        async def start(self) -> None:
            signal.raise_signal(signal.SIGTERM)
            await trio.lowlevel.checkpoint()
            with pytest.raises(SystemExit):
                signal.raise_signal(signal.SIGTERM)
            await hang(self)

    with pytest.raises(SystemExit):
        run(tree(puppet(notes, "a"), puppet(notes, "b", make=Slow, stop_s=1e9)))
    assert notes == ["a: born", "b: born", "b: hangs", "b: is cut"]


def test_a_signal_before_there_is_an_engine_is_not_forgotten() -> None:
    notes: list[str] = []
    said: list[int] = []
    with Signals(said.append) as signals:
        signal.raise_signal(signal.SIGINT)

        async def main() -> None:
            async with open_engine(tree(puppet(notes, "a")), signals=signals):
                await trio.Event().wait()
            notes.append("the program goes on")

        trio.run(main)
    # Whether the start had begun is trio's choice.
    assert notes[:-1] in ([], ["a: born", "a: stops"])
    assert notes[-1] == "the program goes on"
    assert (said, signals.came, signals.status) == ([1], [2], 130)


def test_after_a_cut_nothing_else_is_raised() -> None:
    def block(signals: Signals) -> None:
        with signals:
            signal.raise_signal(signal.SIGINT)
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                raise Broken

    signals = Signals()
    with pytest.raises(SystemExit) as ended:
        block(signals)
    assert ended.value.code == signals.status == 128 + signal.SIGTERM


def test_open_engine_takes_no_signals_unless_it_is_asked_to() -> None:
    async def main() -> None:
        mine = signal.getsignal(signal.SIGTERM)
        async with open_engine(tree(puppet([], "a"))):
            assert signal.getsignal(signal.SIGTERM) is mine

    trio.run(main)


def test_on_another_thread_run_takes_no_signals() -> None:
    found: list[Any] = []

    async def body(_: LiveEngine) -> None:
        found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run, args=(tree(puppet([], "a")), body))
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


def test_a_failure_of_the_root_is_raised_with_its_cause() -> None:
    def crash(_: Any) -> Any:
        raise Broken

    with pytest.raises(EngineFailed) as failed:
        run(SupervisorSpec(name="app", restarts=0, children=(_spec(crash),)))
    assert isinstance(failed.value.__cause__, Broken)


def _spec(build: Any) -> ActorSpec:
    return ActorSpec(name="a", build=build)


HUNG = """
import signal
from holdfast_runtime import ActorSpec, SupervisorSpec, run

class Hung:
    def handle(self, message):
        while True:
            try:
                for _ in range(3):
                    signal.raise_signal(signal.SIGTERM)
            except SystemExit:
                print("deaf", flush=True)

async def body(engine):
    engine.ref("app/hung").tell(1)
    await engine.wait_ended()

spec = ActorSpec(name="hung", build=lambda _: Hung())
run(SupervisorSpec(name="app", children=(spec,)), body)
"""


def test_the_third_signal_ends_whoever_does_not_hear_of_the_second() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HUNG], capture_output=True, timeout=300, check=False
    )
    assert ran.returncode == 128 + signal.SIGTERM
    assert (ran.stdout, ran.stderr) == (b"deaf\n", b"")
