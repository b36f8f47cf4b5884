"""Specs of moved actors are refused when the tree is built, by path."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from typing import Any

import pytest

from holdfast_runtime import ActorSpec, SimulatedEngine, SpecError, SupervisorSpec


class Idle:
    """An actor of which another process can have the builder."""

    def __init__(self, *_: object) -> None: ...

    def handle(self, message: object) -> None:
        """Do nothing."""


def engine_of(*children: ActorSpec) -> SimulatedEngine:
    return SimulatedEngine(SupervisorSpec(name="top", children=children))


def actor(**spec: Any) -> ActorSpec:
    whole: dict[str, Any] = {"name": "a", "build": Idle, **spec}
    return ActorSpec(**whole)


def test_classes_functions_and_partials_of_a_module_can_be_moved() -> None:
    engine_of(
        actor(runs_in="process"),
        actor(name="b", runs_in="process", build=partial(Idle, 1)),
        actor(name="c", runs_in="thread", build=lambda _: Idle()),
    )


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"runs_in": "cloud"}, "top/a: expected runs_in to be one of"),
        ({"give_up_s": 1.0}, "was 1.0 of one in the engine"),
        ({"runs_in": "thread", "give_up_s": 0.0}, "expected a positive give_up_s"),
        (
            {"runs_in": "process", "build": lambda _: Idle()},
            "top/a: expected a builder that can be pickled",
        ),
    ],
)
def test_what_cannot_run_there_is_refused(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        engine_of(actor(**spec))


def test_a_closure_is_refused_with_its_own_name() -> None:
    def build(_: object) -> Idle:
        return Idle()

    with pytest.raises(SpecError, match=r"top/a: .*was <function .*\.build"):
        engine_of(actor(runs_in="process", build=build))


def test_a_child_that_cannot_be_moved_is_not_added() -> None:
    engine = engine_of()
    with pytest.raises(SpecError, match="top/a: expected a builder"):
        engine.root.add_child(actor(runs_in="process", build=lambda _: Idle()))
    assert engine.root.children == []


def test_a_builder_of_a_program_without_a_file_is_refused() -> None:
    program = (
        "from holdfast_runtime import *\n"
        "class A:\n"
        "    def __init__(self, ctx): pass\n"
        "    def handle(self, message): pass\n"
        "a = ActorSpec(name='a', build=A, runs_in='process')\n"
        "SimulatedEngine(SupervisorSpec(name='top', children=(a,)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 1
    assert "top/a: expected a builder" in ran.stderr
    assert "is in a __main__ that no other process can import" in ran.stderr
