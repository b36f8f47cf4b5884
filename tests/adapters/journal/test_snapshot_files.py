"""Snapshots on disk: whole, a few, readable, and nothing else is restored from."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import attrs
import pytest

from holdfast_adapters.journal.snapshots import (
    VERSION,
    NotASnapshot,
    SnapshotFiles,
    read_snapshot,
    text_of,
)
from holdfast_domain.errors import SnapshotFailed
from holdfast_domain.snapshots import Snapshot

RECORDED = Path(__file__).parent / "recorded" / "snapshot-version-1.json"
SECTIONS = {
    "run": {"options": "{}", "halted": False},
    "orders": {"rows": [{"order_id": "a", "filled": "0.10"}, {"order_id": "b"}]},
    "ledger": {"strategies": {"one": {"cash": {"USD": "12.50"}, "lots": {}}}},
    "nothing": [],
}


def snapshot(sequence: int = 17, **changes: Any) -> Snapshot:
    made = Snapshot(
        engine=7,
        sequence=sequence,
        hash=f"{sequence:064x}",
        epoch=2,
        cursor=99,
        market_time_us=1_700_000_000_000_000,
        wall_time_us=1_700_000_001_000_000,
        why="timer",
        sections=SECTIONS,
    )
    return attrs.evolve(made, **changes)


def test_what_was_saved_is_read_again() -> None:
    text = text_of(snapshot())

    assert read_snapshot(text.encode()) == snapshot()
    document = json.loads(text)
    assert document["market_time"] == "2023-11-14T22:13:20+00:00"
    assert document["sections"] == SECTIONS
    assert '  {"order_id":"a","filled":"0.10"},\n' in text


def test_five_are_kept_and_the_newest_comes_first(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path / "snapshots")

    oldest = [files.save(snapshot(each)) for each in range(8, 15)]

    assert oldest == [8, 8, 8, 8, 8, 9, 10]
    assert [each.sequence for each in files.newest_first()] == [14, 13, 12, 11, 10]
    assert len(os.listdir(tmp_path / "snapshots")) == 5


def test_copies_by_another_hand_are_neither_counted_nor_removed(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    files.save(snapshot(1))
    (path,) = files.paths
    copies = [tmp_path / f"snapshot-{name}.json" for name in ("old", "1-a", "1-b")]
    for copy in copies:
        copy.write_bytes(path.read_bytes())
    os.mkfifo(tmp_path / "snapshot-000000000099.json")

    oldest = [files.save(snapshot(each)) for each in range(2, 8)]

    assert oldest == [1, 1, 1, 1, 2, 3]
    assert [each.sequence for each in files.newest_first()] == [7, 6, 5, 4, 3]
    assert all(copy.exists() for copy in copies)


def test_a_text_that_is_nested_too_deeply_is_no_snapshot() -> None:
    with pytest.raises(NotASnapshot, match="RecursionError"):
        read_snapshot(b"[" * 100_000)


@pytest.mark.parametrize("cut", range(0, len(text_of(snapshot())) - 2, 7))
def test_a_torn_file_is_passed_over(tmp_path: Path, cut: int) -> None:
    files = SnapshotFiles(tmp_path)
    files.save(snapshot(1))
    files.save(snapshot(2))
    newest = files.paths[-1]
    newest.write_bytes(newest.read_bytes()[:cut])

    assert [each.sequence for each in files.newest_first()] == [1]
    assert list(files.passed_over) == [newest]


def test_an_edited_file_is_passed_over(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    files.save(snapshot(1))
    (path,) = files.paths
    path.write_text(path.read_text().replace("12.50", "99.50"))

    assert list(files.newest_first()) == []
    assert "was edited" in files.passed_over[path]


def test_a_crash_dump_is_never_restored_from(tmp_path: Path) -> None:
    text = text_of(snapshot()).replace("holdfast snapshot", "holdfast crash dump")
    (tmp_path / "snapshot-000000000099.json").write_text(text)
    files = SnapshotFiles(tmp_path)

    assert list(files.newest_first()) == []
    (why,) = files.passed_over.values()
    assert "crash dump" in why


def test_a_newer_version_is_not_read() -> None:
    text = text_of(snapshot()).replace(
        f'"version": {VERSION}', f'"version": {VERSION + 1}'
    )
    above = text.rpartition('"checksum"')[0]

    digest = hashlib.sha256(above.encode()).hexdigest()

    with pytest.raises(NotASnapshot, match=f"version {VERSION} or older"):
        read_snapshot(f'{above}"checksum": "{digest}"\n}}\n'.encode())


def test_a_recorded_file_of_version_1_is_still_read() -> None:
    assert read_snapshot(RECORDED.read_bytes()) == snapshot()


def test_an_old_file_comes_through_each_migration_in_turn() -> None:
    def to_2(document: dict[str, Any]) -> dict[str, Any]:
        sections = {**document["sections"], "breakers": {}}
        return {**document, "sections": sections}

    def to_3(document: dict[str, Any]) -> dict[str, Any]:
        sections = dict(document["sections"])
        sections["cutouts"] = sections.pop("breakers")
        return {**document, "sections": sections}

    read = read_snapshot(RECORDED.read_bytes(), 3, {1: to_2, 2: to_3})

    assert read == snapshot(sections={**SECTIONS, "cutouts": {}})


@pytest.mark.parametrize("error", [28, 30, 13])
def test_a_disk_that_refuses_leaves_the_files_as_they_were(
    tmp_path: Path, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = SnapshotFiles(tmp_path)
    files.save(snapshot(1))

    def refused(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refused)
        with pytest.raises(SnapshotFailed, match=os.strerror(error)):
            files.save(snapshot(2))

    assert [each.sequence for each in files.newest_first()] == [1]
    assert len(os.listdir(tmp_path)) == 1
