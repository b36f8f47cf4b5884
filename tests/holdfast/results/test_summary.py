"""The summary in the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from holdfast.results import summary

from .story import Story, bars


def shown(story: Story, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(summary(story.result(wall_s=0.5)))
    return capture.get()


def story_of(*names: str) -> Story:
    story = Story(bars({"A": [10, 11, 9]}))
    for name in names:
        story.capital("1000", to=name)
    story.fill(0, "A", 10, 10, fee="1", by=names[0])
    return story


def test_it_shows_the_headline_figures_of_a_single_strategy_once() -> None:
    text = shown(story_of("one"))

    for told in ("989.00 USD", "-11.00 USD", "-1.10%", "-1.98%", "A 10", "6 bars/s"):
        assert told in text
    assert "one" not in text.replace("none", "")


def test_it_shows_several_strategies_side_by_side_with_their_names_as_they_are() -> (
    None
):
    lines = shown(story_of("[red]x[/red]", "y")).splitlines()

    assert lines[0].split() == ["All", "together", "[red]x[/red]", "y"]
    assert "1,989.00 USD" in lines[1]
    assert "1,000.00 USD" in lines[1]


def test_many_strategies_get_a_row_each() -> None:
    text = shown(story_of(*(f"name{number}" for number in range(9))))

    rows = [line for line in text.splitlines() if line.startswith("name")]
    assert len(rows) == 9
    assert max(map(len, text.splitlines())) <= 120
