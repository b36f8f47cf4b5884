"""A strategy's file is loaded, or one line says what is wrong with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from holdfast import InputError, Strategy
from holdfast.loading import check_strategy, load_strategy
from holdfast_actors.strategy.state import decode, encode

GOOD = """
import attrs
from holdfast import Strategy

@attrs.define
class Note:
    text: str

class First(Strategy):
    def initialize(self, context): ...
    def handle_data(self, context, data): ...
"""
SECOND = """
class Second(First):
    pass
"""


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(text: str) -> str:
    """Return what a load says against ``text``, in one line."""
    with pytest.raises(InputError) as refused:
        load_strategy(text)
    said = str(refused.value)
    assert "\n" not in said
    return said


def test_the_only_strategy_of_a_file_needs_no_name(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)

    loaded = load_strategy(str(path))

    assert loaded.strategy.__name__ == "First"
    assert issubclass(loaded.strategy, Strategy)
    assert loaded.source == str(path)
    assert len(loaded.digest) == 64


def test_one_of_several_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + SECOND)

    assert load_strategy(f"{path}:Second").strategy.__name__ == "Second"
    said = refusal(str(path))
    assert "expected one strategy, got 2: First, Second" in said
    assert f"{path}:First" in said
    assert "expected one of First, Second, got 'Third'" in refusal(f"{path}:Third")


def test_an_imported_strategy_is_not_one_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "from holdfast import Strategy\nfrom os import path\n")

    assert "a class that derives from holdfast.Strategy" in refusal(str(path))


def test_a_digest_changes_with_the_file(tmp_path: Path) -> None:
    before = load_strategy(str(written(tmp_path, GOOD))).digest

    after = load_strategy(str(written(tmp_path, GOOD + "\n# changed\n"))).digest

    assert before != after


def test_classes_of_the_file_are_found_again_by_name(tmp_path: Path) -> None:
    loaded = load_strategy(str(written(tmp_path, GOOD)))
    note = vars(__import__("sys").modules[loaded.strategy.__module__])["Note"]

    back = decode(encode("self.x", note("kept")), {})

    assert back == note("kept")


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, GOOD)

    one, two = (load_strategy(str(tmp_path / each / "mine.py")) for each in "ab")

    assert one.strategy.__module__ != two.strategy.__module__


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    said = refusal(f"{tmp_path}/none.py")

    assert said.startswith(f"{tmp_path}/none.py: expected a strategy file")
    assert "no such file" in said


def test_a_file_that_is_no_python_is_refused(tmp_path: Path) -> None:
    assert "a Python file" in refusal(str(written(tmp_path, GOOD, "mine.txt")))


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("x = 1\ndef broken(:\n", ":2: ", "a syntax error"),
        ("import nowhere_to_be_found\n", ":1: ", "ModuleNotFoundError"),
        ("x = 1\n\n1 / 0\n", ":3: ", "ZeroDivisionError: division by zero"),
        ("raise ValueError('two\\nlines')\n", ":1: ", "ValueError: two lines"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(
    tmp_path: Path, text: str, where: str, said: str
) -> None:
    path = written(tmp_path, text)

    line = refusal(str(path))

    assert line.startswith(f"{path}{where}")
    assert said in line


class NoInitialize(Strategy):
    def handle_data(self, context: object, data: object) -> None: ...


class NoData(Strategy):
    def initialize(self, context: object) -> None: ...


class OnData(Strategy):
    def initialize(self, context: object) -> None: ...

    def on_data(self, context: object, data: object) -> None: ...


@pytest.mark.parametrize(
    ("strategy", "method"),
    [
        (NoInitialize, r"initialize\(self, context\)"),
        (NoData, r"handle_data\(self, context, data\)"),
    ],
)
def test_a_class_without_a_required_method_is_refused(
    strategy: type[Strategy], method: str
) -> None:
    with pytest.raises(InputError, match=rf"{strategy.__name__}: .*{method}"):
        check_strategy(strategy)


def test_on_data_will_do() -> None:
    assert check_strategy(OnData) is OnData


def test_a_file_is_loaded_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter is corrected at once: same size, same second."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "mine.py"
    for word in ("MFST", "MSFT"):
        path.write_text(f"{GOOD}    word = '{word}'\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        strategy = load_strategy(str(path)).strategy
        assert vars(strategy)["word"] == word
