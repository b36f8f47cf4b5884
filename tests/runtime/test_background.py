"""`start`: an engine on a thread of its own, used from the threads of a script."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio
from tests.runtime.puppets import CRASH, AsyncPuppet, Broken, Do, Say, hang, puppet

from holdfast_runtime import (
    ActorError,
    AskFailed,
    AskTimeout,
    Backoff,
    EngineFailed,
    EngineHandle,
    EngineStopped,
    Lane,
    LaneSpec,
    LiveEngine,
    MailboxClosed,
    MailboxFull,
    SpecError,
    SupervisorSpec,
    live,
    start,
)

LONG_S = 60.0
SOON_S = 0.02


def tree(*children: Any, restarts: int = 3) -> SupervisorSpec:
    backoff = Backoff(first_s=0.0, jitter=0.0)
    return SupervisorSpec(
        name="app", children=children, restarts=restarts, backoff=backoff
    )


def ask(app: EngineHandle, path: str, call: Callable[[Any], Any]) -> Any:
    return app.ask(path, Do(call), deadline_s=LONG_S)


class Gate:
    """Keeps an engine's thread until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()

    def keep(self, _: Any) -> None:
        self.reached.set()
        assert self.go.wait(LONG_S)


def test_the_tree_is_up_runs_elsewhere_and_stops_in_reverse_order() -> None:
    notes: list[str] = []
    with start(tree(puppet(notes, "a"), puppet(notes, "b"))) as app:
        assert notes == ["a: born", "b: born"]
        there = ask(app, "app/a", lambda _: threading.get_ident())
        assert there != threading.get_ident()
        assert not app.wait(deadline_s=0.0)
    assert notes[2:] == ["b: stops", "a: stops"]
    assert app.wait()
    app.stop()
    assert there not in {each.ident for each in threading.enumerate()}


def test_what_is_told_from_one_thread_keeps_its_order_before_an_ask() -> None:
    notes: list[str] = []
    with start(tree(puppet(notes, "a"))) as app:
        for number in range(1_000):
            app.tell("app/a", Say(str(number)))
        ask(app, "app/a", lambda _: None)
        assert notes[1:] == [f"a: {number}" for number in range(1_000)]


def test_an_actor_that_crashed_is_reached_by_the_same_path() -> None:
    notes: list[str] = []
    with start(tree(puppet(notes, "a"))) as app:
        with pytest.raises(AskFailed) as failed:
            app.ask("app/a", CRASH, deadline_s=LONG_S)
        assert isinstance(failed.value.__cause__, Broken)
        assert ask(app, "app/a", lambda me: me.ctx.incarnation) == 2


def test_an_ask_ends_at_its_deadline_even_if_the_engine_s_thread_hangs() -> None:
    gate = Gate()
    with start(tree(puppet([], "a"), puppet([], "b"))) as app:
        app.tell("app/a", Do(gate.keep))
        with pytest.raises(AskTimeout, match=r"app/b: no answer within 0.02 s"):
            app.ask("app/b", Say("hello"), deadline_s=SOON_S)
        gate.go.set()


def test_what_is_told_to_a_full_lane_is_a_dead_letter_and_send_waits_for_room() -> None:
    notes: list[str] = []
    gate, engines = Gate(), list[LiveEngine]()
    lanes = {Lane.EVENTS: LaneSpec(capacity=2)}
    spec = tree(puppet(notes, "a", lanes=lanes))
    with start(spec, prepare=engines.append) as app:
        app.tell("app/a", Do(gate.keep))
        assert gate.reached.wait(LONG_S)
        for text in "xyz":
            app.tell("app/a", Say(text))
        sender = threading.Thread(
            target=app.send, args=("app/a", Say("sent")), kwargs={"deadline_s": LONG_S}
        )
        sender.start()
        gate.go.set()
        sender.join()
        ask(app, "app/a", lambda _: None)
        (letter,) = engines[0].dead_letters
        assert (letter.message, "EVENTS of app/a is full" in letter.why) == (
            Say("z"),
            True,
        )
    assert notes[1:-1] == ["a: x", "a: y", "a: sent"]


