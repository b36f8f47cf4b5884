"""Strategies from files: FILE.py or FILE.py:Class, with an error for all else."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import attrs

from holdfast_actors.strategy.api import Strategy
from holdfast_domain.errors import InputError

EXPECTED = "FILE.py or FILE.py:Class"


@attrs.frozen(kw_only=True)
class Loaded:
    """A strategy class and where it came from."""

    strategy: type[Strategy]
    source: str
    digest: str
    """sha256 of the source file; empty for a class that was handed over."""


def load_strategy(text: str) -> Loaded:
    """Import the strategy that ``text`` names.

    Raises:
        InputError: no such file, not Python, or not exactly one strategy.
    """
    name, _, wanted = text.partition(":")
    path = Path(name)
    if not path.is_file():
        raise InputError(
            name, f"a strategy file ({EXPECTED})", "no such file", "check the path"
        )
    module = _import(path)
    return Loaded(
        strategy=_choose(path, module, wanted),
        source=text,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _import(path: Path) -> ModuleType:
    unique = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"holdfast_strategy_{path.stem}_{unique}"
    loader = _Source(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if path.suffix != ".py" or spec is None or spec.loader is None:
        raise InputError(
            str(path),
            f"a Python file ({EXPECTED})",
            f"a name that ends in {path.suffix!r}",
            "give one that ends in .py",
        )
    module = importlib.util.module_from_spec(spec)
    # Saved state names classes of this module; it must be found again by name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(
            f"{error.filename or path}:{error.lineno or 1}",
            "Python",
            f"a syntax error: {error.msg}",
            "correct the line",
        ) from error
    except (Exception, SystemExit) as error:
        raise InputError(
            where_of(error, str(path)),
            "a file that can be imported",
            said(error),
            "correct it there",
        ) from error
    return module


class _Source(SourceFileLoader):
    """Loads what the file says now.

    Python takes compiled code for that of a file with the same size and second of its
    last change: who corrects a letter at once would run what was there before.
    """

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _choose(path: Path, module: ModuleType, wanted: str) -> type[Strategy]:
    own = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, Strategy)
        and value.__module__ == module.__name__
    }
    if not own:
        raise InputError(
            str(path),
            "a class that derives from holdfast.Strategy",
            "none",
            "write 'class Mine(Strategy):'",
        )
    if wanted and wanted not in own:
        raise InputError(
            f"{path}:{wanted}",
            f"one of {', '.join(own)}",
            repr(wanted),
            "name one of them",
        )
    if not wanted and len(own) > 1:
        raise InputError(
            str(path),
            "one strategy",
            f"{len(own)}: {', '.join(own)}",
            f"name one, such as {path}:{next(iter(own))}",
        )
    return check_strategy(own[wanted or next(iter(own))])


def check_strategy(strategy: type[Strategy]) -> type[Strategy]:
    """Refuse a class without the two required methods.

    Raises:
        InputError: naming the method.
    """
    has_initialize = strategy.initialize is not Strategy.initialize
    has_data = strategy.handle_data is not Strategy.handle_data or hasattr(
        strategy, "on_data"
    )
    for present, method in (
        (has_initialize, "initialize(self, context)"),
        (has_data, "handle_data(self, context, data)"),
    ):
        if not present:
            raise InputError(
                strategy.__name__, f"a method {method}", "none", "define it"
            )
    return strategy


def said(error: BaseException) -> str:
    """Return an error in one line, with its type."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def where_of(error: BaseException, otherwise: str) -> str:
    """Return the file and line of a user's code at which ``error`` was raised."""
    own = Path(__file__).parent.parent.parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        inside = any(
            part.startswith("holdfast_")
            for part in path.parts
            if not part.startswith("holdfast_strategy_")
        )
        if not inside and path.exists() and own / "adapters" not in path.parents:
            return f"{path}:{frame.lineno}"
    return otherwise


Factory = Callable[[], Strategy]
