"""The plugin for pytest: a simulated system as a fixture, and schedules by seed.

``--holdfast-seeds N`` runs each test that uses the fixtures under the schedules of the
seeds 1 to N; a test may ask for that itself by the marker ``holdfast_seeds(N)``.
``--holdfast-seed SEED`` replays one. Without any of them the seed is 0: mail is
delivered in the order in which it was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from holdfast_runtime.spec import SupervisorSpec
    from holdfast_runtime.testing.faults import Faults
    from holdfast_runtime.testing.system import System

_SEED = "holdfast_seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("holdfast", "schedules of simulated systems")
    group.addoption(
        "--holdfast-seeds",
        type=_count,
        metavar="N",
        help="run each test of a simulated system under N seeded schedules",
    )
    group.addoption(
        "--holdfast-seed",
        type=int,
        metavar="SEED",
        help="run each test of a simulated system under this schedule alone",
    )


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        message = f"expected at least 1 schedule, was {text}"
        raise ValueError(message)
    return count


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    line = "holdfast_seeds(n): run the test under n seeded schedules"
    config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each seed."""
    if _SEED not in metafunc.fixturenames:
        return
    seeds = _seeds(metafunc)
    if seeds:
        metafunc.parametrize(_SEED, seeds, ids=[f"seed{each}" for each in seeds])


def _seeds(metafunc: pytest.Metafunc) -> list[int]:
    one = metafunc.config.getoption("--holdfast-seed")
    count = metafunc.config.getoption("--holdfast-seeds")
    marker = metafunc.definition.get_closest_marker("holdfast_seeds")
    if one is not None:
        return [one]
    if count is None and marker is not None:
        count = marker.args[0]
    return list(range(1, count + 1)) if count else []


@pytest.fixture
def holdfast_seed() -> int:
    """Return the seed of the schedule; 0 is the order in which mail was sent."""
    return 0


@pytest.fixture
def holdfast_system(holdfast_seed: int) -> Iterator[Callable[..., System]]:
    """Make simulated systems: ``holdfast_system(spec)`` returns one that is up.

    At its end the test stops them, and fails if a message is left under way.
    """
    from holdfast_runtime.testing.system import System  # noqa: PLC0415 - on use

    made: list[System] = []

    def make(
        spec: SupervisorSpec,
        *,
        faults: Faults | None = None,
        lock_step: bool = True,
        start: bool = True,
    ) -> System:
        system = System(spec, seed=holdfast_seed, faults=faults, lock_step=lock_step)
        made.append(system)
        return system.start() if start else system

    yield make
    for system in made:
        system.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember under which seed a test ran."""
    report = yield
    seed = getattr(item, "funcargs", {}).get(_SEED)
    if seed:
        report.user_properties.append((_SEED, seed))
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say of each failure under a seed how it is replayed."""
    lines = []
    for outcome in ("failed", "error"):
        for report in terminalreporter.getreports(outcome):
            seed = dict(getattr(report, "user_properties", ())).get(_SEED)
            if seed is not None:
                node = config.cwd_relative_nodeid(report.nodeid)
                lines.append(f"seed {seed}: pytest '{node}' --holdfast-seed {seed}")
    if lines:
        terminalreporter.section("holdfast: how to replay")
        for line in dict.fromkeys(lines):
            terminalreporter.line(line)
