"""What a test may say about a history, and what it is told when that does not hold."""

from __future__ import annotations

import pytest

from holdfast_runtime import LiveEngine, SpecError, SupervisorSpec
from holdfast_runtime.testing import Faults, History, System, sweep

from .puppets import Do, Puppet, Say, puppet
from .worlds import World, play

ONE = "top/one"
SPEC = SupervisorSpec(name="top", children=(puppet([], "one"), puppet([], "two")))


@pytest.fixture
def history() -> History:
    """A crash of one actor on its second message."""
    system = System(SPEC)
    system.faults.crash_on(ONE, Say, 2)
    system.start().tell(ONE, Say("a"), Say("b")).tell("top/two", Say("c")).run()
    system.stop()
    return system.history


def failure(history: History, *args: object, **more: int) -> str:
    with pytest.raises(AssertionError) as caught:
        history.expect(*args, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_what_happened_is_found_by_place_class_value_and_error(
    history: History,
) -> None:
    assert len(history.expect("handled")) == 2
    assert len(history.expect("handled", "top/*", Say)) == 2
    assert [e.path for e in history.expect("handled", message=Say("c"))] == ["top/two"]
    assert history.of("handled", ONE, Do) == []
    assert history.of("crashed", ONE, "another error") == []
    history.expect("crashed", ONE, "crash_on by a test", times=1)
    history.expect("started", times=2)
    history.expect("stopped", "top/*", times=2)


def test_a_wrong_count_shows_what_there_was(history: History) -> None:
    said = failure(history, "crashed", ONE, times=2)

    first, title, line = said.splitlines()
    assert first == "expected top/one crashed 2 times, was once"
    assert title == "crashed:"
    assert "crashed     top/one  (Injected: top/one: crash_on by a test)" in line


def test_what_did_not_happen_shows_what_did_there(history: History) -> None:
    said = failure(history, "parked", ONE)

    first, title, *lines = said.splitlines()
    assert first == "expected top/one parked at least once, was never"
    assert title == "what happened at top/one:"
    assert [each.split()[2] for each in lines] == [
        *("started", "sent", "sent", "handled", "fault"),
        *("dead", "crashed", "restarted", "stopped"),
    ]
    assert "expected top/one handled Say('z')" not in said
    assert "handled Say(text='z') at least once" in failure(
        history, "handled", ONE, Say("z")
    )


def test_a_place_that_is_not_there_is_told_with_those_that_are(
    history: History,
) -> None:
    said = failure(history, "handled", "top/three")

    assert "nothing happened at top/three; it did at: top/one, top/two" in said


def test_an_order_names_the_first_that_did_not_come(history: History) -> None:
    history.expect_order(("handled", ONE), ("crashed", ONE), ("stopped", "top/two"))

    with pytest.raises(AssertionError) as caught:
        history.expect_order(("crashed", ONE), ("handled", ONE))
    assert str(caught.value).splitlines()[0] == (
        "expected top/one handled after top/one crashed, did not happen"
    )


def test_long_histories_are_cut_to_their_end() -> None:
    system = System(SPEC).start()
    system.tell(ONE, *(Say(str(n)) for n in range(30))).run()
    system.stop()

    said = failure(system.history, "handled", ONE, times=29)

    assert "  … 18 before" in said
    assert "Say(text='29')" in said
    assert "Say(text='17')" not in said


def test_the_live_engine_does_not_know_what_was_sent() -> None:
    faults = Faults()

    async def scenario(world: World) -> None:
        assert isinstance(world.engine, LiveEngine)
        await world.told(ONE, Say("a"))

    play("live", SPEC, scenario, prepare=faults.attach)

    faults.history.expect("handled", ONE, Say("a"), times=1)
    with pytest.raises(SpecError, match="simulated engine to know what was sent"):
        faults.history.expect("sent", ONE)


# --- sweeps -------------------------------------------------------------------


class Adder(Puppet):
    """Adds what it is told; its total outlives it, as on a disk."""

    totals: list[int]

    def handle(self, message: object) -> None:
        assert isinstance(message, Say)
        self.totals.append(self.totals[-1] + int(message.text))


def total_with(faults: Faults) -> int:
    """Return the total of 1, 2 and 3, each said until it was heard."""
    Adder.totals = [0]
    spec = SupervisorSpec(
        name="top", restarts=9, children=(puppet([], "one", make=Adder),)
    )
    system = System(spec, faults=faults).start()
    for text in "123":
        for _ in range(5):
            before = len(Adder.totals)
            system.tell(ONE, Say(text)).run()
            if len(Adder.totals) > before:
                break
    system.stop()
    return Adder.totals[-1]


def test_a_sweep_fails_at_each_opportunity_until_the_run_gets_by() -> None:
    seen: list[int] = []

    def check(faults: Faults) -> None:
        assert total_with(faults) == 6
        seen.append(faults.faults[0].nth)

    assert sweep(check, "crash_on", ONE, Say) == 3
    assert seen == [1, 2, 3, 4]
    assert sweep(check, "kill", ONE, Say, every=2) == 2
    assert seen[4:] == [1, 3, 5]


def test_a_persistent_sweep_fails_from_then_on() -> None:
    totals: list[int] = []

    assert (
        sweep(
            lambda faults: totals.append(total_with(faults)),
            "crash_on",
            ONE,
            persistent=True,
        )
        == 3
    )
    assert totals == [0, 1, 3, 6]


def test_a_sweep_names_the_opportunity_at_which_the_check_failed() -> None:
    def check(faults: Faults) -> None:
        assert total_with(faults) == (5 if faults.faults[0].nth == 2 else 6)

    with pytest.raises(AssertionError) as caught:
        sweep(check, "crash_on", ONE, Say)

    (note,) = caught.value.__notes__
    fault = "crash_on(top/one, Say, nth=2): 4 seen, 1 struck"
    assert note == f"in a sweep, with the fault {fault}"


def test_a_sweep_without_an_opportunity_proves_nothing() -> None:
    with pytest.raises(AssertionError, match="expected an opportunity for a fault"):
        sweep(total_with, "crash_on", ONE, Do)


def test_a_sweep_that_never_gets_by_ends() -> None:
    with pytest.raises(AssertionError, match="to get by within 2 faults"):
        sweep(total_with, "crash_on", ONE, limit=2)
