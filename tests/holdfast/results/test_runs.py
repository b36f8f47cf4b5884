"""Run records: saved whole, listed in order, never lost to a damaged neighbour."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import platformdirs
import pytest

from holdfast.results import (
    RunRecord,
    StrategyRun,
    data_directory,
    list_runs,
    save_run,
)
from holdfast_domain.errors import InputError

RECORD = RunRecord(
    kind="backtest",
    strategies=(
        StrategyRun(
            name="Größe/../x",
            class_name="Momentum",
            digest="ab" * 32,
            parameters={"fast": 10, "limit": 0.5, "name": "é", "on": True},
        ),
    ),
    data_digest="cd" * 32,
    first_at="2000-03-01T21:00:00+00:00",
    last_at="2013-03-01T21:00:00+00:00",
    options={"capital": "100000", "symbols": ["A"], "fill": None},
    result={"final_equity": "1", "positions": {}, "sharpe": None},
    started_at="2024-05-06T07:08:09.123456+00:00",
    finished_at="2024-05-06T07:08:10+00:00",
    engine_version="0.1.0",
)


def test_a_record_is_read_as_it_was_saved(tmp_path: Path) -> None:
    path = save_run(tmp_path / "new" / "place", RECORD)

    assert list_runs(tmp_path / "new" / "place") == [(path, RECORD)]
    assert path.parent == tmp_path / "new" / "place" / "runs"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert json.loads(path.read_text())["version"] == 1


def test_runs_are_listed_by_their_start_and_none_overwrites_another(
    tmp_path: Path,
) -> None:
    later = attrs.evolve(RECORD, started_at="2025-01-01T00:00:00+00:00")
    same_moment = attrs.evolve(RECORD, engine_version="0.2.0")
    for record in (later, RECORD, same_moment, RECORD):
        save_run(tmp_path, record)

    found = [record for _, record in list_runs(tmp_path)]

    assert found[-1] == later
    assert len(found) == 3


def test_a_damaged_or_newer_file_hides_no_other(tmp_path: Path) -> None:
    path = save_run(tmp_path, RECORD)
    text = path.read_text()
    bad = {
        "torn": text[:99],
        "binary": "\x00\x01",
        "list": "[]",
        "kind": text.replace("backtest", "guess"),
        "newer": text.replace('"version": 1', '"version": 2'),
        "short": '{"version": 1}',
    }
    for name, content in bad.items():
        (path.parent / f"{name}.json").write_text(content)

    assert list_runs(tmp_path) == [(path, RECORD)]


def test_a_directory_without_runs_has_none(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "absent") == []


def test_the_environment_names_the_data_directory() -> None:
    chosen = data_directory({"HOLDFAST_DATA_DIR": "/somewhere/else"})

    assert chosen == Path("/somewhere/else")
    assert data_directory({"HOLDFAST_DATA_DIR": ""}) == data_directory({})
    assert data_directory({}) == Path(platformdirs.user_data_dir("holdfast", False))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"HOLDFAST_DATA_DIR"):
        save_run(tmp_path / "file", RECORD)
