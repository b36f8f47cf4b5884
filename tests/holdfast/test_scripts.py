"""Scripts of faults: what a file may say, and when each fault is on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from holdfast.scripts import read_script
from holdfast_adapters.simulators.binance.stage import KINDS as BINANCE
from holdfast_adapters.simulators.ib.stage import KINDS as IB
from holdfast_adapters.simulators.script import Kinds, On, ScriptedFault, play
from holdfast_domain.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(("name", "kinds"), [("binance", BINANCE), ("ib", IB)])
def test_the_day_of_the_examples_is_read(name: str, kinds: Kinds) -> None:
    assert len(read_script(EXAMPLES / f"{name}_day.yaml", kinds)) > 15


@pytest.mark.parametrize(
    ("line", "where", "said"),
    [
        (
            "{at_s: 1, fault: gone, of: submit}",
            "line 2, column",
            "those are for submit",
        ),
        ("{at_s: 1, fault: reset, of: nothing}", ", of", "expected one of submit"),
        ("{at_s: 1, fault: torn_frame}", ", fault", "others need of: OPERATION"),
        ("{at_s: -1, fault: reset}", "line 2, column", "seconds after the start"),
        ("{at_s: 5, fault: slow, value: 1, until_s: 5}", ", until_s", "after 5"),
        ("{at_s: 5, fault: maintenance}", ", until_s", "an end of maintenance"),
        ("{at_s: 5, fault: reset, until_s: 6}", ", until_s", "no end of reset"),
        ("{at_s: 5, fault: flood, until_s: 6}", ", value", "a number for flood"),
        ("{at_s: 5, fault: closed, value: 99}", ", value", "1000 to 4999"),
        ("{at_s: 5, fault: reset, when: 6}", "line 2, column", "when"),
    ],
)
def test_what_a_script_may_not_say(
    line: str, where: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "day.yaml"
    path.write_text(f"faults:\n  - {line}\n")
    with pytest.raises(InputError) as raised:
        read_script(path, BINANCE)
    assert where in str(raised.value)
    assert said in str(raised.value)


def test_a_script_without_faults_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.yaml"
    path.write_text("faults: []\n")
    with pytest.raises(InputError, match="at least one fault"):
        read_script(path, IB)


@attrs.define
class Board:
    """A stage that notes what is switched on and off, and when."""

    notes: list[tuple[float, str]] = attrs.field(factory=list)
    met: Counter[str] = attrs.field(factory=Counter)
    began_s: float = 0.0

    async def visited(self) -> None:
        await trio.sleep(7)

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> On:
        del nursery
        kind = fault.kind
        self.note(f"+{kind}")
        return On(lambda: self.met[kind], lambda: self.note(f"-{kind}"))

    def note(self, what: str) -> None:
        self.notes.append((round(trio.current_time() - self.began_s, 6), what))

    async def meet(self, kind: str, *at_s: float) -> None:
        """Let something meet a kind of fault at these times."""
        for each in at_s:
            await trio.sleep_until(self.began_s + each)
            self.met[kind] += 1


SCRIPT = [
    ScriptedFault(at_s=4, kind="slow", until_s=10),
    ScriptedFault(at_s=10, kind="flood", value=3, until_s=12),
    ScriptedFault(at_s=6, kind="lost_ack", of="submit", count=2),
]


def played(limit_s: float, **meets: tuple[float, ...]) -> tuple[Board, list[str]]:
    """Play `SCRIPT` twice as fast, and let things meet its faults."""
    board, said = Board(), list[str]()

    async def main() -> None:
        board.began_s = trio.current_time()
        with trio.move_on_after(limit_s):
            async with trio.open_nursery() as nursery:
                for kind, at_s in meets.items():
                    nursery.start_soon(board.meet, kind, *at_s)
                await play(SCRIPT, board, 2.0, said.append)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return board, said


def test_faults_begin_and_end_at_their_times_counted_from_the_first_visit() -> None:
    board, said = played(60, lost_ack=(10.5, 20))
    assert board.notes == [
        (9.0, "+slow"),
        (10.0, "+lost_ack"),
        (12.0, "-slow"),
        (12.0, "+flood"),
        (13.0, "-flood"),
    ]
    assert said[:8] == [
        "somebody is here: the script begins",
        "4 s: slow begins; on: slow",
        "6 s: lost_ack of submit strikes 2 times; on: slow",
        "10 s: slow ends; on: nothing",
        "10 s: flood 3 begins; on: flood 3",
        "12 s: flood 3 ends; on: nothing",
        "all has begun; waits for something to strike: lost_ack of submit",
        "the script is over",
    ]


def test_at_its_end_a_script_says_how_often_each_fault_has_struck() -> None:
    # What comes before the beginning of a fault, or after its end, does not count.
    _, said = played(60, lost_ack=(8, 10.5, 20), slow=(8, 11, 11.5, 30), flood=(14,))
    assert said[-4:] == [
        "the script is over",
        "4 s: slow struck 2 times",
        "10 s: flood 3 struck nobody",
        "6 s: lost_ack of submit struck 2 times",
    ]


def test_a_script_that_is_cut_short_says_what_has_struck_until_then() -> None:
    _, said = played(11, slow=(10,))
    assert said[-4:] == [
        "6 s: lost_ack of submit strikes 2 times; on: slow",
        "4 s: slow struck once",
        "10 s: flood 3 struck nobody",
        "6 s: lost_ack of submit struck nobody",
    ]


def test_a_script_is_not_over_before_a_fault_has_struck_as_often_as_it_says() -> None:
    _, said = played(600, lost_ack=(10.5,))
    assert "the script is over" not in said
    assert said[-1] == "6 s: lost_ack of submit struck once"
