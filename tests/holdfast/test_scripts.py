"""Scripts of faults: what a file may say, and when each fault is on."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from holdfast.scripts import read_script
from holdfast_adapters.simulators.binance.stage import KINDS as BINANCE
from holdfast_adapters.simulators.ib.stage import KINDS as IB
from holdfast_adapters.simulators.script import End, Kinds, ScriptedFault, play
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

    async def visited(self) -> None:
        await trio.sleep(7)

    def begin(self, fault: ScriptedFault, nursery: trio.Nursery) -> End:
        del nursery
        self.note(f"+{fault.kind}")
        return lambda: self.note(f"-{fault.kind}")

    def note(self, what: str) -> None:
        self.notes.append((round(trio.current_time() - self.began_s, 6), what))

    began_s: float = 0.0


def test_faults_begin_and_end_at_their_times_counted_from_the_first_visit() -> None:
    script = [
        ScriptedFault(at_s=4, kind="slow", until_s=10),
        ScriptedFault(at_s=10, kind="flood", value=3, until_s=12),
        ScriptedFault(at_s=6, kind="lost_ack", of="submit", count=2),
    ]
    board, said = Board(), list[str]()

    async def main() -> None:
        board.began_s = trio.current_time()
        await play(script, board, 2.0, said.append)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert board.notes == [
        (9.0, "+slow"),
        (10.0, "+lost_ack"),
        (12.0, "-slow"),
        (12.0, "+flood"),
        (13.0, "-flood"),
    ]
    assert said == [
        "somebody is here: the script begins",
        "4 s: slow begins; on: slow",
        "6 s: lost_ack of submit strikes 2 times; on: slow",
        "10 s: slow ends; on: nothing",
        "10 s: flood 3 begins; on: flood 3",
        "12 s: flood 3 ends; on: nothing",
        "the script is over",
    ]
