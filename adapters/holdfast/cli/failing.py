"""Errors as a user of the command line sees them: one line, and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs
import click

from holdfast_domain.errors import DomainError, Fenced

USER = 2
"""The input was wrong; nothing was done."""

FAILED = 1
"""The run or the check itself failed."""

UNEXPECTED = 70
"""A defect of ours, or of the machine."""

BY_SIGNAL = 128
"""Added to the number of the signal that ended the command."""

_INTERRUPT = 2
_PIPE = 13
TRACEBACK = "HOLDFAST_TRACEBACK"


@attrs.define
class Outcome:
    """How a command ended."""

    status: int = 0


class Refusal(DomainError):
    """A text that is one line already, from elsewhere; ends with ``status``."""

    def __init__(self, text: str, status: int = USER) -> None:
        self.status = status
        super().__init__(text)


@contextmanager
def ending_well() -> Iterator[Outcome]:
    """Turn whatever the block raises into one line on standard error and a status."""
    outcome = Outcome()
    try:
        yield outcome
    except BrokenPipeError:
        _leave_stdout()
        outcome.status = BY_SIGNAL + _PIPE
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        outcome.status = BY_SIGNAL + _INTERRUPT
    except Exception as error:  # noqa: BLE001 - the user gets a line, never a trace
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        text, outcome.status = explained(error)
        say(text)


def say(text: str) -> None:
    """Write one line to standard error, as long as it may be."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"holdfast: {one_line(text)}\n")
        sys.stderr.flush()


def say_at_once(text: str) -> None:
    """Write one line to standard error from a signal's handler, past all buffers."""
    with suppress(OSError):
        os.write(2, f"holdfast: {one_line(text)}\n".encode(errors="backslashreplace"))


def one_line(text: str) -> str:
    """Return ``text`` on one line, without what would move a terminal's cursor."""
    line = " ".join(text.split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def explained(error: BaseException) -> tuple[str, int]:
    """Return the line for ``error``, and the exit status."""
    found = _first(error)
    if isinstance(found, click.UsageError):
        return _usage(found), USER
    if isinstance(found, click.ClickException):
        return found.format_message(), USER
    if isinstance(found, Refusal):
        return str(found), found.status
    if isinstance(found, Fenced):
        return str(found), FAILED
    if isinstance(found, DomainError):
        return str(found), USER
    if _is_engine_failure(found):
        return f"the engine gave up: {_cause(found)}", FAILED
    return _unexpected(found), UNEXPECTED


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "holdfast"
    where = path.removeprefix("holdfast").strip()
    text = error.format_message().strip().removesuffix(".")
    start = f"{where}: " if where else ""
    return f"{start}{text}; see '{path} --help'"


def _is_engine_failure(error: BaseException) -> bool:
    # Only whoever has run an engine has imported it; it takes a moment.
    errors = sys.modules.get("holdfast_runtime.errors")
    return errors is not None and isinstance(error, errors.EngineFailed)


def _cause(error: BaseException) -> str:
    words = [str(error)]
    cause = error.__cause__
    while cause is not None:
        words.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return ": ".join(words)


def _unexpected(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    hint = f"set {TRACEBACK}=1 to see all"
    return f"unexpected {type(error).__name__}: {error}{at}; {hint}"


def _leave_stdout() -> None:
    """Let nothing more be written to the pipe that nobody reads."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
