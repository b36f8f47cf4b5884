"""What a spec must keep to be moved; checked when the tree is built."""

from __future__ import annotations

import sys
from functools import partial
from types import FunctionType
from typing import Any, get_args, get_type_hints

from holdfast_runtime.errors import SpecError
from holdfast_runtime.moving.pickling import dump
from holdfast_runtime.moving.resident import refuse
from holdfast_runtime.spec import ActorSpec, RunsIn


def check_moved(path: str, spec: ActorSpec) -> None:
    """Refuse an actor that cannot run where its spec says.

    Where its builder does not tell which class it makes, that is seen at its start.

    Raises:
        SpecError: naming the actor by its path.
    """
    _check_place(path, spec)
    if spec.runs_in == "engine":
        return
    kind = _made_by(spec.build)
    if kind is not None:
        refuse(path, kind)
    if spec.runs_in == "process":
        _check_builder(path, spec)


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


def _made_by(build: Any) -> type | None:  # noqa: ANN401 - whatever can be called
    """Return the class of the actors that ``build`` makes, if it tells."""
    while isinstance(build, partial):
        build = build.func
    if isinstance(build, FunctionType):
        try:
            build = get_type_hints(build).get("return")
        except Exception:  # noqa: BLE001 - whatever an annotation raises
            return None
    return build if isinstance(build, type) else None


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
