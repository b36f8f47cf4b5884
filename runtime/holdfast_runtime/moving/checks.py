"""What a spec must keep to be moved; checked when the tree is built."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable
from typing import get_args

from holdfast_runtime.errors import SpecError
from holdfast_runtime.moving.pickling import dump
from holdfast_runtime.spec import ActorSpec, RunsIn


def check_moved(
    actors: Iterable[tuple[str, ActorSpec]], moved: Container[str] = ()
) -> None:
    """Refuse an actor that cannot run where its spec says.

    ``moved`` are paths of actors that run elsewhere already.

    Raises:
        SpecError: naming the actor by its path.
    """
    all_of_them = list(actors)
    elsewhere = {path for path, spec in all_of_them if spec.runs_in != "engine"}
    for path, spec in all_of_them:
        _check_place(path, spec)
        if spec.recorder is None:
            continue
        if spec.recorder in elsewhere or spec.recorder in moved:
            message = (
                f"{path}: expected a recorder that runs in the engine, "
                f"was {spec.recorder!r}, which is moved"
            )
            raise SpecError(message)


def _check_place(path: str, spec: ActorSpec) -> None:
    if spec.runs_in not in get_args(RunsIn):
        message = (
            f"{path}: expected runs_in to be one of {get_args(RunsIn)}, "
            f"was {spec.runs_in!r}"
        )
        raise SpecError(message)
    if spec.give_up_s is not None and (spec.runs_in == "engine" or spec.give_up_s <= 0):
        message = (
            f"{path}: expected a positive give_up_s of an actor in a thread or a "
            f"process, was {spec.give_up_s} of one in the {spec.runs_in}"
        )
        raise SpecError(message)
    if spec.runs_in == "process":
        _check_builder(path, spec)


def _check_builder(path: str, spec: ActorSpec) -> None:
    """Refuse a builder that another process could not have."""
    wanted = (
        f"{path}: expected a builder that can be pickled, such as a class or function "
        f"of a module, or functools.partial of one, was {spec.build!r}"
    )
    try:
        data = dump(spec.build)
    except Exception as error:
        message = f"{wanted}: {error}"
        raise SpecError(message) from error
    main = sys.modules["__main__"]
    if b"__main__" in data and not getattr(main, "__file__", None):
        message = f"{wanted}, which is in a __main__ that no other process can import"
        raise SpecError(message)