def test_calls_that_wait_for_a_busy_engine_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "WAITING", 3)
    gate = Gate()
    with start(tree(puppet([], "a"))) as app:
        app.tell("app/a", Do(gate.keep))
        assert gate.reached.wait(LONG_S)
        for _ in range(3):
            app.tell("app/a", Say("x"))
        with pytest.raises(MailboxFull) as full:
            app.tell("app/a", Say("one too many"))
        assert full.value.message == Say("one too many")
        gate.go.set()


def test_a_failure_reaches_whoever_waits_and_every_later_call() -> None:
    app = start(tree(puppet([], "a"), restarts=0))
    with pytest.raises(EngineFailed, match="app went beyond its limit") as failed:
        # How far the engine has come meanwhile is the threads' choice.
        while True:
            with pytest.raises((AskFailed, MailboxClosed)):
                app.ask("app/a", CRASH, deadline_s=LONG_S)
    causes = [failed.value.__cause__]
    for call in (
        app.wait,
        app.stop,
        app.__enter__().stop,
        lambda: app.tell("app/a", Say("x")),
        lambda: ask(app, "app/a", lambda _: None),
        lambda: app.__exit__(None, None, None),
    ):
        with pytest.raises(EngineFailed, match="app went beyond its limit") as failed:
            call()
        causes.append(failed.value.__cause__)
    for cause in causes:
        assert cause is not None
        assert isinstance(cause.__cause__, Broken)


def test_a_failure_is_told_although_the_thread_has_just_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, go = threading.Event(), threading.Event()
    run = trio.run

    def slow_to_end(*arguments: Any) -> None:
        try:
            run(*arguments)
        finally:
            over.set()
            go.wait(LONG_S)

    monkeypatch.setattr(trio, "run", slow_to_end)
    app = start(tree(puppet([], "a"), restarts=0))
    app.tell("app/a", CRASH)
    assert over.wait(LONG_S)
    threading.Timer(SOON_S, go.set).start()
    with pytest.raises(EngineFailed):
        app.tell("app/a", Say("x"))


def test_an_engine_that_ends_by_itself_is_noticed() -> None:
    notes: list[str] = []
    app = start(tree(puppet(notes, "a")))
    app.tell("app/a", Do(lambda me: me.ctx._cell.kernel.root.request_stop()))
    assert app.wait()
    assert notes == ["a: born", "a: stops"]


def test_an_error_of_the_block_is_not_masked_by_the_engine_s() -> None:
    with pytest.raises(Broken) as raised, start(tree(puppet([], "a"), restarts=0)) as a:
        a.tell("app/a", CRASH)
        with pytest.raises(EngineFailed):
            a.wait()
        raise Broken
    assert "the engine failed too: app went beyond" in raised.value.__notes__[0]


def test_a_tree_that_cannot_start_is_raised_by_start() -> None:
    def crash(_: Any) -> Any:
        raise Broken

    with pytest.raises(EngineFailed) as failed:
        start(tree(puppet([], "a", make=lambda *_: crash(_)), restarts=0))
    assert failed.value.__cause__ is not None
    assert isinstance(failed.value.__cause__.__cause__, Broken)
    with pytest.raises(SpecError, match="app/a: expected stop_s >= 0"):
        start(tree(puppet([], "a", stop_s=-1.0)))


def test_ctrl_c_during_the_start_cuts_it() -> None:
    notes: list[str] = []
    ended = threading.Event()

    class Slow(AsyncPuppet):
        async def start(self) -> None:
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
            try:
                await hang(self)
            finally:
                ended.set()

    with pytest.raises(KeyboardInterrupt):
        start(tree(puppet(notes, "a"), puppet(notes, "b", make=Slow, stop_s=1e9)))
    assert ended.wait(LONG_S)
    assert notes == ["a: born", "b: born", "b: hangs", "b: is cut"]


def test_an_exit_that_an_actor_asks_for_is_the_cause_of_the_failure() -> None:
    def leave(_: Any) -> None:
        raise SystemExit(3)

    app = start(tree(puppet([], "a")))
    app.tell("app/a", Do(leave))
    with pytest.raises(EngineFailed, match=r"app has failed: SystemExit\(3\)") as ended:
        app.wait()
    assert isinstance(ended.value.__cause__, SystemExit)


