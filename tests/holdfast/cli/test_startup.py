"""The command line itself: its help, what it imports, and what it cannot foresee."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.cli import main
from holdfast.cli.failing import UNEXPECTED, ending_well, one_line
from holdfast_domain.errors import InputError

from .commands import Desk, command

COMMANDS = ("backtest", "paper", "status", "top", "halt", "resume", "journal", "audit")
HEAVY = ("polars", "trio", "plotly", "pykka", "msgspec", "rich")

# The package stands without its names here: they are for programs, which want them all.
BARE = f"""
import sys, types
from importlib.util import find_spec
bare = types.ModuleType("holdfast")
bare.__path__ = find_spec("holdfast_domain").submodule_search_locations
bare.__path__ = [{{path!r}}]
sys.modules["holdfast"] = bare
from holdfast.cli import main
status = main(["--help"])
print([name for name in {HEAVY} if name in sys.modules], status)
"""


def slip(error: Exception | None = None) -> None:
    raise error or IndexError("list index out of range")


def test_the_help_imports_nothing_heavy() -> None:
    path = str(sys.modules["holdfast"].__path__[0])
    done = subprocess.run(
        [sys.executable, "-c", BARE.format(path=path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    assert f"Example: holdfast {name} " in capsys.readouterr().out


def test_without_arguments_there_is_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert [name for name in (*COMMANDS, "demo") if f"\n  {name} " not in shown] == []


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("holdfast 0.")


def test_an_unexpected_error_is_one_line_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOLDFAST_TRACEBACK", raising=False)
    with ending_well() as outcome:
        slip()
    assert outcome.status == UNEXPECTED
    (line,) = capsys.readouterr().err.splitlines()
    assert "IndexError: list index out of range at " in line
    assert "test_startup.py:" in line
    assert line.endswith("set HOLDFAST_TRACEBACK=1 to see all")


def test_the_traceback_is_shown_to_who_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_TRACEBACK", "1")
    with ending_well():
        slip()
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_error_among_others_is_still_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = InputError("here", "this", "that")
    with ending_well() as outcome:
        slip(ExceptionGroup("many", [ExceptionGroup("more", [error])]))
    assert outcome.status == 2
    assert capsys.readouterr().err == "holdfast: here: expected this, got that\n"


def test_no_text_moves_the_cursor_or_breaks_the_line() -> None:
    assert one_line("a\nb\x85c\u2028d\x1b[2Je\x00") == "a b c d\\x1b[2Je\\x00"


def test_a_reader_who_leaves_ends_the_command_quietly(desk: Desk) -> None:
    assert desk.run(*desk.paper()).status == 0
    whole = subprocess.Popen(
        command("journal", "export", "state"),
        cwd=desk.path,
        env=desk.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert whole.stdout is not None
    assert whole.stderr is not None
    whole.stdout.close()
    assert whole.stderr.read() == b""
    assert whole.wait(60) == 141
    whole.stderr.close()
