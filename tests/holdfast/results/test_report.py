"""The report: one file, whole, offline, with every text escaped."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from holdfast.results import write_report
from holdfast.results.charts import MARKS_MAX, SYMBOLS_MAX
from holdfast.results.tables import ROWS_MAX
from holdfast.results.thinning import POINTS_MAX, thinned
from holdfast_domain.errors import InputError
from holdfast_domain.events import ActorRestarted, EngineStarted, Halted

from .story import Story, bars

EVIL = "</script><script>alert(1)</script>"
MINUTE = timedelta(minutes=1)


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        inside = self.tags[-1] if self.tags else ""
        (self.scripts if inside == "script" else self.texts).append(data)

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found


def story_of(steps: int = 3, *, name: str = "one", symbol: str = "A") -> Story:
    closes = [10.0 + step % 7 for step in range(steps)]
    story = Story(bars({symbol: closes}, every=MINUTE))
    story.capital("100000", to=name)
    return story


def report(story: Story, target: Path, *, title: str = "A run") -> Page:
    result = story.result(wall_s=1.0)
    details = {"Options": "--fill next_open", "Evil": EVIL}
    path = write_report(
        result, story.entries, story.data, target, title=title, details=details
    )
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\$[a-z]", text.partition("<script")[0])
    return Page(text)


def test_the_page_holds_the_library_once_and_asks_nothing_of_the_network(
    tmp_path: Path,
) -> None:
    page = report(story_of(), tmp_path)

    assert page.links == []
    assert [tag for tag in page.tags if tag in ("link", "img", "iframe")] == []
    assert sum("plotly.js v" in script for script in page.scripts) == 1
    assert (tmp_path / "report.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_names_of_strategies_symbols_and_titles_cannot_become_markup(
    tmp_path: Path,
) -> None:
    story = story_of(name=EVIL, symbol=EVIL)
    story.capital("1", to="b&b")
    story.fill(1, EVIL, 1, 10, by=EVIL)
    story.write(1, Halted(reason=EVIL, by=EVIL, generation=1))

    page = report(story, tmp_path / "a.html", title=EVIL)
    plain = report(story_of(), tmp_path / "b.html")

    assert page.tags.count("script") == plain.tags.count("script") == 3
    assert sum(EVIL in text for text in page.texts) >= 8
    assert "<script" not in json.dumps(page.figures()["equity"])
    assert "b&b" in page.texts


def test_restarts_halts_and_details_are_told(tmp_path: Path) -> None:
    story = story_of()
    story.write(-1, EngineStarted(engine=1, mode="paper", pid=1, options="{}"))
    story.write(1, ActorRestarted(path="feeds/x", incarnation=2, error="Boom: now"))
    story.write(2, Halted(reason="lunch", by="me", generation=1))
    again = EngineStarted(engine=1, mode="paper", pid=77, options="{}")
    story.write(2, again, epoch=2)

    texts = report(story, tmp_path).texts

    for told in ("feeds/x", "Boom: now", "lunch (by me)", "pid 77", "the-digest"):
        assert told in texts
    assert "pid 1" not in texts
    assert "--fill next_open" in texts


def test_long_tables_are_cut_and_say_how_many_rows_there_are(tmp_path: Path) -> None:
    fills = 2 * (ROWS_MAX + 5)
    story = story_of(fills)
    for step in range(fills):
        story.fill(step, "A", -1 if step % 2 else 1, 10)

    page = report(story, tmp_path)

    rows = page.tags.count("tr")
    assert rows == 2 * (ROWS_MAX + 1)
    assert "The first 1,000 of 2,010." in page.texts
    assert "The first 1,000 of 1,005." in page.texts


def test_the_price_chart_marks_buys_and_sells_of_each_symbol(tmp_path: Path) -> None:
    story = Story(bars({"QUIET": [1, 2], "BUSY": [10, 11]}))
    story.capital("1000")
    story.fill(0, "BUSY", 2, 10)
    story.fill(1, "BUSY", -2, 11)

    prices = report(story, tmp_path).figures()["prices"]
    busy = {trace["meta"]["role"]: trace for trace in prices[0]["data"]}

    assert [figure["symbol"] for figure in prices] == ["BUSY", "QUIET"]
    assert (busy["buy"]["y"], busy["sell"]["y"]) == ([10], [11])
    assert busy["buy"]["x"] == [story.data.times_us[0] // 1000]
    assert busy["price"]["y"] == [10, 11]
    assert prices[1]["data"][1]["x"] == []


def test_too_many_marks_and_symbols_are_thinned_aloud(tmp_path: Path) -> None:
    steps = MARKS_MAX + 10
    closes = {f"S{number}": [1.0] * steps for number in range(SYMBOLS_MAX + 1)}
    story = Story(bars(closes))
    story.capital("100000")
    for step in range(steps):
        story.fill(step, "S7", 1, 1)

    page = report(story, tmp_path)
    figure = page.figures()["prices"][0]

    assert figure["symbol"] == "S7"
    assert len(figure["data"][1]["x"]) <= MARKS_MAX
    assert figure["note"] == "755 of 1,510 fills are marked, evenly chosen."
    assert len(page.figures()["prices"]) == SYMBOLS_MAX
    assert any("60 most traded of 61" in text for text in page.texts)


def test_a_long_series_keeps_its_ends_and_its_extremes() -> None:
    values = [0.0] * 50_000
    values[12_345], values[40_001] = 9.0, -9.0
    frame = pl.DataFrame({"row": range(50_000), "value": values})

    short = thinned(frame, "value")

    assert len(short) <= POINTS_MAX + 2
    assert short["row"].is_sorted()
    assert {0, 12_345, 40_001, 49_999} <= set(short["row"])


def test_a_short_series_is_left_alone() -> None:
    frame = pl.DataFrame({"value": [1.0, 2.0, 3.0]})
    assert thinned(frame, "value").equals(frame)


def test_each_of_several_strategies_has_its_line(tmp_path: Path) -> None:
    alone = report(story_of(), tmp_path).figures()["equity"]
    story = story_of(name="x")
    story.capital("5", to="y")
    both = report(story, tmp_path).figures()["equity"]

    assert [trace["name"] for trace in alone["data"]] == ["All together", "Drawdown"]
    assert [trace["name"] for trace in both["data"][1:3]] == ["x", "y"]
    assert both["data"][2]["y"] == [5, 5, 5]


def test_without_plotly_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)

    with pytest.raises(InputError, match=r"pip install 'holdfast\[report\]'"):
        report(story_of(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"file/sub/report\.html: expected a file"):
        report(story_of(), tmp_path / "file" / "sub")