def test_a_handle_after_its_end_says_so() -> None:
    with start(tree(puppet([], "a"))) as app:
        pass
    for call in (
        lambda: app.tell("app/a", Say("x")),
        lambda: app.send("app/a", Say("x"), deadline_s=LONG_S),
        lambda: ask(app, "app/a", lambda _: None),
    ):
        with pytest.raises(EngineStopped, match="app: expected an engine that runs"):
            call()


def test_a_question_that_is_open_at_the_end_is_answered() -> None:
    started = threading.Event()
    errors: list[BaseException] = []

    async def never(me: AsyncPuppet) -> None:
        started.set()
        await hang(me)

    app = start(tree(puppet([], "a", make=AsyncPuppet, stop_s=0.0)))

    def wait() -> None:
        with pytest.raises(EngineStopped) as stopped:
            ask(app, "app/a", never)
        errors.append(stopped.value)

    asker = threading.Thread(target=wait)
    asker.start()
    assert started.wait(LONG_S)
    app.stop()
    asker.join()
    assert len(errors) == 1


def test_a_wrong_path_or_a_parked_actor_is_told_to_the_caller() -> None:
    with start(tree(puppet([], "a"))) as app:
        with pytest.raises(SpecError, match="was 'app/b'"):
            app.tell("app/b", Say("x"))
        ask(app, "app/a", lambda me: me.ctx._cell.request_stop())
        with pytest.raises(MailboxClosed):
            while True:
                app.send("app/a", Say("x"), deadline_s=LONG_S)


def test_the_engine_s_own_thread_must_not_wait_for_itself() -> None:
    with start(tree(puppet([], "a"))) as app:
        for call in (
            lambda _: app.stop(),
            lambda _: app.wait(),
            lambda _: app.ask("app/a", Say("x"), deadline_s=LONG_S),
        ):
            with pytest.raises(AskFailed, match="expected another thread to wait"):
                ask(app, "app/a", call)
    with pytest.raises(ActorError):
        ask(app, "app/a", lambda _: None)


def test_what_does_not_stop_in_time_is_cut() -> None:
    notes: list[str] = []

    class Stubborn(AsyncPuppet):
        async def stop(self) -> None:  # type: ignore[override]
            await hang(self)

    app = start(tree(puppet(notes, "a"), puppet(notes, "b", make=Stubborn, stop_s=1e9)))
    app.stop(deadline_s=SOON_S)
    assert notes == ["a: born", "b: born", "b: hangs", "b: is cut"]


def test_a_handler_that_never_returns_is_left_behind_and_said() -> None:
    gate = Gate()
    app = start(tree(puppet([], "a")))
    app.tell("app/a", Do(gate.keep))
    with pytest.raises(EngineFailed, match="was kept by a hung handler"):
        app.stop(deadline_s=SOON_S)
    gate.go.set()
    assert app.wait()


SCRIPT = """
from holdfast_runtime import ActorSpec, SupervisorSpec, start

class Actor:
    def handle(self, message):
        {handle}

    def stop(self):
        print("stopped in order", flush=True)

spec = ActorSpec(name="a", build=lambda _: Actor())
app = start(SupervisorSpec(name="app", children=(spec,)))
app.tell("app/a", 1)
{end}
"""


def script(handle: str, end: str) -> subprocess.CompletedProcess[str]:
    code = "from holdfast_runtime import background\nbackground.EXIT_S = 0.2\n"
    return subprocess.run(
        [sys.executable, "-c", code + SCRIPT.format(handle=handle, end=end)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_process_ends_although_a_handle_was_forgotten() -> None:
    ran = script("pass", "")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "stopped in order\n", "")
    ran = script("while True: pass", "")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_ctrl_c_in_a_script_stops_in_order() -> None:
    end = (
        "import signal\nwith app:\n"
        "    app.ask('app/a', 2, deadline_s=60)\n"
        "    signal.raise_signal(signal.SIGINT)"
    )
    ran = script("pass", end)
    assert ran.returncode == -signal.SIGINT
    assert ran.stdout == "stopped in order\n"
    assert ran.stderr.splitlines()[-1] == "KeyboardInterrupt"
