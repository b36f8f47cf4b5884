"""What bad input gets: one line that helps, status 2, and nothing lost."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

from .commands import BUYER, HEADER, Desk, refused

GOOD = "2024-01-02T21:00:00Z,10,11,9,10,1"
LATER = "2024-01-03T21:00:00Z,10,11,9,10,1"


def csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


DATA = {
    "an empty file": ("", "at least one row"),
    "no rows": (csv(), "without rows"),
    "wrong columns": ("time,price\n1,2\n", "got 'time', 'price'"),
    "unsorted": (csv(LATER, GOOD), "row 2, column 'timestamp': expected time stamps"),
    "duplicates": (csv(GOOD, GOOD), "got 2024-01-02T21:00:00+00:00 twice"),
    "NaN": (csv(GOOD.replace("9,10", "9,NaN")), "column 'close'"),
    "a negative price": (csv(GOOD.replace(",9,", ",-9,")), "a price above 0, got -9"),
    "high below low": (csv(GOOD.replace("11,9", "9,11")), "column 'high'"),
    "naive times": (csv(GOOD.replace("Z", "")), "--tz America/New_York"),
}


@pytest.mark.parametrize("case", DATA)
def test_bad_data_is_refused_in_one_line(desk: Desk, case: str) -> None:
    text, words = DATA[case]
    path = desk.write("bad.csv", text)
    refused(desk.run("backtest", desk.buyer(), "--data", path, "--json"), path, words)


@pytest.mark.parametrize("name", ["rubbish.csv", "rubbish.parquet"])
def test_binary_rubbish_is_refused_in_one_line(desk: Desk, name: str) -> None:
    (desk.path / name).write_bytes(random.Random(7).randbytes(4_000))
    ran = desk.run("backtest", desk.buyer(), "--data", name)
    refused(ran, name, "expected a", "cannot be read", "check the file")


def test_a_missing_file_is_refused_in_one_line(desk: Desk) -> None:
    ran = desk.run("backtest", desk.buyer(), "--data", "nowhere.csv")
    refused(ran, "nowhere.csv", "nothing there", "check the path")


INITIALIZE = '        context.asset = self.symbol("bars")\n'
STRATEGIES = {
    "a syntax error": ("class A(:\n", "bad.py:1: expected Python", "correct the line"),
    "no strategy": ("from holdfast import Strategy\n", "derives from", "class Mine"),
    "two strategies": (BUYER + "\nclass Other(Buyer): pass\n", "2: Buyer, Other", ":B"),
    "an import that fails": ("import nowhere_to_be\n", "bad.py:1", "ModuleNotFound"),
    "an exit": ("raise SystemExit(0)\n", "bad.py:1", "SystemExit"),
    "an exception in initialize": (
        BUYER.replace(INITIALIZE, '        raise ValueError("no\\nluck")\n'),
        "bad.py:9: expected a strategy Buyer that runs, got ValueError: no luck",
        "correct it",
    ),
    "an unknown symbol": (BUYER.replace('"bars"', '"NOPE"'), "bars, got 'NOPE'", "add"),
    "a state that cannot be saved": (
        BUYER.replace(INITIALIZE, INITIALIZE + "        context.way = iter([])\n"),
        "Buyer.way",
        "keep it elsewhere",
    ),
}


@pytest.mark.parametrize("command", ["backtest", "paper"])
@pytest.mark.parametrize("case", STRATEGIES)
def test_a_bad_strategy_is_refused_in_one_line(
    desk: Desk, case: str, command: str
) -> None:
    text, *words = STRATEGIES[case]
    state = ["--state", str(desk.state)] if command == "paper" else []
    path = desk.write("bad.py", text)
    ran = desk.run(command, path, "--data", desk.bars(), "--json", *state)
    refused(ran, *words)
    assert "journal.sqlite" not in desk.files()


def test_a_corrected_strategy_may_have_the_directory(desk: Desk) -> None:
    text, *_ = STRATEGIES["an exception in initialize"]
    run = desk.paper()
    (desk.path / "buyer.py").write_text(text)
    refused(desk.run(*run))
    desk.buyer()
    assert desk.run(*run).status == 0


OPTIONS = {
    "--capital": ("0", "-5", "abc", "nan", "inf", "1e999999999"),
    "--fill": ("yesterday",),
    "--commission": ("-1", "1", "x"),
    "--slippage-bps": ("-1", "x"),
    "--tz": ("Nowhere/Land",),
    "--start": ("tomorrow", "2030-01-01"),
    "--param": ("units", "nope=1", "units=x"),
    "--instruments": ("nowhere.yaml",),
    "--nope": ("1",),
    "--report": ("/proc/nowhere",),
}


@pytest.mark.parametrize(
    ("option", "value"), [(name, each) for name in OPTIONS for each in OPTIONS[name]]
)
def test_a_bad_option_is_refused_in_one_line(
    desk: Desk, option: str, value: str
) -> None:
    run = ("backtest", desk.buyer(), "--data", desk.bars(), "--json")
    refused(desk.run(*run, option, value))


def test_bad_numbers_say_what_to_do(desk: Desk) -> None:
    run = ("backtest", desk.buyer(), "--data", desk.bars())
    said = "capital: expected a positive number, got -5; give it as 100000"
    refused(desk.run(*run, "--capital", "-5"), said)
    known = "fill: expected one of next_open, this_close, next_close, got 'x'"
    refused(desk.run(*run, "--fill", "x"), known)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("backtest",),
        ("journal",),
        ("journal", "nope"),
        ("journal", "verify"),
        ("journal", "verify", "nowhere"),
        ("journal", "repair", "nowhere", "--to", "x"),
        ("journal", "export", "nowhere", "--kind", "Nope"),
        ("audit", "nowhere"),
        ("status",),
        ("status", "nowhere"),
        ("status", "--watch", "--json"),
        ("halt", "nowhere", "--reason", "x"),
        ("resume", "nowhere", "--reason", "x", "--by", "ann"),
        ("resume", "nowhere"),
    ],
)
def test_a_bad_command_is_refused_in_one_line(
    desk: Desk, arguments: tuple[str, ...]
) -> None:
    refused(desk.run(*arguments))


def test_other_options_than_at_the_first_start_are_refused(desk: Desk) -> None:
    run = desk.paper()
    assert desk.run(*run).status == 0
    before = desk.files()
    refused(desk.run(*run, "--capital", "5"), str(desk.state), "--speed may differ")
    refused(desk.run(*run, "--speed", "0"), "--speed", "such as --speed 1000")
    assert journal_of(desk.files()) == journal_of(before)


def test_a_directory_of_a_newer_version_is_refused_and_left_alone(desk: Desk) -> None:
    run = desk.paper()
    assert desk.run(*run).status == 0
    (desk.state / "version").write_text("2\n")
    before = desk.files()
    for command in (run, ("status", "state"), ("journal", "verify", "state")):
        refused(desk.run(*command), "version 1, got 2", "the version of holdfast that")
    assert desk.files() == before


def test_a_damaged_journal_is_named_and_repaired_as_advised(desk: Desk) -> None:
    run = desk.paper()
    whole = desk.run(*run)
    damage(desk, 12)
    before = desk.files()
    advice = "holdfast journal repair DIR --to 11"
    refused(desk.run(*run), "a damaged record 12", advice)
    refused(desk.run("journal", "verify", "state"), "record 12", advice, status=1)
    assert journal_of(desk.files()) == journal_of(before)
    mended = desk.run("journal", "repair", "state", "--to", "11")
    assert mended.status == 0, mended.err
    assert "the journal as it was: " in mended.out
    assert any(name.startswith("journal.sqlite.damaged-") for name in desk.files())
    again = desk.run(*run)
    assert again.status == 0, again.err
    assert whole.status == 0


def damage(desk: Desk, sequence: int) -> None:
    with closing(sqlite3.connect(desk.state / "journal.sqlite")) as file:
        statement = "UPDATE records SET body = replace(body, '3', '4')"
        file.execute(f"{statement} WHERE sequence = ?", (sequence,))
        file.commit()


def journal_of(files: dict[str, bytes]) -> bytes:
    return files["journal.sqlite"]


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--command-timeout", "0", "command-timeout: expected a positive number"),
        ("--longest-pause", "0.5", "longest-pause: expected at least the first pause"),
        ("--poll-executions", "often", "poll-executions: expected a positive number"),
        ("--venue-socket", "far=v.sock", "venue-socket: expected one of paper, got"),
    ],
)
def test_what_makes_no_sense_at_a_venue_is_refused_in_one_line(
    desk: Desk, option: str, text: str, words: str
) -> None:
    path = desk.write("good.csv", csv(GOOD, LATER))
    state = ("--state", str(desk.state))
    ran = desk.run("paper", desk.buyer(), "--data", path, *state, option, text)
    refused(ran, words)


def test_only_a_venue_of_the_instruments_is_served(desk: Desk) -> None:
    path = desk.write("good.csv", csv(GOOD, LATER))
    where = ("--state", str(desk.state), "--socket", "v.sock")
    ran = desk.run("venue", "paper", "--data", path, *where, "--venue", "far")
    refused(ran, "--venue: expected one of paper, got 'far'")
