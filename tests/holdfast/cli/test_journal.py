"""``holdfast journal`` and ``holdfast audit`` on the state of a run."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import pytest

from holdfast.clocks import FixedClock
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import Entry, Quarantined

from .commands import Desk, refused


@pytest.fixture
def ran(desk: Desk) -> Desk:
    """A desk on which a run is over."""
    assert desk.run(*desk.paper()).status == 0
    return desk


def quarantined(path: Path, origin: str) -> None:
    """Write that a record was quarantined."""
    store = SqliteJournal(path, 0)
    *_, last = store.read()
    store.append(
        [
            Entry(
                sequence=last.sequence + 1,
                epoch=last.epoch,
                cursor=last.cursor,
                market_time_us=last.market_time_us,
                wall_time_us=FixedClock().now_us(),
                event=Quarantined(
                    subject="strategy/Buyer",
                    reader="engine/trading/strategies/Buyer/strategy",
                    origin=origin,
                    error="ValueError('x')",
                ),
            )
        ]
    )
    store.close()


def test_verify_counts_the_records(ran: Desk) -> None:
    found = ran.run("journal", "verify", "state")
    assert found.status == 0
    first, last_hash, *kinds = found.out.splitlines()
    assert first.endswith(" records, all good")
    assert len(last_hash.removeprefix("last hash: ")) == 64
    assert "8  OrderFilled" in [line.strip() for line in kinds]


def test_tail_shows_the_last_records(ran: Desk) -> None:
    lines = ran.run("journal", "tail", "state", "-n", "2").out.splitlines()
    assert len(lines) == 2
    assert "RunFinished" in lines[-1]
    assert len(ran.run("journal", "tail", "state").out.splitlines()) == 20


def interrupted(command: subprocess.Popen[str]) -> str:
    """Interrupt it as a person does, who presses again; return its standard error."""
    for _ in range(3):
        command.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return command.communicate(timeout=300)[1]
    message = "it does not end"
    raise AssertionError(message)


def test_tail_follows_what_is_written(ran: Desk) -> None:
    with ran.start("journal", "tail", "state", "-n", "1", "--follow") as tail:
        assert tail.stdout is not None
        try:
            assert "RunFinished" in tail.stdout.readline()
            quarantined(ran.state / "journal.sqlite", "journal:4")
            assert "Quarantined" in tail.stdout.readline()
            err = interrupted(tail)
        finally:
            tail.kill()
    assert tail.returncode == 130
    assert err == "holdfast: interrupted\n"


def test_export_writes_json_lines(ran: Desk) -> None:
    lines = ran.run("journal", "export", "state").out.splitlines()
    records = [json.loads(line) for line in lines]
    assert [each["sequence"] for each in records] == list(range(1, len(records) + 1))
    fills = ran.run("journal", "export", "state", "--kind", "OrderFilled", "--out", "f")
    assert fills.out == "8 records in f\n"
    kept = [json.loads(line) for line in (ran.path / "f").read_text().splitlines()]
    assert kept == [each for each in records if each["kind"] == "OrderFilled"]
    after = ran.run("journal", "export", "state", "--after", str(len(records) - 1))
    assert [json.loads(line) for line in after.out.splitlines()] == records[-1:]


def test_a_quarantined_record_is_listed_until_it_is_released(ran: Desk) -> None:
    assert ran.run("journal", "quarantine", "state").out == ""
    quarantined(ran.state / "journal.sqlite", "journal:4")
    listed = ran.run("journal", "quarantine", "state").out
    assert listed.startswith("journal:4  strategy/Buyer  not read by engine/trading/")
    run = ("journal", "quarantine", "state", "--release")
    refused(ran.run(*run, "journal:5", "--by", "ann"), "choose of: journal:4")
    refused(ran.run(*run, "journal:4"), "--by")
    assert ran.run(*run, "journal:4", "--by", "ann").out == "released: journal:4\n"
    assert ran.run("journal", "quarantine", "state").out == ""
    assert ran.run("audit", "state").status == 0


def test_the_auditor_says_what_it_found(ran: Desk) -> None:
    good = ran.run("audit", "state", "--json")
    assert good.status == 0
    assert json.loads(good.out)["ok"] is True
    with closing(sqlite3.connect(ran.state / "venue-paper.sqlite")) as file:
        file.execute(
            "INSERT INTO events SELECT 1 + (SELECT max(number) FROM events), cursor, "
            "kind, order_id, replace(body, 'X1\"', 'X99\"') FROM events "
            "WHERE kind = 'executed' LIMIT 1"
        )
        file.commit()
    bad = ran.run("audit", "state", "--json")
    assert bad.status == 1
    assert bad.err == ""
    found = json.loads(bad.out)
    assert found["ok"] is False
    assert len(found["checks"]["fills lost"]) == 1
    shown = ran.run("audit", "state")
    assert shown.status == 1
    assert "X99" in shown.out


def test_the_auditor_refuses_what_is_no_record(ran: Desk) -> None:
    (ran.state / "venue-paper.sqlite").write_bytes(b"nonsense" * 1000)
    refused(ran.run("audit", "state"), "not a database", "holdfast journal verify")
